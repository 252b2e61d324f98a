//! The message and the methods of the suite's service.

use gufo_core::{
    Kind, Method,
    generated::{prost, serde},
};

/// The one message of the suite: a protobuf message and a serde type.
#[derive(Clone, PartialEq, prost::Message, serde::Serialize, serde::Deserialize)]
#[prost(prost_path = "::gufo_core::generated::prost")]
#[serde(crate = "::gufo_core::generated::serde", default)]
pub(super) struct Note {
    #[prost(string, tag = "1")]
    pub(super) text: String,
    #[prost(uint64, tag = "2")]
    pub(super) number: u64,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) data: Vec<u8>,
}

impl Note {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    pub(super) fn number(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// A message of at least this many bytes, in every format.
    pub(super) fn sized(size: usize) -> Self {
        Self::text("o".repeat(size))
    }
}

/// The notes numbered `0..count`.
pub(super) fn numbered(count: u64) -> impl Iterator<Item = Note> + Send {
    (0..count).map(Note::number)
}

/// Answers with its request; always served.
pub(super) static ECHO: Method = Method::new(Kind::Unary, "/gufo.conformance.Transport/Echo");
pub(super) static UNARY: Method = Method::new(Kind::Unary, "/gufo.conformance.Transport/Unary");
pub(super) static CLIENT_STREAM: Method = Method::new(
    Kind::ClientStream,
    "/gufo.conformance.Transport/ClientStream",
);
pub(super) static SERVER_STREAM: Method = Method::new(
    Kind::ServerStream,
    "/gufo.conformance.Transport/ServerStream",
);
pub(super) static BIDI: Method = Method::new(Kind::Bidi, "/gufo.conformance.Transport/Bidi");

/// A method of a kind that no server of the suite has.
pub(super) fn unknown(kind: Kind) -> &'static Method {
    static UNARY: Method = Method::new(Kind::Unary, "/gufo.conformance.Transport/Nothing");
    static CLIENT: Method = Method::new(Kind::ClientStream, "/gufo.conformance.Nobody/Nothing");
    static SERVER: Method = Method::new(Kind::ServerStream, "/gufo.conformance.Nobody/Nothing");
    static BIDI: Method = Method::new(Kind::Bidi, "/gufo.conformance.Nobody/Nothing");
    match kind {
        Kind::Unary => &UNARY,
        Kind::ClientStream => &CLIENT,
        Kind::ServerStream => &SERVER,
        Kind::Bidi => &BIDI,
    }
}
