//! Checks of watches.

use std::sync::Arc;

use gufo_core::Node;
use gufo_core::conformance::{Failure, Outcome, Verdict, ensure};
use gufo_core::registry::{Change, RegisterOptions};

use super::Harness;
use super::harness::{ids, node, service};
use super::registry::writable;

fn weighted(name: &str, id: &str, weight: u32) -> Node {
    let mut node = node(name, id);
    node.weight = weight;
    node
}

pub(super) async fn no_gap_between_snapshot_and_changes(h: &Harness) -> Verdict {
    let registry = writable!(h);
    for round in 0..16 {
        let name = format!("race-{round}");
        let registering = registry.register(node(&name, "n1"), RegisterOptions::default());
        let name = service(&name);
        let watching = registry.watch(&name);
        let (watch, lease) = if round % 2 == 0 {
            tokio::join!(watching, registering)
        } else {
            let (lease, watch) = tokio::join!(registering, watching);
            (watch, lease)
        };
        let _kept = lease?;
        h.watch_shows(&mut watch?, &["n1"]).await?;
    }
    Ok(Outcome::Passed)
}

pub(super) async fn last_state_wins(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("busy");
    let mut watch = registry.watch(&name).await?;
    let mut leases = Vec::new();
    for round in 0..40 {
        let id = format!("n{}", round % 7);
        leases.push(
            registry
                .register(weighted("busy", &id, round), RegisterOptions::default())
                .await?,
        );
        if round % 5 == 0 {
            leases[leases.len() / 2].revoke().await?;
        }
        // Lets a registry with a background task show what happened so far.
        tokio::task::yield_now().await;
    }
    let last = registry
        .register(weighted("busy", "last", 1), RegisterOptions::default())
        .await?;
    h.eventually(h.settle(), "lookup shows the last node", || async {
        Ok(registry.lookup(&name).await?.get(&last.node().id).is_some())
    })
    .await?;

    let wanted = registry.lookup(&name).await?;
    let mut seen = watch.current();
    h.changes_until(&mut watch, &mut seen, |snapshot| {
        snapshot.nodes() == wanted.nodes()
    })
    .await?;
    Ok(Outcome::Passed)
}

pub(super) async fn changes_are_complete(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let first = weighted("whole", "n1", 1).with_metadata("k", "v");
    let second = weighted("whole", "n1", 2).with_metadata("k", "w");
    let mut watch = registry.watch(&first.service).await?;
    let mut seen = watch.current();

    let _superseded = registry
        .register(first.clone(), RegisterOptions::default())
        .await?;
    let added = h
        .changes_until(&mut watch, &mut seen, |snapshot| !snapshot.is_empty())
        .await?;
    let lease = registry
        .register(second.clone(), RegisterOptions::default())
        .await?;
    let has_second = |snapshot: &gufo_core::registry::Snapshot| {
        snapshot.nodes().iter().any(|node| node.weight == 2)
    };
    let updated = h.changes_until(&mut watch, &mut seen, has_second).await?;
    lease.revoke().await?;
    let removed = h
        .changes_until(&mut watch, &mut seen, |snapshot| snapshot.is_empty())
        .await?;

    let second = Arc::new(second);
    ensure!(
        added == [Change::Added(Arc::new(first))],
        "Added is {added:?}"
    );
    ensure!(
        updated == [Change::Updated(Arc::clone(&second))],
        "Updated is {updated:?}"
    );
    ensure!(
        removed == [Change::Removed(second)],
        "Removed is {removed:?}"
    );
    Ok(Outcome::Passed)
}

pub(super) async fn per_node_order(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let mut watch = registry.watch(&service("ordered")).await?;
    let mut seen = watch.current();
    let mut leases = Vec::new();
    let writing = async {
        for weight in 1..=20 {
            leases.push(
                registry
                    .register(
                        weighted("ordered", "n1", weight),
                        RegisterOptions::default(),
                    )
                    .await?,
            );
            tokio::task::yield_now().await;
        }
        Ok::<_, Failure>(())
    };
    let is_last = |snapshot: &gufo_core::registry::Snapshot| {
        snapshot
            .nodes()
            .first()
            .is_some_and(|node| node.weight == 20)
    };
    let (written, changes) = tokio::join!(writing, h.changes_until(&mut watch, &mut seen, is_last));
    written?;

    let changes = changes?;
    let weights: Vec<_> = changes.iter().map(|change| change.node().weight).collect();
    ensure!(
        weights.is_sorted_by(|earlier, later| earlier < later),
        "one node was seen with the weights {weights:?}"
    );
    Ok(Outcome::Passed)
}

pub(super) async fn starts_empty(h: &Harness) -> Verdict {
    let registry = h.open().await?;
    let mut watch = registry.watch(&service("unknown.Service")).await?;
    ensure!(
        watch.current().is_empty(),
        "it starts with {:?}",
        ids(&watch.current())
    );
    let registry = writable!(h);
    let _kept = registry
        .register(node("unknown.Service", "n1"), RegisterOptions::default())
        .await?;
    h.watch_shows(&mut watch, &["n1"]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn many_watchers(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let mut watches = Vec::new();
    for _ in 0..64 {
        watches.push(registry.watch(&service("popular")).await?);
    }
    let one = registry
        .register(node("popular", "n1"), RegisterOptions::default())
        .await?;
    let _two = registry
        .register(node("popular", "n2"), RegisterOptions::default())
        .await?;
    for watch in &mut watches {
        h.watch_shows(watch, &["n1", "n2"]).await?;
    }
    one.revoke().await?;
    for watch in &mut watches {
        h.watch_shows(watch, &["n2"]).await?;
    }
    Ok(Outcome::Passed)
}
