//! The memory registry, spoiled in one way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use gufo_core::registry::{Capabilities, Lease, Lifetime, RegisterOptions, Snapshot, Watch};
use gufo_core::{
    BackendUrl, Error, Node, NodeId, Registry, Result, ServiceName, Tasks, Version, async_trait,
};
use gufo_registry::memory::{Config, MemoryRegistry};
use parking_lot::Mutex;
use tokio::task::yield_now;

use crate::Fault;
use crate::lease::BrokenLease;

#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) inner: MemoryRegistry,
    pub(crate) fault: Fault,
    pub(crate) tasks: Tasks,
    pub(crate) watched: AtomicUsize,
    leases: Arc<Mutex<Vec<Arc<Lease>>>>,
    known: Mutex<Vec<ServiceName>>,
    busy: AtomicBool,
    in_flight: AtomicUsize,
}

impl Broken {
    pub(crate) fn open(fault: Fault, namespace: &str) -> Result<Self> {
        let url = match fault {
            Fault::IgnoresNamespace => {
                format!("memory://broken/{}", namespace.trim_end_matches("-other"))
            }
            Fault::SecondHandleIsBlind => "memory://".to_owned(),
            _ => format!("memory://broken/{namespace}"),
        };
        Ok(Self {
            inner: MemoryRegistry::open(Config::from_url(&BackendUrl::parse(&url)?)?)?,
            fault,
            tasks: Tasks::new(),
            watched: AtomicUsize::new(0),
            leases: Arc::default(),
            known: Mutex::default(),
            busy: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
        })
    }

    /// The node as the fault stores it.
    fn spoil(&self, node: &Node) -> Node {
        let mut node = node.clone();
        match self.fault {
            Fault::ForgetsVersion => node.version = Version::default(),
            Fault::ForgetsZone => node.zone = None,
            Fault::CutsMetadata => node.metadata.values_mut().for_each(|value| {
                if value.is_ascii() {
                    value.truncate(64);
                }
            }),
            Fault::DuplicatesOnReRegister if self.stands(&node) => {
                node.id = NodeId::parse(&format!("{}-2", node.id)).unwrap();
            }
            _ => {}
        }
        node
    }

    fn stands(&self, node: &Node) -> bool {
        self.leases
            .lock()
            .iter()
            .any(|lease| lease.node().id == node.id && lease.node().service == node.service)
    }

    /// How long the registration underneath stands, instead of `ttl`.
    fn lifetime(&self, ttl: Duration) -> Lifetime {
        match self.fault {
            Fault::NeverLapses => Lifetime::Permanent,
            Fault::LapsesEarly => Lifetime::Ttl(ttl / 4),
            Fault::RoundsTtlDown => Lifetime::Ttl(Duration::from_secs(ttl.as_secs())),
            _ => Lifetime::Ttl(ttl),
        }
    }
}

#[async_trait]
impl Registry for Broken {
    async fn register(&self, node: Node, options: RegisterOptions) -> Result<Lease> {
        if self.fault == Fault::CancelPoisons {
            if self.busy.swap(true, Ordering::Relaxed) {
                return Err(Error::unavailable("another call is under way"));
            }
            yield_now().await;
            self.busy.store(false, Ordering::Relaxed);
        }
        let is_alone = self.in_flight.fetch_add(1, Ordering::Relaxed) == 0;
        yield_now().await;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.known.lock().push(node.service.clone());

        let too_large = node.metadata_len() > self.inner.capabilities().max_metadata.unwrap();
        if self.fault == Fault::RefusesTooLate && too_large {
            let mut smaller = node;
            smaller.metadata.clear();
            self.inner
                .register(smaller, RegisterOptions::permanent().manual())
                .await?;
            return Err(Error::resource_exhausted("too much metadata"));
        }
        if self.fault == Fault::KeepsOneNode {
            for lease in self.take_leases(&node.service) {
                lease.revoke().await?;
            }
        }
        let ttl = match options.lifetime {
            Lifetime::Ttl(ttl) => Some(ttl.max(self.inner.capabilities().min_ttl)),
            _ => None,
        };
        let mut inner_options = RegisterOptions::permanent().manual();
        if let Some(ttl) = ttl {
            inner_options.lifetime = self.lifetime(ttl);
        }
        let inner = Arc::new(
            self.inner
                .register(self.spoil(&node), inner_options)
                .await?,
        );
        let lost = self.fault == Fault::LosesConcurrent && !is_alone;
        if lost || self.fault == Fault::RegistersNothing {
            inner.revoke().await?;
        }
        self.leases.lock().push(Arc::clone(&inner));
        let control = BrokenLease {
            fault: self.fault,
            inner,
            registry: self.inner.clone(),
            leases: Arc::clone(&self.leases),
            tasks: self.tasks.clone(),
        };
        Ok(Lease::new(node, ttl, options.keep_alive, control))
    }

    async fn lookup(&self, service: &ServiceName) -> Result<Snapshot> {
        let snapshot = self.inner.lookup(service).await?;
        match self.fault {
            Fault::UnknownIsNotFound if snapshot.is_empty() => {
                Err(Error::not_found("service is not known"))
            }
            Fault::MixesPrefixes => {
                let mut nodes = Vec::new();
                for other in self.inner.list().await? {
                    if other.as_str().starts_with(service.as_str()) {
                        nodes.extend_from_slice(self.inner.lookup(&other).await?.nodes());
                    }
                }
                Ok(Snapshot::new(nodes))
            }
            _ => Ok(snapshot),
        }
    }

    async fn watch(&self, service: &ServiceName) -> Result<Watch> {
        self.broken_watch(service).await
    }

    async fn list(&self) -> Result<Vec<ServiceName>> {
        match self.fault {
            Fault::ListsNothing => Ok(Vec::new()),
            Fault::ListsEmptyServices => Ok(self.known.lock().clone()),
            _ => self.inner.list().await,
        }
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        if self.fault == Fault::UndeclaredSucceeds {
            capabilities.update = false;
            capabilities.permanent = false;
        }
        capabilities
    }
}

impl Broken {
    fn take_leases(&self, service: &ServiceName) -> Vec<Arc<Lease>> {
        self.leases
            .lock()
            .extract_if(.., |lease| lease.node().service == *service)
            .collect()
    }
}
