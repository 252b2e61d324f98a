//! The client's end: a handler that is the server's handler.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use gufo_core::{
    Answer, BoxFuture, Cancel, ConnectOptions, Connection, ConnectionState, Context, Deadline,
    Error, Format, Handler, Limits, MessageStream, Messages, Metadata, Payload, Peer, Replies,
    Reply, Result, Retry, Route, Status, Values, Watchdog,
};

use super::listener::{Hub, Link, Running};

pub(super) struct MemoryConnection {
    name: String,
    link: Arc<Link>,
    limits: Limits,
    peer: Arc<Peer>,
    values: Values,
}

impl MemoryConnection {
    pub(super) async fn connect(
        name: &str,
        encode: bool,
        options: &ConnectOptions,
    ) -> Result<Self> {
        let nobody = || {
            Error::unavailable(format!("nobody listens at memory://{name}"))
                .with_retry(Retry::NotBegun)
        };
        let hub = Hub::find(name).ok_or_else(nobody)?;
        let link = tokio::select! {
            link = hub.arrive() => link.ok_or_else(nobody)?,
            () = options.deadline.reached() => {
                return Err(Error::unavailable(format!("memory://{name} did not accept in time")));
            }
        };
        Ok(Self {
            name: name.to_owned(),
            link,
            limits: options.limits.clone(),
            peer: Arc::new(Peer::new("memory", None)),
            values: if encode {
                Values::Encode
            } else {
                Values::HandOver
            },
        })
    }

    /// What the server makes of a call that arrives.
    fn arrive(&self, mut ctx: Context) -> Result<Arrived, Status> {
        let calls = self.limits.calls.min(self.link.limits.calls);
        let running = self.link.begin(calls).ok_or_else(|| {
            Status::resource_exhausted(format!("more than {calls} calls at once"))
                .with_retry(Retry::NotBegun)
        })?;
        // Looked at after the call is counted: a server that drains waits for it or is seen here.
        if self.state() != ConnectionState::Ready {
            return Err(gone(&self.name));
        }
        let metadata = std::mem::take(ctx.metadata_mut());
        metadata.check_size(self.limits.metadata.min(self.link.limits.metadata))?;
        let path = ctx.method().path();
        let Some(route) = self.link.dispatch.route(path) else {
            return Err(Status::unimplemented(format!(
                "method {path} is not served here"
            )));
        };
        let format = match ctx.format() {
            Format::Custom(codec) => {
                self.link
                    .dispatch
                    .formats()
                    .find(codec.name())
                    .ok_or_else(|| {
                        Status::unimplemented(format!("format {} is not known here", codec.name()))
                    })?
            }
            known => known.clone(),
        };
        let mut incoming = Context::incoming(
            route.method.clone(),
            format,
            metadata,
            ctx.deadline(),
            Some(Arc::clone(&self.peer)),
        );
        incoming.set_values(self.values);
        Ok(Arrived {
            ctx: incoming,
            route,
            running,
        })
    }

    fn request_limit(&self) -> usize {
        self.limits.send.min(self.link.limits.receive)
    }

    fn reply_limits(&self) -> ReplyLimits {
        ReplyLimits {
            message: self.limits.receive.min(self.link.limits.send),
            metadata: self.limits.metadata.min(self.link.limits.metadata),
        }
    }
}

/// Values have no size.
fn check(message: &Payload, limit: usize) -> Result<(), Status> {
    match message {
        Payload::Encoded(bytes) if bytes.len() > limit => {
            let size = bytes.len();
            Err(Status::resource_exhausted(format!(
                "message of {size} bytes is over the limit of {limit}"
            )))
        }
        _ => Ok(()),
    }
}

#[derive(Clone, Copy)]
struct ReplyLimits {
    message: usize,
    metadata: usize,
}

impl ReplyLimits {
    fn admit(self, reply: Reply) -> Result<Reply, Status> {
        check(&reply.message, self.message)?;
        reply.metadata.check_size(self.metadata)?;
        reply.trailers.check_size(self.metadata)?;
        Ok(reply)
    }
}

struct Arrived {
    ctx: Context,
    route: Arc<Route>,
    running: Running,
}

impl Handler for MemoryConnection {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        let arrived = check(&request, self.request_limit()).and_then(|()| self.arrive(ctx));
        let Arrived {
            ctx,
            route,
            running,
        } = match arrived {
            Ok(arrived) => arrived,
            Err(status) => return status.into(),
        };
        let limits = self.reply_limits();
        match route.handler.unary(ctx, request).now() {
            Ok(reply) => Answer::ready(reply.and_then(|reply| limits.admit(reply))),
            Err(answer) => Answer::later(UnaryCall {
                call: Call {
                    answer,
                    watchdog: watch(&running),
                },
                limits,
                _running: running,
            }),
        }
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        let Arrived {
            ctx,
            route,
            running,
        } = match self.arrive(ctx) {
            Ok(arrived) => arrived,
            Err(status) => return status.into(),
        };
        let over = SetOnDrop(Cancel::new());
        let requests = Messages::new(Requests {
            messages: Some(requests),
            limit: self.request_limit(),
            over: Watchdog::new(Deadline::NONE, Some(over.0.clone())),
        });
        let mut call = Call {
            answer: route.handler.stream(ctx, requests),
            watchdog: watch(&running),
        };
        let limits = self.reply_limits();
        Answer::later(async move {
            let replies = std::future::poll_fn(|cx| call.poll_answer(cx)).await?;
            replies.metadata.check_size(limits.metadata)?;
            Ok(Replies {
                metadata: replies.metadata,
                messages: Messages::new(Answers {
                    messages: Some(replies.messages),
                    trailers: Metadata::new(),
                    limits,
                    watchdog: call.watchdog,
                    running: Some((running, over)),
                }),
            })
        })
    }

    fn values(&self) -> Values {
        self.values
    }
}

impl Connection for MemoryConnection {
    fn state(&self) -> ConnectionState {
        if self.link.closed.is_cancelled() || self.link.left.is_cancelled() {
            ConnectionState::Closed
        } else if self.link.draining.is_cancelled() {
            ConnectionState::Draining
        } else {
            ConnectionState::Ready
        }
    }

    fn in_flight(&self) -> usize {
        self.link.in_flight()
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        let link = Arc::clone(&self.link);
        Box::pin(async move {
            tokio::select! {
                () = link.closed.cancelled() => {}
                () = link.left.cancelled() => {}
                () = link.draining.cancelled() => {}
            }
        })
    }

    fn close(&self) {
        self.link.left.cancel();
    }
}

impl Drop for MemoryConnection {
    fn drop(&mut self) {
        self.link.left.cancel();
    }
}

impl fmt::Debug for MemoryConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryConnection")
            .field("name", &self.name)
            .field("state", &self.state())
            .finish()
    }
}

fn gone(name: &str) -> Status {
    Status::unavailable(format!("the server at memory://{name} takes no more calls"))
        .with_retry(Retry::NotBegun)
}

/// Ends a call when the server's task for the connection is gone.
fn watch(running: &Running) -> Watchdog {
    Watchdog::new(Deadline::NONE, Some(running.0.closed.clone()))
}

/// A call that runs in the caller's task.
struct Call<T> {
    answer: Answer<T>,
    watchdog: Watchdog,
}

fn lost() -> Status {
    Status::unavailable("the server went away while the call was running")
}

impl<T> Call<T> {
    fn poll_answer(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<T, Status>> {
        if let Poll::Ready(answer) = Pin::new(&mut self.answer).poll(cx) {
            return Poll::Ready(answer);
        }
        self.watchdog.poll(cx).map(|_| Err(lost()))
    }
}

struct UnaryCall {
    call: Call<Reply>,
    limits: ReplyLimits,
    _running: Running,
}

impl Future for UnaryCall {
    type Output = Result<Reply, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let reply = ready!(this.call.poll_answer(cx))?;
        Poll::Ready(this.limits.admit(reply))
    }
}

/// Tells the requests of a call that it is over.
struct SetOnDrop(Cancel);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The requests of a call, as the handler reads them. Once the call is over they end in an error,
/// even when the handler gave them to another task: what the caller gave up has not ended.
struct Requests {
    messages: Option<Messages>,
    limit: usize,
    over: Watchdog,
}

impl MessageStream for Requests {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        let Some(messages) = &mut this.messages else {
            return Poll::Ready(None);
        };
        let message = match this.over.poll(cx) {
            Poll::Ready(_) => None,
            Poll::Pending => ready!(messages.poll_next_message(cx)),
        };
        let Some(message) = message else {
            this.messages = None;
            // Looked at again: the end of requests that were given up this very moment is none.
            let over = this.over.poll(cx).is_ready();
            let given_up = || Err(Status::cancelled("the caller gave the call up"));
            return Poll::Ready(over.then(given_up));
        };
        Poll::Ready(Some(message.and_then(|message| {
            check(&message, this.limit)?;
            Ok(message)
        })))
    }
}

/// The replies of a call, which is counted until they have ended.
struct Answers {
    messages: Option<Messages>,
    trailers: Metadata,
    limits: ReplyLimits,
    watchdog: Watchdog,
    running: Option<(Running, SetOnDrop)>,
}

impl Answers {
    fn poll_item(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Payload, Status>>> {
        let Some(messages) = &mut self.messages else {
            return Poll::Ready(None);
        };
        let Poll::Ready(item) = messages.poll_next_message(cx) else {
            return self.watchdog.poll(cx).map(|_| Some(Err(lost())));
        };
        let Some(message) = item.transpose()? else {
            self.trailers = messages.trailers();
            self.trailers.check_size(self.limits.metadata)?;
            return Poll::Ready(None);
        };
        check(&message, self.limits.message)?;
        Poll::Ready(Some(Ok(message)))
    }
}

impl MessageStream for Answers {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        let item = ready!(this.poll_item(cx));
        if !matches!(item, Some(Ok(_))) {
            // Dropping the messages tells the handler, if it is not the one that ended them.
            (this.messages, this.running) = (None, None);
        }
        Poll::Ready(item)
    }

    fn trailers(self: Pin<&mut Self>) -> Metadata {
        std::mem::take(&mut self.get_mut().trailers)
    }
}
