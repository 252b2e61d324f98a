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
    descriptors: Vec<Cow<'static, [u8]>>,
}

impl Service {
    /// A service without methods.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            routes: Vec::new(),
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
