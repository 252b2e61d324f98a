//! The suite on every built-in format, on codecs of an application's own, and on codecs that are wrong.

mod broken;
mod cbor;
mod compact;

use std::sync::Arc;

use gufo_core::{Codec, Format, Formats};

/// The most bytes the thread held at once while it did the work.
fn meter(work: &mut dyn FnMut()) -> u64 {
    allocation_counter::measure(work).bytes_max
}

/// The format of a codec, found as servers and clients find it.
fn found(codec: impl Codec) -> Format {
    let name = codec.name().to_owned();
    Formats::builtin()
        .with(codec)
        .find(&name)
        .expect("a codec is found by its name")
}

mod json {
    gufo_core::codec::conformance::suite!(gufo_core::Format::Json, |suite| suite
        .golden(include_bytes!("../golden/json.bin"))
        .meter(super::meter));
}

mod msgpack {
    gufo_core::codec::conformance::suite!(gufo_core::Format::MessagePack, |suite| suite
        .golden(include_bytes!("../golden/msgpack.bin"))
        .meter(super::meter));
}

mod protobuf {
    gufo_core::codec::conformance::suite!(gufo_core::Format::Protobuf, |suite| suite
        .golden(include_bytes!("../golden/protobuf.bin"))
        .meter(super::meter));
}

mod raw {
    gufo_core::codec::conformance::suite!(gufo_core::Format::Raw, |suite| suite
        .golden(include_bytes!("../golden/raw.bin"))
        .meter(super::meter));
}

mod custom {
    use super::{cbor, found};

    gufo_core::codec::conformance::suite!(found(cbor::Cbor), |suite| suite
        .golden(include_bytes!("../golden/cbor.bin"))
        .bomb(cbor::bomb())
        .meter(super::meter));
}

mod custom_by_position {
    use gufo_core::codec::conformance::{Capabilities, Fields};

    use super::{compact, found};

    gufo_core::codec::conformance::suite!(found(compact::Compact), |suite| {
        let mut capabilities = Capabilities::default();
        capabilities.fields = Fields::Positional;
        suite
            .capabilities(capabilities)
            .bomb(compact::bomb())
            .meter(super::meter)
    });
}

#[test]
fn custom_codecs_are_reported_as_one_table() {
    let report = gufo_core::codec::conformance::run(&Format::Custom(Arc::new(cbor::Cbor)));

    assert_eq!(report.failed().count(), 0, "{report}");
}
