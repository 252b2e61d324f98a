//! Checks of registering, looking up and listing.

use std::collections::BTreeSet;
use std::sync::Arc;

use gufo_core::conformance::{Failure, Outcome, Verdict, ensure};
use gufo_core::registry::{Change, Lease, RegisterOptions, Registry};
use gufo_core::{Code, Endpoint, Health, Node, Result, Version, Visibility};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::Harness;
use super::harness::{ensure_unimplemented, ids, manual, node, poll_once, service};

/// A handle to register with, or the end of a check on a read-only registry.
macro_rules! writable {
    ($harness:ident) => {
        match $harness.writable().await? {
            Some(registry) => registry,
            None => return Ok(Outcome::NotDeclared),
        }
    };
}
pub(super) use writable;

fn version(text: &str) -> Version {
    Version::parse(text).expect("invariant: checks use legal versions")
}

fn endpoint(text: &str) -> Endpoint {
    Endpoint::parse(text).expect("invariant: checks use legal endpoints")
}

/// Registers and keeps alive.
async fn keep(registry: &dyn Registry, node: Node) -> Result<Lease> {
    registry.register(node, RegisterOptions::default()).await
}

pub(super) async fn versions_accumulate(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("versioned");
    let mut leases = Vec::new();
    for count in 1..=4 {
        let text = format!("1.{count}.0");
        leases.push(
            keep(
                &registry,
                node("versioned", &format!("n{count}")).with_version(version(&text)),
            )
            .await?,
        );
        h.eventually(
            h.settle(),
            &format!("{count} versions are found"),
            || async {
                let snapshot = registry.lookup(&name).await?;
                let versions: BTreeSet<_> = snapshot
                    .nodes()
                    .iter()
                    .map(|node| node.version.clone())
                    .collect();
                Ok(versions.len() == count)
            },
        )
        .await?;
    }
    Ok(Outcome::Passed)
}

pub(super) async fn list_totals(h: &Harness) -> Verdict {
    let registry = writable!(h);
    if !registry.capabilities().list {
        ensure_unimplemented("list", registry.list().await.map(drop))?;
        return Ok(Outcome::NotDeclared);
    }
    let names = ["list-a", "list-b", "list-c"];
    let shows = async |count: usize| {
        let wanted: Vec<_> = names[..count].iter().map(|name| service(name)).collect();
        let what = format!("the list is {wanted:?}");
        h.eventually(h.settle(), &what, || async {
            Ok(registry.list().await? == wanted)
        })
        .await
    };
    let mut leases = Vec::new();
    for (index, name) in names.iter().enumerate() {
        leases.push(keep(&registry, node(name, "n1")).await?);
        shows(index + 1).await?;
    }
    while let Some(lease) = leases.pop() {
        lease.revoke().await?;
        shows(leases.len()).await?;
    }
    Ok(Outcome::Passed)
}

pub(super) async fn withdraw_one_version(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("withdrawn");
    let one = keep(
        &registry,
        node("withdrawn", "n1").with_version(version("1.0.0")),
    )
    .await?;
    let two = keep(
        &registry,
        node("withdrawn", "n2").with_version(version("2.0.0")),
    )
    .await?;
    h.finds(&registry, &name, &["n1", "n2"]).await?;

    one.revoke().await?;
    h.finds(&registry, &name, &["n2"]).await?;
    h.keeps_finding(h.settle() / 5, &registry, &name, &["n2"])
        .await?;
    two.revoke().await?;
    h.finds(&registry, &name, &[]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn unknown_service_is_empty(h: &Harness) -> Verdict {
    let registry = h.open().await?;
    let snapshot = registry.lookup(&service("nobody.Registered")).await?;
    ensure!(
        snapshot.is_empty(),
        "an unknown service has the nodes {:?}",
        ids(&snapshot)
    );
    ensure!(
        !snapshot.is_stale(),
        "the answer about an unknown service is stale"
    );
    Ok(Outcome::Passed)
}

pub(super) async fn nodes_merge(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let mut leases = Vec::new();
    for id in ["n1", "n2", "n3"] {
        leases.push(keep(&registry, node("merged", id).with_version(version("1.0.0"))).await?);
    }
    h.finds(&registry, &service("merged"), &["n1", "n2", "n3"])
        .await?;
    Ok(Outcome::Passed)
}

pub(super) async fn node_round_trip(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let mut full = node("round.Trip", "n1:8080@zone.a")
        .with_version(version("1.2.3-rc.1+build"))
        .with_endpoint(endpoint("grpc://[::]:10004"))
        .with_endpoint(endpoint("grpc+tls://127.0.0.1:9999"))
        .with_metadata("key", "value");
    full.boot = "b00t".into();
    full.region = Some("eu-west".into());
    full.zone = Some("eu-west-1a".into());
    full.groups = ["canary".into(), "blue".into()].into();
    full.visibility = Visibility::External;
    full.weight = 7;
    full.health = Health::Degraded;
    full.descriptor = Some("d41d8cd9".into());
    let _kept = keep(&registry, full.clone()).await?;
    h.finds(&registry, &full.service, &["n1:8080@zone.a"])
        .await?;

    let snapshot = registry.lookup(&full.service).await?;
    ensure!(
        *snapshot.nodes()[0] == full,
        "{:?} came back as {:?}",
        full,
        snapshot.nodes()[0]
    );
    Ok(Outcome::Passed)
}

pub(super) async fn endpoints_round_trip(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let tree = r#"{"name":"Hello","request":{"type":"object","values":[{"name":"name","values":[{"type":"string"}]}]}}"#;
    let full = node("endpoints", "n1")
        .with_endpoint(endpoint("grpc+unix:///run/a%20b.sock"))
        .with_endpoint(endpoint("memory://greeter"))
        .with_endpoint(endpoint("grpc://host:1"))
        .with_metadata("endpoint.Hello", tree)
        .with_metadata("empty", "");
    let _kept = keep(&registry, full.clone()).await?;
    h.finds(&registry, &full.service, &["n1"]).await?;

    let snapshot = registry.lookup(&full.service).await?;
    ensure!(
        *snapshot.nodes()[0] == full,
        "{:?} came back as {:?}",
        full,
        snapshot.nodes()[0]
    );
    Ok(Outcome::Passed)
}

pub(super) async fn ttl_removes_nodes(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("expiring");
    let ttl = h.ttl(&registry);
    let mut leases = Vec::new();
    for id in ["n1", "n2", "n3"] {
        leases.push(registry.register(node("expiring", id), manual(ttl)).await?);
    }
    let granted = leases.iter().filter_map(Lease::ttl).max().unwrap_or(ttl);
    let deadline = Instant::now() + granted + h.settle();
    let mut readers = JoinSet::new();
    for _ in 0..1_000 {
        let (registry, name) = (Arc::clone(&registry), name.clone());
        readers.spawn(async move {
            while Instant::now() < deadline {
                if registry.lookup(&name).await?.is_empty() {
                    return Ok(true);
                }
                sleep(ttl / 5).await;
            }
            Ok::<_, gufo_core::Error>(registry.lookup(&name).await?.is_empty())
        });
    }
    for gone in readers.join_all().await {
        ensure!(gone?, "a reader still finds nodes after TTL and settle");
    }
    Ok(Outcome::Passed)
}

pub(super) async fn renewal_keeps_alive(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let ttl = h.ttl(&registry);
    let name = service("renewed");
    let lease = registry
        .register(node("renewed", "n1"), manual(ttl))
        .await?;
    h.finds(&registry, &name, &["n1"]).await?;
    let renewing = async {
        loop {
            if let Err(error) = lease.keep_alive().await {
                return Failure::from(error);
            }
            sleep(ttl / 3).await;
        }
    };
    let looking = h.keeps_finding(ttl * 3, &registry, &name, &["n1"]);
    tokio::select! {
        failure = renewing => return Err(failure),
        looked = looking => looked?,
    }
    if registry.capabilities().permanent {
        let lease = registry
            .register(node("permanent", "n1"), RegisterOptions::permanent())
            .await?;
        ensure!(
            lease.ttl().is_none(),
            "a permanent registration has the TTL {:?}",
            lease.ttl()
        );
        h.finds(&registry, &service("permanent"), &["n1"]).await?;
        h.keeps_finding(ttl * 3, &registry, &service("permanent"), &["n1"])
            .await?;
        lease.revoke().await?;
        h.finds(&registry, &service("permanent"), &[]).await?;
    }
    Ok(Outcome::Passed)
}

pub(super) async fn watch_sees_create_then_remove(h: &Harness) -> Verdict {
    let registry = writable!(h);
    for name in ["turn-a", "turn-b", "turn-c", "turn-d"] {
        let node = node(name, "n1").with_metadata("k", name);
        let mut watch = registry.watch(&node.service).await?;
        let mut seen = watch.current();
        ensure!(
            seen.is_empty(),
            "the watch on {name} starts with {:?}",
            ids(&seen)
        );

        let lease = keep(&registry, node.clone()).await?;
        let mut changes = h
            .changes_until(&mut watch, &mut seen, |snapshot| !snapshot.is_empty())
            .await?;
        lease.revoke().await?;
        changes.extend(
            h.changes_until(&mut watch, &mut seen, |snapshot| snapshot.is_empty())
                .await?,
        );

        let node = Arc::new(node);
        let wanted = [Change::Added(Arc::clone(&node)), Change::Removed(node)];
        ensure!(changes == wanted, "expected {wanted:?}, found {changes:?}");
    }
    Ok(Outcome::Passed)
}

pub(super) async fn watch_filter(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let mut watch = registry.watch(&service("watched")).await?;
    let _other = keep(&registry, node("watched-not", "n1")).await?;
    h.finds(&registry, &service("watched-not"), &["n1"]).await?;

    let heard = timeout(h.settle() / 5, watch.changed()).await;
    ensure!(
        heard.is_err(),
        "a change of another service is seen: {heard:?}"
    );
    let _own = keep(&registry, node("watched", "n2")).await?;
    h.watch_shows(&mut watch, &["n2"]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn watch_close_unblocks(h: &Harness) -> Verdict {
    let registry = h.open().await?;
    let mut watch = registry.watch(&service("closed")).await?;
    let other = watch.clone();
    let early = timeout(h.settle() / 5, watch.changed()).await;
    ensure!(early.is_err(), "the watch did not wait: {early:?}");

    let waiting = timeout(h.settle(), watch.changed());
    let (ended, ()) = tokio::join!(waiting, async { other.close() });
    other.close();

    ensure!(ended == Ok(None), "closing did not end the wait: {ended:?}");
    ensure!(
        poll_once(watch.changed()).await == Some(None),
        "a closed watch waits again"
    );
    Ok(Outcome::Passed)
}

pub(super) async fn visible_from_second_handle(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let second = h.open().await?;
    let mut watch = second.watch(&service("two-handles")).await?;

    let lease = keep(&registry, node("two-handles", "n1")).await?;
    h.finds(&second, &service("two-handles"), &["n1"]).await?;
    h.watch_shows(&mut watch, &["n1"]).await?;
    lease.revoke().await?;
    h.finds(&second, &service("two-handles"), &[]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn withdraw_unknown_ok(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("unknown");
    let ttl = h.ttl(&registry);
    let forgotten = registry
        .register(node("unknown", "n1"), manual(ttl))
        .await?;
    let taken_over = registry
        .register(node("unknown", "n1"), manual(ttl))
        .await?;
    taken_over.revoke().await?;
    h.finds(&registry, &name, &[]).await?;

    forgotten.revoke().await?;
    h.finds(&registry, &name, &[]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn expiry_is_a_change(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let ttl = h.ttl(&registry);
    let node = node("silent", "n1");
    let mut watch = registry.watch(&node.service).await?;
    let mut seen = watch.current();

    let lease = registry.register(node.clone(), manual(ttl)).await?;
    h.changes_until(&mut watch, &mut seen, |snapshot| !snapshot.is_empty())
        .await?;
    sleep(lease.ttl().unwrap_or(ttl)).await;
    let changes = h
        .changes_until(&mut watch, &mut seen, |snapshot| snapshot.is_empty())
        .await?;

    ensure!(
        changes == [Change::Removed(Arc::new(node))],
        "expiry shows as {changes:?}"
    );
    Ok(Outcome::Passed)
}

pub(super) async fn no_empty_services(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("emptied");
    let ttl = h.ttl(&registry);
    let revoked = keep(&registry, node("emptied", "n1")).await?;
    let lapsing = registry
        .register(node("emptied", "n2"), manual(ttl))
        .await?;
    revoked.revoke().await?;
    h.finds_within(
        lapsing.ttl().unwrap_or(ttl) + h.settle(),
        &registry,
        &name,
        &[],
    )
    .await?;

    let watch = registry.watch(&name).await?;
    ensure!(
        watch.current().is_empty(),
        "a new watch starts with {:?}",
        ids(&watch.current())
    );
    if registry.capabilities().list {
        let listed = registry.list().await?;
        ensure!(!listed.contains(&name), "a service without nodes is listed");
    }
    Ok(Outcome::Passed)
}

pub(super) async fn visible_within_settle(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let _kept = keep(&registry, node("visible", "n1")).await?;
    h.finds(&registry, &service("visible"), &["n1"]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn re_register_replaces(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("replaced");
    let mut leases = Vec::new();
    for round in ["one", "two", "three"] {
        leases.push(
            keep(
                &registry,
                node("replaced", "n1").with_metadata("round", round),
            )
            .await?,
        );
    }
    h.eventually(h.settle(), "the last record is found, alone", || async {
        let snapshot = registry.lookup(&name).await?;
        let rounds: Vec<_> = snapshot
            .nodes()
            .iter()
            .map(|node| node.metadata.get("round").cloned())
            .collect();
        Ok(rounds == [Some("three".to_owned())])
    })
    .await?;
    h.keeps_finding(h.settle() / 5, &registry, &name, &["n1"])
        .await?;
    Ok(Outcome::Passed)
}

pub(super) async fn names_isolated(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let names = ["a", "ab", "a-b", "a.b", "A", "a_b"];
    let mut leases = Vec::new();
    for (index, name) in names.iter().enumerate() {
        leases.push(keep(&registry, node(name, &format!("n{index}"))).await?);
    }
    for (index, name) in names.iter().enumerate() {
        h.finds(&registry, &service(name), &[&format!("n{index}")])
            .await?;
        let watch = registry.watch(&service(name)).await?;
        ensure!(
            watch.current().len() == 1,
            "a watch on {name} sees {:?}",
            ids(&watch.current())
        );
    }
    leases.remove(0).revoke().await?;
    h.finds(&registry, &service("a"), &[]).await?;
    h.finds(&registry, &service("ab"), &["n1"]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn metadata_limits(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let unicode = node("limits", "n1")
        .with_metadata("größe", "猫頭鷹 🦉 \"\\\n\t=&,;")
        .with_metadata("k", " padded ");
    let _kept = keep(&registry, unicode.clone()).await?;
    h.finds(&registry, &unicode.service, &["n1"]).await?;
    let snapshot = registry.lookup(&unicode.service).await?;
    ensure!(
        *snapshot.nodes()[0] == unicode,
        "{unicode:?} came back as {:?}",
        snapshot.nodes()[0]
    );

    let Some(limit) = registry.capabilities().max_metadata else {
        return Ok(Outcome::Passed);
    };
    let sized = |id: &str, len: usize| node("limits", id).with_metadata("k", "x".repeat(len - 1));
    let _largest = keep(&registry, sized("n2", limit)).await?;
    h.finds(&registry, &unicode.service, &["n1", "n2"]).await?;
    match keep(&registry, sized("n3", limit + 1)).await {
        Ok(_) => {
            return Err(Failure::new(format!(
                "metadata of {} bytes was taken, the limit is {limit}",
                limit + 1
            )));
        }
        Err(error) => ensure!(
            error.code() == Code::ResourceExhausted,
            "too much metadata is {:?}",
            error.code()
        ),
    }
    h.keeps_finding(h.settle() / 5, &registry, &unicode.service, &["n1", "n2"])
        .await?;
    Ok(Outcome::Passed)
}

pub(super) async fn concurrent_registrations(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let mut wanted: Vec<_> = (0..64).map(|index| format!("n{index}")).collect();
    let mut registering = JoinSet::new();
    for id in &wanted {
        let (registry, node) = (Arc::clone(&registry), node("concurrent", id));
        registering.spawn(async move { keep(&registry, node).await });
    }
    let leases: Vec<_> = registering
        .join_all()
        .await
        .into_iter()
        .collect::<Result<_>>()?;

    wanted.sort();
    let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
    h.finds(&registry, &service("concurrent"), &wanted).await?;
    drop(leases);
    Ok(Outcome::Passed)
}

pub(super) async fn withdraw_is_complete(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("complete");
    let mut large = node("complete", "n1");
    for index in 0..8 {
        large = large
            .with_endpoint(endpoint(&format!("grpc://host-{index}:1")))
            .with_metadata(format!("k{index}"), "v");
    }
    let lease = keep(&registry, large).await?;
    let _other = keep(&registry, node("complete", "n2")).await?;
    let _neighbour = keep(&registry, node("complete.Neighbour", "n1")).await?;
    h.finds(&registry, &name, &["n1", "n2"]).await?;

    lease.revoke().await?;
    h.finds(&registry, &name, &["n2"]).await?;
    h.finds(&registry, &service("complete.Neighbour"), &["n1"])
        .await?;
    let fresh = h.open().await?;
    h.finds(&fresh, &name, &["n2"]).await?;
    let mut watch = fresh.watch(&name).await?;
    h.watch_shows(&mut watch, &["n2"]).await?;
    Ok(Outcome::Passed)
}

pub(super) async fn same_name_is_not_same_node(h: &Harness) -> Verdict {
    let registry = writable!(h);
    let name = service("siblings");
    let ttl = h.ttl(&registry);
    let revoked = registry
        .register(node("siblings", "n1"), RegisterOptions::ttl(ttl))
        .await?;
    let _kept = registry
        .register(node("siblings", "n2"), RegisterOptions::ttl(ttl))
        .await?;
    let lapsing = registry
        .register(node("siblings", "n3"), manual(ttl))
        .await?;
    h.finds(&registry, &name, &["n1", "n2", "n3"]).await?;

    revoked.revoke().await?;
    h.finds_within(
        lapsing.ttl().unwrap_or(ttl) + h.settle(),
        &registry,
        &name,
        &["n2"],
    )
    .await?;
    h.keeps_finding(ttl * 2, &registry, &name, &["n2"]).await?;
    Ok(Outcome::Passed)
}
