//! The client's end: a handler that is the server's handler.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use gufo_core::{
    BoxFuture, ConnectOptions, Connection, ConnectionState, Context, Deadline, Error, Format,
    Handler, Limits, MessageStream, Messages, Metadata, Payload, Peer, Replies, Reply,
    Result, Retry, Route, Status, Values, Watchdog,
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
            running: self.link.begin(),
        })
    }

    fn check(&self, size: usize) -> Result<(), Status> {
        let limit = self.limits.send.min(self.link.limits.receive);
        if size <= limit {
            return Ok(());
        }
        Err(Status::resource_exhausted(format!(
            "message of {size} bytes is over the limit of {limit}"
        )))
    }
}

struct Arrived {
    ctx: Context,
    route: Arc<Route>,
    running: Running,
}

impl Handler for MemoryConnection {
    fn unary(&self, ctx: Context, request: Payload) -> BoxFuture<'static, Result<Reply, Status>> {
        let arrived = match &request {
            Payload::Encoded(bytes) => self.check(bytes.len()),
            Payload::Value(_) => Ok(()),
        };
        let Arrived {
            ctx,
            route,
            running,
        } = match arrived.and_then(|()| self.arrive(ctx)) {
            Ok(arrived) => arrived,
            Err(status) => return Box::pin(std::future::ready(Err(status))),
        };
        Box::pin(Call {
            answer: route.handler.unary(ctx, request),
            watchdog: watch(&running),
            running,
        })
    }

    fn stream(
        &self,
        ctx: Context,
        requests: Messages,
    ) -> BoxFuture<'static, Result<Replies, Status>> {
        let Arrived {
            ctx,
            route,
            running,
        } = match self.arrive(ctx) {
            Ok(arrived) => arrived,
            Err(status) => return Box::pin(std::future::ready(Err(status))),
        };
        let limit = self.limits.send.min(self.link.limits.receive);
        let requests = Messages::new(Limited {
            messages: requests,
            limit,
        });
        let answer = route.handler.stream(ctx, requests);
        Box::pin(async move {
            let watchdog = watch(&running);
            let mut call = Call {
                answer,
                watchdog,
                running,
            };
            let replies = std::future::poll_fn(|cx| call.poll_answer(cx)).await?;
            let messages = call.watchdog.guard(replies.messages);
            let messages = Messages::new(Counted {
                messages,
                _running: call.running,
            });
            Ok(Replies {
                metadata: replies.metadata,
                messages,
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
    answer: BoxFuture<'static, Result<T, Status>>,
    watchdog: Watchdog,
    running: Running,
}

impl<T> Call<T> {
    fn poll_answer(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<T, Status>> {
        if let Poll::Ready(answer) = self.answer.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        self.watchdog.poll(cx).map(|_| {
            Err(Status::unavailable(
                "the server went away while the call was running",
            ))
        })
    }
}

impl<T> Future for Call<T> {
    type Output = Result<T, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_answer(cx)
    }
}

/// Keeps a call counted until its messages are dropped.
struct Counted {
    messages: Messages,
    _running: Running,
}

impl MessageStream for Counted {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        self.get_mut().messages.poll_next_message(cx)
    }

    fn trailers(self: Pin<&mut Self>) -> Metadata {
        self.get_mut().messages.trailers()
    }
}

/// Holds encoded messages to the limit.
struct Limited {
    messages: Messages,
    limit: usize,
}

impl MessageStream for Limited {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        let limit = this.limit;
        this.messages.poll_next_message(cx).map(|item| {
            item.map(|message| match message? {
                Payload::Encoded(bytes) if bytes.len() > limit => {
                    Err(Status::resource_exhausted(format!(
                        "message of {} bytes is over the limit of {limit}",
                        bytes.len()
                    )))
                }
                message => Ok(message),
            })
        })
    }
}
