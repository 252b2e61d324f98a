//! Repeat: sends a unary call again, over another connection, when one did not begin it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use gufo_core::{
    Answer, Bytes, Connection, ConnectionState, Context, Handler, Payload, Reply, Retry, Status,
};

use crate::{pool::Pool, telemetry::CHANNEL};

/// How often a call that was not begun is sent again, as long as those that refused it are on their
/// way out: in a rolling restart the second choice may be as well.
const REPEATS: usize = 3;

/// A unary call on its way, with what it takes to send it again.
///
/// By hand rather than as an `async` block: it is one box beside the connection's for every call in
/// bytes, so it stays as small as the few pointers it holds.
pub(crate) struct Repeat {
    answer: Answer<Reply>,
    again: Option<Again>,
}

struct Again {
    pool: Pool,
    first: Arc<dyn Connection>,
    ctx: Context,
    request: Bytes,
}

impl Repeat {
    /// Sends a call over a connection of a pool.
    pub(crate) fn send(
        pool: Pool,
        first: Arc<dyn Connection>,
        ctx: Context,
        request: Bytes,
    ) -> Answer<Reply> {
        let answer = first.unary(ctx.clone(), Payload::Encoded(request.clone()));
        let again = Again {
            pool,
            first,
            ctx,
            request,
        };
        Answer::later(Self {
            answer,
            again: Some(again),
        })
    }
}

impl Future for Repeat {
    type Output = Result<Reply, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            match ready!(Pin::new(&mut this.answer).poll(cx)) {
                Err(refused) if refused.retry() == Retry::NotBegun => match this.again.take() {
                    Some(again) => this.answer = Answer::later(again.send(refused)),
                    None => return Poll::Ready(Err(refused)),
                },
                answer => return Poll::Ready(answer),
            }
        }
    }
}

impl Again {
    /// Sends the call over other connections; without one, the refusal is the answer.
    async fn send(mut self, mut refused: Status) -> Result<Reply, Status> {
        for _ in 0..REPEATS {
            let first = Some(&self.first);
            let other = match self.pool.pick(first) {
                Some(other) => other,
                // It refuses this call only: waiting for another connection would be in vain.
                None if self.first.state() == ConnectionState::Ready => return Err(refused),
                None => match self.pool.wait_except(self.ctx.deadline(), first).await {
                    Ok(other) => other,
                    Err(_) => return Err(refused),
                },
            };
            tracing::debug!(target: CHANNEL, method = self.ctx.method().path(), %refused, "sending a call again");
            let request = Payload::Encoded(self.request.clone());
            match other.unary(self.ctx.clone(), request).await {
                // A second node that refuses and stays is overloaded too: more calls do not help it.
                Err(status)
                    if status.retry() == Retry::NotBegun
                        && other.state() != ConnectionState::Ready =>
                {
                    refused = status;
                }
                answer => return answer,
            }
            self.first = other;
        }
        Err(refused)
    }
}
