//! `memory://`: a registry inside the process, and the reference for how every registry behaves.
//!
//! ```text
//! memory://[name][/namespace][?max_metadata=64KiB]
//! ```
//!
//! Without a name each open is a registry of its own. With one, all opens of that name and namespace in the process share
//! one, which is gone with its last handle; a lease is a handle, a watch is not. It needs no network and no disk, so it is
//! never out of reach; it follows tokio's clock, so tests can pause it.

mod config;
mod lease;
mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use gufo_core::registry::{
    Capabilities, Lease, Lifetime, RegisterOptions, Registry, Snapshot, Watch,
};
use gufo_core::{Error, Namespace, Node, Result, ServiceName, Tasks};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

pub use config::Config;
use lease::MemoryLease;
use table::{Ownership, Table};

/// The shortest TTL; the timer underneath ticks in milliseconds.
const MIN_TTL: Duration = Duration::from_millis(10);

type Name = (String, Option<Namespace>);

/// The named registries of this process, weakly held.
static NAMED: Mutex<BTreeMap<Name, Weak<Shared>>> = Mutex::new(BTreeMap::new());

/// A registry inside the process; see the [module](self). Clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct MemoryRegistry {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    table: Mutex<Table>,
    /// Told when a node expires earlier than the expiry task knows.
    earlier: Arc<Notify>,
    expiry: Tasks,
}

impl MemoryRegistry {
    /// A private registry with the default configuration.
    #[must_use]
    pub fn new() -> Self {
        Self::private(Config::default())
    }

    /// Opens the registry that `config` names.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a namespace without a name; `FailedPrecondition` when the named registry is open with other
    /// limits.
    pub fn open(config: Config) -> Result<Self> {
        let Some(name) = config.name.clone() else {
            return match config.namespace {
                None => Ok(Self::private(config)),
                Some(_) => Err(Error::invalid_argument(
                    "a private memory registry has no namespaces; name it: memory://name/namespace",
                )),
            };
        };
        let mut named = NAMED.lock();
        named.retain(|_, shared| shared.strong_count() > 0);
        let key = (name, config.namespace.clone());
        if let Some(shared) = named.get(&key).and_then(Weak::upgrade) {
            if shared.config != config {
                return Err(Error::failed_precondition(format!(
                    "memory registry `{}` is open in this process with max_metadata={}",
                    key.0, shared.config.max_metadata.0
                )));
            }
            return Ok(Self { shared });
        }
        let registry = Self::private(config);
        named.insert(key, Arc::downgrade(&registry.shared));
        Ok(registry)
    }

    fn private(config: Config) -> Self {
        Self {
            shared: Arc::new(Shared {
                config,
                table: Mutex::default(),
                earlier: Arc::default(),
                expiry: Tasks::new(),
            }),
        }
    }

    /// The number of watches that somebody still reads.
    #[must_use]
    pub fn open_watches(&self) -> usize {
        self.shared.table.lock().open_watches()
    }
}

impl Default for MemoryRegistry {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    async fn register(&self, node: Node, options: RegisterOptions) -> Result<Lease> {
        let ttl = match options.lifetime {
            Lifetime::Permanent => None,
            Lifetime::Ttl(ttl) => Some(ttl.max(MIN_TTL)),
            lifetime => {
                return Err(Error::unimplemented(format!(
                    "the memory registry does not know {lifetime:?}"
                )));
            }
        };
        let owner = Arc::new(Ownership::default());
        self.shared.write(&node, ttl, &owner)?;
        let control = MemoryLease::new(Arc::clone(&self.shared), &node, ttl, owner);
        Ok(Lease::new(node, ttl, options.keep_alive, control))
    }

    async fn lookup(&self, service: &ServiceName) -> Result<Snapshot> {
        Ok(self.shared.table.lock().snapshot(service, Instant::now()))
    }

    async fn watch(&self, service: &ServiceName) -> Result<Watch> {
        let watch = self.shared.table.lock().watch(service, Instant::now());
        self.shared.run_expiry();
        Ok(watch)
    }

    async fn list(&self) -> Result<Vec<ServiceName>> {
        Ok(self.shared.table.lock().services(Instant::now()))
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.register = true;
        capabilities.list = true;
        capabilities.update = true;
        capabilities.permanent = true;
        capabilities.min_ttl = MIN_TTL;
        capabilities.max_metadata = Some(self.shared.max_metadata());
        capabilities
    }
}

impl Shared {
    fn max_metadata(&self) -> usize {
        usize::try_from(self.config.max_metadata.0).unwrap_or(usize::MAX)
    }

    fn check(&self, node: &Node) -> Result<()> {
        let (len, limit) = (node.metadata_len(), self.max_metadata());
        if len <= limit {
            return Ok(());
        }
        Err(Error::resource_exhausted(format!(
            "metadata of node {} is {len} bytes, the limit is {limit}",
            node.id
        )))
    }

    /// Makes `node` stand for `ttl` from now on, owned by `owner`.
    fn write(
        self: &Arc<Self>,
        node: &Node,
        ttl: Option<Duration>,
        owner: &Arc<Ownership>,
    ) -> Result<()> {
        self.check(node)?;
        let now = Instant::now();
        let expires = ttl.and_then(|ttl| now.checked_add(ttl));
        if self.table.lock().write(node, expires, owner, now) {
            self.earlier.notify_one();
        }
        if expires.is_some() {
            self.run_expiry();
        }
        Ok(())
    }

    /// Starts the expiry task unless it runs; it may have ended with the runtime of another handle.
    fn run_expiry(self: &Arc<Self>) {
        if self.expiry.is_empty() {
            self.expiry.spawn(
                "memory-registry-expiry",
                expire(Arc::downgrade(self), Arc::clone(&self.earlier)),
            );
        }
    }
}

/// Removes nodes as they expire, for the sake of watchers; ends with the registry.
async fn expire(shared: Weak<Shared>, earlier: Arc<Notify>) {
    loop {
        let next = match shared.upgrade() {
            None => return,
            Some(shared) => shared.table.lock().expire(Instant::now()),
        };
        let expiry = async {
            match next {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = expiry => {}
            () = earlier.notified() => {}
        }
    }
}

#[cfg(test)]
mod tests;
