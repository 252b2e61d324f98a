//! What the author of a transport gives the suite.

use std::{sync::Arc, time::Duration};

use gufo_core::Transport;

use super::Capabilities;

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
