//! `tcp://host:port` and `unix:///path`: gufo's own frames, for services that talk to each other
//! all the time.
//!
//! The protocol is described in `docs/native-protocol.md`. The way of a call on the server:
//! `server/mod.rs` accepts and shakes hands, `server/driver.rs` reads frames and answers what is
//! answered at once, `server/call.rs` the rest. The client: `client/connect.rs`, then
//! `client/call.rs` writes a call's frames, and `client/driver.rs` sends them and hands out what
//! comes back.
//!
//! # Bad input
//! What a peer gets for it; nothing of it ends the process or harms another connection. The suite
//! `tests/tests/hostile` asserts each line.
//!
//! | a client sends | what comes of it |
//! |---|---|
//! | no preface | closed; HTTP/1.1 and HTTP/2 get a 400 people can read |
//! | half a handshake, or one byte now and then | closed after [`handshake_timeout`](ListenOptions::handshake_timeout) |
//! | versions nobody speaks, a HELLO that is wrong | preface, GOAWAY with the reason, closed |
//! | frames that are too long, break off, lie about lengths, or are for servers to send | GOAWAY with the reason, closed |
//! | the number of a call that runs, one over [`Limits::calls`](gufo_core::Limits::calls), a call after its GOAWAY | the same |
//! | messages without credit, credit beyond 32 bits | the same |
//! | more definitions than 1,024 methods and 256 names, longer ones than 256 bytes | the same |
//! | kinds of frames, settings and flags nobody knows; frames for calls that do not run | skipped |
//! | a message over [`Limits::receive`](gufo_core::Limits::receive), stated, sent, or once decompressed | `RESOURCE_EXHAUSTED`, before it comes where its length is stated |
//! | a message that is damaged, nests too deep, or is not compressed as it says | `INVALID_ARGUMENT` |
//! | a method, format or compression nobody knows | `UNIMPLEMENTED` |
//! | a message that ends before its last part, compression in a call that names none | `INTERNAL` |
//! | no message or two where one is expected; metadata that is no text | `INVALID_ARGUMENT` |
//! | metadata over [`Limits::metadata`](gufo_core::Limits::metadata) | `RESOURCE_EXHAUSTED` |
//! | a deadline in the past | `DEADLINE_EXCEEDED`, the handler never runs |
//! | nothing of a request for [`stall_timeout`](ListenOptions::stall_timeout) | `DEADLINE_EXCEEDED`, the handler never runs |
//! | no call for [`idle_timeout`](ListenOptions::idle_timeout), no answer to a PING | GOAWAY; closed |
//!
//! Who reads nothing stops the handlers it called: nothing more is begun while 4 MiB of answers, or
//! 16 MiB of replies larger than a frame, wait on a connection, and a socket that takes nothing for
//! `stall_timeout` is closed. Requests that have not come whole hold 64 MiB for a connection, or 16
//! times `Limits::receive` if that is more; others wait for credit meanwhile. Messages of streams
//! that no handler has read hold what may be sent without being asked for: up to `Limits::calls`
//! times 256 KiB for a connection, and once more what came with them from the socket, so lower the
//! former where strangers call.
//!
//! # Modules
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
#[cfg(test)]
mod golden;
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
