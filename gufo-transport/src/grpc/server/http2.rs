//! The loop that drives one HTTP/2 connection.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use gufo_core::{BoxFuture, Cancel};
use h2::{
    Ping, PingPong, RecvStream,
    server::{Connection, SendResponse},
};
use http::Request;
use tokio::task::JoinSet;

use super::{RouteCache, Shared, call};
use crate::grpc::{
    frame::Frame,
    io::{Coalescing, Outgoing, Prefixed, coalesce},
};
use crate::socket::{Pulse, Socket, Verdict};

type Io = Prefixed<Socket>;

/// What a stream may have unread, in bytes.
pub(in crate::grpc) const STREAM_WINDOW: u32 = 1 << 20;

/// What a connection may have unread, in bytes.
pub(in crate::grpc) const CONNECTION_WINDOW: u32 = 4 << 20;

/// h2 counts small DATA frames that nobody has read yet against this, in bytes: honest streams of
/// tiny messages to a slow reader need more than its default.
pub(in crate::grpc) const SMALL_FRAME_BUDGET: usize = 16 << 20;

/// What a stream of replies may have waiting for the socket, in bytes: a peer that opens a thousand
/// of them and reads none makes this side hold so much of each. h2's own default is six times that.
const SEND_BUFFER: usize = 64 * 1024;

/// The largest frame accepted.
pub(in crate::grpc) const FRAME_SIZE: u32 = 64 * 1024;

/// What HTTP needs of the header list beside metadata, in bytes.
const HEADER_ROOM: u32 = 2 * 1024;

pub(super) async fn serve(socket: Io, shared: Arc<Shared>, drain: Cancel) {
    let limits = &shared.options.limits;
    let (coalescing, outgoing) = coalesce(socket);
    let mut builder = h2::server::Builder::new();
    builder
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME_SIZE)
        .max_send_buffer_size(SEND_BUFFER)
        .max_concurrent_streams(limits.calls)
        .max_header_list_size(
            u32::try_from(limits.metadata)
                .unwrap_or(u32::MAX)
                .saturating_add(HEADER_ROOM),
        )
        .data_frame_budget(SMALL_FRAME_BUDGET);
    let handshake = tokio::time::timeout(
        shared.options.handshake_timeout,
        builder.handshake(coalescing),
    )
    .await;
    let Ok(Ok(mut connection)) = handshake else {
        tracing::debug!(peer = ?shared.peer.address, "closed: no HTTP/2 handshake in time");
        return;
    };
    // So far the peer has sent what every connection begins with, which says nothing yet.
    let _ = outgoing.take_read();
    let pulse = Pulse::new(&shared.options);
    let ping_pong = connection.ping_pong();
    let mut serving = Serving {
        connection,
        outgoing,
        shared,
        routes: RouteCache::new(),
        batch: Vec::new(),
        begun: false,
        calls: JoinSet::new(),
        drain: Some(Box::pin(async move { drain.cancelled().await })),
        pulse,
        ping_pong,
        yielded: false,
    };
    std::future::poll_fn(|cx| serving.poll(cx)).await;
}

struct Serving {
    connection: Connection<Coalescing<Io>, Frame>,
    outgoing: Outgoing<Io>,
    shared: Arc<Shared>,
    routes: RouteCache,
    batch: Vec<(Request<RecvStream>, SendResponse<Frame>)>,
    /// A call was begun since the pulse last looked: most are over long before it looks again.
    begun: bool,
    /// Calls that were not ready at once.
    calls: JoinSet<()>,
    /// `None` once draining.
    drain: Option<BoxFuture<'static, ()>>,
    pulse: Pulse,
    ping_pong: Option<PingPong>,
    yielded: bool,
}

impl Serving {
    fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        // Calls in other tasks wake this one for each reply. Letting them all run first turns
        // their replies into one write.
        if !self.calls.is_empty() && !std::mem::replace(&mut self.yielded, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.yielded = false;

        if self
            .drain
            .as_mut()
            .is_some_and(|drain| drain.as_mut().poll(cx).is_ready())
        {
            self.drain = None;
            self.connection.graceful_shutdown();
        }
        while let Poll::Ready(Some(_)) = self.calls.poll_join_next(cx) {}
        match self.poll_pulse(cx) {
            Verdict::Alive | Verdict::Ask => {}
            Verdict::Idle => self.connection.graceful_shutdown(),
            Verdict::Dead => return Poll::Ready(()),
        }
        loop {
            let open = self.accept(cx);
            let began = !self.batch.is_empty();
            let mut batch = std::mem::take(&mut self.batch);
            for (request, respond) in batch.drain(..) {
                self.begin(request, respond, cx);
            }
            self.batch = batch;
            if !open {
                // Nobody is left to write to; what still runs is dropped with the connection.
                return Poll::Ready(());
            }
            if began {
                continue;
            }
            let full = self.shared.backlog.is_full();
            let drained = self.outgoing.poll_drain(cx);
            self.shared.backlog.wake();
            if full && !self.shared.backlog.is_full() {
                // Calls that were left alone meanwhile do not wake anybody.
                continue;
            }
            match drained {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) | Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
            }
        }
    }

    /// Takes every call that has arrived before any is answered, so that one read leads to one
    /// write. False once the connection is over.
    fn accept(&mut self, cx: &mut TaskContext<'_>) -> bool {
        loop {
            if self.shared.backlog.is_full() {
                if self.connection.poll_closed(cx).is_ready() {
                    return false;
                }
                if self.shared.backlog.is_full() {
                    return true;
                }
            }
            match self.connection.poll_accept(cx) {
                Poll::Ready(Some(Ok(call))) => self.batch.push(call),
                Poll::Ready(Some(Err(error))) => {
                    tracing::debug!(peer = ?self.shared.peer.address, %error, "connection failed");
                    return false;
                }
                Poll::Ready(None) => return false,
                Poll::Pending => return true,
            }
        }
    }

    /// Begins a call; one that is ready on its first poll costs no task.
    fn begin(
        &mut self,
        request: Request<RecvStream>,
        respond: SendResponse<Frame>,
        cx: &mut TaskContext<'_>,
    ) {
        self.begun = true;
        let route = self
            .routes
            .find(request.uri().path(), &*self.shared.dispatch);
        let mut answer = call::answer(Arc::clone(&self.shared), route, request, respond);
        if answer.as_mut().poll(cx).is_pending() {
            self.calls.spawn(answer);
        }
    }

    fn poll_pulse(&mut self, cx: &mut TaskContext<'_>) -> Verdict {
        if self.pulse.is_asked()
            && let Some(ping) = &mut self.ping_pong
            && matches!(ping.poll_pong(cx), Poll::Ready(Ok(_)))
        {
            self.pulse.answered();
        }
        if self.pulse.poll_tick(cx).is_pending() {
            return Verdict::Alive;
        }
        let heard = self.outgoing.take_read() > 0;
        let waiting = self.outgoing.waiting() + self.shared.backlog.bytes();
        let used = std::mem::take(&mut self.begun) || self.connection.has_streams();
        let verdict = self.pulse.look(heard, waiting, used);
        if verdict == Verdict::Ask
            && let Some(ping) = &mut self.ping_pong
            && ping.send_ping(Ping::opaque()).is_ok()
        {
            self.pulse.asked();
        }
        verdict
    }
}

/// A boxed call on its way.
pub(super) type Answer = Pin<Box<dyn Future<Output = ()> + Send>>;
