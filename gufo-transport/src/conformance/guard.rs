//! Panics of handlers become `Internal`, as in `gufo-server`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use gufo_core::{
    BoxFuture, Context, Handler, MessageStream, Messages, Metadata, Payload, Replies, Reply, Status,
};

/// A handler whose panics are caught.
pub(super) struct Guarded(pub(super) Arc<dyn Handler>);

fn caught<T>(poll: impl FnOnce() -> Poll<Result<T, Status>>) -> Poll<Result<T, Status>> {
    catch_unwind(AssertUnwindSafe(poll))
        .unwrap_or_else(|_| Poll::Ready(Err(Status::internal("the handler panicked"))))
}

struct Answer<T>(BoxFuture<'static, Result<T, Status>>);

impl<T> Future for Answer<T> {
    type Output = Result<T, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        caught(|| self.get_mut().0.as_mut().poll(cx))
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
            Poll::Ready(Some(Err(Status::internal("the handler panicked"))))
        })
    }

    fn trailers(self: Pin<&mut Self>) -> Metadata {
        let messages = self.get_mut().0.as_mut();
        messages.map(Messages::trailers).unwrap_or_default()
    }
}

impl Handler for Guarded {
    fn unary(&self, ctx: Context, request: Payload) -> BoxFuture<'static, Result<Reply, Status>> {
        Box::pin(Answer(self.0.unary(ctx, request)))
    }

    fn stream(
        &self,
        ctx: Context,
        requests: Messages,
    ) -> BoxFuture<'static, Result<Replies, Status>> {
        let answer = Answer(self.0.stream(ctx, requests));
        Box::pin(async move {
            let replies = answer.await?;
            Ok(Replies {
                metadata: replies.metadata,
                messages: Messages::new(Stream(Some(replies.messages))),
            })
        })
    }
}
