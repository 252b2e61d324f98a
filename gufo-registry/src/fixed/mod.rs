//! `fixed://`: a list of endpoints that never changes, written in the URL. Read-only.
//!
//! ```text
//! fixed[+tls]://host[:port]{,host[:port]}[/service][?transport=grpc&version=0.0.0]
//! ```
//!
//! Each host is one healthy node, whose id is the host as written, without brackets. `transport` is the scheme of the
//! endpoints, `grpc` by default; with `fixed+tls` they are `grpc+tls`. Without a service the list stands for every service
//! that is asked for, and there is nothing to [`list`](gufo_core::Registry::list). Registering is `Unimplemented`.

mod config;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use gufo_core::registry::{
    Capabilities, Lease, RegisterOptions, Registry, Snapshot, Watch, WatchSender,
};
use gufo_core::{Endpoint, Error, Node, NodeId, Result, ServiceName};
use parking_lot::Mutex;

pub use config::Config;

/// A registry with a fixed set of nodes; see the [module](self).
#[derive(Debug)]
pub struct FixedRegistry {
    config: Config,
    /// Kept so that watches stay open, as they would at any registry.
    watches: Mutex<Vec<WatchSender>>,
}

impl FixedRegistry {
    /// Takes the list of `config`.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when the list is empty or holds two nodes of one id.
    pub fn open(config: Config) -> Result<Self> {
        if config.endpoints.is_empty() {
            return Err(Error::invalid_argument(
                "a fixed registry needs an endpoint: fixed://host:port/service",
            ));
        }
        let mut seen = BTreeSet::new();
        for endpoint in &config.endpoints {
            let id = node_id(endpoint)?;
            if !seen.insert(id.clone()) {
                return Err(Error::invalid_argument(format!(
                    "a fixed registry has two endpoints of node {id}"
                )));
            }
        }
        Ok(Self {
            config,
            watches: Mutex::default(),
        })
    }

    fn snapshot(&self, service: &ServiceName) -> Result<Snapshot> {
        if self
            .config
            .service
            .as_ref()
            .is_some_and(|known| known != service)
        {
            return Ok(Snapshot::default());
        }
        let node = |endpoint: &Endpoint| {
            let node = Node::new(service.clone(), node_id(endpoint)?)
                .with_version(self.config.version.clone())
                .with_endpoint(endpoint.clone());
            Ok(Arc::new(node))
        };
        let nodes: Result<Vec<_>> = self.config.endpoints.iter().map(node).collect();
        Ok(Snapshot::new(nodes?))
    }
}

/// The address of an endpoint, made of the characters that a node id may have.
fn node_id(endpoint: &Endpoint) -> Result<NodeId> {
    let (_, address) = endpoint.as_str().split_once("://").unwrap_or_default();
    let legal: String = address
        .chars()
        .filter(|c| !matches!(c, '[' | ']'))
        .map(|c| if c == '/' { ':' } else { c })
        .collect();
    NodeId::parse(&legal)
}

#[async_trait]
impl Registry for FixedRegistry {
    async fn register(&self, _: Node, _: RegisterOptions) -> Result<Lease> {
        Err(Error::unimplemented(
            "a fixed registry is read-only: its nodes stand in its url",
        ))
    }

    async fn lookup(&self, service: &ServiceName) -> Result<Snapshot> {
        self.snapshot(service)
    }

    async fn watch(&self, service: &ServiceName) -> Result<Watch> {
        let (sender, watch) = Watch::channel(self.snapshot(service)?);
        let mut watches = self.watches.lock();
        watches.retain(|watch| !watch.is_closed());
        watches.push(sender);
        Ok(watch)
    }

    async fn list(&self) -> Result<Vec<ServiceName>> {
        match &self.config.service {
            Some(service) => Ok(vec![service.clone()]),
            None => Err(Error::unimplemented(
                "a fixed registry without a service in its url stands for all of them",
            )),
        }
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.list = self.config.service.is_some();
        capabilities
    }
}

#[cfg(test)]
mod tests;
