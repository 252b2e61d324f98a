//! Options: the limits and waits of a server.

use std::time::Duration;

use crate::Registering;

/// The limits and waits of a server as a whole. Those of one connection are in
/// [`ListenOptions`](gufo_core::ListenOptions).
///
/// ```
/// let mut options = gufo_server::ServerOptions::default();
/// options.max_calls = 500;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Connections served at a time, over all listeners. At the cap nobody is accepted until one
    /// closes. Default 10,000.
    pub max_connections: usize,
    /// Calls running at a time, over all connections. One more is refused at once with
    /// `ResourceExhausted` and may be repeated elsewhere. Default 10,000.
    pub max_calls: usize,
    /// The longest a call without streams may take, whatever deadline the client states. Default
    /// 5 min; `None` leaves it to the client.
    pub max_deadline: Option<Duration>,
    /// The longest a call that streams may take, whatever deadline the client states. Default
    /// `None`: as long as the client likes.
    pub max_stream_deadline: Option<Duration>,
    /// How long the registry may take to answer, at the start for all nodes together. Default 10 s.
    pub register_timeout: Duration,
    /// Whether the server starts while its registry does not answer. Default: it does not.
    pub registering: Registering,
    /// How long one withdrawal may take at the end; the node then lapses after its TTL. Default
    /// 5 s.
    pub withdraw_timeout: Duration,
    /// How long a stopping server goes on as before once it is withdrawn, so that every client
    /// hears of it. Not waited for without a registry. Default 0 s; with a registry in another
    /// process, take what its watches need.
    pub propagation: Duration,
    /// How long running calls may take once peers were told to go away; then they are aborted.
    /// Default 30 s.
    pub drain_timeout: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_calls: 10_000,
            max_deadline: Some(Duration::from_secs(300)),
            max_stream_deadline: None,
            register_timeout: Duration::from_secs(10),
            registering: Registering::default(),
            withdraw_timeout: Duration::from_secs(5),
            propagation: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
        }
    }
}
