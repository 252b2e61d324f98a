//! The server's side: one port that answers gRPC, and plain JSON over HTTP/1.1 and HTTP/2.

mod backlog;
mod call;
mod http1;
mod http2;
mod listener;
mod plain;

use std::{io, sync::Arc, time::Duration};

use bytes::BytesMut;
use gufo_core::{
    BoxFuture, Cancel, Deadline, Dispatch, Incoming, ListenOptions, Peer, Route, Status,
};
use tokio::{io::AsyncReadExt, sync::OwnedSemaphorePermit};

use self::backlog::Backlog;
use super::io::Prefixed;
use crate::socket::Socket;

pub(super) use http2::{CONNECTION_WINDOW, FRAME_SIZE, SMALL_FRAME_BUDGET, STREAM_WINDOW};
pub(super) use listener::GrpcListener;

/// How every HTTP/2 connection begins (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What all calls of a connection share.
struct Shared {
    dispatch: Arc<dyn Dispatch>,
    options: Arc<ListenOptions>,
    peer: Arc<Peer>,
    backlog: Backlog,
}

impl Shared {
    /// Why waiting for a request ended: at its deadline, or because nothing of it came.
    fn too_late(&self, status: Status, deadline: Deadline) -> Status {
        if deadline.is_expired() {
            return status;
        }
        let limit = self.options.stall_timeout;
        Status::deadline_exceeded(format!("nothing of the request came for {limit:?}"))
    }
}

struct GrpcIncoming {
    socket: Socket,
    peer: Peer,
    /// A place among those in their handshake; without one the peer is turned away.
    handshake: Option<OwnedSemaphorePermit>,
    options: Arc<ListenOptions>,
}

impl Incoming for GrpcIncoming {
    fn serve(
        self: Box<Self>,
        dispatch: Arc<dyn Dispatch>,
        drain: Cancel,
    ) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let Self {
                mut socket,
                peer,
                handshake,
                options,
            } = *self;
            let Some(handshake) = handshake else {
                tracing::warn!(peer = ?peer.address, "turned away: too many peers in their handshake");
                return;
            };
            let detected = tokio::select! {
                detected = tokio::time::timeout(options.handshake_timeout, detect(&mut socket)) => detected,
                // A peer that has just connected may have sent calls already: it is told to go
                // away in its own protocol, unless it says nothing.
                () = late(&drain) => return,
            };
            let Ok(Ok((protocol, prefix))) = detected else {
                tracing::debug!(peer = ?peer.address, "closed: no request in time");
                return;
            };
            drop(handshake);
            let shared = Shared {
                dispatch,
                options,
                peer: Arc::new(peer),
                backlog: Backlog::default(),
            };
            let socket = Prefixed::new(prefix, socket);
            match protocol {
                Protocol::Http1 => {
                    let socket = socket.with_patience(shared.options.stall_timeout);
                    http1::serve(socket, Arc::new(shared), drain).await
                }
                Protocol::Http2 => http2::serve(socket, Arc::new(shared), drain).await,
            }
        })
    }
}

/// How long a peer that connected while the server was going away may take to say something.
const LAST_WORD: Duration = Duration::from_secs(1);

async fn late(drain: &Cancel) {
    drain.cancelled().await;
    tokio::time::sleep(LAST_WORD).await;
}

enum Protocol {
    Http1,
    Http2,
}

/// Tells the protocols apart by their first bytes, which are given back.
async fn detect(socket: &mut Socket) -> io::Result<(Protocol, BytesMut)> {
    let mut prefix = BytesMut::with_capacity(PREFACE.len());
    loop {
        if socket.read_buf(&mut prefix).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let known = prefix.len().min(PREFACE.len());
        if prefix[..known] != PREFACE[..known] {
            return Ok((Protocol::Http1, prefix));
        }
        if known == PREFACE.len() {
            return Ok((Protocol::Http2, prefix));
        }
    }
}

/// The routes a connection used last: most connections call few methods, and comparing a short
/// path is cheaper than hashing it.
struct RouteCache {
    routes: Vec<Arc<Route>>,
}

impl RouteCache {
    const SIZE: usize = 4;

    const fn new() -> Self {
        Self { routes: Vec::new() }
    }

    fn find(&mut self, path: &str, dispatch: &dyn Dispatch) -> Option<Arc<Route>> {
        if let Some(route) = self.routes.iter().find(|route| route.method.path() == path) {
            return Some(Arc::clone(route));
        }
        let route = dispatch.route(path)?;
        if self.routes.len() == Self::SIZE {
            self.routes.remove(0);
        }
        self.routes.push(Arc::clone(&route));
        Some(route)
    }
}
