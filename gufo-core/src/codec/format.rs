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
    /// has it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Format> {
        if let Some(codec) = self
            .custom
            .iter()
            .find(|codec| codec.name().eq_ignore_ascii_case(name))
        {
            return Some(Format::Custom(Arc::clone(codec)));
        }
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name {
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

    /// The names of all formats, for error messages.
    #[must_use]
    pub fn names(&self) -> String {
        let custom = self.custom.iter().map(|codec| codec.name());
        ["proto", "json", "msgpack", "octet-stream"]
            .into_iter()
            .chain(custom)
            .collect::<Vec<_>>()
            .join(", ")
    }
}
