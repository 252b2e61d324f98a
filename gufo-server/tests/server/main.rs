//! The server as its users see it, on fake transports and registries and a clock that stands still.

mod accept;
mod calls;
mod deadline;
mod drain;
#[cfg(feature = "health")]
mod fitness;
mod fixture;
#[cfg(feature = "health")]
mod health;
#[cfg(feature = "metrics")]
mod metrics;
mod panics;
#[cfg(feature = "reflection")]
mod reflection;
mod registration;
mod router;
mod telemetry;
mod threads;
