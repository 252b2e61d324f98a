//! Registration: from what a server listens at to the nodes others find, and back.

mod advertise;
mod fitness;
mod keeper;
mod node;

use std::{sync::Arc, time::Duration};

use gufo_core::{Node, Registry, Result, Retry, Tasks, registry::RegisterOptions};

pub(crate) use self::fitness::Fitness;
use self::keeper::Keeper;
pub use self::node::NodeOptions;
use crate::telemetry::SERVER;

/// What a server does whose registry does not answer at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Registering {
    /// It ends with the error.
    #[default]
    First,
    /// It serves whoever knows its address, is not ready, and tries again in the background, after
    /// 500 ms at first and every 15 s at last. An error that repeating does not mend ends it all the
    /// same.
    Later,
}

/// The nodes of a server in a registry. None without a registry.
#[derive(Debug, Default)]
pub(crate) struct Registration {
    keeper: Option<Arc<Keeper>>,
    tasks: Tasks,
}

impl Registration {
    /// Registers the nodes whose services are fit, and from then on keeps them registered while
    /// they are.
    pub(crate) async fn start(
        registry: Arc<dyn Registry>,
        nodes: Vec<Node>,
        options: RegisterOptions,
        timeout: Duration,
        registering: Registering,
        fitness: Fitness,
    ) -> Result<Self> {
        let keeper = Arc::new(Keeper::new(registry, nodes, options, timeout, fitness));
        let registration = Self {
            keeper: Some(Arc::clone(&keeper)),
            tasks: Tasks::new(),
        };
        match keeper.register_all().await {
            Ok(()) => {}
            Err(error) if registering == Registering::Later && error.retry() != Retry::Never => {
                tracing::warn!(
                    target: SERVER,
                    %error,
                    "cannot register; serving all the same, and trying again"
                );
            }
            Err(error) => {
                keeper.withdraw_all(timeout).await;
                return Err(error);
            }
        }
        registration
            .tasks
            .spawn("registration", async move { keeper.run().await });
        Ok(registration)
    }

    /// From now on nothing is registered or withdrawn by itself.
    pub(crate) async fn halt(&self) {
        self.tasks.abort();
        self.tasks.join().await;
    }

    /// Removes the nodes from the registry, as far as it answers in time; the rest lapses. Whether
    /// there was anything to remove.
    pub(crate) async fn withdraw(&self, timeout: Duration) -> bool {
        match &self.keeper {
            Some(keeper) => keeper.withdraw_all(timeout).await,
            None => false,
        }
    }

    /// The nodes that are registered now.
    pub(crate) fn nodes(&self) -> Vec<Arc<Node>> {
        let keeper = self.keeper.as_ref();
        keeper.map_or_else(Vec::new, |keeper| keeper.nodes())
    }
}
