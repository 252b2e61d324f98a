//! [`Watch`]: the current snapshot of a service and the wait for the next one.

use std::sync::Arc;

use tokio::sync::watch;

use super::Snapshot;

/// The nodes of one service from the opening of the watch on.
///
/// It always holds the newest [`Snapshot`], so a slow reader skips states and never misses the last one, and costs no more
/// memory than a fast one. Clones read independently of each other; the subscription ends with the last of them.
#[derive(Debug, Clone)]
pub struct Watch {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    closed: Arc<watch::Sender<bool>>,
}

impl Watch {
    /// A watch and the end a backend feeds it from, starting with `initial`.
    #[must_use]
    pub fn channel(initial: Snapshot) -> (WatchSender, Self) {
        let (snapshots, receiver) = watch::channel(Arc::new(initial.at(1)));
        let (closed, is_closed) = watch::channel(false);
        (
            WatchSender {
                snapshots,
                closed: is_closed,
            },
            Self {
                snapshots: receiver,
                closed: Arc::new(closed),
            },
        )
    }

    /// The newest snapshot.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// Waits for a snapshot that this call has not answered before; `None` once the watch has ended.
    ///
    /// The snapshot from the opening counts as answered: read it with [`current`](Self::current).
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is lost.
    pub async fn changed(&mut self) -> Option<Arc<Snapshot>> {
        let mut closed = self.closed.subscribe();
        tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => None,
            changed = self.snapshots.changed() => match changed {
                Ok(()) => Some(Arc::clone(&self.snapshots.borrow_and_update())),
                Err(_) => None,
            },
        }
    }

    /// Ends the watch and all its clones, waking those that wait; repeating it does nothing.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }
}

/// The backend's end of a [`Watch`]. Dropping it ends the watch.
#[derive(Debug)]
pub struct WatchSender {
    snapshots: watch::Sender<Arc<Snapshot>>,
    closed: watch::Receiver<bool>,
}

impl WatchSender {
    /// Shows `snapshot` to the reader under the next epoch, unless it equals the one shown; answers whether it was shown.
    pub fn publish(&self, snapshot: Snapshot) -> bool {
        self.snapshots.send_if_modified(|shown| {
            let snapshot = snapshot.at(shown.epoch());
            if **shown == snapshot {
                return false;
            }
            *shown = Arc::new(snapshot.at(shown.epoch() + 1));
            true
        })
    }

    /// Shows the last nodes known as stale: the backend is out of reach. The next [`publish`](Self::publish) ends that.
    pub fn mark_stale(&self) -> bool {
        let last = Snapshot::clone(&self.snapshots.borrow());
        self.publish(last.into_stale())
    }

    /// Whether nobody reads any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        *self.closed.borrow() || self.closed.has_changed().is_err()
    }

    /// Waits until nobody reads any more.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn closed(&self) {
        // An error means that the last `Watch` is gone, which is the same answer.
        let _ = self.closed.clone().wait_for(|closed| *closed).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{NodeId, ServiceName};
    use crate::node::Node;

    fn snapshot(ids: &[&str]) -> Snapshot {
        let service = ServiceName::parse("greeter").unwrap();
        Snapshot::new(
            ids.iter()
                .map(|id| Arc::new(Node::new(service.clone(), NodeId::parse(id).unwrap()))),
        )
    }

    #[tokio::test]
    async fn a_slow_reader_sees_the_last_state() {
        let (sender, mut watch) = Watch::channel(snapshot(&[]));

        sender.publish(snapshot(&["a"]));
        sender.publish(snapshot(&["a", "b"]));

        assert_eq!(watch.changed().await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn epochs_grow_with_every_shown_state_only() {
        let (sender, watch) = Watch::channel(snapshot(&["a"]));
        let first = watch.current().epoch();

        assert!(!sender.publish(snapshot(&["a"])));
        assert_eq!(watch.current().epoch(), first);
        assert!(sender.publish(snapshot(&["b"])));

        assert_eq!(watch.current().epoch(), first + 1);
    }

    #[tokio::test]
    async fn an_outage_keeps_the_nodes_and_marks_them() {
        let (sender, watch) = Watch::channel(snapshot(&["a"]));

        assert!(sender.mark_stale());
        assert!(!sender.mark_stale());
        let during = watch.current();
        assert!(sender.publish(snapshot(&["a"])));
        let after = watch.current();

        assert_eq!((during.len(), during.is_stale()), (1, true));
        assert_eq!((after.len(), after.is_stale()), (1, false));
        assert!(after.epoch() > during.epoch());
    }

    #[tokio::test]
    async fn closing_wakes_every_clone_and_tells_the_backend() {
        let (sender, mut watch) = Watch::channel(snapshot(&[]));
        let other = watch.clone();
        assert!(!sender.is_closed());

        let (woken, ()) = tokio::join!(watch.changed(), async { other.close() });
        other.close();

        assert_eq!(woken, None);
        assert!(sender.is_closed());
        sender.closed().await;
    }

    #[tokio::test]
    async fn the_backend_sees_the_last_clone_go() {
        let (sender, watch) = Watch::channel(snapshot(&[]));
        let other = watch.clone();

        drop(watch);
        assert!(!sender.is_closed());
        drop(other);

        assert!(sender.is_closed());
        sender.closed().await;
    }

    #[tokio::test]
    async fn the_last_state_is_seen_before_the_end() {
        let (sender, mut watch) = Watch::channel(snapshot(&[]));

        sender.publish(snapshot(&["a"]));
        drop(sender);

        assert_eq!(watch.changed().await.unwrap().len(), 1);
        assert_eq!(watch.changed().await, None);
    }
}
