//! [`Harness`]: what a check works with.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use gufo_core::conformance::{Failure, ensure};
use gufo_core::random::{self, SplitMix};
use gufo_core::registry::{Change, RegisterOptions, Snapshot, Watch};
use gufo_core::{Code, Node, NodeId, Registry, Result, ServiceName};
use tokio::time::{Instant, sleep, timeout};

use super::Suite;

/// How much time a registry is given.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tolerance {
    /// Until an effect is visible; 5 s by default.
    pub settle: Duration,
    /// The TTL that checks use, raised to [`Capabilities::min_ttl`](gufo_core::registry::Capabilities::min_ttl); 1 s by
    /// default.
    pub lease: Duration,
    /// How much earlier than its TTL a lease may lapse, for the error of the backend's clock; 50 ms by default.
    pub clock_skew: Duration,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(5),
            lease: Duration::from_secs(1),
            clock_skew: Duration::from_millis(50),
        }
    }
}

/// What one check works with: a fresh namespace on the registry under test.
#[derive(Debug)]
pub struct Harness {
    suite: Suite,
    namespace: String,
}

impl Harness {
    pub(super) fn new(suite: Suite) -> Self {
        let namespace = format!("conformance-{}", random::id(&SplitMix::from_entropy()));
        Self { suite, namespace }
    }

    /// A handle on the namespace of this check.
    pub(super) async fn open(&self) -> Result<Arc<dyn Registry>> {
        (self.suite.open)(self.namespace.clone()).await
    }

    /// A handle on another namespace.
    pub(super) async fn open_other(&self) -> Result<Arc<dyn Registry>> {
        (self.suite.open)(format!("{}-other", self.namespace)).await
    }

    /// A handle to register with; `None` when the registry is read-only, and is so in fact.
    pub(super) async fn writable(&self) -> Result<Option<Arc<dyn Registry>>, Failure> {
        let registry = self.open().await?;
        if registry.capabilities().register {
            return Ok(Some(registry));
        }
        let node = node("registered", "n1");
        let refused = registry
            .register(node.clone(), RegisterOptions::default())
            .await;
        ensure_unimplemented("register", refused.map(drop))?;
        let snapshot = registry.lookup(&node.service).await?;
        ensure!(
            snapshot.get(&node.id).is_none(),
            "the refused node was registered nevertheless"
        );
        Ok(None)
    }

    pub(super) fn settle(&self) -> Duration {
        self.suite.tolerance.settle
    }

    pub(super) fn clock_skew(&self) -> Duration {
        self.suite.tolerance.clock_skew
    }

    /// The TTL for leases that are to lapse.
    pub(super) fn ttl(&self, registry: &dyn Registry) -> Duration {
        self.suite
            .tolerance
            .lease
            .max(registry.capabilities().min_ttl)
    }

    /// Waits until `condition` holds, at most `limit`.
    pub(super) async fn eventually<F, Fut>(
        &self,
        limit: Duration,
        what: &str,
        condition: F,
    ) -> Result<(), Failure>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<bool>>,
    {
        let deadline = Instant::now() + limit;
        loop {
            if condition().await? {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "not within {limit:?}: {what}");
            sleep(limit / 100).await;
        }
    }

    /// Waits until lookup answers exactly the nodes with these ids.
    pub(super) async fn finds(
        &self,
        registry: &dyn Registry,
        service: &ServiceName,
        wanted: &[&str],
    ) -> Result<(), Failure> {
        self.finds_within(self.settle(), registry, service, wanted)
            .await
    }

    /// Like [`finds`](Self::finds) with another limit.
    pub(super) async fn finds_within(
        &self,
        limit: Duration,
        registry: &dyn Registry,
        service: &ServiceName,
        wanted: &[&str],
    ) -> Result<(), Failure> {
        let what = format!("lookup of {service} answers {wanted:?}");
        self.eventually(limit, &what, || async {
            Ok(ids(&registry.lookup(service).await?) == wanted)
        })
        .await
    }

    /// Looks for `time` that lookup keeps answering exactly the nodes with these ids.
    pub(super) async fn keeps_finding(
        &self,
        time: Duration,
        registry: &dyn Registry,
        service: &ServiceName,
        wanted: &[&str],
    ) -> Result<(), Failure> {
        let start = Instant::now();
        while start.elapsed() < time {
            let snapshot = registry.lookup(service).await?;
            ensure!(
                ids(&snapshot) == wanted,
                "after {:?} lookup of {service} answers {:?} instead of {wanted:?}",
                start.elapsed(),
                ids(&snapshot)
            );
            sleep(time / 60).await;
        }
        Ok(())
    }

    /// Reads `watch` until a snapshot satisfies `wanted`, and answers every change on the way, those to `seen` first.
    pub(super) async fn changes_until(
        &self,
        watch: &mut Watch,
        seen: &mut Arc<Snapshot>,
        wanted: impl Fn(&Snapshot) -> bool,
    ) -> Result<Vec<Change>, Failure> {
        let mut changes = Vec::new();
        let mut next = watch.current();
        loop {
            changes.extend(next.changes_since(seen));
            *seen = next;
            if wanted(seen) {
                return Ok(changes);
            }
            next = match timeout(self.settle(), watch.changed()).await {
                Ok(Some(next)) => next,
                Ok(None) => return Err(Failure::new("the watch has ended")),
                Err(_) => {
                    return Err(Failure::new(format!(
                        "the watch shows nothing new for {:?}, last {:?}",
                        self.settle(),
                        ids(seen)
                    )));
                }
            };
        }
    }

    /// Like [`changes_until`](Self::changes_until), for the set of ids and without the changes.
    pub(super) async fn watch_shows(
        &self,
        watch: &mut Watch,
        wanted: &[&str],
    ) -> Result<(), Failure> {
        let mut seen = watch.current();
        self.changes_until(watch, &mut seen, |snapshot| ids(snapshot) == wanted)
            .await
            .map(drop)
    }
}

/// The ids of a snapshot, sorted.
pub(super) fn ids(snapshot: &Snapshot) -> Vec<&str> {
    snapshot
        .nodes()
        .iter()
        .map(|node| node.id.as_str())
        .collect()
}

pub(super) fn service(name: &str) -> ServiceName {
    ServiceName::parse(name).expect("invariant: checks use legal names")
}

pub(super) fn node(service_name: &str, id: &str) -> Node {
    Node::new(
        service(service_name),
        NodeId::parse(id).expect("invariant: checks use legal ids"),
    )
}

/// Options for a lease that nobody keeps alive.
pub(super) fn manual(ttl: Duration) -> RegisterOptions {
    RegisterOptions::ttl(ttl).manual()
}

pub(super) fn ensure_unimplemented(what: &str, result: Result<()>) -> Result<(), Failure> {
    match result {
        Ok(()) => Err(Failure::new(format!(
            "{what} is not declared and succeeded"
        ))),
        Err(error) if error.code() == Code::Unimplemented => Ok(()),
        Err(error) => Err(Failure::new(format!(
            "{what} is not declared and answers {:?}: {error}",
            error.code()
        ))),
    }
}

/// What `future` answers when it is polled once; it is dropped afterwards.
pub(super) async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    use std::task::Poll;
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
