//! Service: a named set of methods with their handlers, as generated code hands it to a server.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::{Handler, MethodRef};

/// One method and what answers it.
#[derive(Clone)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a route is a method and its handler"
)]
pub struct Route {
    /// The method.
    pub method: MethodRef,
    /// What answers it.
    pub handler: Arc<dyn Handler>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.method.path()).finish()
    }
}

/// A named set of methods with their handlers.
///
/// `#[gufo::service]` generates `From<GreeterServer<S>> for Service`; by hand it is built from
/// [`handler::unary`](crate::handler::unary) and its siblings.
#[derive(Clone, Debug)]
pub struct Service {
    name: Cow<'static, str>,
    routes: Vec<Route>,
    fallback: Option<Fallback>,
    descriptors: Vec<Cow<'static, [u8]>>,
}

impl Service {
    /// A service without methods.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            routes: Vec::new(),
            fallback: None,
            descriptors: Vec::new(),
        }
    }

    /// Adds a method.
    #[must_use]
    pub fn route(mut self, method: impl Into<MethodRef>, handler: Arc<dyn Handler>) -> Self {
        self.routes.push(Route {
            method: method.into(),
            handler,
        });
        self
    }

    /// Adds an encoded `google.protobuf.FileDescriptorSet` that describes the service, for
    /// reflection.
    #[must_use]
    pub fn descriptor(mut self, file_descriptor_set: impl Into<Cow<'static, [u8]>>) -> Self {
        self.descriptors.push(file_descriptor_set.into());
        self
    }

    /// Answers every method of the service that has no route, whatever its kind: for services whose
    /// methods are not known here, such as those of a proxy.
    ///
    /// Transports that have to know the kind take such a method for [`Kind::Bidi`](crate::Kind);
    /// the handler is called through either of its two methods.
    #[must_use]
    pub fn fallback(mut self, handler: Arc<dyn Handler>) -> Self {
        self.fallback = Some(Fallback(handler));
        self
    }

    /// Replaces each handler by one made from it.
    #[must_use]
    pub fn map_handlers(
        mut self,
        mut wrap: impl FnMut(Arc<dyn Handler>) -> Arc<dyn Handler>,
    ) -> Self {
        for route in &mut self.routes {
            route.handler = wrap(Arc::clone(&route.handler));
        }
        self.fallback = self.fallback.map(|fallback| Fallback(wrap(fallback.0)));
        self
    }

    /// What answers methods without a route.
    #[must_use]
    pub fn fallback_handler(&self) -> Option<&Arc<dyn Handler>> {
        self.fallback.as_ref().map(|fallback| &fallback.0)
    }

    /// Full name, e.g. `greeter.Greeter`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The methods.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// Encoded file descriptor sets.
    pub fn descriptors(&self) -> impl Iterator<Item = &[u8]> {
        self.descriptors.iter().map(AsRef::as_ref)
    }
}

#[derive(Clone)]
struct Fallback(Arc<dyn Handler>);

impl fmt::Debug for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fallback")
    }
}
