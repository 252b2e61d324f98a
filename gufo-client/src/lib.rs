//! Client side of gufo: a [`Channel`] keeps connections to the nodes of a service and sends each
//! call over the best one.
//!
//! The channel knows no vendor: transports and the registry are given to its builder.
//!
//! ```no_run
//! use gufo_client::Channel;
//! use gufo_core::{Caller, Result, Transports};
//!
//! # async fn example(transports: Transports) -> Result<()> {
//! let channel = Channel::builder()
//!     .transports(transports)
//!     .address("grpc://127.0.0.1:50051")
//!     .connect()
//!     .await?;
//! let caller = Caller::from(channel); // what typed clients are made of
//! # Ok(()) }
//! ```
//!
//! # Features
//! - `dynamic`: `DynamicClient`, calls in JSON to services known by reflection only.

mod backoff;
mod builder;
mod channel;
mod discovery;
#[cfg(feature = "dynamic")]
mod dynamic;
mod endpoint;
mod keep;
mod nodes;
mod pool;
mod preference;
mod race;
mod repeat;
mod shared;
pub mod telemetry;
mod trouble;

pub use builder::{ChannelBuilder, DEFAULT_CONNECT_TIMEOUT, DEFAULT_CONNECTIONS};
pub use channel::Channel;
#[cfg(feature = "dynamic")]
pub use dynamic::{DynamicClient, MethodDescription, ServiceDescription};

/// The words and contracts everything here is made of.
pub use gufo_core as core;
