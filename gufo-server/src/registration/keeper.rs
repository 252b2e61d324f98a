//! Keeper: holds the nodes of a server in its registry while their services are fit.

use std::{sync::Arc, time::Duration};

use gufo_core::{
    Deadline, Error, Node, Registry, Result,
    random::{SplitMix, jitter},
    registry::{Lease, LeaseState, RegisterOptions},
};
use parking_lot::Mutex;

use super::Fitness;
use crate::telemetry::SERVER;

/// The first wait after a failure, and the longest, before chance moves them.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));
/// How far chance moves a wait, so that servers do not come back together after an outage.
const JITTER: f64 = 0.2;

/// What a server has to be found by, and by what it is found now.
#[derive(Debug)]
pub(super) struct Keeper {
    registry: Arc<dyn Registry>,
    nodes: Vec<Node>,
    /// Of each node, in the same order.
    leases: Mutex<Vec<Option<Arc<Lease>>>>,
    options: RegisterOptions,
    /// How long an answer of the registry may take.
    timeout: Duration,
    fitness: Fitness,
}

impl Keeper {
    pub(super) fn new(
        registry: Arc<dyn Registry>,
        nodes: Vec<Node>,
        options: RegisterOptions,
        timeout: Duration,
        fitness: Fitness,
    ) -> Self {
        Self {
            registry,
            leases: Mutex::new(nodes.iter().map(|_| None).collect()),
            nodes,
            options,
            timeout,
            fitness,
        }
    }

    /// Registers what is fit; the first failure ends it.
    pub(super) async fn register_all(&self) -> Result<()> {
        let deadline = Deadline::after(self.timeout);
        for (index, node) in self.nodes.iter().enumerate() {
            if self.is_fit(node) {
                self.register(index, deadline).await?;
            }
        }
        self.fitness.ready();
        Ok(())
    }

    /// Follows the fitness of the services for ever.
    pub(super) async fn run(&self) {
        let random = SplitMix::from_entropy();
        let mut news = self.fitness.news();
        let (first, longest) = RETRY;
        let mut wait = first;
        loop {
            if self.settle().await {
                self.fitness.ready();
                wait = first;
                news.next().await;
                continue;
            }
            tokio::select! {
                () = news.next() => {}
                () = tokio::time::sleep(jitter(&random, wait, JITTER)) => {}
            }
            wait = (wait * 2).min(longest);
        }
    }

    /// Registers what is fit and is not registered, withdraws what is registered and not fit;
    /// whether all of it succeeded.
    async fn settle(&self) -> bool {
        let mut is_settled = true;
        for (index, node) in self.nodes.iter().enumerate() {
            let deadline = Deadline::after(self.timeout);
            let lease = self.lease(index);
            let is_held = lease.as_ref().is_some_and(is_held);
            let service = &node.service;
            let done = match lease {
                Some(lease) if !self.is_fit(node) => {
                    tracing::warn!(target: SERVER, %service, "not fit for calls: withdrawing the node");
                    self.revoke(index, &lease, deadline).await
                }
                _ if is_held || !self.is_fit(node) => Ok(()),
                _ => self.register(index, deadline).await.inspect(
                    |()| tracing::info!(target: SERVER, %service, "the node is registered"),
                ),
            };
            if let Err(error) = done {
                tracing::warn!(target: SERVER, %service, %error, "the registry is behind; trying again");
                is_settled = false;
            }
        }
        is_settled
    }

    /// Removes every node, as far as the registry answers in time; whether there was one.
    pub(super) async fn withdraw_all(&self, timeout: Duration) -> bool {
        let deadline = Deadline::after(timeout);
        let mut any = false;
        for (index, node) in self.nodes.iter().enumerate() {
            let Some(lease) = self.lease(index) else {
                continue;
            };
            any = true;
            if let Err(error) = self.revoke(index, &lease, deadline).await {
                tracing::warn!(
                    target: SERVER,
                    service = %node.service,
                    %error,
                    "cannot withdraw the node; it lapses after its ttl"
                );
            }
        }
        any
    }

    /// The nodes that are registered.
    pub(super) fn nodes(&self) -> Vec<Arc<Node>> {
        let leases = self.leases.lock();
        let held = leases.iter().flatten().filter(|lease| is_held(lease));
        held.map(|lease| lease.node()).collect()
    }

    fn is_fit(&self, node: &Node) -> bool {
        self.fitness.is_fit(node.service.as_str())
    }

    fn lease(&self, index: usize) -> Option<Arc<Lease>> {
        self.leases.lock()[index].clone()
    }

    async fn register(&self, index: usize, deadline: Deadline) -> Result<()> {
        let node = self.nodes[index].clone();
        let service = node.service.clone();
        let registering = self.registry.register(node, self.options.clone());
        let lease = self.answer(registering, deadline).await;
        let lease = lease.map_err(|it| it.operation("register").context("service", service))?;
        self.leases.lock()[index] = Some(Arc::new(lease));
        Ok(())
    }

    async fn revoke(&self, index: usize, lease: &Lease, deadline: Deadline) -> Result<()> {
        self.answer(lease.revoke(), deadline).await?;
        self.leases.lock()[index] = None;
        Ok(())
    }

    async fn answer<T>(
        &self,
        asked: impl Future<Output = Result<T>>,
        deadline: Deadline,
    ) -> Result<T> {
        tokio::select! {
            biased;
            answer = asked => answer,
            () = deadline.reached() => Err(Error::unavailable("the registry did not answer in time")),
        }
    }
}

/// A lease that was to be revoked keeps nothing alive any more, even where that failed.
fn is_held(lease: &Arc<Lease>) -> bool {
    lease.state() != LeaseState::Revoked
}
