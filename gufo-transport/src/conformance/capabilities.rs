//! What a transport declares.

use gufo_core::{Format, Kind, Values};

/// What a transport claims to do. What it does not claim must be refused with `Unimplemented`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Capabilities {
    /// What its URLs name.
    pub address: Address,
    /// The kinds of calls it carries.
    pub kinds: Vec<Kind>,
    /// The formats it carries, the default of the suite first.
    pub formats: Vec<Format>,
    /// Whether codecs that applications register are carried.
    pub custom_codecs: CustomCodecs,
    /// Whether messages are handed over as values. Limits of size do not apply to values.
    pub values: Values,
    /// Whether trailers follow a stream of replies.
    pub stream_trailers: StreamTrailers,
    /// How calls share sockets.
    pub sockets: Sockets,
    /// How a peer that has vanished is noticed.
    pub keep_alive: KeepAlive,
}

/// What the URLs of a transport name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// A name inside the process: no socket is opened.
    Name,
    /// A host and a TCP port; port 0 picks one.
    Port,
    /// The path of a Unix socket.
    Path,
}

/// Whether codecs that applications register are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CustomCodecs {
    /// A server and a client that both know one may use it.
    Carried,
    /// Only the formats listed work.
    Refused,
}

/// Whether trailers follow a stream of replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamTrailers {
    /// They arrive.
    Carried,
    /// The wire has no place for them: a stream ends without trailers.
    Dropped,
}

/// How the calls of a connection share sockets, or what stands for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sockets {
    /// One carries all calls. Its end is noticed at once, and a server that goes away says which
    /// calls it has not begun.
    Shared,
    /// A call has one to itself while it runs. That the server is gone is noticed by the next
    /// call, which may not know whether it was begun.
    PerCall,
}

/// How a peer that has vanished without closing is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeepAlive {
    /// By asking it: running calls end before their deadline.
    Asks,
    /// Not at all: calls end at their deadline.
    Deadline,
}

impl Capabilities {
    /// Everything, over sockets of a kind.
    #[must_use]
    pub fn over(address: Address) -> Self {
        Self {
            address,
            kinds: vec![
                Kind::Unary,
                Kind::ClientStream,
                Kind::ServerStream,
                Kind::Bidi,
            ],
            formats: vec![Format::Protobuf, Format::Json, Format::MessagePack],
            custom_codecs: CustomCodecs::Carried,
            values: Values::Encode,
            stream_trailers: StreamTrailers::Carried,
            sockets: Sockets::Shared,
            keep_alive: KeepAlive::Asks,
        }
    }

    /// Everything, inside the process, with messages handed over.
    #[must_use]
    pub fn in_process() -> Self {
        Self {
            values: Values::HandOver,
            keep_alive: KeepAlive::Deadline,
            ..Self::over(Address::Name)
        }
    }
}
