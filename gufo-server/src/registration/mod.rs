//! Registration: from what a server listens at to the nodes others find, and back.

mod advertise;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use gufo_core::{
    Deadline, Endpoint, Error, Node, NodeId, Registry, Result, ServiceName, Version, Visibility,
    random,
    registry::{Lease, RegisterOptions},
};

use self::advertise::{check_reachable, own_address, reachable};
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
