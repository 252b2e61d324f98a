//! Nodes: the changing set of nodes a channel keeps connections to.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use gufo_core::Tasks;

use crate::{endpoint::Connecting, keep::keep, preference::Destination, shared::Shared};

/// The nodes a channel keeps connections to. Dropping it ends all their tasks.
#[derive(Debug)]
pub(crate) struct Nodes {
    kept: BTreeMap<Arc<str>, Tasks>,
    how: Connecting,
    shared: Arc<Shared>,
}

impl Nodes {
    pub(crate) const fn new(how: Connecting, shared: Arc<Shared>) -> Self {
        Self {
            kept: BTreeMap::new(),
            how,
            shared,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Keeps these nodes and no others; connections of nodes that stay are left alone.
    pub(crate) fn set(&mut self, nodes: &[Destination]) {
        let keys: BTreeSet<_> = nodes.iter().map(|node| Arc::clone(&node.key)).collect();
        self.kept.retain(|key, _| {
            let stays = keys.contains(key);
            if !stays {
                self.shared.leave(key);
            }
            stays
        });
        let targets = nodes.iter().flat_map(|node| node.targets.iter());
        let endpoints = targets.map(|target| Arc::clone(&target.name)).collect();
        self.shared.trouble.set_endpoints(endpoints);
        for node in nodes {
            if let Entry::Vacant(place) = self.kept.entry(Arc::clone(&node.key)) {
                place.insert(keep(node, &self.how, &self.shared));
            }
        }
    }
}
