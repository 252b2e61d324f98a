//! The client's side: `connect` makes a connection, `driver` reads and writes its frames, `call`
//! makes a call, `slots` hands out the numbers of calls.

mod call;
mod connect;
mod driver;
mod slots;

use std::{fmt, sync::Arc};

use gufo_core::{
    Answer, BoxFuture, Cancel, ConnectOptions, Connection, ConnectionState, Context, Handler,
    Messages, Payload, Replies, Reply, Retry, Status,
};

use super::{hello::Hello, link::Link};
use crate::socket::Address;
use slots::Slots;

pub(super) use connect::connect;

/// A connection. Calls write their frames in the caller's task; a task of its own drives the
/// socket.
pub(super) struct NativeConnection {
    address: Address,
    shared: Arc<Shared>,
}

/// What the calls of a connection and its driver share.
struct Shared {
    link: Arc<Link>,
    slots: Slots,
    /// What the server said of itself.
    server: Hello,
    options: ConnectOptions,
    /// The server takes no new calls.
    draining: Cancel,
    /// The socket is gone.
    closed: Cancel,
}

impl Shared {
    /// The largest metadata that may be sent.
    fn metadata_limit(&self) -> usize {
        self.options
            .limits
            .metadata
            .min(self.server.metadata)
            .min(super::frame::MAX_METADATA)
    }

    fn leave(&self) {
        self.link.leave("the client is leaving");
    }
}

/// The status of a call that finds the connection closed to it.
fn not_begun() -> Status {
    Status::unavailable("the connection takes no more calls").with_retry(Retry::NotBegun)
}

impl Handler for NativeConnection {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        call::unary(&self.shared, ctx, request)
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        Answer::later(call::stream(Arc::clone(&self.shared), ctx, requests))
    }
}

impl Connection for NativeConnection {
    fn state(&self) -> ConnectionState {
        if self.shared.closed.is_cancelled() {
            ConnectionState::Closed
        } else if self.shared.draining.is_cancelled() || self.shared.link.has_left() {
            ConnectionState::Draining
        } else {
            ConnectionState::Ready
        }
    }

    fn in_flight(&self) -> usize {
        self.shared.slots.in_flight()
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            tokio::select! {
                () = shared.closed.cancelled() => {}
                () = shared.draining.cancelled() => {}
            }
        })
    }

    fn close(&self) {
        self.shared.leave();
        self.shared.draining.cancel();
    }
}

impl Drop for NativeConnection {
    fn drop(&mut self) {
        self.shared.leave();
    }
}

impl fmt::Debug for NativeConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeConnection")
            .field("address", &self.address)
            .field("state", &self.state())
            .field("in_flight", &self.in_flight())
            .finish()
    }
}
