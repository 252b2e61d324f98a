//! Streams of messages that are tampered with.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use gufo_core::{MessageStream, Messages, Metadata, Payload, Status};
use parking_lot::Mutex;
use tokio::sync::mpsc;

pub(crate) type Item = Option<Result<Payload, Status>>;

/// A stream whose items, its end included, pass a function that may hold them back.
pub(crate) struct Tampered<F> {
    messages: Messages,
    tamper: F,
    ready: VecDeque<Item>,
}

/// Passes each item to a function that adds what is to come to a queue.
pub(crate) fn tampered<F>(messages: Messages, tamper: F) -> Messages
where
    F: FnMut(Item, &mut VecDeque<Item>) + Send + Unpin + 'static,
{
    Messages::new(Tampered {
        messages,
        tamper,
        ready: VecDeque::new(),
    })
}

impl<F: FnMut(Item, &mut VecDeque<Item>) + Send + Unpin> MessageStream for Tampered<F> {
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Item> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.ready.pop_front() {
                return Poll::Ready(item);
            }
            let item = ready!(this.messages.poll_next_message(cx));
            let ended = item.is_none();
            (this.tamper)(item, &mut this.ready);
            if ended && this.ready.is_empty() {
                // The end was swallowed.
                return Poll::Pending;
            }
        }
    }

    fn trailers(self: Pin<&mut Self>) -> Metadata {
        self.get_mut().messages.trailers()
    }
}

/// Reads a stream in a task of its own, whether anybody takes the messages or not.
pub(crate) fn detached(mut messages: Messages) -> Messages {
    let (sender, receiver) = mpsc::channel(1 << 20);
    tokio::spawn(async move {
        while let Some(item) = messages.next().await {
            let _ = sender.send(Some(item)).await;
            tokio::task::yield_now().await;
        }
        let _ = sender.send(None).await;
        // Trailers are of no interest here.
    });
    Messages::new(Received(receiver))
}

struct Received(mpsc::Receiver<Item>);

impl MessageStream for Received {
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Item> {
        let received = ready!(self.get_mut().0.poll_recv(cx));
        Poll::Ready(received.flatten())
    }
}

/// Requests that wait for the reply to the one before.
pub(crate) fn lock_step(requests: Messages, replies: &Arc<Replied>) -> Messages {
    Messages::new(LockStep {
        messages: requests,
        sent: 0,
        replies: Arc::clone(replies),
    })
}

/// How many replies there were.
#[derive(Default)]
pub(crate) struct Replied(Mutex<(usize, Option<Waker>)>);

impl Replied {
    pub(crate) fn count(&self) {
        let mut state = self.0.lock();
        state.0 += 1;
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }
}

struct LockStep {
    messages: Messages,
    sent: usize,
    replies: Arc<Replied>,
}

impl MessageStream for LockStep {
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Item> {
        let this = self.get_mut();
        let mut state = this.replies.0.lock();
        if this.sent > state.0 {
            state.1 = Some(cx.waker().clone());
            return Poll::Pending;
        }
        drop(state);
        let item = ready!(this.messages.poll_next_message(cx));
        this.sent += 1;
        Poll::Ready(item)
    }
}
