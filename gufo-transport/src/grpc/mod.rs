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
//!
//! # Bad input
//! What a peer gets for it; nothing of it ends the process or harms another connection. The suite
//! `tests/tests/hostile` asserts each line.
//!
//! | a peer sends | over gRPC | over plain HTTP |
//! |---|---|---|
//! | a message over [`Limits::receive`](gufo_core::Limits::receive), stated, sent, or once decompressed | `RESOURCE_EXHAUSTED`, before the body comes where its length is stated | 429 |
//! | a message that is damaged, nests too deep, is not UTF-8, or is not compressed as it says | `INVALID_ARGUMENT` | 400 |
//! | an encoding or format nobody knows | `UNIMPLEMENTED`, naming those known | 415 |
//! | a service or method nobody knows | `UNIMPLEMENTED` | 404 |
//! | another verb than POST | `INTERNAL` | 405 |
//! | a flag gRPC does not define, a message that breaks off, compression without an encoding | `INTERNAL` | - |
//! | no message or two where one is expected | `INVALID_ARGUMENT` | - |
//! | metadata that is not ASCII or not base64, a timeout that is none | `INVALID_ARGUMENT` | 400 |
//! | metadata over [`Limits::metadata`](gufo_core::Limits::metadata) | `RESOURCE_EXHAUSTED` | 429 |
//! | a header list 2 KiB above that (HTTP/1.1: 8 KiB, or over 100 headers) | HTTP status 431; closed if it goes on | 431, closed |
//! | a deadline in the past | `DEADLINE_EXCEEDED`, the handler never runs | 504 |
//! | nothing of a request for [`stall_timeout`](gufo_core::ListenOptions::stall_timeout) | `DEADLINE_EXCEEDED` | 504 |
//! | more calls at once than [`Limits::calls`](gufo_core::Limits::calls) | `REFUSED_STREAM` | one at a time |
//! | heads that are not HTTP, frames that are wrong | reset or GOAWAY with `PROTOCOL_ERROR` and its kin | 400, closed |
//! | more than 100 empty DATA frames, resets or CONTINUATION frames without end | GOAWAY `ENHANCE_YOUR_CALM`; h2 counts them | - |
//!
//! Who reads nothing stops the handlers it called: 64 KiB wait for each stream of replies, and no
//! further handler is begun while 16 MiB of large replies wait on a connection; a socket that takes
//! nothing for `stall_timeout` is closed. Requests that have not come whole are held: up to
//! [`Limits::calls`](gufo_core::Limits::calls) times
//! [`Limits::receive`](gufo_core::Limits::receive) for a connection, so lower these where
//! strangers call.

mod body;
mod client;
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

use crate::{
    place,
    socket::{Address, SocketListener},
};

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
            let address = Address::parse(&url, "grpc", "grpc+unix")?;
            Ok(Arc::new(client::connect(address, options).await?) as Arc<dyn Connection>)
        })
    }

    fn listen(
        &self,
        url: BackendUrl,
        options: ListenOptions,
    ) -> BoxFuture<'static, Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let address = Address::parse(&url, "grpc", "grpc+unix")?;
            let listener = server::GrpcListener {
                sockets: SocketListener::bind(&address, options).await?,
                scheme: address.scheme(),
            };
            Ok(Box::new(listener) as Box<dyn Listener>)
        })
    }

    fn place(&self, url: &BackendUrl) -> Option<String> {
        url.is_unix().then(place::files)
    }
}
