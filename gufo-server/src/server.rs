//! Server and RunningServer: from the first line of code to the last call.

use std::sync::Arc;

use gufo_core::{BoxFuture, Node, Tasks};
use parking_lot::Mutex;

#[cfg(feature = "health")]
use crate::HealthHandle;
use crate::{
    Builder, DrainReport, ServerOptions, accept::Acceptor, calls::Calls, drain,
    registration::Registration, threads::Threads,
};

/// Where a server begins: [`Server::builder`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Server;

impl Server {
    /// A server without addresses and services.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// A server that serves. Dropping it aborts everything at once; [`stop`](Self::stop) is the
/// orderly end.
#[must_use = "dropping a running server aborts it"]
pub struct RunningServer {
    pub(crate) urls: Vec<String>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) acceptor: Acceptor,
    pub(crate) listening: Tasks,
    /// Where listeners and connections run; none when they run on the caller's runtime.
    pub(crate) threads: Threads,
    pub(crate) options: ServerOptions,
    pub(crate) registration: Registration,
    #[cfg(feature = "health")]
    pub(crate) health: Option<HealthHandle>,
    /// In a mutex only because others may look at the server meanwhile.
    stop: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl RunningServer {
    pub(crate) fn new(
        urls: Vec<String>,
        calls: Arc<Calls>,
        acceptor: Acceptor,
        listening: Tasks,
        threads: Threads,
        options: ServerOptions,
        stop: Option<BoxFuture<'static, ()>>,
    ) -> Self {
        Self {
            urls,
            calls,
            acceptor,
            listening,
            threads,
            options,
            registration: Registration::default(),
            #[cfg(feature = "health")]
            health: None,
            stop: Mutex::new(stop),
        }
    }

    /// Where it listens, with the real ports, in the order of the builder's calls.
    #[must_use]
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// The nodes it is registered as now, one per name; none without a registry, and while it is
    /// withdrawn.
    #[must_use]
    pub fn nodes(&self) -> Vec<Arc<Node>> {
        self.registration.nodes()
    }

    /// Calls that run now.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.running()
    }

    /// Connections that are served now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.acceptor.connections.len()
    }

    /// Stops in order: not ready, withdrawn from the registry, a wait for that to be known, no
    /// new peers and calls, running calls to their end or to the hard deadline, abort of the rest.
    ///
    /// Takes at most the sum of [`withdraw_timeout`](ServerOptions::withdraw_timeout),
    /// [`propagation`](ServerOptions::propagation) and
    /// [`drain_timeout`](ServerOptions::drain_timeout), and a second, whatever handlers do.
    ///
    /// # Cancel safety
    /// Dropping the future aborts what still runs.
    pub async fn stop(self) -> DrainReport {
        drain::stop(&self).await
    }

    /// Serves until [`Builder::stop_on`] ends, then stops; without it, for ever.
    ///
    /// # Cancel safety
    /// Dropping the future aborts the server.
    pub async fn wait(mut self) -> DrainReport {
        let stop = self.stop.get_mut().take();
        match stop {
            Some(stop) => stop.await,
            None => std::future::pending().await,
        }
        self.stop().await
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        #[cfg(feature = "health")]
        if let Some(health) = &self.health {
            health.stopping();
        }
        // Calls may run in tasks of others, which the server cannot end.
        self.calls.abort();
        self.listening.abort();
        self.acceptor.connections.abort();
    }
}

impl std::fmt::Debug for RunningServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningServer")
            .field("urls", &self.urls)
            .field("calls", &self.calls())
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}
