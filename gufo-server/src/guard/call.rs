//! GuardedCall: a handler's future under guard.

use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

use gufo_core::{Answer, Code, Status};

use super::running::Running;

/// A handler's future under guard, and what to do with its answer.
pub(super) struct GuardedCall<T> {
    running: Option<(Running, Answer<T>)>,
    finish: fn(T, Running) -> T,
}

impl<T> GuardedCall<T> {
    pub(super) fn new(future: Answer<T>, running: Running, finish: fn(T, Running) -> T) -> Self {
        Self {
            running: Some((running, future)),
            finish,
        }
    }
}

impl<T> Future for GuardedCall<T> {
    type Output = Result<T, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Some((running, future)) = &mut this.running else {
            return Poll::Ready(Err(Status::internal("a call was polled after its end")));
        };
        let answer = ready!(running.poll(cx, |cx| Pin::new(&mut *future).poll(cx)));
        let Some((mut running, future)) = this.running.take() else {
            return Poll::Ready(Err(Status::internal("a call was polled after its end")));
        };
        Poll::Ready(match answer {
            Ok(Ok(value)) => {
                discard(&running, future);
                Ok((this.finish)(value, running))
            }
            Ok(Err(status)) => {
                discard(&running, future);
                running.end(status.code());
                Err(status)
            }
            Err(status) => {
                cut(&mut running, future, status.code());
                Err(status)
            }
        })
    }
}

impl<T> Drop for GuardedCall<T> {
    fn drop(&mut self) {
        if let Some((mut running, future)) = self.running.take() {
            cut(&mut running, future, Code::Cancelled);
        }
    }
}

/// Ends a call before its handler does. It counts as running until the handler is gone.
pub(super) fn cut<T>(running: &mut Running, handler: T, code: Code) {
    running.cancel();
    discard(running, handler);
    running.end(code);
}

/// Drops a part of the handler, which may panic in its destructors.
pub(super) fn discard<T>(running: &Running, handler: T) {
    // A panic is logged there; the answer, if there is one, stands.
    let _ = running.catch(|| drop(handler));
}
