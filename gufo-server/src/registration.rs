//! Registration: from what a server listens at to the nodes others find, and back.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use gufo_core::{
    BackendUrl, Deadline, Endpoint, Error, Node, NodeId, Registry, Result, ServiceName, Version,
    Visibility, random,
    registry::{Lease, RegisterOptions},
};

use crate::telemetry::SERVER;

/// How a server appears in the registry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeOptions {
    /// The service to register as. Default: every service the server has, under its own name.
    pub name: Option<ServiceName>,
    /// The id of the node. Default: a random one, new at each start.
    pub id: Option<NodeId>,
    /// The version. Default `0.0.0`.
    pub version: Version,
    /// The region, such as `eu-west`. Default none.
    pub region: Option<String>,
    /// The zone within the region. Default none.
    pub zone: Option<String>,
    /// The groups it belongs to, such as `canary`. Default none.
    pub groups: BTreeSet<String>,
    /// Who may call it. Default internal.
    pub visibility: Visibility,
    /// Its share of the calls relative to other nodes. Default 100.
    pub weight: u32,
    /// Whatever else callers should know. Default nothing.
    pub metadata: BTreeMap<String, String>,
    /// Where others reach it. Default: the addresses listened at; one that stands for every
    /// address of the host (`0.0.0.0`, `[::]`) is replaced by the host's own on the way out.
    pub advertise: Vec<Endpoint>,
    /// How long a registration stands and who keeps it alive. Default: 15 s, kept alive by the
    /// server.
    pub register: RegisterOptions,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            name: None,
            id: None,
            version: Version::default(),
            region: None,
            zone: None,
            groups: BTreeSet::new(),
            visibility: Visibility::default(),
            weight: 100,
            metadata: BTreeMap::new(),
            advertise: Vec::new(),
            register: RegisterOptions::default(),
        }
    }
}

impl NodeOptions {
    /// The nodes of a server: one per name, all at the same addresses.
    pub(crate) fn nodes<'a>(
        &self,
        urls: &[String],
        services: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Node>> {
        let random = random::SplitMix::from_entropy();
        let id = match &self.id {
            Some(id) => id.clone(),
            None => NodeId::parse(&random::id(&random))?,
        };
        let names = match &self.name {
            Some(name) => vec![name.clone()],
            None => services.map(ServiceName::parse).collect::<Result<_>>()?,
        };
        let endpoints = self.endpoints(urls)?;
        let boot = random::id(&random);
        let node = |name| {
            let mut node = Node::new(name, id.clone()).with_version(self.version.clone());
            node.boot.clone_from(&boot);
            node.endpoints.clone_from(&endpoints);
            node.region.clone_from(&self.region);
            node.zone.clone_from(&self.zone);
            node.groups.clone_from(&self.groups);
            node.visibility = self.visibility;
            node.weight = self.weight;
            node.metadata.clone_from(&self.metadata);
            node
        };
        Ok(names.into_iter().map(node).collect())
    }

    fn endpoints(&self, urls: &[String]) -> Result<Vec<Endpoint>> {
        if self.advertise.is_empty() {
            return urls.iter().map(|url| reachable(url, own_address)).collect();
        }
        for endpoint in &self.advertise {
            check_reachable(endpoint)?;
        }
        Ok(self.advertise.clone())
    }
}

/// Where others reach what listens at `url`. `own` gives the address of this host for the family
/// of the one given.
fn reachable(url: &str, own: impl FnOnce(IpAddr) -> io::Result<IpAddr>) -> Result<Endpoint> {
    let Some(everywhere) = unspecified(&BackendUrl::parse(url)?) else {
        let endpoint = Endpoint::parse(url)?;
        check_reachable(&endpoint)?;
        return Ok(endpoint);
    };
    let own = own(everywhere).map_err(|error| {
        Error::failed_precondition(format!(
            "cannot tell at which address others reach {url}; say it with advertise(url)"
        ))
        .source(error)
    })?;
    let own = match own {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    // A listener's URL has no user, so that the host follows the scheme.
    let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let port = authority.rfind(':').map_or("", |colon| &authority[colon..]);
    let endpoint = Endpoint::parse(&format!("{scheme}://{own}{port}{tail}"))?;
    check_reachable(&endpoint)?;
    Ok(endpoint)
}

/// The address of a URL when it stands for every address of the host.
fn unspecified(url: &BackendUrl) -> Option<IpAddr> {
    let mut addresses = url
        .hosts()
        .iter()
        .filter_map(|host| host.name().parse().ok());
    addresses.find(|address: &IpAddr| {
        address.is_unspecified() || matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped() == Some(Ipv4Addr::UNSPECIFIED))
    })
}

fn check_reachable(endpoint: &Endpoint) -> Result<()> {
    let url = endpoint.url();
    let problem = if unspecified(&url).is_some() {
        "stands for every address of a host"
    } else if url.hosts().iter().any(|host| host.port() == Some(0)) {
        "has port 0"
    } else {
        return Ok(());
    };
    Err(Error::invalid_argument(format!(
        "cannot advertise {endpoint}: it {problem}, so nobody else can connect to it"
    )))
}

/// The address this host has towards others. Nothing is sent: connecting a datagram socket only
/// chooses the way out.
fn own_address(family: IpAddr) -> io::Result<IpAddr> {
    // Documentation addresses (RFC 5737, RFC 3849): routed like any other, used by nobody.
    let (from, to): (IpAddr, IpAddr) = match family {
        IpAddr::V4(_) => (
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(192, 0, 2, 1).into(),
        ),
        IpAddr::V6(_) => (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        ),
    };
    let route = |from, to| {
        let socket = UdpSocket::bind((from, 0))?;
        socket.connect((to, 9))?;
        Ok::<_, io::Error>(socket.local_addr()?.ip())
    };
    // `[::]` takes IPv4 peers as well: without a way out over IPv6 that one counts.
    route(from, to).or_else(|error| match family {
        IpAddr::V6(_) => own_address(Ipv4Addr::UNSPECIFIED.into()),
        IpAddr::V4(_) => Err(error),
    })
}

/// The nodes a server has registered.
#[derive(Debug, Default)]
pub(crate) struct Registration {
    leases: Vec<Lease>,
}

impl Registration {
    /// Registers nodes; when one fails, withdraws those before it.
    pub(crate) async fn register(
        registry: &dyn Registry,
        nodes: Vec<Node>,
        options: &RegisterOptions,
        timeout: Duration,
    ) -> Result<Self> {
        let mut registration = Self::default();
        let deadline = Deadline::after(timeout);
        for node in nodes {
            let service = node.service.clone();
            let registered = tokio::select! {
                biased;
                registered = registry.register(node, options.clone()) => registered,
                () = deadline.reached() => Err(Error::unavailable(format!(
                    "the registry did not answer within {timeout:?}"
                ))),
            };
            let failed = match registered {
                Ok(lease) => {
                    registration.leases.push(lease);
                    continue;
                }
                Err(error) => error,
            };
            registration.withdraw(timeout).await;
            return Err(failed.operation("register").context("service", service));
        }
        Ok(registration)
    }

    /// Removes the nodes from the registry, as far as it answers in time; the rest lapses.
    pub(crate) async fn withdraw(&self, timeout: Duration) {
        let deadline = Deadline::after(timeout);
        for lease in &self.leases {
            let reason = tokio::select! {
                biased;
                revoked = lease.revoke() => match revoked {
                    Ok(()) => continue,
                    Err(error) => error.to_string(),
                },
                () = deadline.reached() => "the registry did not answer in time".to_owned(),
            };
            tracing::warn!(
                target: SERVER,
                service = %lease.node().service,
                reason,
                "cannot withdraw the node; it lapses after its ttl"
            );
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// The nodes as registered.
    pub(crate) fn nodes(&self) -> Vec<Arc<Node>> {
        self.leases.iter().map(Lease::node).collect()
    }
}

#[cfg(test)]
mod tests;
