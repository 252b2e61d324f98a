//! The client's side of gRPC.

mod call;
mod connect;
mod driver;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use gufo_core::{
    Answer, BoxFuture, Cancel, ConnectOptions, Connection, ConnectionState, Context, Handler,
    Messages, Payload, Replies, Reply,
};
use h2::client::SendRequest;
use http::uri::Authority;

use super::frame::Frame;
use crate::socket::Address;

pub(super) use connect::connect;

/// A gRPC connection. Calls write to h2 in the caller's task; a task of its own drives the socket.
pub(super) struct GrpcConnection {
    address: Address,
    send: SendRequest<Frame>,
    shared: Arc<Shared>,
}

/// What the calls of a connection and its driver share.
struct Shared {
    authority: Authority,
    options: ConnectOptions,
    in_flight: AtomicUsize,
    /// The peer takes no new calls.
    draining: Cancel,
    /// The socket is gone.
    closed: Cancel,
    /// This side wants to leave once its calls are done.
    leaving: Cancel,
    /// This side wants to leave, and its calls are done.
    done: Cancel,
}

impl Shared {
    fn begin(self: &Arc<Self>) -> Running {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(self))
    }

    fn leave(&self) {
        self.leaving.cancel();
        // Whoever comes last in the order of this counter, here or in the last call's drop, sees
        // what the other did before.
        if self.in_flight.fetch_add(0, Ordering::AcqRel) == 0 {
            self.done.cancel();
        }
    }
}

/// Counts one call while it lives.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        let last = self.0.in_flight.fetch_sub(1, Ordering::AcqRel) == 1;
        if last && self.0.leaving.is_cancelled() {
            self.0.done.cancel();
        }
    }
}

impl Handler for GrpcConnection {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        Answer::later(call::unary(
            self.shared.begin(),
            self.send.clone(),
            ctx,
            request,
        ))
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        Answer::later(call::stream(
            self.shared.begin(),
            self.send.clone(),
            ctx,
            requests,
        ))
    }
}

impl Connection for GrpcConnection {
    fn state(&self) -> ConnectionState {
        if self.shared.closed.is_cancelled() {
            ConnectionState::Closed
        } else if self.shared.draining.is_cancelled() || self.shared.leaving.is_cancelled() {
            ConnectionState::Draining
        } else {
            ConnectionState::Ready
        }
    }

    fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::Relaxed)
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            tokio::select! {
                () = shared.closed.cancelled() => {}
                () = shared.draining.cancelled() => {}
                () = shared.leaving.cancelled() => {}
            }
        })
    }

    fn close(&self) {
        self.shared.leave();
    }
}

impl Drop for GrpcConnection {
    fn drop(&mut self) {
        self.shared.leave();
    }
}

impl fmt::Debug for GrpcConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcConnection")
            .field("address", &self.address)
            .field("state", &self.state())
            .field("in_flight", &self.in_flight())
            .finish()
    }
}
