//! The check of content types.

use std::sync::Arc;

use super::super::{
    bed::Bed,
    messages::{Rich, sample},
};
use crate::{
    Format, Formats, Status, Wire,
    codec::{AnySerialize, Codec, DecodeSeed, Serde},
    conformance::{Failure, Outcome, Verdict, ensure, ensure_eq},
};

/// A codec that is shared, as [`Formats::with`] takes it.
#[derive(Debug)]
struct Shared(Arc<dyn Codec>);

impl Codec for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn encode(&self, value: &dyn AnySerialize, out: &mut Vec<u8>) -> Result<(), Status> {
        self.0.encode(value, out)
    }

    fn decode(&self, bytes: &[u8], seed: &mut DecodeSeed<'_>) -> Result<(), Status> {
        self.0.decode(bytes, seed)
    }
}

pub(in super::super) fn content_type(bed: &Bed) -> Verdict {
    let format = bed.format();
    let (formats, aliases): (_, &[&str]) = match format {
        Format::Protobuf => (Formats::builtin(), &["", "protobuf", "x-protobuf"]),
        Format::MessagePack => (Formats::builtin(), &["x-msgpack", "vnd.msgpack"]),
        Format::Json | Format::Raw => (Formats::builtin(), &[]),
        Format::Custom(codec) => {
            let shared = Shared(Arc::clone(codec));
            (Formats::builtin().with(shared), &[])
        }
    };
    let name = format.name();
    // As in RFC 6838, without upper case.
    let legal = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&-^_.+".contains(&byte)
    };
    ensure!(
        !name.is_empty() && name.bytes().all(legal),
        "{name:?} is no content subtype in lower case"
    );
    for name in [&[name], aliases].concat() {
        for spelled in [name.to_owned(), name.to_ascii_uppercase(), mixed(name)] {
            let found = formats.find(&spelled);
            ensure!(
                found.as_ref() == Some(format),
                "{spelled:?} is found as {found:?}"
            );
        }
    }
    for unknown in ["no-such-format", &format!("{name}x"), &format!(" {name}")] {
        let found = formats.find(unknown);
        ensure_eq!(found, None, "the format of {unknown:?}");
    }
    ensure!(
        formats.names().split(", ").any(|known| known == name),
        "{name} is not among the names of the formats"
    );
    match formats.find(name) {
        Some(found @ Format::Custom(_)) => works(&found)?,
        found => ensure_eq!(found, Some(format.clone()), "the format of {name}"),
    }
    Ok(Outcome::Passed)
}

/// The first letter in upper case.
fn mixed(name: &str) -> String {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

/// A codec that was found by its name is the one that was registered.
fn works(format: &Format) -> Result<(), Failure> {
    let read = <Serde as Wire<Rich>>::encode(&sample(), format)
        .and_then(|bytes| <Serde as Wire<Rich>>::decode(bytes, format));
    match read {
        Ok(read) => ensure_eq!(read, sample(), "what came back"),
        Err(status) => return Err(Failure::new(format!("what was found fails: {status:?}"))),
    }
    Ok(())
}
