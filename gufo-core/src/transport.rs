//! Transport: how calls cross from one process to another.

use std::{fmt, io, sync::Arc, time::Duration};

use crate::{
    BackendUrl, BoxFuture, Cancel, DEFAULT_METADATA_LIMIT, Deadline, Formats, Handler, Result,
    Route, Status,
};

/// A way for calls to cross from one process to another, chosen by the scheme of a URL.
///
/// # Contract
/// The numbered behaviours of `gufo_transport::conformance`. In short:
/// 1. All four kinds of calls; messages arrive complete and in order, then trailers or a status.
/// 2. Dropping a call on the client cancels it at the server; an abort is never taken for an end.
/// 3. Deadlines travel as remaining time.
/// 4. Limits hold before memory is reserved; going over one fails the call, not the connection.
/// 5. What a peer sends never panics this process.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Connects to a peer. The connection is ready when the future ends.
    ///
    /// # Errors
    /// `Unavailable` when the peer cannot be reached before the deadline, `InvalidArgument` for a
    /// URL that does not fit.
    fn connect(
        &self,
        url: BackendUrl,
        options: ConnectOptions,
    ) -> BoxFuture<'static, Result<Arc<dyn Connection>>>;

    /// Listens at an address.
    ///
    /// # Errors
    /// `AlreadyExists` when the address is in use, `InvalidArgument` for a URL that does not fit.
    fn listen(
        &self,
        url: BackendUrl,
        options: ListenOptions,
    ) -> BoxFuture<'static, Result<Box<dyn Listener>>>;

    /// The place within which a URL leads to one and the same peer: processes that get the same text
    /// here reach the same peer by it, and for others it leads elsewhere or nowhere. `None`, the
    /// default: everywhere.
    ///
    /// A name in memory belongs to one process and the path of a socket to one file system, so
    /// nobody else may take them out of a registry ([`Node::places`](crate::Node::places)).
    fn place(&self, url: &BackendUrl) -> Option<String> {
        let _ = url;
        None
    }
}

/// A connection to a peer: a [`Handler`] whose calls are answered elsewhere.
pub trait Connection: Handler + fmt::Debug {
    /// Whether a call can be sent now.
    fn state(&self) -> ConnectionState;

    /// Calls that run on it now.
    fn in_flight(&self) -> usize;

    /// Waits until no further call can be sent.
    fn closed(&self) -> BoxFuture<'static, ()>;

    /// Takes no further calls, lets running ones finish, then closes.
    fn close(&self);
}

/// What a connection is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// A call can be sent.
    Ready,
    /// Running calls finish, new ones are refused: the peer is going away.
    Draining,
    /// Nothing can be sent any more.
    Closed,
}

/// An address where peers arrive.
pub trait Listener: fmt::Debug + Send + 'static {
    /// The URL peers connect to, with the real port.
    fn url(&self) -> &str;

    /// The next peer. Handshakes are not done here: they belong into [`Incoming::serve`], so that a
    /// slow peer delays nobody.
    ///
    /// Dropping the future loses no peer.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Incoming>>>;
}

/// A peer that has arrived and is not served yet.
pub trait Incoming: Send + 'static {
    /// Serves the peer until it leaves. After `drain` is set, takes no new calls, says so to the
    /// peer, finishes what runs and ends. Dropping the future aborts everything at once.
    fn serve(self: Box<Self>, dispatch: Arc<dyn Dispatch>, drain: Cancel)
    -> BoxFuture<'static, ()>;
}

/// The server, as a transport sees it.
pub trait Dispatch: Send + Sync + 'static {
    /// The route of a path `/package.Service/Method`.
    fn route(&self, path: &str) -> Option<Arc<Route>>;

    /// How a call of a path without a route ends: with `Unimplemented`.
    fn unknown(&self, path: &str) -> Status {
        Status::unimplemented(format!("there is no method {path:.100} here"))
    }

    /// The formats this server answers in.
    fn formats(&self) -> &Formats;
}

/// Limits of a connection. Going over one fails the call with `ResourceExhausted`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest message accepted, in bytes, after decompression. Default 4 MiB.
    pub receive: usize,
    /// Largest message sent, in bytes, before compression. Default 4 MiB.
    pub send: usize,
    /// Largest metadata in either direction, in bytes as [`Metadata::size`](crate::Metadata::size)
    /// counts. Default 16 KiB.
    pub metadata: usize,
    /// Concurrent calls on one connection. Default 1,000.
    pub calls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            receive: 4 << 20,
            send: 4 << 20,
            metadata: DEFAULT_METADATA_LIMIT,
            calls: 1000,
        }
    }
}

/// How to connect.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// By when the connection must be ready. Default: none; a channel sets it.
    pub deadline: Deadline,
    /// Limits of the connection.
    pub limits: Limits,
    /// Idle time after which the peer is asked whether it is alive. Default 30 s.
    pub keep_alive_interval: Duration,
    /// How long the peer may take to answer that. Default 10 s.
    pub keep_alive_timeout: Duration,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            deadline: Deadline::NONE,
            limits: Limits::default(),
            keep_alive_interval: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(10),
        }
    }
}

/// How to listen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListenOptions {
    /// Limits of each connection.
    pub limits: Limits,
    /// Whether further listeners take peers of the same address, in this process or in others; the
    /// system deals them out. Those who cannot answer `Unimplemented`. Default: alone.
    pub sharing: Sharing,
    /// Peers that may be in their handshake at once; one more is turned away. Default 1,000.
    pub handshakes: usize,
    /// How long a peer may take until its first request's head is complete. Default 5 s.
    pub handshake_timeout: Duration,
    /// How long a request's head may take on a connection in use. Default 10 s.
    pub header_timeout: Duration,
    /// How long a connection without calls stays open. Default 10 min.
    pub idle_timeout: Duration,
    /// How long a peer may leave sent data unread before it is cut off. Default 30 s.
    pub stall_timeout: Duration,
    /// Idle time after which the peer is asked whether it is alive. Default 30 s.
    pub keep_alive_interval: Duration,
    /// How long the peer may take to answer that. Default 10 s.
    pub keep_alive_timeout: Duration,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            sharing: Sharing::default(),
            handshakes: 1000,
            handshake_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(600),
            stall_timeout: Duration::from_secs(30),
            keep_alive_interval: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(10),
        }
    }
}

/// Whether a listener has its address for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sharing {
    /// It is the only one there, unless its URL says otherwise.
    #[default]
    Alone,
    /// Others that share may listen there as well.
    Shared,
}

/// How messages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Compression {
    /// The name in `grpc-encoding` and `content-encoding`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The compression of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Gzip, Self::Zstd]
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(name))
    }
}

/// A table from scheme to transport. Explicit, never global: applications add their own.
///
/// Its order is a preference: of several endpoints of a node a client takes the one whose scheme
/// comes first here.
#[derive(Clone, Debug, Default)]
pub struct Transports {
    known: Vec<(&'static str, Arc<dyn Transport>)>,
    off: Vec<(&'static str, &'static str)>,
}

impl Transports {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a transport under a scheme, behind those that are there; one of the same scheme it
    /// replaces, in its place.
    #[must_use]
    pub fn with(mut self, scheme: &'static str, transport: Arc<dyn Transport>) -> Self {
        match self.known.iter_mut().find(|(known, _)| *known == scheme) {
            Some((_, known)) => *known = transport,
            None => self.known.push((scheme, transport)),
        }
        self
    }

    /// Names a scheme that exists but is not compiled in, and the feature that brings it.
    #[must_use]
    pub fn without(mut self, scheme: &'static str, feature: &'static str) -> Self {
        self.off.push((scheme, feature));
        self
    }

    /// Adds what another table has and this one has not, behind it.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        for (scheme, transport) in &other.known {
            if !self.known.iter().any(|(known, _)| known == scheme) {
                self.known.push((scheme, Arc::clone(transport)));
            }
        }
        self
    }

    /// The transport of a scheme.
    ///
    /// # Errors
    /// `InvalidArgument` that lists the schemes compiled in, or names the feature that is off.
    pub fn find(&self, scheme: &str) -> Result<&Arc<dyn Transport>> {
        if let Some((_, transport)) = self.known.iter().find(|(known, _)| *known == scheme) {
            return Ok(transport);
        }
        if let Some((_, feature)) = self.off.iter().find(|(known, _)| *known == scheme) {
            return Err(crate::Error::invalid_argument(format!(
                "transport {scheme:?} is not compiled in; turn on the feature {feature:?}"
            )));
        }
        let known = self.schemes().collect::<Vec<_>>().join(", ");
        Err(crate::Error::invalid_argument(format!(
            "unknown transport {scheme:?}; compiled in: {known}"
        )))
    }

    /// The schemes compiled in, the preferred one first.
    pub fn schemes(&self) -> impl Iterator<Item = &'static str> {
        self.known.iter().map(|(scheme, _)| *scheme)
    }
}
