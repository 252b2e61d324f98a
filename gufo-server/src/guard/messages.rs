//! GuardedMessages: the messages of a reply under guard.

use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

use gufo_core::{BytesMut, Code, MessageStream, Messages, Metadata, Payload, Status, Written};

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

    fn poll_guarded<T>(
        &mut self,
        cx: &mut TaskContext<'_>,
        poll: impl FnOnce(&mut Messages, &mut TaskContext<'_>) -> Poll<Option<Result<T, Status>>>,
    ) -> Poll<Option<Result<T, Status>>> {
        let Some(messages) = self.messages.as_mut().filter(|_| !self.running.is_over()) else {
            return Poll::Ready(None);
        };
        match ready!(self.running.poll(cx, |cx| poll(messages, cx))) {
            Ok(Some(Ok(message))) => match self.overdue() {
                None => Poll::Ready(Some(Ok(message))),
                Some(status) => self.cut(status),
            },
            Ok(Some(Err(status))) => {
                discard(&self.running, self.messages.take());
                self.running.end(status.code());
                Poll::Ready(Some(Err(status)))
            }
            Ok(None) => {
                self.running.end(Code::Ok);
                Poll::Ready(None)
            }
            Err(status) => self.cut(status),
        }
    }

    fn cut<T>(&mut self, status: Status) -> Poll<Option<Result<T, Status>>> {
        cut(&mut self.running, self.messages.take(), status.code());
        Poll::Ready(Some(Err(status)))
    }
}

impl MessageStream for GuardedMessages {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        self.get_mut()
            .poll_guarded(cx, |messages, cx| messages.poll_next_message(cx))
    }

    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        out: &mut BytesMut,
    ) -> Poll<Option<Result<Written, Status>>> {
        let before = out.len();
        let item = self
            .get_mut()
            .poll_guarded(cx, |messages, cx| messages.poll_write_message(cx, out));
        if matches!(item, Poll::Ready(Some(Err(_)))) {
            // It may have panicked on the way, or come too late.
            out.truncate(before);
        }
        item
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
