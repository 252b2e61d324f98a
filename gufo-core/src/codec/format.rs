//! Format: which codec a call uses; Formats: the ones a process knows.

use std::{fmt, sync::Arc};

use super::Codec;

/// The format of the messages of a call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Format {
    /// Protocol buffers, `application/grpc+proto`.
    Protobuf,
    /// JSON, `application/json`. Protobuf messages follow the proto3 JSON mapping.
    Json,
    /// MessagePack with named fields, `application/msgpack`.
    MessagePack,
    /// Bytes as they are, `application/octet-stream`.
    Raw,
    /// A codec the application registered.
    Custom(Arc<dyn Codec>),
}

impl Format {
    /// The content subtype: what follows `application/grpc+` and, for plain HTTP, `application/`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Protobuf => "proto",
            Self::Json => "json",
            Self::MessagePack => "msgpack",
            Self::Raw => "octet-stream",
            Self::Custom(codec) => codec.name(),
        }
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Format {}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The formats a client or server knows: the built-in ones and those it registered.
#[derive(Clone, Debug, Default)]
pub struct Formats {
    custom: Vec<Arc<dyn Codec>>,
}

impl Formats {
    /// The built-in formats.
    #[must_use]
    pub fn builtin() -> Self {
        Self::default()
    }

    /// Adds a codec; one with the same name is replaced, built-in ones included.
    #[must_use]
    pub fn with(mut self, codec: impl Codec) -> Self {
        self.custom.retain(|known| known.name() != codec.name());
        self.custom.push(Arc::new(codec));
        self
    }

    /// The format of a content subtype, without regard to case; the empty one is protobuf, as gRPC
    /// has it. What has replaced a built-in format has all of its names.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Format> {
        let custom = |name: &str| {
            let mut known = self.custom.iter();
            let codec = known.find(|codec| codec.name().eq_ignore_ascii_case(name));
            codec.map(|codec| Format::Custom(Arc::clone(codec)))
        };
        custom(name).or_else(|| {
            let builtin = builtin(name)?;
            custom(builtin.name()).or(Some(builtin))
        })
    }

    /// The names of all formats, each once, for error messages.
    #[must_use]
    pub fn names(&self) -> String {
        let custom: Vec<_> = self.custom.iter().map(|codec| codec.name()).collect();
        BUILTIN
            .iter()
            .map(Format::name)
            .filter(|name| !custom.contains(name))
            .chain(custom.iter().copied())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

const BUILTIN: [Format; 4] = [
    Format::Protobuf,
    Format::Json,
    Format::MessagePack,
    Format::Raw,
];

/// The built-in format of a name or one of its other names.
fn builtin(name: &str) -> Option<Format> {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    match name {
        // Without a look at every letter: what nearly all calls have.
        "" | "proto" => Some(Format::Protobuf),
        "json" => Some(Format::Json),
        "msgpack" => Some(Format::MessagePack),
        _ if is("proto") || is("protobuf") || is("x-protobuf") => Some(Format::Protobuf),
        _ if is("json") => Some(Format::Json),
        _ if is("msgpack") || is("x-msgpack") || is("vnd.msgpack") => Some(Format::MessagePack),
        _ if is("octet-stream") => Some(Format::Raw),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Status,
        codec::{AnySerialize, DecodeSeed},
    };

    #[derive(Debug)]
    struct Named(&'static str);

    impl Codec for Named {
        fn name(&self) -> &str {
            self.0
        }

        fn encode(&self, _: &dyn AnySerialize, _: &mut Vec<u8>) -> Result<(), Status> {
            Ok(())
        }

        fn decode(&self, _: &[u8], _: &mut DecodeSeed<'_>) -> Result<(), Status> {
            Ok(())
        }
    }

    #[test]
    fn a_codec_in_the_place_of_a_built_in_one_has_all_of_its_names() {
        let formats = Formats::builtin().with(Named("proto"));

        for name in ["", "proto", "PROTO", "protobuf", "x-protobuf"] {
            let found = formats.find(name);
            assert!(
                matches!(found, Some(Format::Custom(_))),
                "{name:?} is found as {found:?}"
            );
        }
        assert!(matches!(formats.find("json"), Some(Format::Json)));
    }

    #[test]
    fn a_codec_may_take_one_of_the_other_names_alone() {
        let formats = Formats::builtin().with(Named("x-msgpack"));

        assert!(matches!(formats.find("x-msgpack"), Some(Format::Custom(_))));
        assert!(matches!(formats.find("msgpack"), Some(Format::MessagePack)));
    }

    #[test]
    fn every_format_is_listed_once() {
        let names = |formats: Formats| formats.names();

        assert_eq!(
            names(Formats::builtin().with(Named("cbor"))),
            "proto, json, msgpack, octet-stream, cbor"
        );
        assert_eq!(
            names(Formats::builtin().with(Named("json")).with(Named("json"))),
            "proto, msgpack, octet-stream, json"
        );
    }
}
