//! Discovery: follows the nodes of a service in a registry.

use std::{sync::Arc, time::Duration};

use gufo_core::{
    Error, Health, Node, Registry, Result, ServiceName,
    random::Random,
    registry::{Snapshot, Watch},
};
use tokio::time::Instant;

use crate::{
    backoff::Backoff,
    nodes::Nodes,
    preference::{Destination, Preference},
    shared::Shared,
    telemetry::CHANNEL,
};

/// A service in a registry.
#[derive(Clone, Debug)]
pub(crate) struct Discovery {
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) service: ServiceName,
    pub(crate) preference: Preference,
    /// How long opening a watch may take.
    pub(crate) timeout: Duration,
}

impl Discovery {
    /// Keeps the nodes of the service up to date for ever. What fails leaves them as they are.
    pub(crate) async fn follow(
        self,
        mut nodes: Nodes,
        shared: Arc<Shared>,
        random: Arc<dyn Random>,
    ) {
        let mut backoff = Backoff::new(random);
        let mut is_down = false;
        loop {
            let (reason, lasted) = match self.watch().await {
                Ok(mut watch) => {
                    is_down = false;
                    let since = Instant::now();
                    self.show(&watch.current(), &mut nodes, &shared);
                    while let Some(snapshot) = watch.changed().await {
                        self.show(&snapshot, &mut nodes, &shared);
                    }
                    ("it ended the watch".to_owned(), since.elapsed())
                }
                Err(error) => (error.to_string(), Duration::ZERO),
            };
            let service = &self.service;
            if std::mem::replace(&mut is_down, true) {
                tracing::debug!(target: CHANNEL, %service, reason, "cannot follow the registry");
            } else {
                tracing::warn!(target: CHANNEL, %service, reason, "cannot follow the registry");
            }
            let text = format!("the registry cannot be asked for {service}: {reason}");
            shared.trouble.discovery_failed(text);
            backoff.wait_after(lasted).await;
        }
    }

    async fn watch(&self) -> Result<Watch> {
        match tokio::time::timeout(self.timeout, self.registry.watch(&self.service)).await {
            Ok(watch) => watch,
            Err(_) => Err(Error::unavailable(format!(
                "no answer within {:?}",
                self.timeout
            ))),
        }
    }

    fn show(&self, snapshot: &Snapshot, nodes: &mut Nodes, shared: &Shared) {
        // Stale nodes are those of before an outage: good for a start, never a reason to let go.
        if snapshot.is_stale() && !nodes.is_empty() {
            return;
        }
        let reached: Vec<_> = snapshot
            .nodes()
            .iter()
            .filter(|node| node.health != Health::Unhealthy && node.weight > 0)
            .filter_map(|node| self.destination(node))
            .collect();
        nodes.set(&reached);
        if reached.is_empty() {
            let (service, known) = (&self.service, snapshot.len());
            shared.trouble.discovery_failed(format!(
                "the registry knows {known} nodes of {service}, none of which can be called"
            ));
        }
    }

    fn destination(&self, node: &Node) -> Option<Destination> {
        let destination = self.preference.node(node);
        if destination.is_none() {
            tracing::warn!(target: CHANNEL, node = %node.id, endpoints = ?node.endpoints, "no transport reaches the node");
        }
        destination
    }
}
