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

mod backoff;
mod builder;
mod channel;
mod discovery;
mod endpoint;
mod endpoints;
mod pool;
mod shared;
mod trouble;

pub use builder::{ChannelBuilder, DEFAULT_CONNECT_TIMEOUT, DEFAULT_CONNECTIONS};
pub use channel::Channel;

/// The words and contracts everything here is made of.
pub use gufo_core as core;
