//! `grpc://host:port` and `grpc+unix:///path`: gRPC over HTTP/2; the listening side answers plain
//! JSON over HTTP/1.1 and HTTP/2 on the same port.
//!
//! Framing, compression and the connection loop are ours, on h2; HTTP/1.1 is hyper's. The way of a
//! call on the server: `server/listener.rs` accepts, `server/mod.rs` tells the protocols apart,
//! `server/http2.rs` drives the connection, `server/call.rs` answers a call (`server/plain.rs` one
//! that is not gRPC). The client: `client/connect.rs` connects, `client/driver.rs` drives
//! the connection, `client/call.rs` makes a call.
//!
//! Between `compress` and `frame` every message passes one place, `body::Encoding` on its way
//! out and `frame::Decoder` on its way in: whatever has to see the bytes of a message belongs
//! there.

mod body;
mod client;
mod compress;
mod config;
mod errors;
mod frame;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod io;
mod server;

use std::sync::Arc;

use gufo_core::{
    BackendUrl, BoxFuture, ConnectOptions, Connection, ListenOptions, Listener, Result, Transport,
};

use self::config::Address;

/// The transport behind `grpc://` and `grpc+unix://`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct GrpcTransport;

impl GrpcTransport {
    /// The transport.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Transport for GrpcTransport {
    fn connect(
        &self,
        url: BackendUrl,
        options: ConnectOptions,
    ) -> BoxFuture<'static, Result<Arc<dyn Connection>>> {
        Box::pin(async move {
            let address = Address::parse(&url)?;
            Ok(Arc::new(client::connect(address, options).await?) as Arc<dyn Connection>)
        })
    }

    fn listen(
        &self,
        url: BackendUrl,
        options: ListenOptions,
    ) -> BoxFuture<'static, Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let address = Address::parse(&url)?;
            Ok(Box::new(server::GrpcListener::bind(&address, options).await?) as Box<dyn Listener>)
        })
    }
}
