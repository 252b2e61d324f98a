//! `tcp://host:port` and `unix:///path`: gufo's own frames, for services that talk to each other
//! all the time.
//!
//! The protocol is described in `docs/native-protocol.md`. The way of a call on the server:
//! `server/mod.rs` accepts and shakes hands, `server/driver.rs` reads frames and answers what is
//! answered at once, `server/call.rs` the rest. The client: `client/connect.rs`, then
//! `client/call.rs` writes a call's frames, and `client/driver.rs` sends them and hands out what
//! comes back.
//!
//! `frame`, `open`, `reply`, `end` and `wire` are the frames; `link` is where all calls of a
//! connection write; `stream` is a call that takes more than a frame each way, and `messages` what
//! flows through it; `room` is the memory for messages that come in
//! parts, `backlog` that for replies that go out in parts.

mod backlog;
mod client;
mod end;
mod frame;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod hello;
mod intake;
mod link;
mod messages;
mod open;
mod out;
mod reply;
mod room;
mod server;
mod stream;
mod wire;

use std::sync::Arc;

use gufo_core::{
    BackendUrl, BoxFuture, ConnectOptions, Connection, ListenOptions, Listener, Result, Transport,
};

use crate::{
    place,
    socket::{Address, SocketListener},
};

/// The transport behind `tcp://` and `unix://`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NativeTransport;

impl NativeTransport {
    /// The transport.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

/// What fits into frames and tables, whatever was asked for.
fn within_frames(mut options: ListenOptions) -> ListenOptions {
    let limits = &mut options.limits;
    limits.metadata = limits.metadata.min(frame::MAX_METADATA);
    limits.calls = limits.calls.min(frame::MAX_CALLS);
    options
}

impl Transport for NativeTransport {
    fn connect(
        &self,
        url: BackendUrl,
        options: ConnectOptions,
    ) -> BoxFuture<'static, Result<Arc<dyn Connection>>> {
        Box::pin(async move {
            let address = Address::parse(&url, "tcp", "unix")?;
            Ok(Arc::new(client::connect(address, options).await?) as Arc<dyn Connection>)
        })
    }

    fn listen(
        &self,
        url: BackendUrl,
        options: ListenOptions,
    ) -> BoxFuture<'static, Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let address = Address::parse(&url, "tcp", "unix")?;
            let options = within_frames(options);
            let listener = server::NativeListener {
                sockets: SocketListener::bind(&address, options).await?,
                scheme: address.scheme(),
            };
            Ok(Box::new(listener) as Box<dyn Listener>)
        })
    }

    fn place(&self, url: &BackendUrl) -> Option<String> {
        (url.scheme() == "unix" || url.is_unix()).then(place::files)
    }
}
