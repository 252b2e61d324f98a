//! Node: what a server puts into the registry about itself.

use std::collections::{BTreeMap, BTreeSet};

use gufo_core::{
    BackendUrl, Endpoint, Node, NodeId, Result, ServiceName, Transports, Version, Visibility,
    random, registry::RegisterOptions,
};

use super::advertise::{check_reachable, own_address, reachable};

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
    /// Where others reach it. Default: the addresses listened at. One that stands for every address
    /// of the host (`0.0.0.0`, `[::]`) is replaced by the host's own on the way out; one that leads
    /// here in one place only, such as the path of a socket, is marked for callers in that place
    /// ([`Transport::place`](gufo_core::Transport::place)). What is given here is for everybody.
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
        transports: &Transports,
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
        let (endpoints, places) = self.endpoints(urls, transports)?;
        let boot = random::id(&random);
        let node = |name| {
            let mut node = Node::new(name, id.clone()).with_version(self.version.clone());
            node.boot.clone_from(&boot);
            node.endpoints.clone_from(&endpoints);
            node.places.clone_from(&places);
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

    fn endpoints(
        &self,
        urls: &[String],
        transports: &Transports,
    ) -> Result<(Vec<Endpoint>, BTreeMap<Endpoint, String>)> {
        let mut places = BTreeMap::new();
        for endpoint in &self.advertise {
            check_reachable(endpoint)?;
        }
        if !self.advertise.is_empty() {
            return Ok((self.advertise.clone(), places));
        }
        let mut endpoints = Vec::new();
        for url in urls {
            let endpoint = reachable(url, own_address)?;
            let url = BackendUrl::parse(url)?;
            // A listener made elsewhere may have a scheme that no transport here has.
            let transport = transports.find(url.scheme()).ok();
            if let Some(place) = transport.and_then(|it| it.place(&url)) {
                places.insert(endpoint.clone(), place);
            }
            endpoints.push(endpoint);
        }
        Ok((endpoints, places))
    }
}
