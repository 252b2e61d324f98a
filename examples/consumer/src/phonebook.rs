//! A registry of this crate's own: nodes in a list that all clones share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use gufo_server::core::{
    Error, Node, Registry, Result, ServiceName, async_trait,
    registry::{
        Capabilities, Lease, LeaseControl, Lifetime, RegisterOptions, Snapshot, Watch, WatchSender,
    },
};

/// A registry in this process. It expires nothing: a node stands until it is revoked, which is
/// enough where the registry ends together with its servers.
#[derive(Clone, Debug, Default)]
pub struct Phonebook(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    next: AtomicU64,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    /// Each node with the number of the registration that wrote it.
    entries: Vec<(u64, Arc<Node>)>,
    watches: Vec<(ServiceName, WatchSender)>,
}

impl Pages {
    fn snapshot(&self, service: &ServiceName) -> Snapshot {
        let nodes = self.entries.iter().map(|(_, node)| node);
        Snapshot::new(
            nodes
                .filter(|node| node.service == *service)
                .map(Arc::clone),
        )
    }

    fn show(&mut self, service: &ServiceName) {
        self.watches.retain(|(_, watch)| !watch.is_closed());
        let snapshot = self.snapshot(service);
        for (_, watch) in self.watches.iter().filter(|(known, _)| known == service) {
            watch.publish(snapshot.clone());
        }
    }
}

impl Phonebook {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        // A panic elsewhere leaves the pages whole: every change below is one step.
        self.0.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Registry for Phonebook {
    async fn register(&self, node: Node, options: RegisterOptions) -> Result<Lease> {
        let ttl = match options.lifetime {
            Lifetime::Ttl(ttl) => Some(ttl),
            _ => None,
        };
        let number = self.0.next.fetch_add(1, Relaxed);
        let (service, id) = (node.service.clone(), node.id.clone());
        let mut pages = self.pages();
        pages
            .entries
            .retain(|(_, known)| (&known.service, &known.id) != (&service, &id));
        pages.entries.push((number, Arc::new(node.clone())));
        pages.show(&service);
        drop(pages);
        let entry = Entry {
            phonebook: self.clone(),
            number,
            service,
        };
        Ok(Lease::new(node, ttl, options.keep_alive, entry))
    }

    async fn lookup(&self, service: &ServiceName) -> Result<Snapshot> {
        Ok(self.pages().snapshot(service))
    }

    async fn watch(&self, service: &ServiceName) -> Result<Watch> {
        let mut pages = self.pages();
        let (sender, watch) = Watch::channel(pages.snapshot(service));
        pages.watches.push((service.clone(), sender));
        Ok(watch)
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.register = true;
        capabilities.permanent = true;
        capabilities.min_ttl = Duration::from_secs(1);
        capabilities
    }
}

/// One registration.
#[derive(Debug)]
struct Entry {
    phonebook: Phonebook,
    number: u64,
    service: ServiceName,
}

#[async_trait]
impl LeaseControl for Entry {
    async fn keep_alive(&self, node: &Node) -> Result<()> {
        let pages = self.phonebook.pages();
        if pages
            .entries
            .iter()
            .any(|(number, _)| *number == self.number)
        {
            return Ok(());
        }
        Err(Error::failed_precondition(format!(
            "node {} was registered again",
            node.id
        )))
    }

    async fn revoke(&self) -> Result<()> {
        let mut pages = self.phonebook.pages();
        pages.entries.retain(|(number, _)| *number != self.number);
        pages.show(&self.service);
        Ok(())
    }
}
