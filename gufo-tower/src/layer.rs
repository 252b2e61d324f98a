//! tower layers around gufo handlers.

use std::{
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use gufo_core::{
    Answer, BoxFuture, Context, Format, Handler, Messages, Payload, Replies, Reply, Service,
    Status, Values,
};
use tower_layer::Layer;

/// A call on its way through tower layers.
#[derive(Debug)]
#[non_exhaustive]
pub enum Request {
    /// One request, one reply.
    #[non_exhaustive]
    Unary {
        /// Everything about the call but its message.
        ctx: Context,
        /// The message.
        message: Payload,
        /// What answers it.
        handler: Next,
    },
    /// A call that streams.
    #[non_exhaustive]
    Stream {
        /// Everything about the call but its messages.
        ctx: Context,
        /// The requests.
        messages: Messages,
        /// What answers it.
        handler: Next,
    },
}

/// The handler a [`Request`] goes to.
#[derive(Clone)]
pub struct Next(Arc<dyn Handler>);

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Next")
    }
}

impl Request {
    /// Everything about the call but its messages.
    #[must_use]
    pub fn ctx(&self) -> &Context {
        match self {
            Self::Unary { ctx, .. } | Self::Stream { ctx, .. } => ctx,
        }
    }

    /// Everything about the call but its messages, to change.
    pub fn ctx_mut(&mut self) -> &mut Context {
        match self {
            Self::Unary { ctx, .. } | Self::Stream { ctx, .. } => ctx,
        }
    }
}

/// The answer to a [`Request`], of its kind.
#[derive(Debug)]
#[non_exhaustive]
pub enum Response {
    /// To one request.
    Unary(Reply),
    /// To a call that streams.
    Stream(Replies),
}

/// The innermost tower service: hands each request to its handler.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Routed;

impl tower_service::Service<Request> for Routed {
    type Response = Response;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response, Status>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match request {
            Request::Unary {
                ctx,
                message,
                handler,
            } => {
                let reply = handler.0.unary(ctx, message);
                Box::pin(async move { reply.await.map(Response::Unary) })
            }
            Request::Stream {
                ctx,
                messages,
                handler,
            } => {
                let replies = handler.0.stream(ctx, messages);
                Box::pin(async move { replies.await.map(Response::Stream) })
            }
        }
    }
}

/// Puts a layer around one handler, such as the channel of a client.
///
/// The layered service is built once and cloned for each call, as tower services are made for;
/// what a layer shares between clones, a limit for example, holds for all calls together.
///
/// ```
/// # use std::sync::Arc;
/// # fn example(channel: Arc<dyn gufo_core::Handler>) -> gufo_core::Caller {
/// use gufo_core::{Caller, Status};
/// use tower::limit::ConcurrencyLimitLayer;
///
/// Caller::new(gufo_tower::wrap(channel, ConcurrencyLimitLayer::new(100)))
/// # }
/// ```
pub fn wrap<L>(handler: Arc<dyn Handler>, layer: L) -> Arc<dyn Handler>
where
    L: Layer<Routed>,
    L::Service:
        tower_service::Service<Request, Response = Response> + Clone + Send + Sync + 'static,
    <L::Service as tower_service::Service<Request>>::Error: Into<gufo_core::BoxError>,
    <L::Service as tower_service::Service<Request>>::Future: Send,
{
    Arc::new(Layered {
        service: layer.layer(Routed),
        handler,
    })
}

/// Puts one layer around all methods of a service.
#[must_use]
pub fn wrap_service<L>(service: Service, layer: L) -> Service
where
    L: Layer<Routed>,
    L::Service:
        tower_service::Service<Request, Response = Response> + Clone + Send + Sync + 'static,
    <L::Service as tower_service::Service<Request>>::Error: Into<gufo_core::BoxError>,
    <L::Service as tower_service::Service<Request>>::Future: Send,
{
    let layered = layer.layer(Routed);
    service.map_handlers(|handler| {
        Arc::new(Layered {
            service: layered.clone(),
            handler,
        })
    })
}

struct Layered<S> {
    service: S,
    handler: Arc<dyn Handler>,
}

impl<S> Layered<S>
where
    S: tower_service::Service<Request, Response = Response> + Clone + Send + Sync + 'static,
    S::Error: Into<gufo_core::BoxError>,
    S::Future: Send,
{
    async fn send(mut service: S, request: Request) -> Result<Response, Status> {
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(status)?;
        service.call(request).await.map_err(status)
    }
}

/// The status of a layer's error: a status passes, the rest is `Unavailable` with the error as source.
fn status(error: impl Into<gufo_core::BoxError>) -> Status {
    match error.into().downcast::<Status>() {
        Ok(status) => *status,
        Err(error) => Status::unavailable("a tower layer refused the call").with_source(error),
    }
}

impl<S> Handler for Layered<S>
where
    S: tower_service::Service<Request, Response = Response> + Clone + Send + Sync + 'static,
    S::Error: Into<gufo_core::BoxError>,
    S::Future: Send,
{
    fn unary(&self, ctx: Context, message: Payload) -> Answer<Reply> {
        let handler = Next(Arc::clone(&self.handler));
        let answer = Self::send(
            self.service.clone(),
            Request::Unary {
                ctx,
                message,
                handler,
            },
        );
        Answer::later(async move {
            match answer.await? {
                Response::Unary(reply) => Ok(reply),
                Response::Stream(_) => Err(Status::internal(
                    "a tower layer answered a unary call with a stream",
                )),
            }
        })
    }

    fn stream(&self, ctx: Context, messages: Messages) -> Answer<Replies> {
        let handler = Next(Arc::clone(&self.handler));
        let answer = Self::send(
            self.service.clone(),
            Request::Stream {
                ctx,
                messages,
                handler,
            },
        );
        Answer::later(async move {
            match answer.await? {
                Response::Stream(replies) => Ok(replies),
                Response::Unary(_) => Err(Status::internal(
                    "a tower layer answered a stream with one reply",
                )),
            }
        })
    }

    fn values(&self) -> Values {
        self.handler.values()
    }

    fn format(&self) -> Option<Format> {
        self.handler.format()
    }
}
