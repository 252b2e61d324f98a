//! Preference: which endpoints of a node can be reached from here, and which of them is the best.

use std::sync::Arc;

use gufo_core::{BackendUrl, Endpoint, Node, Result, Transports};

use crate::endpoint::Target;

/// One node to connect to: its endpoints, the best first. There is at least one.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    /// What tells destinations apart: two nodes with the same endpoints are one to connect to.
    pub(crate) key: Arc<str>,
    pub(crate) targets: Arc<[Target]>,
}

impl From<Target> for Destination {
    fn from(target: Target) -> Self {
        Self {
            key: Arc::clone(&target.name),
            targets: Arc::from([target]),
        }
    }
}

/// The transports of a channel and their order.
#[derive(Clone, Debug)]
pub(crate) struct Preference {
    pub(crate) transports: Transports,
    /// Schemes, the best first: those the application named, then the others as in the table.
    order: Vec<String>,
}

impl Preference {
    /// Puts some schemes before all others.
    pub(crate) fn new(transports: Transports, first: &[String]) -> Result<Self> {
        let mut order: Vec<String> = Vec::new();
        for scheme in first {
            transports.find(scheme)?;
            order.push(scheme.clone());
        }
        for scheme in transports.schemes() {
            if !order.iter().any(|known| known == scheme) {
                order.push(scheme.to_owned());
            }
        }
        Ok(Self { transports, order })
    }

    /// A node by its endpoints as a registry knows them; `None` if none of them leads to it from
    /// here.
    pub(crate) fn node(&self, node: &Node) -> Option<Destination> {
        let reached = |endpoint: &Endpoint| {
            let target = Target::of(endpoint.url(), &self.transports).ok()?;
            let place = node.places.get(endpoint);
            // An endpoint without a place was written by somebody who knows.
            let is_here = place.is_none() || target.transport.place(&target.url).as_ref() == place;
            is_here.then_some(target)
        };
        self.ordered(node.endpoints.iter().filter_map(reached).collect())
    }

    /// A node by the URLs of its endpoints.
    pub(crate) fn urls(&self, urls: &[String]) -> Result<Option<Destination>> {
        let target = |url: &String| Target::of(BackendUrl::parse(url)?, &self.transports);
        Ok(self.ordered(urls.iter().map(target).collect::<Result<_>>()?))
    }

    fn ordered(&self, mut targets: Vec<Target>) -> Option<Destination> {
        // Stable: of several endpoints of one scheme the node's own order counts.
        targets.sort_by_key(|target| {
            let scheme = target.url.scheme();
            self.order.iter().position(|known| known == scheme)
        });
        let names: Vec<&str> = targets.iter().map(|target| &*target.name).collect();
        let key = names.join(" ").into();
        (!targets.is_empty()).then(|| Destination {
            key,
            targets: targets.into(),
        })
    }
}
