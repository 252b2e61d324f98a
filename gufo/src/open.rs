//! Open: from a URL to a transport, a registry or a channel, among those compiled in.
//!
//! | URL | transport | registry |
//! |---|---|---|
//! | `memory://name` | yes | yes |
//! | `tcp://host:port`, `unix:///path` | `transport-native` | |
//! | `grpc://host:port`, `grpc+unix:///path` | `transport-grpc` | |
//! | `http://host:port` | `transport-http`, client only | |
//! | `fixed://host:port,host:port` | | yes |
//!
//! The tables are plain values: applications add their own transports with
//! [`Transports::with`] and registries with [`Schemes::with`].

use std::sync::Arc;

use gufo_core::{Registry, Result, Schemes, Transports};

/// The transports compiled in, in the order in which a client prefers them: `memory`, `unix`, `tcp`,
/// `grpc`, `http`.
#[must_use]
pub fn transports() -> Transports {
    gufo_transport::builtin()
}

/// The registries compiled in.
#[must_use]
pub fn registries() -> Schemes<Arc<dyn Registry>> {
    gufo_registry::builtin()
}

/// Opens a registry.
///
/// # Errors
/// `InvalidArgument` for a malformed URL, an unknown scheme or a part the registry does not take;
/// `FailedPrecondition`, naming the feature, for a scheme that is not compiled in; otherwise what
/// the registry answers.
///
/// # Cancel safety
/// Dropping the future leaves nothing open.
pub async fn registry(url: &str) -> Result<Arc<dyn Registry>> {
    registries().open(url).await
}
