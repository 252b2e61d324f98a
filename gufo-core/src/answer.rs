//! Answer: what a handler gives for a call, at once or later.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context as TaskContext, Poll, Waker},
};

use crate::{BoxFuture, Status};

/// What a [`Handler`](crate::Handler) gives for a call: a future that may be ready from the start.
///
/// A handler that has nothing to wait for answers with [`Answer::ready`], which costs no box and
/// lets whoever called it write the reply at once. Dropping an answer that is not ready cancels the
/// call.
#[must_use = "a call whose answer is dropped is cancelled"]
pub struct Answer<T>(Repr<T>);

enum Repr<T> {
    /// `None` once it has been taken.
    Ready(Option<Result<T, Status>>),
    Later(BoxFuture<'static, Result<T, Status>>),
}

impl<T> Answer<T> {
    /// An answer that is there already.
    pub const fn ready(result: Result<T, Status>) -> Self {
        Self(Repr::Ready(Some(result)))
    }

    /// An answer to wait for. The future is first polled when the answer is.
    pub fn later(future: impl Future<Output = Result<T, Status>> + Send + 'static) -> Self {
        Self(Repr::Later(Box::pin(future)))
    }

    /// The answer of a handler: begun now where the transport
    /// [asks for it](crate::Context::is_eager), otherwise when it is polled.
    pub fn of(
        eager: bool,
        future: impl Future<Output = Result<T, Status>> + Send + 'static,
    ) -> Self {
        if eager {
            Self::begin(future)
        } else {
            Self::later(future)
        }
    }

    /// Polls a future once: one that does not have to wait is an answer that is ready.
    ///
    /// The waker of this poll is nobody's; a future that is pending is polled again when the answer
    /// is.
    fn begin(future: impl Future<Output = Result<T, Status>> + Send + 'static) -> Self {
        let mut future: BoxFuture<'static, Result<T, Status>> = Box::pin(future);
        match future
            .as_mut()
            .poll(&mut TaskContext::from_waker(Waker::noop()))
        {
            Poll::Ready(result) => Self::ready(result),
            Poll::Pending => Self(Repr::Later(future)),
        }
    }

    /// The result when it is there already, otherwise the answer to wait for.
    ///
    /// # Errors
    /// The answer itself, while it is not ready.
    pub fn now(self) -> Result<Result<T, Status>, Self> {
        match self.0 {
            Repr::Ready(Some(result)) => Ok(result),
            other => Err(Self(other)),
        }
    }

    /// Changes a result, now or when it comes.
    pub fn map<U: 'static>(
        self,
        change: impl FnOnce(Result<T, Status>) -> Result<U, Status> + Send + 'static,
    ) -> Answer<U>
    where
        T: Send + 'static,
    {
        match self.now() {
            Ok(result) => Answer::ready(change(result)),
            Err(later) => Answer::later(async move { change(later.await) }),
        }
    }
}

/// Nothing in it is pinned but what is in a box.
impl<T> Unpin for Answer<T> {}

impl<T> Future for Answer<T> {
    type Output = Result<T, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().0 {
            Repr::Ready(result) => Poll::Ready(
                result
                    .take()
                    .unwrap_or_else(|| Err(Status::internal("a call was polled after its end"))),
            ),
            Repr::Later(future) => future.as_mut().poll(cx),
        }
    }
}

impl<T> From<Result<T, Status>> for Answer<T> {
    fn from(result: Result<T, Status>) -> Self {
        Self::ready(result)
    }
}

impl<T> From<Status> for Answer<T> {
    fn from(status: Status) -> Self {
        Self::ready(Err(status))
    }
}

impl<T> From<BoxFuture<'static, Result<T, Status>>> for Answer<T> {
    fn from(future: BoxFuture<'static, Result<T, Status>>) -> Self {
        Self(Repr::Later(future))
    }
}

impl<T: Send + 'static> From<Answer<T>> for BoxFuture<'static, Result<T, Status>> {
    fn from(answer: Answer<T>) -> Self {
        match answer.0 {
            Repr::Later(future) => future,
            ready @ Repr::Ready(_) => Box::pin(Answer(ready)),
        }
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Repr::Ready(_) => "Answer(ready)",
            Repr::Later(_) => "Answer(later)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_future_that_waits_for_nothing_is_ready_from_the_start() {
        let answer = Answer::begin(async { Ok(1) });

        assert_eq!(answer.now().expect("ready").expect("well"), 1);
    }

    #[tokio::test]
    async fn a_future_that_waits_is_woken_by_who_awaits_it() {
        let (tx, rx) = tokio::sync::oneshot::channel::<u32>();
        let answer = Answer::begin(async move { rx.await.map_err(|_| Status::internal("gone")) });
        let answer = answer.now().expect_err("nothing was sent yet");
        let waiting = tokio::spawn(answer);
        tokio::task::yield_now().await;

        tx.send(7).expect("listened to");

        assert_eq!(waiting.await.expect("not panicked").expect("well"), 7);
    }

    #[tokio::test]
    async fn an_answer_is_changed_now_or_when_it_comes() {
        let double = |result: Result<u32, Status>| result.map(|value| value * 2);

        assert_eq!(Answer::ready(Ok(2)).map(double).await.expect("well"), 4);
        let later = Answer::later(async { Ok(3) });
        assert_eq!(later.map(double).await.expect("well"), 6);
    }

    #[tokio::test]
    async fn an_answer_taken_twice_is_an_error() {
        let mut answer = Answer::ready(Ok(1));

        (&mut answer).await.expect("well");

        assert!(answer.await.is_err());
    }
}
