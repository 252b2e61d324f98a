//! What a transport declares, and what its author has to give the suite.

use std::{sync::Arc, time::Duration};

use gufo_core::{Compression, Format, Kind, Transport, Values};

/// What the suite has to know of a transport.
pub trait Harness: Send + Sync + 'static {
    /// The transport under test.
    fn transport(&self) -> Arc<dyn Transport>;

    /// The transport that listens. Default: the one under test; for one that only connects, its
    /// counterpart.
    fn listening_transport(&self) -> Arc<dyn Transport> {
        self.transport()
    }

    /// A URL to listen at that nobody uses: port 0, or a fresh name.
    fn listen_url(&self) -> String;

    /// The URL to connect to a listener. Default: the listener's own.
    fn connect_url(&self, listening: &str) -> String {
        listening.to_owned()
    }

    /// What the transport claims to do.
    fn capabilities(&self) -> Capabilities;

    /// How patient the suite is. Default: [`Tolerance::default`].
    fn tolerance(&self) -> Tolerance {
        Tolerance::default()
    }
}

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
    /// The compressions a call may ask for.
    pub compression: Vec<Compression>,
    /// Whether messages are handed over as values. Limits of size do not apply to values.
    pub values: Values,
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
            compression: vec![Compression::Gzip, Compression::Zstd],
            values: Values::Encode,
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

/// How patient the suite is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Tolerance {
    /// How long an effect may take to become visible. Default 5 s.
    pub settle: Duration,
    /// How long one check may take. Default 60 s.
    pub check: Duration,
    /// What a stream nobody reads may hold in all buffers together, in bytes. Default 16 MiB.
    pub buffer: usize,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(5),
            check: Duration::from_secs(60),
            buffer: 16 << 20,
        }
    }
}
