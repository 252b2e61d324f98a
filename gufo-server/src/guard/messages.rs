//! GuardedMessages: the messages of a reply under guard.

use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

use gufo_core::{Code, MessageStream, Messages, Metadata, Payload, Status};

use crate::calls::stopping;

use super::{
    call::{cut, discard},
    running::Running,
};

/// Messages that never have to wait are not stopped by a timer: the clock is looked at once in
/// this many.
const CLOCK_EVERY: u8 = 64;

/// The messages of a reply under guard. The call runs until they have ended.
pub(super) struct GuardedMessages {
    /// Kept after the end for their trailers, gone after an error.
    messages: Option<Messages>,
    running: Running,
    until_clock: u8,
}

impl GuardedMessages {
    pub(super) fn new(messages: Messages, running: Running) -> Self {
        Self {
            messages: Some(messages),
            running,
            until_clock: CLOCK_EVERY,
        }
    }

    /// The status to cut messages with that keep coming.
    fn overdue(&mut self) -> Option<Status> {
        if self.running.is_aborted() {
            return Some(stopping());
        }
        self.until_clock = self.until_clock.checked_sub(1).unwrap_or(CLOCK_EVERY);
        (self.until_clock == 0 && self.running.is_expired())
            .then(|| Status::deadline_exceeded("the deadline of the call has passed"))
    }

    fn cut(&mut self, status: Status) -> Poll<Option<Result<Payload, Status>>> {
        cut(&mut self.running, self.messages.take(), status.code());
        Poll::Ready(Some(Err(status)))
    }
}

impl MessageStream for GuardedMessages {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        let Some(messages) = this.messages.as_mut().filter(|_| !this.running.is_over()) else {
            return Poll::Ready(None);
        };
        match ready!(this.running.poll(cx, |cx| messages.poll_next_message(cx))) {
            Ok(Some(Ok(message))) => match this.overdue() {
                None => Poll::Ready(Some(Ok(message))),
                Some(status) => this.cut(status),
            },
            Ok(Some(Err(status))) => {
                discard(&this.running, this.messages.take());
                this.running.end(status.code());
                Poll::Ready(Some(Err(status)))
            }
            Ok(None) => {
                this.running.end(Code::Ok);
                Poll::Ready(None)
            }
            Err(status) => this.cut(status),
        }
    }

    fn trailers(self: Pin<&mut Self>) -> Metadata {
        let this = self.get_mut();
        let Some(messages) = this.messages.as_mut().filter(|_| this.running.is_over()) else {
            return Metadata::new();
        };
        this.running
            .catch(|| messages.trailers())
            .unwrap_or_default()
    }
}

impl Drop for GuardedMessages {
    fn drop(&mut self) {
        if self.running.is_over() {
            discard(&self.running, self.messages.take());
        } else {
            cut(&mut self.running, self.messages.take(), Code::Cancelled);
        }
    }
}
