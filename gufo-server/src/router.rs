//! Router: from a path to what answers it.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use gufo_core::{
    Answer, Context, Dispatch, Error, Formats, Handler, Interceptor, Kind, Messages, Method,
    Payload, Replies, Reply, Result, Route, Service, Status, Values, intercept,
};

use crate::{
    calls::Calls,
    guard::{Class, guard},
};

/// The methods of a server by path: what its transports call, and a [`Handler`] to call it in the
/// same process, without any.
///
/// Made by [`Builder::into_router`](crate::Builder::into_router).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), gufo_core::Error> {
/// use gufo_core::{Bytes, Call, Caller, Kind, Method, One, Service, Status, codec::Raw, handler};
/// use gufo_server::Server;
///
/// static ECHO: Method = Method::new(Kind::Unary, "/echo.Echo/Echo");
/// let echo = handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(|_ctx, request| async move {
///     Ok::<_, Status>(request)
/// });
/// let router = Server::builder()
///     .service(Service::new("echo.Echo").route(&ECHO, echo))
///     .into_router()?;
///
/// let caller = Caller::new(router);
/// let call = Call::<Raw, One<Bytes>, One<Bytes>>::new(&caller, &ECHO, One("owl".into()));
/// let reply: Bytes = call.await?;
/// assert_eq!(reply, "owl");
/// # Ok(()) }
/// ```
pub struct Router {
    routes: HashMap<Box<str>, Arc<Route>, BuildHasherDefault<PathHasher>>,
    services: Vec<Box<str>>,
    /// What answers methods nobody named, by service.
    fallbacks: Vec<(Box<str>, Arc<dyn Handler>)>,
    formats: Formats,
}

impl Router {
    pub(crate) fn new(formats: Formats) -> Self {
        Self {
            routes: HashMap::default(),
            services: Vec::new(),
            fallbacks: Vec::new(),
            formats,
        }
    }

    /// Adds a service; its handlers are wrapped here, once, so that a call finds everything ready.
    pub(crate) fn add(
        &mut self,
        service: &Service,
        chain: &Arc<[Arc<dyn Interceptor>]>,
        calls: &Arc<Calls>,
        class: Class,
    ) -> Result<()> {
        if self.services.iter().any(|known| **known == *service.name()) {
            return Err(twice("service", service.name()));
        }
        self.services.push(service.name().into());
        if let Some(fallback) = service.fallback_handler() {
            let handler = intercept(Arc::clone(fallback), chain);
            let handler = guard(handler, service.name(), calls, class);
            self.fallbacks.push((service.name().into(), handler));
        }
        for route in service.routes() {
            let handler = intercept(Arc::clone(&route.handler), chain);
            let guarded = Route {
                method: route.method.clone(),
                handler: guard(handler, route.method.path(), calls, class),
            };
            let path = route.method.path();
            if self.routes.insert(path.into(), Arc::new(guarded)).is_some() {
                return Err(twice("method", path));
            }
        }
        Ok(())
    }

    /// Full names of the services, in the order they were added.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(AsRef::as_ref)
    }

    fn find(&self, ctx: &Context) -> Result<&Arc<dyn Handler>, Status> {
        let path = ctx.method().path();
        match self.routes.get(path) {
            Some(route) => Ok(&route.handler),
            None => self.fallback(path).ok_or_else(|| self.unknown(path)),
        }
    }

    fn fallback(&self, path: &str) -> Option<&Arc<dyn Handler>> {
        if self.fallbacks.is_empty() {
            return None;
        }
        let (service, _) = path.strip_prefix('/')?.split_once('/')?;
        let (_, handler) = self
            .fallbacks
            .iter()
            .find(|(known, _)| **known == *service)?;
        Some(handler)
    }
}

fn twice(what: &str, name: &str) -> Error {
    Error::already_exists(format!(
        "{what} {name} is added twice; every one is answered by one handler"
    ))
}

impl Dispatch for Router {
    fn route(&self, path: &str) -> Option<Arc<Route>> {
        if let Some(route) = self.routes.get(path) {
            return Some(Arc::clone(route));
        }
        // The kind is not known; one that streams both ways can carry every call.
        let handler = Arc::clone(self.fallback(path)?);
        let method = Method::parse(Kind::Bidi, path).ok()?.into();
        Some(Arc::new(Route { method, handler }))
    }

    fn unknown(&self, path: &str) -> Status {
        let (service, method) = path
            .strip_prefix('/')
            .and_then(|path| path.split_once('/'))
            .unwrap_or((path, ""));
        if self.services.iter().any(|known| **known == *service) {
            Status::unimplemented(format!("service {service} has no method {method:.100}"))
        } else {
            Status::unimplemented(format!("there is no service {service:.100} here"))
        }
    }

    fn formats(&self) -> &Formats {
        &self.formats
    }
}

/// Calls in the same process: messages are handed over as they are.
impl Handler for Router {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        match self.find(&ctx) {
            Ok(handler) => handler.unary(ctx, request),
            Err(status) => status.into(),
        }
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        match self.find(&ctx) {
            Ok(handler) => handler.stream(ctx, requests),
            Err(status) => status.into(),
        }
    }

    fn values(&self) -> Values {
        Values::HandOver
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("services", &self.services)
            .field("methods", &self.routes.len())
            .finish()
    }
}

/// A fast hash without a key. That is safe here: the paths of peers are only looked up, and what
/// is in the map was put there at the start.
#[derive(Default)]
struct PathHasher(u64);

impl PathHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for PathHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(last));
    }

    fn write_u8(&mut self, _: u8) {
        // The end mark of a `str`: nothing but the path is hashed.
    }

    fn finish(&self) -> u64 {
        // The map takes its bucket from the low bits, which a product mixes least.
        self.0 ^ (self.0 >> 32)
    }
}
