//! Builder: how a channel is put together.

use std::{sync::Arc, time::Duration};

use gufo_core::{
    Caller, Compression, ConnectOptions, Deadline, Defaults, Error, Format, Interceptor, Limits,
    Registry, Result, ServiceName, Tasks, Transport, Transports,
    random::{Random, SplitMix},
};

use crate::{
    Channel,
    discovery::Discovery,
    endpoint::{Connecting, Target},
    nodes::Nodes,
    pool::Pool,
    preference::{Destination, Preference},
    shared::Shared,
};

/// Connections per node. One: with a core for each side, eight connections answered fewer small
/// calls per processor second than one, and more only where messages are of 64 KiB
/// (`gufo-benches rpc`, 64/1 against 64/8).
pub const DEFAULT_CONNECTIONS: usize = 1;

/// How long connecting, and a call's wait for a connection, may take.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Puts a [`Channel`] together: where the peers are, how they are connected, and what calls use
/// unless told otherwise.
#[derive(Debug)]
#[must_use = "a channel is made by connect() or connect_lazy()"]
pub struct ChannelBuilder {
    transports: Transports,
    prefer: Vec<String>,
    addresses: Vec<String>,
    nodes: Vec<Vec<String>>,
    discovery: Option<(Arc<dyn Registry>, ServiceName)>,
    connections: usize,
    connect_timeout: Duration,
    options: ConnectOptions,
    interceptors: Vec<Arc<dyn Interceptor>>,
    defaults: Defaults,
    random: Arc<dyn Random>,
}

impl ChannelBuilder {
    pub(crate) fn new() -> Self {
        Self {
            transports: Transports::new(),
            prefer: Vec::new(),
            addresses: Vec::new(),
            nodes: Vec::new(),
            discovery: None,
            connections: DEFAULT_CONNECTIONS,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            options: ConnectOptions::default(),
            interceptors: Vec::new(),
            defaults: Defaults::default(),
            random: Arc::new(SplitMix::from_entropy()),
        }
    }

    /// Adds transports, before those that are there; of two with one scheme the later one stays.
    pub fn transports(mut self, transports: Transports) -> Self {
        self.transports = transports.or(&self.transports);
        self
    }

    /// Adds a transport under a scheme, behind those that are there.
    pub fn transport(mut self, scheme: &'static str, transport: Arc<dyn Transport>) -> Self {
        self.transports = self.transports.with(scheme, transport);
        self
    }

    /// Takes these schemes before all others where a node offers several, the best first. Default:
    /// the order of the transports; that of the bundled ones puts the fastest first.
    ///
    /// Endpoints that lead to their node in one place only, such as a name in memory or the path of
    /// a socket, are taken in that place only ([`Transport::place`]). With and without TLS is one
    /// scheme: there the order of the node counts.
    pub fn prefer<T: Into<String>>(mut self, schemes: impl IntoIterator<Item = T>) -> Self {
        self.prefer = schemes.into_iter().map(Into::into).collect();
        self
    }

    /// Adds the address of a peer, such as `grpc://127.0.0.1:50051`; one URL may name several
    /// hosts. A URL that cannot be used fails [`connect`](Self::connect).
    pub fn address(mut self, url: impl Into<String>) -> Self {
        self.addresses.push(url.into());
        self
    }

    /// Adds the addresses of peers.
    pub fn addresses<T: Into<String>>(mut self, urls: impl IntoIterator<Item = T>) -> Self {
        self.addresses.extend(urls.into_iter().map(Into::into));
        self
    }

    /// Adds one node that can be reached at several URLs, of which the best that works is taken.
    pub fn node<T: Into<String>>(mut self, urls: impl IntoIterator<Item = T>) -> Self {
        self.nodes.push(urls.into_iter().map(Into::into).collect());
        self
    }

    /// Finds the peers in a registry: the nodes of a service, whose set is followed from then on.
    /// While the registry is out of reach, the last known nodes stay.
    pub fn registry(mut self, registry: Arc<dyn Registry>, service: ServiceName) -> Self {
        self.discovery = Some((registry, service));
        self
    }

    /// Connections per node. Default [`DEFAULT_CONNECTIONS`].
    pub const fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// How long one attempt to connect may take, and how long a call waits for a connection.
    /// Default [`DEFAULT_CONNECT_TIMEOUT`].
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Limits of each connection. Default [`Limits::default`].
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Asks an idle peer after `interval` whether it is alive, and gives it `timeout` to answer.
    /// Default 30 s and 10 s.
    pub const fn keep_alive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.options.keep_alive_interval = interval;
        self.options.keep_alive_timeout = timeout;
        self
    }

    /// Adds an interceptor around every call, inside those added before.
    pub fn interceptor(mut self, interceptor: impl Interceptor) -> Self {
        self.interceptors.push(Arc::new(interceptor));
        self
    }

    /// How long a call may take unless it says otherwise. Default: as long as it wants.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.defaults.timeout = Some(timeout);
        self
    }

    /// The format of messages unless a call says otherwise. Default: what the service prefers.
    pub fn format(mut self, format: Format) -> Self {
        self.defaults.format = Some(format);
        self
    }

    /// How requests are compressed unless a call says otherwise. Default: not at all.
    pub const fn compression(mut self, compression: Compression) -> Self {
        self.defaults.compression = Some(compression);
        self
    }

    /// Where chance comes from: back-off, the choice of connections, span ids. Default: seeded by
    /// the system.
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.defaults.random = Arc::clone(&random);
        self.random = random;
        self
    }

    /// Makes the channel and waits until one connection is ready.
    ///
    /// # Errors
    /// As [`connect_lazy`](Self::connect_lazy); `Unavailable`, naming the endpoint and its last
    /// error, when no connection is ready after the connect timeout; at once what the transports
    /// answer when repeating cannot help.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future closes what was opened.
    pub async fn connect(self) -> Result<Channel> {
        let channel = self.connect_lazy()?;
        channel.ready(Deadline::NONE).await?;
        Ok(channel)
    }

    /// Makes the channel without waiting: connections are made in the background, and calls wait
    /// for one.
    ///
    /// # Errors
    /// `InvalidArgument` for a URL that cannot be parsed, a scheme without a transport, no transport
    /// at all, a node without a URL, neither address nor registry or both, or 0 connections.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn connect_lazy(self) -> Result<Channel> {
        if self.connections == 0 {
            return Err(Error::invalid_argument(
                "a channel needs at least one connection per node",
            ));
        }
        if self.transports.schemes().next().is_none() {
            return Err(Error::invalid_argument(
                "a channel needs transports: give it some by transports()",
            ));
        }
        let shared = Arc::new(Shared::new(Arc::clone(&self.random)));
        let preference = Preference::new(self.transports.clone(), &self.prefer)?;
        let mut nodes = Nodes::new(self.connecting(), Arc::clone(&shared));
        let tasks = Tasks::new();
        let fixed = match self.discovery {
            None => {
                nodes.set(&self.destinations(&preference)?);
                Some(nodes)
            }
            Some(_) if !(self.addresses.is_empty() && self.nodes.is_empty()) => {
                return Err(Error::invalid_argument(
                    "a channel has addresses or a registry, not both",
                ));
            }
            Some((registry, service)) => {
                let discovery = Discovery {
                    registry,
                    service,
                    preference,
                    timeout: self.connect_timeout,
                };
                let following = discovery.follow(nodes, Arc::clone(&shared), self.random);
                tasks.spawn("channel-discovery", following);
                None
            }
        };
        let pool = Pool::new(shared, self.connect_timeout, fixed, tasks);
        let caller = Caller::new(Arc::new(pool.clone()))
            .with_interceptors(self.interceptors)
            .with_defaults(self.defaults);
        Ok(Channel::new(pool, caller))
    }

    fn connecting(&self) -> Connecting {
        Connecting {
            connections: self.connections,
            timeout: self.connect_timeout,
            options: self.options.clone(),
            random: Arc::clone(&self.random),
        }
    }
    fn destinations(&self, preference: &Preference) -> Result<Vec<Destination>> {
        let mut found = Vec::new();
        for address in &self.addresses {
            let targets = Target::parse(address, &preference.transports)?;
            found.extend(targets.into_iter().map(Destination::from));
        }
        for urls in &self.nodes {
            let node = preference.urls(urls)?;
            found.push(node.ok_or_else(|| Error::invalid_argument("a node needs a url"))?);
        }
        if found.is_empty() {
            return Err(Error::invalid_argument(
                "a channel needs an address or a registry",
            ));
        }
        Ok(found)
    }
}
