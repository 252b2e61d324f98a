//! Health: what `grpc.health.v1.Health` answers, and the handle that sets it.

mod messages;
mod service;

use std::{collections::BTreeMap, fmt, sync::Arc};

use tokio::sync::watch;

/// The name under which the server says that it is alive: `SERVING` whenever it answers at all,
/// also while it starts and stops.
///
/// The empty name and the names of services say whether it is *ready*: send it calls, or do not.
pub const LIVENESS: &str = "liveness";

/// Whether a service takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "grpc.health.v1 has these two")]
pub enum ServingStatus {
    /// It takes calls.
    Serving,
    /// It does not, for now.
    NotServing,
}

/// What the health service answers; clones share it.
///
/// The empty name stands for the server as a whole. Before the server is registered, and once it
/// stops, every name but [`LIVENESS`] is [`NotServing`](ServingStatus::NotServing) whatever was
/// set.
///
/// ```
/// use gufo_server::{HealthHandle, Server, ServingStatus};
///
/// # fn example() -> Result<(), gufo_core::Error> {
/// let health = HealthHandle::new();
/// let router = Server::builder().health(&health).into_router()?;
/// assert_eq!(health.status(""), Some(ServingStatus::Serving));
///
/// health.set("", ServingStatus::NotServing);
/// assert_eq!(health.status(""), Some(ServingStatus::NotServing));
/// assert_eq!(health.status("no.Such"), None);
/// # Ok(()) }
/// # example().expect("the example holds");
/// ```
#[derive(Clone)]
pub struct HealthHandle(Arc<watch::Sender<State>>);

struct State {
    is_ready: bool,
    services: BTreeMap<String, ServingStatus>,
}

impl State {
    fn status(&self, service: &str) -> Option<ServingStatus> {
        match self.services.get(service) {
            _ if service == LIVENESS => Some(ServingStatus::Serving),
            Some(_) if !self.is_ready => Some(ServingStatus::NotServing),
            known => known.copied(),
        }
    }
}

impl HealthHandle {
    /// A handle that knows the empty name only.
    #[must_use]
    pub fn new() -> Self {
        let services = BTreeMap::from([(String::new(), ServingStatus::Serving)]);
        Self(Arc::new(watch::Sender::new(State {
            is_ready: false,
            services,
        })))
    }

    /// Sets the status of a service, or with the empty name of the server. [`LIVENESS`] cannot be
    /// set.
    ///
    /// A server with a registry withdraws the node of that name, or with the empty name all its
    /// nodes, while the status is [`NotServing`](ServingStatus::NotServing), and registers it again
    /// after: set it where a check fails without which no call can be answered. Running and new
    /// calls of those who know the address go on.
    pub fn set(&self, service: &str, status: ServingStatus) {
        self.0.send_modify(|state| {
            state.services.insert(service.to_owned(), status);
        });
    }

    /// What is answered for a service now; `None` when it is not known.
    #[must_use]
    pub fn status(&self, service: &str) -> Option<ServingStatus> {
        self.0.borrow().status(service)
    }

    /// Makes services known. What was set before stays.
    pub(crate) fn add<'a>(&self, services: impl Iterator<Item = &'a str>) {
        self.0.send_modify(|state| {
            for service in services {
                state
                    .services
                    .entry(service.to_owned())
                    .or_insert(ServingStatus::Serving);
            }
        });
    }

    pub(crate) fn ready(&self) {
        self.set_ready(true);
    }

    pub(crate) fn stopping(&self) {
        self.set_ready(false);
    }

    /// What is so already is no change: those who wait for one may be the ones that say it.
    fn set_ready(&self, is_ready: bool) {
        self.0.send_if_modified(|state| {
            let was_ready = std::mem::replace(&mut state.is_ready, is_ready);
            was_ready != is_ready
        });
    }

    /// Whether nobody set the status to take no calls; a server that starts or stops is fit too.
    pub(crate) fn is_fit(&self, service: &str) -> bool {
        self.0.borrow().services.get(service) != Some(&ServingStatus::NotServing)
    }

    /// Tells of changes from now on.
    pub(crate) fn changed(&self) -> Changed {
        Changed(self.0.subscribe())
    }

    fn subscribe(&self) -> watch::Receiver<State> {
        self.0.subscribe()
    }
}

/// Tells of changes of a handle.
pub(crate) struct Changed(watch::Receiver<State>);

impl Changed {
    /// Waits for a change since this was made, or since the last time.
    pub(crate) async fn wait(&mut self) {
        if self.0.changed().await.is_err() {
            // The last handle is gone, so nothing is ever set again.
            std::future::pending().await
        }
    }
}

impl Default for HealthHandle {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HealthHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.borrow();
        f.debug_struct("HealthHandle")
            .field("is_ready", &state.is_ready)
            .field("services", &state.services)
            .finish()
    }
}
