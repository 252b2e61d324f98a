//! [`Lease`]: a time-limited registration, kept alive until dropped or revoked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::KeepAlive;
use crate::node::Node;
use crate::task::Tasks;
use crate::{Code, Error, Result};

/// However short the TTL, keep-alives are no denser than this.
const SHORTEST_BEAT: Duration = Duration::from_millis(1);

/// What a backend does for a [`Lease`]; the lease calls one operation at a time and none after `revoke` has succeeded.
///
/// Dropping the future of an operation must leave the control usable, and whatever it still brings about must not outlive a
/// later `revoke`.
#[async_trait]
pub trait LeaseControl: fmt::Debug + Send + Sync + 'static {
    /// Makes `node` stand for another TTL, registering it again when the backend has lost it.
    ///
    /// # Errors
    ///
    /// `FailedPrecondition` when a later registration of the same node has taken over: the lease ends. Anything else is
    /// tried again.
    async fn keep_alive(&self, node: &Node) -> Result<()>;

    /// Replaces the record by `node` in one change, without touching the TTL.
    ///
    /// # Errors
    ///
    /// `Unimplemented` without [`Capabilities::update`](super::Capabilities::update), which is the default;
    /// `FailedPrecondition` as in [`keep_alive`](Self::keep_alive).
    async fn update(&self, node: &Node) -> Result<()> {
        let _ = node;
        Err(Error::unimplemented(
            "this registry cannot update a node in place",
        ))
    }

    /// Removes the node if it still stands by this lease; that it does not is no error.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the backend cannot be reached: the caller may repeat it.
    async fn revoke(&self) -> Result<()>;
}

/// Where a [`Lease`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LeaseState {
    /// The registry confirmed it within the TTL.
    Held,
    /// The last keep-alive failed, the TTL has not passed yet.
    Unconfirmed,
    /// The TTL passed without confirmation: others do not see the node. A keep-alive that succeeds takes the lease again.
    Lost,
    /// A later registration of the same node took over. Final.
    Superseded,
    /// It was revoked. Final.
    Revoked,
}

/// A registration that stands until it lapses or is revoked.
///
/// Dropping it stops the keep-alive and nothing else: the node lapses after its TTL. [`revoke`](Self::revoke) is the clean end.
#[derive(Debug)]
pub struct Lease {
    shared: Arc<Shared>,
    keep_alive: Tasks,
}

#[derive(Debug)]
struct Shared {
    control: Box<dyn LeaseControl>,
    ttl: Option<Duration>,
    node: Mutex<Arc<Node>>,
    progress: watch::Sender<Progress>,
    /// Held during every operation of `control`: what a keep-alive in flight writes, the `revoke` behind it removes.
    gate: tokio::sync::Mutex<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    revoked: bool,
}

#[derive(Debug, Clone, Copy)]
struct Progress {
    confirmed: Instant,
    failing: bool,
    ended: Option<LeaseState>,
}

impl Lease {
    /// Wraps what a backend has registered; it stands for `ttl` from now on, for ever with `None`.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, when there is something to keep alive.
    #[must_use]
    pub fn new(
        node: Node,
        ttl: Option<Duration>,
        keep_alive: KeepAlive,
        control: impl LeaseControl,
    ) -> Self {
        let progress = Progress {
            confirmed: Instant::now(),
            failing: false,
            ended: None,
        };
        let shared = Arc::new(Shared {
            control: Box::new(control),
            ttl,
            node: Mutex::new(Arc::new(node)),
            progress: watch::Sender::new(progress),
            gate: tokio::sync::Mutex::default(),
        });
        let tasks = Tasks::new();
        if let (KeepAlive::Auto, Some(ttl)) = (keep_alive, ttl) {
            tasks.spawn(
                "lease-keep-alive",
                keep_alive_until_ended(Arc::clone(&shared), ttl),
            );
        }
        Self {
            shared,
            keep_alive: tasks,
        }
    }

    /// The node as last registered or updated.
    #[must_use]
    pub fn node(&self) -> Arc<Node> {
        Arc::clone(&self.shared.node.lock())
    }

    /// The TTL the backend granted, at least the one asked for; `None` for a permanent registration.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.shared.ttl
    }

    /// Where the lease stands now.
    #[must_use]
    pub fn state(&self) -> LeaseState {
        self.shared.state_of(*self.shared.progress.borrow())
    }

    /// Waits until the lease is lost, superseded or revoked, and answers which.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn lost(&self) -> LeaseState {
        let mut changes = self.shared.progress.subscribe();
        loop {
            let progress = *changes.borrow_and_update();
            let state = self.shared.state_of(progress);
            if !matches!(state, LeaseState::Held | LeaseState::Unconfirmed) {
                return state;
            }
            let lapse = async {
                match self
                    .shared
                    .ttl
                    .and_then(|ttl| progress.confirmed.checked_add(ttl))
                {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = lapse => {}
                // The sender is in `self`, so this cannot fail.
                _ = changes.changed() => {}
            }
        }
    }

    /// Makes the node stand for another TTL; it takes a lost lease again. Needed with [`KeepAlive::Manual`] only.
    ///
    /// # Errors
    ///
    /// `FailedPrecondition` when the lease was revoked or superseded; `Unavailable` when the backend cannot be reached.
    ///
    /// # Cancel safety
    ///
    /// Safe: whether the keep-alive arrived is then unknown.
    pub async fn keep_alive(&self) -> Result<()> {
        self.shared.keep_alive().await
    }

    /// Replaces the record of the node, which watchers see as one change.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when service or id differ; `Unimplemented` without
    /// [`Capabilities::update`](super::Capabilities::update); `FailedPrecondition` when the lease was revoked or superseded.
    ///
    /// # Cancel safety
    ///
    /// Safe: the next keep-alive that has to register again may write either record.
    pub async fn update(&self, node: Node) -> Result<()> {
        let before = self.node();
        if before.service != node.service || before.id != node.id {
            return Err(Error::invalid_argument(format!(
                "an update keeps service and id: {} of {} cannot become {} of {}",
                before.id, before.service, node.id, node.service
            )));
        }
        let _gate = self.shared.gate.lock().await;
        self.shared.check_not_ended()?;
        let updated = self.shared.control.update(&node).await;
        self.shared.note_end(&updated);
        updated?;
        *self.shared.node.lock() = Arc::new(node);
        Ok(())
    }

    /// Removes the node from the registry and ends the lease; repeating it, or revoking a lapsed lease, does nothing.
    ///
    /// From the call on no keep-alive starts, and one in flight is waited for.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the backend cannot be reached: repeat it, or let the node lapse.
    ///
    /// # Cancel safety
    ///
    /// Safe: the keep-alive has stopped; repeat it to remove the node at once.
    pub async fn revoke(&self) -> Result<()> {
        self.shared.end(LeaseState::Revoked);
        let mut gate = self.shared.gate.lock().await;
        self.keep_alive.abort();
        if !gate.revoked {
            self.shared.control.revoke().await?;
            gate.revoked = true;
        }
        Ok(())
    }
}

impl Shared {
    fn state_of(&self, progress: Progress) -> LeaseState {
        let lapsed = self
            .ttl
            .is_some_and(|ttl| progress.confirmed.elapsed() >= ttl);
        match progress {
            Progress {
                ended: Some(state), ..
            } => state,
            _ if lapsed => LeaseState::Lost,
            Progress { failing: true, .. } => LeaseState::Unconfirmed,
            Progress { .. } => LeaseState::Held,
        }
    }

    fn end(&self, state: LeaseState) {
        self.progress.send_if_modified(|progress| {
            let is_first = progress.ended.is_none();
            progress.ended.get_or_insert(state);
            is_first
        });
    }

    fn note_end(&self, result: &Result<()>) {
        if result
            .as_ref()
            .is_err_and(|error| error.code() == Code::FailedPrecondition)
        {
            self.end(LeaseState::Superseded);
        }
    }

    fn check_not_ended(&self) -> Result<()> {
        match self.progress.borrow().ended {
            None => Ok(()),
            Some(LeaseState::Revoked) => Err(Error::failed_precondition("lease was revoked")),
            Some(_) => Err(Error::failed_precondition(
                "lease was superseded by a later registration of the node",
            )),
        }
    }

    async fn keep_alive(&self) -> Result<()> {
        let _gate = self.gate.lock().await;
        self.check_not_ended()?;
        // Counted from before the request: the backend may count from its arrival, which is later.
        let asked = Instant::now();
        let node = Arc::clone(&self.node.lock());
        let result = match self.ttl {
            None => self.control.keep_alive(&node).await,
            Some(ttl) => match timeout(ttl / 3, self.control.keep_alive(&node)).await {
                Ok(result) => result,
                Err(_) => Err(Error::deadline_exceeded(
                    "keep-alive was not answered within a third of the ttl",
                )),
            },
        };
        self.note_end(&result);
        self.progress.send_modify(|progress| {
            progress.failing = result.is_err();
            if result.is_ok() {
                progress.confirmed = asked;
            }
        });
        result
    }
}

/// Renews at a third of the TTL: two lost beats must not end the lease. After a failure it tries twice as often.
async fn keep_alive_until_ended(shared: Arc<Shared>, ttl: Duration) {
    let beat = (ttl / 3).max(SHORTEST_BEAT);
    let mut wait = beat;
    loop {
        sleep(wait).await;
        let result = shared.keep_alive().await;
        if shared.progress.borrow().ended.is_some() {
            return;
        }
        wait = match result {
            Ok(()) => beat,
            Err(error) => {
                let node = Arc::clone(&shared.node.lock());
                tracing::warn!(service = %node.service, node = %node.id, %error, "lease could not be kept alive");
                beat / 2
            }
        };
    }
}

#[cfg(test)]
mod tests;
