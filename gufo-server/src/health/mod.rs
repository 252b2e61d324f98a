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
        self.0.send_modify(|state| state.is_ready = true);
    }

    pub(crate) fn stopping(&self) {
        self.0.send_modify(|state| state.is_ready = false);
    }

    fn subscribe(&self) -> watch::Receiver<State> {
        self.0.subscribe()
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
