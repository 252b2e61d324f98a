//! A router of a dozen lines, so that the macros are tested without a server.

use std::sync::Arc;

use gufo_core::{
    Answer, Caller, Context, Handler, Messages, Payload, Replies, Reply, Route, Service, Values,
};

/// Answers the methods of one service.
#[derive(Debug)]
pub(crate) struct Router {
    service: Service,
    values: Values,
}

impl Router {
    /// A caller of the service, with or without serialization.
    pub(crate) fn caller(service: impl Into<Service>, values: Values) -> Caller {
        Caller::new(Arc::new(Self {
            service: service.into(),
            values,
        }))
    }

    fn route(&self, ctx: &Context) -> &Route {
        let path = ctx.method().path();
        let mut routes = self.service.routes().iter();
        routes
            .find(|route| route.method.path() == path)
            .expect("the service has the method")
    }
}

impl Handler for Router {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        self.route(&ctx).handler.unary(ctx, request)
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        self.route(&ctx).handler.stream(ctx, requests)
    }

    fn values(&self) -> Values {
        self.values
    }
}
