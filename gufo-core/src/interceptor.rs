//! Interceptor: advice around every call, on either side.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{
    Answer, BoxFuture, Context, Format, Handler, Messages, Payload, Replies, Reply, Status, Values,
};

/// Advice around calls: sees and changes method, metadata, messages and outcome, may answer itself
/// and may wait. The first one added is the outermost; each runs once per call.
///
/// ```
/// use gufo_core::{Context, Interceptor, Next, Payload, Reply, Status, async_trait};
///
/// #[derive(Debug)]
/// struct RequireUser;
///
/// #[async_trait]
/// impl Interceptor for RequireUser {
///     async fn unary(&self, ctx: Context, request: Payload, next: Next<'_>) -> Result<Reply, Status> {
///         if ctx.metadata().get("x-user").is_none() {
///             return Err(Status::unauthenticated("x-user is missing"));
///         }
///         next.unary(ctx, request).await
///     }
/// }
/// ```
#[async_trait]
pub trait Interceptor: fmt::Debug + Send + Sync + 'static {
    /// Around a unary call.
    async fn unary(&self, ctx: Context, request: Payload, next: Next<'_>) -> Result<Reply, Status> {
        next.unary(ctx, request).await
    }

    /// Around a call that streams; messages pass through both [`Messages`], which may be wrapped.
    async fn stream(
        &self,
        ctx: Context,
        requests: Messages,
        next: Next<'_>,
    ) -> Result<Replies, Status> {
        next.stream(ctx, requests).await
    }
}

/// What is further in: the remaining interceptors, then the handler.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    rest: &'a [Arc<dyn Interceptor>],
    end: &'a dyn Handler,
}

impl<'a> Next<'a> {
    /// Goes on with a unary call.
    pub fn unary(self, ctx: Context, request: Payload) -> BoxFuture<'a, Result<Reply, Status>> {
        match self.rest.split_first() {
            Some((first, rest)) => first.unary(
                ctx,
                request,
                Next {
                    rest,
                    end: self.end,
                },
            ),
            None => self.end.unary(ctx, request).into(),
        }
    }

    /// Goes on with a call that streams.
    pub fn stream(
        self,
        ctx: Context,
        requests: Messages,
    ) -> BoxFuture<'a, Result<Replies, Status>> {
        match self.rest.split_first() {
            Some((first, rest)) => first.stream(
                ctx,
                requests,
                Next {
                    rest,
                    end: self.end,
                },
            ),
            None => self.end.stream(ctx, requests).into(),
        }
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next")
            .field("interceptors", &self.rest.len())
            .finish_non_exhaustive()
    }
}

/// Puts interceptors around a handler. Without any, the handler itself comes back: an empty chain
/// costs nothing.
#[must_use]
pub fn intercept(
    handler: Arc<dyn Handler>,
    chain: &Arc<[Arc<dyn Interceptor>]>,
) -> Arc<dyn Handler> {
    if chain.is_empty() {
        return handler;
    }
    Arc::new(Intercepted {
        chain: Arc::clone(chain),
        handler,
    })
}

struct Intercepted {
    chain: Arc<[Arc<dyn Interceptor>]>,
    handler: Arc<dyn Handler>,
}

impl Handler for Intercepted {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        let (chain, handler) = (Arc::clone(&self.chain), Arc::clone(&self.handler));
        Answer::of(ctx.is_eager(), async move {
            Next {
                rest: &chain,
                end: &*handler,
            }
            .unary(ctx, request)
            .await
        })
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        let (chain, handler) = (Arc::clone(&self.chain), Arc::clone(&self.handler));
        Answer::later(async move {
            Next {
                rest: &chain,
                end: &*handler,
            }
            .stream(ctx, requests)
            .await
        })
    }

    fn values(&self) -> Values {
        self.handler.values()
    }

    fn format(&self) -> Option<Format> {
        self.handler.format()
    }
}
