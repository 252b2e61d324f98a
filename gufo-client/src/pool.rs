//! Pool: sends each call over a connection that is ready, or waits for one.

use std::{sync::Arc, time::Duration};

use gufo_core::{
    Answer, Connection, Context, Deadline, Format, Handler, Messages, Payload, Replies, Reply,
    Retry, Status, Tasks, Values,
};

use crate::{nodes::Nodes, repeat::Repeat, shared::Shared};

/// The handler behind a channel. Clones share everything; the last one ends the background tasks.
#[derive(Clone, Debug)]
pub(crate) struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    connect_timeout: Duration,
    /// Nodes that never change; those of a registry belong to the task that follows it.
    _fixed: Option<Nodes>,
    /// Follows a registry. Both are held to end with the pool.
    _discovery: Tasks,
}

impl Pool {
    pub(crate) fn new(
        shared: Arc<Shared>,
        connect_timeout: Duration,
        fixed: Option<Nodes>,
        discovery: Tasks,
    ) -> Self {
        Self(Arc::new(Inner {
            shared,
            connect_timeout,
            _fixed: fixed,
            _discovery: discovery,
        }))
    }

    /// The endpoints of the connections that are ready.
    pub(crate) fn endpoints(&self) -> Vec<Arc<str>> {
        self.0.shared.endpoints()
    }

    /// Waits for a connection that is ready until the connect timeout or the deadline.
    pub(crate) async fn wait(&self, deadline: Deadline) -> Result<Arc<dyn Connection>, Status> {
        self.wait_except(deadline, None).await
    }

    /// A connection that is ready and not `except`.
    pub(crate) fn pick(&self, except: Option<&Arc<dyn Connection>>) -> Option<Arc<dyn Connection>> {
        self.0.shared.pick(except)
    }

    /// As [`wait`](Self::wait), for a connection that is not `except`.
    pub(crate) async fn wait_except(
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

    /// Sends a call over a connection.
    ///
    /// Bytes can be sent once more when the connection refuses them, for one more box: measured at
    /// 0.1 us per call, choice of the connection included. A value cannot be sent twice; its
    /// future is the connection's own, and choosing costs it 0.02 to 0.05 us.
    fn send(
        &self,
        connection: Arc<dyn Connection>,
        ctx: Context,
        request: Payload,
    ) -> Answer<Reply> {
        match request {
            Payload::Encoded(request) => Repeat::send(self.clone(), connection, ctx, request),
            value @ Payload::Value(_) => connection.unary(ctx, value),
        }
    }
}

impl Handler for Pool {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        if let Some(connection) = self.pick(None) {
            return self.send(connection, ctx, request);
        }
        let pool = self.clone();
        Answer::later(async move {
            let connection = pool.wait(ctx.deadline()).await?;
            pool.send(connection, ctx, request).await
        })
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        if let Some(connection) = self.pick(None) {
            return connection.stream(ctx, requests);
        }
        let pool = self.clone();
        Answer::later(async move {
            let connection = pool.wait(ctx.deadline()).await?;
            connection.stream(ctx, requests).await
        })
    }

    fn values(&self) -> Values {
        self.0.shared.values()
    }

    fn format(&self) -> Option<Format> {
        self.0.shared.format()
    }
}
