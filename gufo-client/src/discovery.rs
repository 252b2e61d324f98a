//! Discovery: follows the nodes of a service in a registry.

use std::{sync::Arc, time::Duration};

use gufo_core::{
    Error, Health, Node, Registry, Result, ServiceName, Transports,
    random::Random,
    registry::{Snapshot, Watch},
};
use tokio::time::Instant;

use crate::{
    backoff::Backoff, endpoint::Target, endpoints::Endpoints, shared::Shared, telemetry::CHANNEL,
};

/// A service in a registry.
#[derive(Clone, Debug)]
pub(crate) struct Discovery {
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) service: ServiceName,
    pub(crate) transports: Transports,
    /// How long opening a watch may take.
    pub(crate) timeout: Duration,
}

impl Discovery {
    /// Keeps the endpoints of the service up to date for ever. What fails leaves them as they are.
    pub(crate) async fn follow(
        self,
        mut endpoints: Endpoints,
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
                    self.show(&watch.current(), &mut endpoints, &shared);
                    while let Some(snapshot) = watch.changed().await {
                        self.show(&snapshot, &mut endpoints, &shared);
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

    fn show(&self, snapshot: &Snapshot, endpoints: &mut Endpoints, shared: &Shared) {
        // Stale nodes are those of before an outage: good for a start, never a reason to let go.
        if snapshot.is_stale() && !endpoints.is_empty() {
            return;
        }
        let targets: Vec<_> = snapshot
            .nodes()
            .iter()
            .filter(|node| node.health != Health::Unhealthy && node.weight > 0)
            .filter_map(|node| self.target(node))
            .collect();
        endpoints.set(&targets);
        if targets.is_empty() {
            let (service, nodes) = (&self.service, snapshot.len());
            shared.trouble.discovery_failed(format!(
                "the registry knows {nodes} nodes of {service}, none of which can be called"
            ));
        }
    }

    /// The first endpoint of a node that a transport reaches.
    fn target(&self, node: &Node) -> Option<Target> {
        let target = node
            .endpoints
            .iter()
            .find_map(|endpoint| Target::of(endpoint.url(), &self.transports).ok());
        if target.is_none() {
            tracing::warn!(target: CHANNEL, node = %node.id, endpoints = ?node.endpoints, "no transport reaches the node");
        }
        target
    }
}
