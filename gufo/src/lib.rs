//! Declare a service once, reach it through every door: memory, gufo's own frames over TCP, gRPC,
//! plain JSON.
//!
//! ```
//! use gufo::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! pub struct HelloRequest { pub name: String }
//!
//! #[derive(Serialize, Deserialize)]
//! pub struct HelloReply { pub message: String }
//!
//! #[gufo::service(name = "greeter.Greeter")]
//! pub trait Greeter {
//!     #[method(idempotent, get = "/hello/{name}")]
//!     async fn hello(&self, ctx: &Context, request: HelloRequest) -> Result<HelloReply, Status>;
//! }
//!
//! struct Polite;
//!
//! impl Greeter for Polite {
//!     async fn hello(&self, _: &Context, request: HelloRequest) -> Result<HelloReply, Status> {
//!         Ok(HelloReply { message: format!("hello {}", request.name) })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> gufo::Result<()> {
//! let server = Server::builder()
//!     .listen("memory://manual") // tcp://127.0.0.1:50051 for others to reach it
//!     .service(GreeterServer::new(Polite))
//!     .start()
//!     .await?;
//!
//! let greeter = GreeterClient::connect("memory://manual").await?;
//! let reply = greeter.hello(HelloRequest { name: "owl".into() }).await?;
//! assert_eq!(reply.message, "hello owl");
//!
//! server.stop().await;
//! # Ok(()) }
//! ```
//!
//! # Where to go on
//! - A server: [`Server::builder`]. A client: [`Connect::connect`], or [`channel`] for more say.
//! - What a call carries: [`Context`] with its [`Metadata`] and [`Deadline`]; how it ends:
//!   [`Status`] across the wire, [`Error`] inside the process.
//! - Streams: [`Streaming`] as argument and as result.
//! - Around calls, on both sides: [`Interceptor`].
//! - Registries: [`open::registry`], for `Server::builder().registry(..)` and
//!   `channel().registry(..)`.
//! - Tests: [`testing::client`].
//! - Everything else, and what backends implement: [`core`].
//!
//! # Features
//! Those marked * are on by default.
//! - `client`*, `server`*, `macros`*: the parts.
//! - `transport-native`*: `tcp://` and `unix://`, gufo's own frames. `transport-grpc`*: `grpc://`, and
//!   plain JSON on the same port. `transport-http`: calls to foreign JSON services. `memory://` is
//!   always there.
//! - `codec-json`*, `codec-protobuf`*, `codec-msgpack`*: formats of messages.
//! - `tower`, `tonic`: the doors to both, [`gufo::tower`](https://docs.rs/gufo-tower).
//! - `metrics`: servers count calls and connections, through the facade crate of that name.
//! - `reflection`: servers describe themselves. `dynamic`: calls to services known by that only.

#[cfg(feature = "client")]
mod connect;
pub mod open;
pub mod prelude;
#[cfg(feature = "server")]
mod server;
#[cfg(all(feature = "client", feature = "server"))]
pub mod testing;

/// The words and contracts everything here is made of.
pub use gufo_core as core;

pub use gufo_core::{
    BackendUrl, Bytes, Caller, Code, Codec, Compression, Context, Deadline, Error, Format,
    Interceptor, Metadata, Method, Next, Registry, Response, Result, Retry, Service, ServiceName,
    Status, Streaming, Transport, Transports, TypedClient, async_trait,
};

#[cfg(feature = "codec-protobuf")]
pub use gufo_core::include_proto;

#[cfg(feature = "client")]
pub use connect::{Connect, channel, connect};
#[cfg(feature = "dynamic")]
pub use gufo_client::DynamicClient;
#[cfg(feature = "client")]
pub use gufo_client::{Channel, ChannelBuilder};
#[cfg(feature = "macros")]
pub use gufo_macros::{Describe, service};
#[cfg(feature = "server")]
pub use gufo_server::{
    Builder as ServerBuilder, DrainReport, HealthHandle, NodeOptions, Registering, RunningServer,
    ServerOptions, ServingStatus,
};
#[cfg(feature = "tower")]
pub use gufo_tower as tower;
#[cfg(feature = "server")]
pub use server::Server;
