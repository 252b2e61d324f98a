//! Keep: the background task behind one connection of a node.

use std::sync::Arc;

use gufo_core::{Connection, Error, Tasks};
use tokio::time::Instant;

use crate::{
    backoff::Backoff,
    endpoint::{Connecting, Target},
    preference::Destination,
    race::race,
    shared::Shared,
    telemetry::CHANNEL,
};

/// Starts what keeps the connections of a node; it ends, and they close, with the answer.
pub(crate) fn keep(node: &Destination, how: &Connecting, shared: &Arc<Shared>) -> Tasks {
    let tasks = Tasks::new();
    for _ in 0..how.connections {
        let keeper = Keeper {
            node: node.clone(),
            how: how.clone(),
            shared: Arc::clone(shared),
            down: vec![false; node.targets.len()],
            better: Backoff::patient(Arc::clone(&how.random)),
        };
        tasks.spawn("channel-connection", keeper.run());
    }
    tasks
}

/// What keeps one connection.
struct Keeper {
    node: Destination,
    how: Connecting,
    shared: Arc<Shared>,
    /// Endpoints whose last attempt failed: the first failure of a row is loud.
    down: Vec<bool>,
    /// When to look for a better endpoint than the one in use.
    better: Backoff,
}

impl Keeper {
    /// Connects, waits until the connection takes no more calls, connects again.
    async fn run(mut self) {
        let mut backoff = Backoff::new(Arc::clone(&self.how.random));
        // An endpoint that hangs up at once is tried after all others.
        let mut shaky = None;
        loop {
            let others = (0..self.node.targets.len()).filter(|index| Some(*index) != shaky);
            let order: Vec<_> = others.chain(shaky).collect();
            let Some((index, connection)) = self.connect(order).await else {
                if self.shared.trouble.is_final().is_some() {
                    self.shared.changed.notify_waiters();
                }
                backoff.wait().await;
                continue;
            };
            let (index, since) = self.hold(index, connection).await;
            let lasted = since.elapsed();
            shaky = (!Backoff::is_stable(lasted)).then_some(index);
            if index == 0 && shaky.is_none() {
                self.better.start_over();
            }
            backoff.wait_after(lasted).await;
        }
    }

    /// Holds a connection, or a better one that comes up, until it takes no more calls; which it
    /// was in the end, and since when.
    async fn hold(
        &mut self,
        mut index: usize,
        connection: Arc<dyn Connection>,
    ) -> (usize, Instant) {
        let mut since = Instant::now();
        let mut entered = self
            .shared
            .enter(&self.node.key, &self.name(index), connection);
        loop {
            tokio::select! {
                biased;
                () = entered.closed() => break,
                (better, connection) = self.better_than(index), if index > 0 => {
                    tracing::info!(
                        target: CHANNEL,
                        endpoint = %self.name(better),
                        instead_of = %self.name(index),
                        "a better endpoint is connected"
                    );
                    entered = entered.replace(&self.node.key, &self.name(better), connection);
                    (index, since) = (better, Instant::now());
                }
            }
        }
        drop(entered);
        tracing::debug!(
            target: CHANNEL,
            endpoint = %self.name(index),
            "the connection takes no more calls"
        );
        (index, since)
    }

    /// Tries the endpoints before this one, now and then, until one is connected.
    async fn better_than(&mut self, index: usize) -> (usize, Arc<dyn Connection>) {
        loop {
            self.better.wait().await;
            if let Some(connected) = self.connect(0..index).await {
                return connected;
            }
        }
    }

    /// Connects to the first of some endpoints that can be connected.
    async fn connect(
        &mut self,
        order: impl IntoIterator<Item = usize>,
    ) -> Option<(usize, Arc<dyn Connection>)> {
        let Self {
            node,
            how,
            shared,
            down,
            ..
        } = self;
        let failed = |index: usize, target: &Target, error: &Error| {
            shared.trouble.failed(&target.name, error);
            if std::mem::replace(&mut down[index], true) {
                tracing::debug!(target: CHANNEL, endpoint = %target.name, %error, "cannot connect");
            } else {
                tracing::warn!(target: CHANNEL, endpoint = %target.name, %error, "cannot connect");
            }
        };
        let (index, connection) = race(&node.targets, order, how, failed).await?;
        let endpoint = &node.targets[index].name;
        if std::mem::take(&mut down[index]) {
            tracing::info!(target: CHANNEL, %endpoint, "connected again");
        } else {
            tracing::debug!(target: CHANNEL, %endpoint, "connected");
        }
        Some((index, connection))
    }

    fn name(&self, index: usize) -> Arc<str> {
        Arc::clone(&self.node.targets[index].name)
    }
}
