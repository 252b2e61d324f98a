//! Panics of handlers become `Internal`, as in `gufo-server`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use gufo_core::{
    Answer, Context, Handler, MessageStream, Messages, Metadata, Payload, Replies, Reply, Status,
};

/// A handler whose panics are caught.
pub(super) struct Guarded(pub(super) Arc<dyn Handler>);

fn caught<T>(poll: impl FnOnce() -> Poll<Result<T, Status>>) -> Poll<Result<T, Status>> {
    catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|_| Poll::Ready(Err(panicked())))
}

fn panicked() -> Status {
    Status::internal("the handler panicked")
}

struct Caught<T>(Answer<T>);

impl<T> Future for Caught<T> {
    type Output = Result<T, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        caught(|| Pin::new(&mut self.get_mut().0).poll(cx))
    }
}

struct Stream(Option<Messages>);

impl MessageStream for Stream {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        let Some(messages) = &mut this.0 else {
            return Poll::Ready(None);
        };
        let item = catch_unwind(AssertUnwindSafe(|| messages.poll_next_message(cx)));
        item.unwrap_or_else(|_| {
            this.0 = None;
            Poll::Ready(Some(Err(panicked())))
        })
    }

    fn trailers(self: Pin<&mut Self>) -> Metadata {
        let messages = self.get_mut().0.as_mut();
        messages.map(Messages::trailers).unwrap_or_default()
    }
}

impl Handler for Guarded {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        let answer = catch_unwind(AssertUnwindSafe(|| self.0.unary(ctx, request)));
        match answer {
            Ok(answer) => Answer::later(Caught(answer)),
            Err(_) => panicked().into(),
        }
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        let answer = Caught(self.0.stream(ctx, requests));
        Answer::later(async move {
            let replies = answer.await?;
            Ok(Replies {
                metadata: replies.metadata,
                messages: Messages::new(Stream(Some(replies.messages))),
            })
        })
    }
}
