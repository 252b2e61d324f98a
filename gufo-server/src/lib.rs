//! Server side of gufo: accept loop, router, health, reflection, registration, drain.
//!
//! Knows no transport and no registry by name: it is given a table of [`Transports`] and a
//! [`Registry`] object. Start at [`Server::builder`].
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), gufo_core::Error> {
//! use gufo_core::{Bytes, Kind, Method, Service, Status, codec::Raw, handler};
//! use gufo_server::Server;
//!
//! static ECHO: Method = Method::new(Kind::Unary, "/echo.Echo/Echo");
//! let echo = handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(|_ctx, request| async move {
//!     Ok::<_, Status>(request)
//! });
//!
//! let server = Server::builder()
//!     .transports(gufo_transport::builtin())
//!     .listen("memory://echo")
//!     .service(Service::new("echo.Echo").route(&ECHO, echo))
//!     .start()
//!     .await?;
//! assert_eq!(server.urls(), ["memory://echo"]);
//!
//! let report = server.stop().await;
//! assert_eq!(report.aborted, 0);
//! # Ok(()) }
//! ```
//!
//! # Features
//! - `health` (default): `grpc.health.v1`, see [`HealthHandle`].
//! - `reflection`: `grpc.reflection.v1` and `v1alpha`, see [`Builder::reflection`].
//! - `metrics`: numbers through the facade of that name, see [`telemetry`].
//! - `macros` (default): `#[service]` and `#[derive(Describe)]`.

mod accept;
mod bind;
mod builder;
mod calls;
mod drain;
mod guard;
#[cfg(feature = "health")]
mod health;
mod meter;
mod options;
#[cfg(feature = "reflection")]
mod reflection;
mod registration;
mod router;
mod server;
pub mod telemetry;
mod threads;

pub use builder::Builder;
pub use drain::DrainReport;
#[cfg(feature = "health")]
pub use health::{HealthHandle, LIVENESS, ServingStatus};
pub use options::ServerOptions;
pub use registration::{NodeOptions, Registering};
pub use router::Router;
pub use server::{RunningServer, Server};

/// The words and contracts everything here is made of.
pub use gufo_core as core;

#[cfg(feature = "macros")]
pub use gufo_macros::{Describe, service};

// For the links above.
#[cfg(doc)]
use gufo_core::{Registry, Transports};
