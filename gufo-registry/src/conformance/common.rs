//! Checks that are common to every kind of backend.

use gufo_core::conformance::{Outcome, Verdict, ensure};
use gufo_core::registry::RegisterOptions;

use super::Harness;
use super::harness::{ensure_unimplemented, node, poll_once, service};

pub(super) async fn undeclared_is_unimplemented(h: &Harness) -> Verdict {
    let registry = h.open().await?;
    let declared = registry.capabilities();
    if !declared.list {
        ensure_unimplemented("list", registry.list().await.map(drop))?;
    }
    let Some(registry) = h.writable().await? else {
        return Ok(Outcome::Passed);
    };
    if !declared.permanent {
        let refused = registry
            .register(node("permanent", "n1"), RegisterOptions::permanent())
            .await;
        ensure_unimplemented("a permanent registration", refused.map(drop))?;
        h.keeps_finding(h.settle(), &registry, &service("permanent"), &[])
            .await?;
    }
    if !declared.update {
        let before = node("updated", "n1");
        let lease = registry
            .register(before.clone(), RegisterOptions::default())
            .await?;
        h.finds(&registry, &before.service, &["n1"]).await?;
        ensure_unimplemented(
            "update",
            lease.update(before.clone().with_metadata("k", "new")).await,
        )?;
        let snapshot = registry.lookup(&before.service).await?;
        ensure!(
            snapshot.nodes().iter().all(|node| **node == before),
            "the refused update changed the node"
        );
    }
    Ok(Outcome::Passed)
}

pub(super) async fn cancel_safe(h: &Harness) -> Verdict {
    let registry = h.open().await?;
    let name = service("cancelled");
    drop(poll_once(registry.lookup(&name)).await);
    drop(poll_once(registry.watch(&name)).await);
    drop(poll_once(registry.list()).await);
    let Some(registry) = h.writable().await? else {
        registry.lookup(&name).await?;
        return Ok(Outcome::Passed);
    };
    let lease = registry
        .register(node("cancelled", "n0"), RegisterOptions::default())
        .await?;
    drop(poll_once(registry.register(node("cancelled", "n1"), RegisterOptions::default())).await);
    drop(poll_once(registry.register(node("cancelled", "n1"), RegisterOptions::default())).await);
    drop(poll_once(lease.keep_alive()).await);
    drop(poll_once(lease.revoke()).await);
    lease.revoke().await?;

    let _kept = registry
        .register(node("after", "n2"), RegisterOptions::default())
        .await?;
    let mut watch = registry.watch(&service("after")).await?;
    h.finds(&registry, &service("after"), &["n2"]).await?;
    h.watch_shows(&mut watch, &["n2"]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn namespaces_isolated(h: &Harness) -> Verdict {
    let Some(registry) = h.writable().await? else {
        return Ok(Outcome::NotDeclared);
    };
    let other = h.open_other().await?;
    let name = service("isolated");
    let watch = other.watch(&name).await?;

    let _kept = registry
        .register(node("isolated", "n1"), RegisterOptions::default())
        .await?;
    h.finds(&registry, &name, &["n1"]).await?;

    h.keeps_finding(h.settle() / 5, &other, &name, &[]).await?;
    ensure!(
        watch.current().is_empty(),
        "a watch sees a node of another namespace"
    );
    if other.capabilities().list {
        let listed = other.list().await?;
        ensure!(
            !listed.contains(&name),
            "the list shows a service of another namespace"
        );
    }
    Ok(Outcome::Passed)
}
