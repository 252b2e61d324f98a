//! A watch of the memory registry, spoiled in one way on its way to the reader.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gufo_core::registry::{Snapshot, Watch, WatchSender};
use gufo_core::{Node, Registry, Result, ServiceName};
use gufo_registry::memory::MemoryRegistry;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::Fault;
use crate::registry::Broken;

impl Broken {
    pub(crate) async fn broken_watch(&self, service: &ServiceName) -> Result<Watch> {
        let fault = self.fault;
        let before = self.inner.lookup(service).await?;
        if fault == Fault::DropsChangesAtTheStart {
            yield_now().await;
            yield_now().await;
        }
        let mut source = self.inner.watch(service).await?;
        let (sender, watch) = Watch::channel(match fault {
            Fault::DropsChangesAtTheStart => before,
            _ => spoil(fault, &source.current()),
        });
        match fault {
            Fault::WatchEndsAtOnce => return Ok(watch),
            Fault::WatchSeesEverything => self
                .tasks
                .spawn("relay", everything(self.inner.clone(), sender)),
            Fault::FirstWatcherOnly if self.watched.fetch_add(1, Ordering::Relaxed) > 0 => {
                self.tasks
                    .spawn("silent", async move { sender.closed().await });
            }
            Fault::SilentExpiry
            | Fault::DropsChangesAtTheStart
            | Fault::DropsChangesForSlowReaders
            | Fault::ReordersChanges
            | Fault::WatchStripsNodes => self.tasks.spawn("relay", async move {
                let mut last = (*source.current()).clone();
                while let Some(next) = source.changed().await {
                    show(fault, &sender, &last, &next).await;
                    if fault == Fault::DropsChangesForSlowReaders {
                        // What happens during the pause is read and thrown away.
                        sleep(Duration::from_millis(10)).await;
                        source = renewed(source).await;
                    }
                    last = (*next).clone();
                }
            }),
            _ => return Ok(source),
        }
        Ok(watch)
    }
}

async fn show(fault: Fault, sender: &WatchSender, last: &Snapshot, next: &Snapshot) {
    match fault {
        Fault::SilentExpiry if next.len() < last.len() => {}
        Fault::ReordersChanges => {
            for snapshot in [next, last, next] {
                sender.publish(snapshot.clone());
                yield_now().await;
            }
        }
        _ => {
            sender.publish(spoil(fault, next));
        }
    }
}

fn spoil(fault: Fault, snapshot: &Snapshot) -> Snapshot {
    let strip = |node: &Arc<Node>| {
        let mut node = Node::clone(node);
        if fault == Fault::WatchStripsNodes {
            node.metadata.clear();
        }
        Arc::new(node)
    };
    Snapshot::new(snapshot.nodes().iter().map(strip))
}

/// The same watch with everything so far counted as seen.
async fn renewed(mut source: Watch) -> Watch {
    tokio::select! {
        biased;
        _ = source.changed() => {}
        () = std::future::ready(()) => {}
    }
    source
}

async fn everything(registry: MemoryRegistry, sender: WatchSender) {
    loop {
        let mut nodes = Vec::new();
        for service in registry.list().await.unwrap() {
            nodes.extend_from_slice(registry.lookup(&service).await.unwrap().nodes());
        }
        sender.publish(Snapshot::new(nodes));
        sleep(Duration::from_millis(20)).await;
    }
}
