//! Builder: everything a server is made of, then the start.

use std::{fmt, sync::Arc};

use gufo_core::{
    BoxFuture, Cancel, Codec, Endpoint, Error, Formats, Interceptor, ListenOptions, Listener, Node,
    Registry, Result, Service, ServiceName, Tasks, Transports, Version,
};
use tokio::sync::Semaphore;

#[cfg(feature = "health")]
use crate::HealthHandle;
use crate::{
    DrainReport, NodeOptions, Router, RunningServer, ServerOptions,
    accept::Acceptor,
    bind::{Bound, bind},
    calls::Calls,
    guard::Class,
    registration::{Fitness, Registration},
    telemetry::SERVER,
    threads::Threads,
};

/// Everything a server is made of. Mistakes in it are told by [`start`](Self::start).
#[must_use = "a server starts with start() or serve()"]
#[derive(Default)]
pub struct Builder {
    transports: Transports,
    urls: Vec<String>,
    listeners: Vec<Box<dyn Listener>>,
    listen_options: ListenOptions,
    options: ServerOptions,
    threads: Option<usize>,
    interceptors: Vec<Arc<dyn Interceptor>>,
    formats: Formats,
    services: Vec<Service>,
    registry: Option<Arc<dyn Registry>>,
    node: NodeOptions,
    #[cfg(feature = "health")]
    health: Option<HealthHandle>,
    #[cfg(feature = "reflection")]
    reflection: bool,
    stop: Option<BoxFuture<'static, ()>>,
    mistake: Option<Error>,
}

impl Builder {
    /// The transports [`listen`](Self::listen) chooses from by scheme. A second table adds to the
    /// first and wins over it.
    pub fn transports(mut self, transports: Transports) -> Self {
        self.transports = transports.or(&self.transports);
        self
    }

    /// Listens at an address, such as `grpc://0.0.0.0:50051` or `memory://greeter`. May be
    /// repeated; port 0 picks a free one, see [`RunningServer::urls`].
    pub fn listen(mut self, url: impl Into<String>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// Serves the peers of a listener made elsewhere.
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.listeners.push(Box::new(listener));
        self
    }

    /// Limits and timeouts of each connection.
    pub fn listen_options(mut self, options: ListenOptions) -> Self {
        self.listen_options = options;
        self
    }

    /// Limits and waits of the server as a whole.
    pub fn options(mut self, options: ServerOptions) -> Self {
        self.options = options;
        self
    }

    /// Serves on threads of its own, each with a runtime of one thread and with listeners of its own,
    /// instead of on the caller's runtime. Everything else stands once: the services, the limits,
    /// the registration, the drain.
    ///
    /// With a thread for each core no work moves between cores: most calls for the processor, and
    /// no help from a neighbour. The system deals new connections out to the threads (`SO_REUSEPORT`),
    /// and a connection stays where it is, so that there should be many more connections than
    /// threads. A handler that blocks holds up its thread, and tasks that handlers spawn run on it and
    /// end with the server.
    ///
    /// Listeners that cannot share their address (names in memory, paths of sockets, those made
    /// elsewhere) stay on the caller's runtime.
    ///
    /// ```no_run
    /// # fn example() -> std::io::Result<()> {
    /// let cores = std::thread::available_parallelism()?.get();
    /// let builder = gufo_server::Server::builder()
    ///     .listen("tcp://0.0.0.0:50051")
    ///     .threads(cores);
    /// # Ok(()) }
    /// ```
    pub const fn threads(mut self, count: usize) -> Self {
        self.threads = Some(count);
        self
    }

    /// Adds an interceptor around every call of every service but health; the first one added is
    /// the outermost.
    pub fn interceptor(self, interceptor: impl Interceptor) -> Self {
        self.interceptors([Arc::new(interceptor) as Arc<dyn Interceptor>])
    }

    /// Adds interceptors, the first one outermost.
    pub fn interceptors(mut self, chain: impl IntoIterator<Item = Arc<dyn Interceptor>>) -> Self {
        self.interceptors.extend(chain);
        self
    }

    /// Adds a format; a codec of the same name is replaced.
    pub fn codec(mut self, codec: impl Codec) -> Self {
        self.formats = self.formats.with(codec);
        self
    }

    /// Adds a service.
    pub fn service(mut self, service: impl Into<Service>) -> Self {
        self.services.push(service.into());
        self
    }

    /// Registers the server here once it listens, and withdraws it when it stops.
    pub fn registry(mut self, registry: Arc<dyn Registry>) -> Self {
        self.registry = Some(registry);
        self
    }

    /// How the server appears in the registry.
    pub fn node(mut self, node: NodeOptions) -> Self {
        self.node = node;
        self
    }

    /// Registers under this name instead of the names of the services.
    pub fn name(mut self, name: &str) -> Self {
        self.node.name = self.noted(ServiceName::parse(name)).or(self.node.name);
        self
    }

    /// The version in the registry.
    pub fn version(mut self, version: &str) -> Self {
        if let Some(version) = self.noted(Version::parse(version)) {
            self.node.version = version;
        }
        self
    }

    /// The zone in the registry.
    pub fn zone(mut self, zone: impl Into<String>) -> Self {
        self.node.zone = Some(zone.into());
        self
    }

    /// An address at which others reach the server, in place of those it listens at. May be
    /// repeated.
    pub fn advertise(mut self, url: &str) -> Self {
        let endpoint = self.noted(Endpoint::parse(url));
        self.node.advertise.extend(endpoint);
        self
    }

    /// Answers `grpc.health.v1.Health` from a handle: `SERVING` once the server is registered,
    /// `NOT_SERVING` as soon as it stops.
    #[cfg(feature = "health")]
    pub fn health(mut self, health: &HealthHandle) -> Self {
        self.health = Some(health.clone());
        self
    }

    /// Answers `grpc.reflection.v1` and `v1alpha` from the descriptors of the services.
    /// Interceptors stand around it too: it tells everything about the interface.
    #[cfg(feature = "reflection")]
    pub fn reflection(mut self) -> Self {
        self.reflection = true;
        self
    }

    /// Stops the server when a future ends, such as `tokio::signal::ctrl_c()`; for
    /// [`serve`](Self::serve) and [`RunningServer::wait`].
    pub fn stop_on(mut self, stop: impl Future + Send + 'static) -> Self {
        self.stop = Some(Box::pin(async {
            let _ = stop.await; // That it ended is all that counts.
        }));
        self
    }

    fn noted<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistake.get_or_insert(error);
                None
            }
        }
    }

    /// The services without listeners, to call them in this process.
    ///
    /// # Errors
    /// `AlreadyExists` for a service or method added twice, `InvalidArgument` for what an earlier
    /// call of the builder got.
    pub fn into_router(mut self) -> Result<Arc<Router>> {
        let router = self.router(&Calls::new(&self.options))?;
        #[cfg(feature = "health")]
        if let Some(health) = &self.health {
            health.ready();
        }
        Ok(router)
    }

    fn router(&mut self, calls: &Arc<Calls>) -> Result<Arc<Router>> {
        if let Some(mistake) = self.mistake.take() {
            return Err(mistake);
        }
        let chain: Arc<[_]> = self.interceptors.drain(..).collect();
        let mut router = Router::new(std::mem::take(&mut self.formats));
        for service in &self.services {
            router.add(service, &chain, calls, Class::Application)?;
        }
        self.add_system(&mut router, &chain, calls)?;
        Ok(Arc::new(router))
    }

    #[allow(
        unused_variables,
        reason = "what is used depends on the features turned on"
    )]
    fn add_system(
        &self,
        router: &mut Router,
        chain: &Arc<[Arc<dyn Interceptor>]>,
        calls: &Arc<Calls>,
    ) -> Result<()> {
        #[cfg(feature = "health")]
        let health = self.health.as_ref().map(|health| {
            health.add(self.services.iter().map(Service::name));
            health.service()
        });
        #[cfg(feature = "health")]
        if let Some(health) = &health {
            // A prober has no credentials to show to an interceptor.
            router.add(health, &Arc::from([]), calls, Class::System)?;
        }
        #[cfg(feature = "reflection")]
        if self.reflection {
            let services = self.services.iter();
            #[cfg(feature = "health")]
            let services = services.chain(&health);
            for service in crate::reflection::services(services)? {
                router.add(&service, chain, calls, Class::System)?;
            }
        }
        Ok(())
    }

    async fn bind(&mut self, threads: &Threads) -> Result<Vec<Bound>> {
        if self.urls.is_empty() && self.listeners.is_empty() {
            return Err(Error::invalid_argument(
                "a server needs an address: call listen(url)",
            ));
        }
        let mut bound = Vec::new();
        for url in &self.urls {
            bound.extend(bind(url, &self.transports, &self.listen_options, threads).await?);
        }
        let elsewhere = self.listeners.drain(..).map(|listener| Bound {
            listener,
            thread: None,
        });
        bound.extend(elsewhere);
        Ok(bound)
    }

    /// Listens, serves, registers, in this order.
    ///
    /// # Errors
    /// What [`into_router`](Self::into_router) says; `InvalidArgument` without an address, for an
    /// unknown scheme or for 0 threads; what a transport says when it cannot listen; what the
    /// registry says, or `Unavailable` when it does not answer in time, unless
    /// [`ServerOptions::registering`] says otherwise. Nothing is left running then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing running; a node already registered lapses.
    pub async fn start(mut self) -> Result<RunningServer> {
        let calls = Calls::new(&self.options);
        let router = self.router(&calls)?;
        let threads = match self.threads {
            Some(0) => {
                return Err(Error::invalid_argument(
                    "a server needs at least one thread",
                ));
            }
            count => Threads::start(count.unwrap_or_default())?,
        };
        let bound = self.bind(&threads).await?;
        // Listeners that share an address are one place to reach the server at.
        let first = bound.iter().filter(|it| it.thread.unwrap_or_default() == 0);
        let urls: Vec<_> = first.map(|it| it.listener.url().to_owned()).collect();
        let nodes = match &self.registry {
            Some(_) => {
                let services = self.services.iter().map(Service::name);
                self.node.nodes(&urls, &self.transports, services)?
            }
            None => Vec::new(),
        };

        let acceptor = Acceptor {
            dispatch: router,
            connections: Tasks::new(),
            cap: Arc::new(Semaphore::new(
                self.options.max_connections.min(Semaphore::MAX_PERMITS),
            )),
            closing: Cancel::new(),
            drain: Cancel::new(),
        };
        let listening = Tasks::new();
        for Bound { listener, thread } in bound {
            let accepting = acceptor.clone().run(listener);
            match thread {
                None => listening.spawn("listener", accepting),
                Some(thread) => threads.spawn(thread, &listening, "listener", accepting),
            }
        }
        let mut server = RunningServer::new(
            urls,
            calls,
            acceptor,
            listening,
            threads,
            std::mem::take(&mut self.options),
            self.stop.take(),
        );
        #[cfg(feature = "health")]
        {
            server.health = self.health.take();
        }
        self.register(&mut server, nodes).await?;
        tracing::info!(target: SERVER, urls = ?server.urls, "serving");
        Ok(server)
    }

    async fn register(&mut self, server: &mut RunningServer, nodes: Vec<Node>) -> Result<()> {
        let fitness = Fitness {
            #[cfg(feature = "health")]
            health: server.health.clone(),
        };
        let Some(registry) = self.registry.take() else {
            fitness.ready();
            return Ok(());
        };
        server.registration = Registration::start(
            registry,
            nodes,
            self.node.register.clone(),
            server.options.register_timeout,
            server.options.registering,
            fitness,
        )
        .await?;
        Ok(())
    }

    /// Adds a service, starts, and serves until [`stop_on`](Self::stop_on) ends; without it, for
    /// ever.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    ///
    /// # Cancel safety
    /// Dropping the future aborts the server.
    pub async fn serve(self, service: impl Into<Service>) -> Result<DrainReport> {
        Ok(self.service(service).start().await?.wait().await)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("urls", &self.urls)
            .field("services", &self.services)
            .field("interceptors", &self.interceptors)
            .field("options", &self.options)
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}
