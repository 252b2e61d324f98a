//! Checks of leases.

use std::sync::Arc;
use std::time::Duration;

use gufo_core::Code;
use gufo_core::conformance::{Failure, Outcome, Verdict, ensure};
use gufo_core::registry::{Change, RegisterOptions, Registry};
use tokio::time::{Instant, sleep};

use super::Harness;
use super::harness::{ensure_unimplemented, manual, node, service};
use super::registry::writable;

/// Measures how long a node without keep-alive is found: not shorter than `asked`, not longer than granted and settle.
async fn lapses_in_time(
    h: &Harness,
    registry: &dyn Registry,
    id: &str,
    asked: Duration,
) -> Result<(), Failure> {
    let name = service("lapsing");
    let before = Instant::now();
    let lease = registry
        .register(node("lapsing", id), manual(asked))
        .await?;
    let registered = Instant::now();
    let granted = lease.ttl().unwrap_or(Duration::MAX);
    ensure!(
        granted >= asked,
        "a TTL of {asked:?} was cut to {granted:?}"
    );
    let wanted = node("lapsing", id).id;
    let found = || async { Ok(registry.lookup(&name).await?.get(&wanted).is_some()) };
    h.eventually(h.settle(), "the node is found", found).await?;
    loop {
        let is_found = found().await?;
        let now = Instant::now();
        if !is_found {
            let held = now - before;
            ensure!(
                held + h.clock_skew() >= granted,
                "the lease of {granted:?} lapsed after {held:?}"
            );
            return Ok(());
        }
        ensure!(
            now - registered <= granted + h.settle(),
            "the lease of {granted:?} has not lapsed after {:?}",
            now - registered
        );
        sleep(granted / 60).await;
    }
}

pub(super) async fn lapses_without_keep_alive(h: &Harness) -> Verdict {
    let registry = writable!(h);
    lapses_in_time(h, &registry, "n1", h.ttl(&registry)).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn holds_with_keep_alive(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let ttl = h.ttl(&registry);
    let lease = registry
        .register(node("held", "n1"), RegisterOptions::ttl(ttl))
        .await?;
    let granted = lease.ttl().unwrap_or(ttl);
    h.finds(&registry, &service("held"), &["n1"]).await?;
    h.keeps_finding(granted * 4, &registry, &service("held"), &["n1"])
        .await?;
    Ok(Outcome::Passed)
}

pub(super) async fn revoke_removes(h: &Harness) -> Verdict {
    let registry = writable!(h);
    // A TTL so long that only the revoke can be the cause.
    let lease = registry
        .register(
            node("revoked", "n1"),
            RegisterOptions::ttl(h.settle() * 100),
        )
        .await?;
    h.finds(&registry, &service("revoked"), &["n1"]).await?;
    lease.revoke().await?;
    h.finds(&registry, &service("revoked"), &[]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn revoke_is_idempotent(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("revoked");
    let ttl = h.ttl(&registry);
    let twice = registry
        .register(node("revoked", "n1"), RegisterOptions::ttl(ttl))
        .await?;
    twice.revoke().await?;
    twice.revoke().await?;

    let lapsed = registry
        .register(node("revoked", "n2"), manual(ttl))
        .await?;
    h.finds_within(
        lapsed.ttl().unwrap_or(ttl) + h.settle(),
        &registry,
        &name,
        &[],
    )
    .await?;
    sleep(lapsed.ttl().unwrap_or(ttl)).await;
    lapsed.revoke().await?;
    h.finds(&registry, &name, &[]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn drop_stops_keep_alive(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("dropped");
    let ttl = h.ttl(&registry);
    let lease = registry
        .register(node("dropped", "n1"), RegisterOptions::ttl(ttl))
        .await?;
    let granted = lease.ttl().unwrap_or(ttl);
    h.finds(&registry, &name, &["n1"]).await?;
    h.keeps_finding(granted * 2, &registry, &name, &["n1"])
        .await?;

    drop(lease);
    h.finds_within(granted + h.settle(), &registry, &name, &[])
        .await?;
    Ok(Outcome::Passed)
}

pub(super) async fn revoke_beats_keep_alive(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("raced");
    let ttl = h.ttl(&registry);
    for round in 0..8 {
        let lease = registry
            .register(
                node("raced", &format!("n{round}")),
                RegisterOptions::ttl(ttl),
            )
            .await?;
        let (kept, revoked) = if round % 2 == 0 {
            tokio::join!(lease.keep_alive(), lease.revoke())
        } else {
            let (revoked, kept) = tokio::join!(lease.revoke(), lease.keep_alive());
            (kept, revoked)
        };
        revoked?;
        if let Err(error) = kept {
            ensure!(
                error.code() == Code::FailedPrecondition,
                "a keep-alive of a revoked lease is {:?}",
                error.code()
            );
        }
    }
    h.finds(&registry, &name, &[]).await?;
    h.keeps_finding(ttl * 2, &registry, &name, &[]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn ttl_is_not_cut(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let ttl = h.ttl(&registry);
    let too_short = registry.capabilities().min_ttl / 2;
    let too_fine = ttl + ttl / 2 + Duration::from_micros(1);
    for (id, asked) in [("n1", too_short), ("n2", too_fine)] {
        match registry.register(node("lapsing", id), manual(asked)).await {
            Ok(lease) => lease.revoke().await?,
            Err(error) if error.code() == Code::InvalidArgument => continue,
            Err(error) => return Err(error.into()),
        }
        lapses_in_time(h, &registry, id, asked).await?;
    }
    Ok(Outcome::Passed)
}

pub(super) async fn update_is_atomic(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let before = node("updated", "n1");
    let mut after = before.clone().with_metadata("k", "new");
    after.weight = 7;
    let lease = registry
        .register(before.clone(), RegisterOptions::default())
        .await?;
    let mut watch = registry.watch(&before.service).await?;
    h.watch_shows(&mut watch, &["n1"]).await?;
    let mut seen = watch.current();
    if !registry.capabilities().update {
        ensure_unimplemented("update", lease.update(after).await)?;
        return Ok(Outcome::NotDeclared);
    }

    let reading = h.changes_until(&mut watch, &mut seen, |snapshot| {
        snapshot
            .nodes()
            .first()
            .is_some_and(|node| node.weight == 7)
    });
    let (changes, updated) = tokio::join!(reading, lease.update(after.clone()));
    updated?;

    let (changes, wanted) = (changes?, [Change::Updated(Arc::new(after))]);
    ensure!(changes == wanted, "expected {wanted:?}, found {changes:?}");
    Ok(Outcome::Passed)
}

pub(super) async fn superseded_lease_is_harmless(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("superseded");
    let ttl = h.ttl(&registry);
    let old = registry
        .register(
            node("superseded", "n1").with_metadata("k", "old"),
            manual(ttl),
        )
        .await?;
    let new = registry
        .register(
            node("superseded", "n1").with_metadata("k", "new"),
            RegisterOptions::ttl(ttl),
        )
        .await?;
    h.finds(&registry, &name, &["n1"]).await?;

    match old.keep_alive().await {
        Ok(()) => return Err(Failure::new("a superseded lease was kept alive")),
        Err(error) => ensure!(
            error.code() == Code::FailedPrecondition,
            "a superseded lease is {:?}",
            error.code()
        ),
    }
    old.revoke().await?;
    h.keeps_finding(new.ttl().unwrap_or(ttl) * 2, &registry, &name, &["n1"])
        .await?;
    let snapshot = registry.lookup(&name).await?;
    ensure!(
        snapshot.nodes()[0].metadata["k"] == "new",
        "the old record is back"
    );
    Ok(Outcome::Passed)
}
