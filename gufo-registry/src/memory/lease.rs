//! What a lease does at the table.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gufo_core::registry::LeaseControl;
use gufo_core::{Error, Node, NodeId, Result, ServiceName};
use tokio::time::Instant;

use super::Shared;
use super::table::Ownership;

#[derive(Debug)]
pub(super) struct MemoryLease {
    shared: Arc<Shared>,
    service: ServiceName,
    id: NodeId,
    ttl: Option<Duration>,
    owner: Arc<Ownership>,
}

impl MemoryLease {
    pub(super) fn new(
        shared: Arc<Shared>,
        node: &Node,
        ttl: Option<Duration>,
        owner: Arc<Ownership>,
    ) -> Self {
        Self {
            shared,
            service: node.service.clone(),
            id: node.id.clone(),
            ttl,
            owner,
        }
    }

    fn check_owner(&self) -> Result<()> {
        if self.owner.is_superseded() {
            return Err(Error::failed_precondition(format!(
                "node {} was registered again",
                self.id
            )));
        }
        Ok(())
    }
}

#[async_trait]
impl LeaseControl for MemoryLease {
    async fn keep_alive(&self, node: &Node) -> Result<()> {
        self.check_owner()?;
        self.shared.write(node, self.ttl, &self.owner)
    }

    async fn update(&self, node: &Node) -> Result<()> {
        self.shared.check(node)?;
        if self
            .shared
            .table
            .lock()
            .update(node, &self.owner, Instant::now())
        {
            return Ok(());
        }
        self.check_owner()?;
        // The lease has lapsed: the update takes it again, as a keep-alive would.
        self.shared.write(node, self.ttl, &self.owner)
    }

    async fn revoke(&self) -> Result<()> {
        self.shared
            .table
            .lock()
            .remove(&self.service, &self.id, &self.owner);
        Ok(())
    }
}
