//! A lease of the memory registry, spoiled in one way.

use std::sync::Arc;
use std::time::Duration;

use gufo_core::registry::{Lease, LeaseControl, RegisterOptions};
use gufo_core::{Error, Node, Registry, Result, Tasks, async_trait};
use gufo_registry::memory::MemoryRegistry;
use parking_lot::Mutex;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::Fault;

#[derive(Debug)]
pub(crate) struct BrokenLease {
    pub(crate) fault: Fault,
    pub(crate) inner: Arc<Lease>,
    pub(crate) registry: MemoryRegistry,
    pub(crate) leases: Arc<Mutex<Vec<Arc<Lease>>>>,
    pub(crate) tasks: Tasks,
}

impl BrokenLease {
    fn leases(&self, wanted: impl Fn(&Node) -> bool) -> Vec<Arc<Lease>> {
        self.leases
            .lock()
            .iter()
            .filter(|lease| wanted(&lease.node()))
            .map(Arc::clone)
            .collect()
    }
}

#[async_trait]
impl LeaseControl for BrokenLease {
    async fn keep_alive(&self, node: &Node) -> Result<()> {
        match self.fault {
            Fault::KeepAliveDoesNothing => return Ok(()),
            Fault::KeepAliveRevives => {
                let (registry, node) = (self.registry.clone(), node.clone());
                self.tasks.spawn("revives", async move {
                    sleep(Duration::from_millis(20)).await;
                    registry
                        .register(node, RegisterOptions::permanent().manual())
                        .await
                        .unwrap();
                });
            }
            _ => {}
        }
        self.inner.keep_alive().await
    }

    async fn update(&self, node: &Node) -> Result<()> {
        if self.fault != Fault::UpdatesInTwoSteps {
            return self.inner.update(node.clone()).await;
        }
        self.inner.revoke().await?;
        for _ in 0..4 {
            yield_now().await;
        }
        self.registry
            .register(node.clone(), RegisterOptions::permanent().manual())
            .await
            .map(drop)
    }

    async fn revoke(&self) -> Result<()> {
        let node = self.inner.node();
        let same = |other: &Node| other.service == node.service && other.id == node.id;
        match self.fault {
            Fault::RevokeDoesNothing => return Ok(()),
            Fault::RevokeRemovesAll => {
                for lease in self.leases(|other| other.service == node.service) {
                    lease.revoke().await?;
                }
            }
            Fault::SupersededRemoves => {
                for lease in self.leases(same) {
                    lease.revoke().await?;
                }
            }
            Fault::RevokeOfUnknownFails
                if self
                    .registry
                    .lookup(&node.service)
                    .await?
                    .get(&node.id)
                    .is_none() =>
            {
                return Err(Error::not_found("node is not registered"));
            }
            _ => {}
        }
        self.inner.revoke().await
    }
}
