//! The records of a registry: who is registered until when, and who watches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gufo_core::registry::{Snapshot, Watch, WatchSender};
use gufo_core::{Node, NodeId, ServiceName};
use tokio::time::Instant;

/// Ties a record to one registration, so that an earlier one of the same node touches nothing of a later one.
#[derive(Debug, Default)]
pub(super) struct Ownership {
    superseded: AtomicBool,
}

impl Ownership {
    pub(super) fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }
}

#[derive(Debug, Default)]
pub(super) struct Table {
    services: BTreeMap<ServiceName, Service>,
    /// When the next node expires, at the latest as the expiry task was told.
    next_expiry: Option<Instant>,
}

#[derive(Debug, Default)]
struct Service {
    nodes: BTreeMap<NodeId, Record>,
    watches: Vec<WatchSender>,
}

#[derive(Debug)]
struct Record {
    node: Arc<Node>,
    expires: Option<Instant>,
    owner: Arc<Ownership>,
}

impl Table {
    /// Writes a record; answers whether it expires before everything else.
    pub(super) fn write(
        &mut self,
        node: &Node,
        expires: Option<Instant>,
        owner: &Arc<Ownership>,
        now: Instant,
    ) -> bool {
        let service = self.services.entry(node.service.clone()).or_default();
        service.expire(now);
        let record = Record {
            node: Arc::new(node.clone()),
            expires,
            owner: Arc::clone(owner),
        };
        if let Some(before) = service.nodes.insert(node.id.clone(), record)
            && !Arc::ptr_eq(&before.owner, owner)
        {
            before.owner.superseded.store(true, Ordering::Release);
        }
        service.publish();
        let is_earlier = match (expires, self.next_expiry) {
            (Some(new), Some(known)) => new < known,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if is_earlier {
            self.next_expiry = expires;
        }
        is_earlier
    }

    /// Replaces the node of a record that `owner` still holds, leaving its expiry; answers whether it does.
    pub(super) fn update(&mut self, node: &Node, owner: &Arc<Ownership>, now: Instant) -> bool {
        let Some(service) = self.services.get_mut(&node.service) else {
            return false;
        };
        service.expire(now);
        match service.nodes.get_mut(&node.id) {
            Some(record) if Arc::ptr_eq(&record.owner, owner) => {
                record.node = Arc::new(node.clone())
            }
            _ => return false,
        }
        service.publish();
        true
    }

    /// Removes the record if `owner` holds it.
    pub(super) fn remove(&mut self, name: &ServiceName, id: &NodeId, owner: &Arc<Ownership>) {
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        if service
            .nodes
            .get(id)
            .is_some_and(|record| Arc::ptr_eq(&record.owner, owner))
        {
            service.nodes.remove(id);
            service.publish();
            self.forget_unused();
        }
    }

    pub(super) fn snapshot(&mut self, name: &ServiceName, now: Instant) -> Snapshot {
        match self.services.get_mut(name) {
            Some(service) => {
                service.expire(now);
                service.snapshot()
            }
            None => Snapshot::default(),
        }
    }

    pub(super) fn watch(&mut self, name: &ServiceName, now: Instant) -> Watch {
        self.forget_unused();
        let service = self.services.entry(name.clone()).or_default();
        service.expire(now);
        let (sender, watch) = Watch::channel(service.snapshot());
        service.watches.push(sender);
        watch
    }

    pub(super) fn services(&mut self, now: Instant) -> Vec<ServiceName> {
        self.expire(now);
        self.services
            .iter()
            .filter(|(_, service)| !service.nodes.is_empty())
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Removes what has expired; answers when the next one will.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        for service in self.services.values_mut() {
            service.expire(now);
        }
        self.forget_unused();
        let records = self
            .services
            .values()
            .flat_map(|service| service.nodes.values());
        self.next_expiry = records.filter_map(|record| record.expires).min();
        self.next_expiry
    }

    pub(super) fn open_watches(&self) -> usize {
        self.services
            .values()
            .flat_map(|service| &service.watches)
            .filter(|watch| !watch.is_closed())
            .count()
    }

    /// Drops closed watches, and services with neither nodes nor watches: names alone must not fill the memory.
    fn forget_unused(&mut self) {
        self.services.retain(|_, service| {
            service.watches.retain(|watch| !watch.is_closed());
            !service.nodes.is_empty() || !service.watches.is_empty()
        });
    }
}

impl Service {
    fn expire(&mut self, now: Instant) {
        let before = self.nodes.len();
        self.nodes
            .retain(|_, record| record.expires.is_none_or(|at| at > now));
        if self.nodes.len() < before {
            self.publish();
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.nodes.values().map(|record| Arc::clone(&record.node)))
    }

    fn publish(&mut self) {
        self.watches.retain(|watch| !watch.is_closed());
        let snapshot = self.snapshot();
        for watch in &self.watches {
            watch.publish(snapshot.clone());
        }
    }
}
