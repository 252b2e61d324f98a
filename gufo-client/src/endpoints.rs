//! Endpoints: the changing set of addresses a channel keeps connections to.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use gufo_core::Tasks;

use crate::{
    endpoint::{Connecting, Target, keep},
    shared::Shared,
};

/// The addresses a channel keeps connections to. Dropping it ends all their tasks.
#[derive(Debug)]
pub(crate) struct Endpoints {
    kept: BTreeMap<Arc<str>, Tasks>,
    how: Connecting,
    shared: Arc<Shared>,
}

impl Endpoints {
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

    /// Keeps these targets and no others; connections of targets that stay are left alone.
    pub(crate) fn set(&mut self, targets: &[Target]) {
        let names = targets.iter().map(|target| Arc::clone(&target.name));
        let names: std::collections::BTreeSet<_> = names.collect();
        self.kept.retain(|name, _| {
            let stays = names.contains(name);
            if !stays {
                self.shared.leave(name);
            }
            stays
        });
        self.shared.trouble.set_endpoints(names);
        for target in targets {
            if let Entry::Vacant(place) = self.kept.entry(Arc::clone(&target.name)) {
                place.insert(keep(target, &self.how, &self.shared));
            }
        }
    }
}
