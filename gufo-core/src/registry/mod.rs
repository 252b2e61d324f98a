//! [`Registry`]: where nodes are registered and watched. The contract; backends are in `gufo-registry`.

mod lease;
mod snapshot;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use lease::{Lease, LeaseControl, LeaseState};
pub use snapshot::{Change, Snapshot};
pub use watch::{Watch, WatchSender};

use crate::name::ServiceName;
use crate::node::Node;
use crate::{Error, Result};

/// Where nodes are registered, looked up and watched.
///
/// A handle is opened on one namespace and sees nothing of others. Cloning is by `Arc`; `Arc<R>` and `Box<R>` are
/// registries too.
///
/// # Contract
///
/// Behind each promise stand the checks of `gufo_registry::conformance` that hold a registry to it.
///
/// Registering
/// 1. A registered node is found by every handle on the namespace within the settle time (`visible_within_settle`,
///    `visible_from_second_handle`), with every field unchanged (`node_round_trip`, `endpoints_round_trip`).
/// 2. Registering a node again replaces its record (`re_register_replaces`), and the earlier lease is superseded: it neither
///    extends nor removes the new record (`superseded_lease_is_harmless`).
/// 3. Nodes and versions of one service add up (`nodes_merge`, `versions_accumulate`), also when registered concurrently
///    (`concurrent_registrations`), and live and die independently (`same_name_is_not_same_node`).
/// 4. Metadata up to [`Capabilities::max_metadata`] is kept as it is; more is `ResourceExhausted` and leaves nothing behind
///    (`metadata_limits`).
/// 5. Withdrawing removes everything that was written for the node and nothing else (`withdraw_one_version`,
///    `withdraw_is_complete`); withdrawing what is gone is no error (`withdraw_unknown_ok`).
///
/// Looking up
/// 6. A service without a live node is an empty snapshot, not an error (`unknown_service_is_empty`), and is in no list
///    (`no_empty_services`, `list_totals`). An outage is `Unavailable` or a stale snapshot, never empty.
/// 7. Names that share a prefix (`names_isolated`) and namespaces (`namespaces_isolated`) never mix.
///
/// Leases
/// 8. A lease that nobody keeps alive lapses, not before its TTL (`lapses_without_keep_alive`), for every reader
///    (`ttl_removes_nodes`); kept alive, it holds without a gap (`holds_with_keep_alive`, `renewal_keeps_alive`).
/// 9. A TTL below [`Capabilities::min_ttl`] is raised to it or refused, never cut (`ttl_is_not_cut`).
/// 10. Revoking removes the node (`revoke_removes`), may be repeated (`revoke_is_idempotent`), and wins over a keep-alive in
///     flight (`revoke_beats_keep_alive`).
/// 11. Dropping a lease stops its keep-alive and does nothing else (`drop_stops_keep_alive`).
/// 12. An update is one change to watchers (`update_is_atomic`).
///
/// Watching
/// 13. A watch has a snapshot from the start, empty when there is no node (`starts_empty`), and then every later state; a
///     change that races with the start is in one or the other (`no_gap_between_snapshot_and_changes`).
/// 14. States may be skipped, the last one never is (`last_state_wins`), and none comes after a later one
///     (`per_node_order`, `watch_sees_create_then_remove`).
/// 15. Expiry is seen like withdrawal (`expiry_is_a_change`), and changes carry the whole node (`changes_are_complete`).
/// 16. A watch sees its own service only (`watch_filter`), delays no other (`many_watchers`), and waits until it is closed
///     (`watch_close_unblocks`). An outage does not end it: the last nodes stay, marked stale.
///
/// Everywhere
/// 17. What [`Capabilities`] does not declare is `Unimplemented`, at once and without effect (`undeclared_is_unimplemented`).
/// 18. Dropping the future of any operation leaves the handle usable (`cancel_safe`).
#[async_trait]
pub trait Registry: fmt::Debug + Send + Sync + 'static {
    /// Registers `node` until the lease lapses or is revoked.
    ///
    /// # Errors
    ///
    /// `Unimplemented` on a read-only registry, `ResourceExhausted` for too much metadata, `Unavailable` when the backend
    /// cannot be reached.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may leave the node registered, without keep-alive: it lapses after its TTL.
    async fn register(&self, node: Node, options: RegisterOptions) -> Result<Lease>;

    /// The nodes of `service` now, possibly none.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the backend cannot be reached and nothing is known from before.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    async fn lookup(&self, service: &ServiceName) -> Result<Snapshot>;

    /// The nodes of `service` from now on, as long as this handle or one of its clones lives.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the backend cannot be reached at the start; later outages show as stale snapshots.
    ///
    /// # Cancel safety
    ///
    /// Safe: a dropped call leaves no subscription.
    async fn watch(&self, service: &ServiceName) -> Result<Watch>;

    /// The services that have a live node, sorted.
    ///
    /// # Errors
    ///
    /// `Unimplemented` without [`Capabilities::list`], which is the default; `Unavailable` during an outage.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    async fn list(&self) -> Result<Vec<ServiceName>> {
        Err(Error::unimplemented("this registry cannot list services"))
    }

    /// What this registry can do.
    fn capabilities(&self) -> Capabilities;
}

macro_rules! forward {
    ($($pointer:ident)*) => {$(
        #[async_trait]
        impl<R: Registry + ?Sized> Registry for $pointer<R> {
            async fn register(&self, node: Node, options: RegisterOptions) -> Result<Lease> {
                (**self).register(node, options).await
            }

            async fn lookup(&self, service: &ServiceName) -> Result<Snapshot> {
                (**self).lookup(service).await
            }

            async fn watch(&self, service: &ServiceName) -> Result<Watch> {
                (**self).watch(service).await
            }

            async fn list(&self) -> Result<Vec<ServiceName>> {
                (**self).list().await
            }

            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }
        }
    )*};
}
forward!(Arc Box);

/// How long a registration stands and who keeps it alive.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegisterOptions {
    /// How long the node stands without a keep-alive; 15 s by default.
    pub lifetime: Lifetime,
    /// Who keeps the lease alive; the lease itself by default.
    pub keep_alive: KeepAlive,
}

/// How long a registration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lifetime {
    /// This long after the registration or the last keep-alive.
    Ttl(Duration),
    /// Until revoked; needs [`Capabilities::permanent`].
    Permanent,
}

/// Who keeps a lease alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeepAlive {
    /// The [`Lease`], in the background, until it is dropped or revoked.
    #[default]
    Auto,
    /// The application, by calling [`Lease::keep_alive`].
    Manual,
}

impl RegisterOptions {
    /// The default options with another TTL.
    #[must_use]
    pub fn ttl(ttl: Duration) -> Self {
        Self {
            lifetime: Lifetime::Ttl(ttl),
            ..Self::default()
        }
    }

    /// Options for a registration that stands until revoked.
    #[must_use]
    pub fn permanent() -> Self {
        Self {
            lifetime: Lifetime::Permanent,
            ..Self::default()
        }
    }

    /// Leaves the keep-alive to the application.
    #[must_use]
    pub fn manual(mut self) -> Self {
        self.keep_alive = KeepAlive::Manual;
        self
    }
}

impl Default for RegisterOptions {
    fn default() -> Self {
        Self {
            lifetime: Lifetime::Ttl(Duration::from_secs(15)),
            keep_alive: KeepAlive::Auto,
        }
    }
}

/// What a registry can do; nothing by default but looking up and watching.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Nodes can be registered.
    pub register: bool,
    /// [`Registry::list`] answers.
    pub list: bool,
    /// [`Lease::update`] works, and is one change to watchers.
    pub update: bool,
    /// [`Lifetime::Permanent`] is possible.
    pub permanent: bool,
    /// The shortest TTL; shorter ones are raised to it.
    pub min_ttl: Duration,
    /// The most bytes of metadata of one node, see [`Node::metadata_len`]; `None` for no limit of its own.
    pub max_metadata: Option<usize>,
}
