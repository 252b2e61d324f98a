//! Watchdog: ends a call at its deadline, or when the call it serves is given up.

use std::{
    fmt,
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use bytes::BytesMut;
use tokio::time::Sleep;

use crate::{
    BoxFuture, Cancel, Deadline, MessageStream, Messages, Metadata, Payload, Status, Written,
};

/// Ends a call at its deadline, or when a flag is set. Timers are made on the first poll: a call
/// that is ready at once pays for none.
pub struct Watchdog {
    deadline: Deadline,
    sleep: Option<Pin<Box<Sleep>>>,
    cancel: Option<Cancel>,
    cancelled: Option<BoxFuture<'static, ()>>,
}

impl Watchdog {
    /// Watches a deadline and a flag.
    #[must_use]
    pub const fn new(deadline: Deadline, cancel: Option<Cancel>) -> Self {
        Self {
            deadline,
            sleep: None,
            cancel,
            cancelled: None,
        }
    }

    /// True when there is nothing to watch.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.deadline.instant().is_none() && self.cancel.is_none()
    }

    /// Ready with the status the call is to end with.
    pub fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Status> {
        if let Some(instant) = self.deadline.instant() {
            let sleep = self
                .sleep
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(instant)));
            if sleep.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Status::deadline_exceeded(
                    "the deadline of the call has passed",
                ));
            }
        }
        if let Some(cancel) = &self.cancel {
            if cancel.is_cancelled() {
                return Poll::Ready(given_up());
            }
            let cancelled = self.cancelled.get_or_insert_with(|| {
                let cancel = cancel.clone();
                Box::pin(async move { cancel.cancelled().await })
            });
            if cancelled.as_mut().poll(cx).is_ready() {
                return Poll::Ready(given_up());
            }
        }
        Poll::Pending
    }

    /// Ends a stream of messages with the watchdog's status.
    #[must_use]
    pub fn guard(self, messages: Messages) -> Messages {
        if self.is_idle() {
            messages
        } else {
            Messages::new(Guarded {
                watchdog: self,
                messages: Some(messages),
            })
        }
    }
}

fn given_up() -> Status {
    Status::cancelled("the call was given up")
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog")
            .field("deadline", &self.deadline)
            .field("cancel", &self.cancel)
            .finish()
    }
}

struct Guarded {
    watchdog: Watchdog,
    messages: Option<Messages>,
}

impl MessageStream for Guarded {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        let Some(messages) = &mut this.messages else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(item) = messages.poll_next_message(cx) {
            return Poll::Ready(item);
        }
        let status = std::task::ready!(this.watchdog.poll(cx));
        // Dropping the messages cancels the call at the other side.
        this.messages = None;
        Poll::Ready(Some(Err(status)))
    }

    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        out: &mut BytesMut,
    ) -> Poll<Option<Result<Written, Status>>> {
        let this = self.get_mut();
        let Some(messages) = &mut this.messages else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(item) = messages.poll_write_message(cx, out) {
            return Poll::Ready(item);
        }
        let status = std::task::ready!(this.watchdog.poll(cx));
        this.messages = None;
        Poll::Ready(Some(Err(status)))
    }

    fn trailers(self: Pin<&mut Self>) -> Metadata {
        self.get_mut()
            .messages
            .as_mut()
            .map(Messages::trailers)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use super::*;
    use crate::Code;

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_waits_ends_at_the_deadline() {
        let silent = Messages::from_stream(futures_core_pending());
        let mut guarded =
            Watchdog::new(Deadline::after(Duration::from_secs(1)), None).guard(silent);

        let status = guarded
            .next()
            .await
            .expect("an item")
            .expect_err("the deadline");

        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert!(guarded.next().await.is_none());
    }

    #[tokio::test]
    async fn a_flag_ends_the_wait() {
        let cancel = Cancel::new();
        let mut watchdog = Watchdog::new(Deadline::NONE, Some(cancel.clone()));
        let waiting = tokio::spawn(async move { poll_fn(|cx| watchdog.poll(cx)).await });

        cancel.cancel();

        assert_eq!(waiting.await.expect("not panicked").code(), Code::Cancelled);
    }

    fn futures_core_pending() -> impl futures_core::Stream<Item = Result<Payload, Status>> + Send {
        struct Silent;
        impl futures_core::Stream for Silent {
            type Item = Result<Payload, Status>;
            fn poll_next(
                self: Pin<&mut Self>,
                _: &mut TaskContext<'_>,
            ) -> Poll<Option<Self::Item>> {
                Poll::Pending
            }
        }
        Silent
    }
}
