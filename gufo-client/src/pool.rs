//! Pool: sends each call over a connection that is ready, or waits for one.

use std::{sync::Arc, time::Duration};

use gufo_core::{
    BoxFuture, Bytes, Connection, ConnectionState, Context, Deadline, Handler, Messages, Payload,
    Replies, Reply, Retry, Status, Tasks, Values,
};

use crate::{endpoints::Endpoints, shared::Shared};

/// The handler behind a channel. Clones share everything; the last one ends the background tasks.
#[derive(Clone, Debug)]
pub(crate) struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    connect_timeout: Duration,
    /// Endpoints that never change; those of a registry belong to the task that follows it.
    _fixed: Option<Endpoints>,
    /// Follows a registry. Both are held to end with the pool.
    _discovery: Tasks,
}

impl Pool {
    pub(crate) fn new(
        shared: Arc<Shared>,
        connect_timeout: Duration,
        fixed: Option<Endpoints>,
        discovery: Tasks,
    ) -> Self {
        Self(Arc::new(Inner {
            shared,
            connect_timeout,
            _fixed: fixed,
            _discovery: discovery,
        }))
    }

    /// How many connections are ready.
    pub(crate) fn ready(&self) -> usize {
        self.0.shared.len()
    }

    /// Waits for a connection that is ready until the connect timeout or the deadline.
    pub(crate) async fn wait(&self, deadline: Deadline) -> Result<Arc<dyn Connection>, Status> {
        self.wait_except(deadline, None).await
    }

    async fn wait_except(
        &self,
        deadline: Deadline,
        except: Option<&Arc<dyn Connection>>,
    ) -> Result<Arc<dyn Connection>, Status> {
        let shared = &self.0.shared;
        let until = deadline.min(Deadline::after(self.0.connect_timeout));
        loop {
            let mut changed = std::pin::pin!(shared.changed.notified());
            // Before looking, so that nothing that comes after the look is missed.
            changed.as_mut().enable();
            if let Some(connection) = shared.pick(except) {
                return Ok(connection);
            }
            if let Some(status) = shared.trouble.is_final() {
                return Err(status);
            }
            tokio::select! {
                biased;
                () = changed => {}
                () = until.reached() => return Err(self.gave_up(deadline)),
            }
        }
    }

    fn gave_up(&self, deadline: Deadline) -> Status {
        let text = self.0.shared.trouble.describe();
        let status = if deadline.is_expired() {
            Status::deadline_exceeded(format!("the call was not sent in time: {text}"))
        } else {
            Status::unavailable(text)
        };
        status.with_retry(Retry::NotBegun)
    }

    /// Waits for an answer and, when the connection did not begin the call, sends it once over
    /// another one.
    async fn again(
        self,
        first: Arc<dyn Connection>,
        answer: BoxFuture<'static, Result<Reply, Status>>,
        ctx: Context,
        request: Bytes,
    ) -> Result<Reply, Status> {
        let refused = match answer.await {
            Err(status) if status.retry() == Retry::NotBegun => status,
            answer => return answer,
        };
        let other = match self.0.shared.pick(Some(&first)) {
            Some(other) => other,
            // It refuses this call only: waiting for another connection would be in vain.
            None if first.state() == ConnectionState::Ready => return Err(refused),
            None => match self.wait_except(ctx.deadline(), Some(&first)).await {
                Ok(other) => other,
                Err(_) => return Err(refused),
            },
        };
        tracing::debug!(method = ctx.method().path(), %refused, "sending a call again");
        other.unary(ctx, Payload::Encoded(request)).await
    }

    fn send(
        self,
        connection: Arc<dyn Connection>,
        ctx: Context,
        request: Payload,
    ) -> BoxFuture<'static, Result<Reply, Status>> {
        match request {
            Payload::Encoded(bytes) => {
                let answer = connection.unary(ctx.clone(), Payload::Encoded(bytes.clone()));
                Box::pin(self.again(connection, answer, ctx, bytes))
            }
            // A value cannot be sent twice; within a process nobody goes away in between.
            value @ Payload::Value(_) => connection.unary(ctx, value),
        }
    }
}

impl Handler for Pool {
    fn unary(&self, ctx: Context, request: Payload) -> BoxFuture<'static, Result<Reply, Status>> {
        let pool = self.clone();
        match self.0.shared.pick(None) {
            Some(connection) => pool.send(connection, ctx, request),
            None => Box::pin(async move {
                let connection = pool.wait(ctx.deadline()).await?;
                pool.send(connection, ctx, request).await
            }),
        }
    }

    fn stream(
        &self,
        ctx: Context,
        requests: Messages,
    ) -> BoxFuture<'static, Result<Replies, Status>> {
        if let Some(connection) = self.0.shared.pick(None) {
            return connection.stream(ctx, requests);
        }
        let pool = self.clone();
        Box::pin(async move {
            let connection = pool.wait(ctx.deadline()).await?;
            connection.stream(ctx, requests).await
        })
    }

    fn values(&self) -> Values {
        self.0.shared.values()
    }
}
