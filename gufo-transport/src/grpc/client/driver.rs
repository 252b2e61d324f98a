//! The task that drives a client's connection.

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context as TaskContext, Poll},
};

use gufo_core::BoxFuture;
use h2::{
    Ping, PingPong,
    client::{Connection, SendRequest},
};
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep_until},
};

use super::Shared;
use crate::grpc::{
    frame::Frame,
    io::{Coalescing, Outgoing},
};
use crate::socket::Socket;

pub(super) async fn drive(
    mut connection: Connection<Coalescing<Socket>, Frame>,
    outgoing: Outgoing<Socket>,
    probe: SendRequest<Frame>,
    shared: Arc<Shared>,
    greeted: oneshot::Sender<()>,
) {
    // The answer to a first ping follows the peer's settings: whoever accepts the socket and does
    // not speak HTTP/2, or is about to close it, is not taken for ready.
    let mut ping_pong = connection.ping_pong();
    let waits_for_pong = ping_pong
        .as_mut()
        .is_some_and(|ping_pong| ping_pong.send_ping(Ping::opaque()).is_ok());
    let next_look = Instant::now() + shared.options.keep_alive_timeout;
    let done = shared.done.clone();
    let mut driver = Driver {
        connection,
        outgoing,
        ping_pong,
        look: Box::pin(sleep_until(next_look)),
        waits_for_pong,
        greeted: Some(greeted),
        done: Box::pin(async move { done.cancelled().await }),
        probe: Some(probe),
        yielded: false,
        shared: Arc::clone(&shared),
    };
    let _close = CloseOnDrop(shared);
    std::future::poll_fn(|cx| driver.poll(cx)).await;
}

struct CloseOnDrop(Arc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.closed.cancel();
    }
}

struct Driver {
    connection: Connection<Coalescing<Socket>, Frame>,
    outgoing: Outgoing<Socket>,
    ping_pong: Option<PingPong>,
    /// When to look whether the peer is alive.
    look: Pin<Box<Sleep>>,
    waits_for_pong: bool,
    /// Told once the peer has answered the first ping.
    greeted: Option<oneshot::Sender<()>>,
    /// Ready once this side wants to leave and its calls are done.
    done: BoxFuture<'static, ()>,
    /// Asked after each poll whether a call could be sent; `None` once that is of no interest.
    probe: Option<SendRequest<Frame>>,
    yielded: bool,
    shared: Arc<Shared>,
}

impl Driver {
    fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        // Callers in other tasks wake this one for each call. Letting them all run first turns
        // their requests into one write.
        if !std::mem::replace(&mut self.yielded, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.yielded = false;

        let done = self.done.as_mut().poll(cx).is_ready();
        loop {
            match Pin::new(&mut self.connection).poll(cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(()),
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "connection failed");
                    return Poll::Ready(());
                }
                Poll::Pending => {}
            }
            match self.outgoing.poll_drain(cx) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) | Poll::Pending => break,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
            }
        }
        if self
            .probe
            .as_mut()
            .is_some_and(|probe| matches!(probe.poll_ready(cx), Poll::Ready(Err(_))))
        {
            self.probe = None;
            self.shared.draining.cancel();
        }
        if done || self.poll_alive(cx).is_ready() {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Ready when the peer does not answer.
    fn poll_alive(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let options = &self.shared.options;
        if let (true, Some(ping_pong)) = (self.waits_for_pong, &mut self.ping_pong)
            && matches!(ping_pong.poll_pong(cx), Poll::Ready(Ok(_)))
        {
            self.waits_for_pong = false;
            if let Some(greeted) = self.greeted.take() {
                // Whoever connects may have given up meanwhile.
                let _ = greeted.send(());
            }
            self.look
                .as_mut()
                .reset(Instant::now() + options.keep_alive_interval);
        }
        while self.look.as_mut().poll(cx).is_ready() {
            let heard = self.outgoing.take_read() > 0;
            if self.waits_for_pong && !heard {
                tracing::debug!("closed: the server does not answer");
                return Poll::Ready(());
            }
            let calls = self.shared.in_flight.load(Ordering::Relaxed) > 0;
            // An idle connection without calls is not worth a ping.
            if let (false, true, Some(ping_pong)) = (heard, calls, &mut self.ping_pong) {
                self.waits_for_pong = ping_pong.send_ping(Ping::opaque()).is_ok();
            }
            let wait = if self.waits_for_pong {
                // The ping is sent on the next poll.
                cx.waker().wake_by_ref();
                options.keep_alive_timeout
            } else {
                options.keep_alive_interval
            };
            self.look.as_mut().reset(Instant::now() + wait);
        }
        Poll::Pending
    }
}
