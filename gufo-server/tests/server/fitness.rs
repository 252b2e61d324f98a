//! Nodes that are registered while they are fit for calls, and when the registry can be reached.

use std::{sync::Arc, time::Duration};

use gufo_core::{Cancel, Code, Service};
use gufo_server::{
    Builder, HealthHandle, Registering, RunningServer, Server, ServerOptions, ServingStatus,
};

use crate::{
    fixture::{FakeListener, Log, echo, eventually, unary_service},
    registration::{Answer, FakeRegistry},
};

const MINUTE: Duration = Duration::from_secs(60);

fn server(registry: FakeRegistry, health: &HealthHandle) -> Builder {
    Server::builder()
        .listener(FakeListener::new("fake://a:1", &registry.log))
        .service(unary_service(echo()))
        .service(Service::new("other.Other"))
        .health(health)
        .registry(Arc::new(registry))
}

/// The log without keep-alives.
fn changes(log: &Log) -> Vec<String> {
    let mut entries = log.entries();
    entries.retain(|entry| !entry.starts_with("keep alive"));
    entries
}

fn services(server: &RunningServer) -> Vec<String> {
    let nodes = server.nodes();
    nodes.iter().map(|node| node.service.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_fit_is_withdrawn_once_and_registered_once_it_is_again() {
    let (registry, health) = (FakeRegistry::default(), HealthHandle::new());
    let log = registry.log.clone();
    let server = server(registry, &health).start().await.expect("up");
    let mut expected = vec!["register test.Test", "register other.Other"];
    assert_eq!(changes(&log), expected);

    health.set("", ServingStatus::NotServing);
    tokio::time::sleep(MINUTE).await;
    expected.extend(["revoke test.Test", "revoke other.Other"]);
    assert_eq!(changes(&log), expected);
    assert!(server.nodes().is_empty());
    health.set("", ServingStatus::Serving);
    tokio::time::sleep(MINUTE).await;
    expected.extend(["register test.Test", "register other.Other"]);

    assert_eq!(changes(&log), expected);
    assert_eq!(services(&server), ["test.Test", "other.Other"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_fit_takes_no_other_with_it() {
    let (registry, health) = (FakeRegistry::default(), HealthHandle::new());
    let log = registry.log.clone();
    let server = server(registry, &health).start().await.expect("up");

    health.set("test.Test", ServingStatus::NotServing);
    eventually("it is withdrawn", || services(&server) == ["other.Other"]).await;
    server.stop().await;

    let mut entries = changes(&log);
    entries.retain(|entry| entry.starts_with("revoke"));
    assert_eq!(entries, ["revoke test.Test", "revoke other.Other"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_fit_at_the_start_is_registered_later() {
    let (registry, health) = (FakeRegistry::default(), HealthHandle::new());
    health.set("test.Test", ServingStatus::NotServing);

    let server = server(registry, &health).start().await.expect("up");
    assert_eq!(services(&server), ["other.Other"]);
    assert_eq!(health.status(""), Some(ServingStatus::Serving));
    health.set("test.Test", ServingStatus::Serving);

    eventually("both are registered", || server.nodes().len() == 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_that_fails_is_repeated_and_a_server_that_is_fit_again_registers() {
    let registry = FakeRegistry {
        revoke: Answer::Fails,
        ..FakeRegistry::default()
    };
    let (log, health) = (registry.log.clone(), HealthHandle::new());
    let server = server(registry, &health).start().await.expect("up");
    let count = |what: &str| log.entries().iter().filter(|it| *it == what).count();

    health.set("test.Test", ServingStatus::NotServing);
    tokio::time::sleep(MINUTE).await;
    let revoked = count("revoke test.Test");
    assert!((5..12).contains(&revoked), "{revoked} times");
    assert_eq!(services(&server), ["other.Other"]);
    health.set("test.Test", ServingStatus::Serving);
    eventually("it is registered", || server.nodes().len() == 2).await;

    assert_eq!(count("register test.Test"), 2);
}

fn later() -> ServerOptions {
    let mut options = ServerOptions::default();
    options.registering = Registering::Later;
    options
}

#[tokio::test(start_paused = true)]
async fn a_server_may_start_before_its_registry_and_is_ready_once_registered() {
    let (up, health) = (Cancel::new(), HealthHandle::new());
    let registry = FakeRegistry {
        up: Some(up.clone()),
        ..FakeRegistry::default()
    };
    let log = registry.log.clone();

    let server = server(registry, &health).options(later()).start().await;
    let server = server.expect("serving");
    tokio::time::sleep(MINUTE).await;
    assert_eq!(health.status(""), Some(ServingStatus::NotServing));
    assert!(server.nodes().is_empty());
    let attempts = log.entries().len();
    assert!((8..24).contains(&attempts), "{attempts} attempts");
    up.cancel();
    tokio::time::sleep(Duration::from_secs(18)).await;

    assert_eq!(health.status(""), Some(ServingStatus::Serving));
    assert_eq!(services(&server), ["test.Test", "other.Other"]);
    server.stop().await;
    assert_eq!(health.status(""), Some(ServingStatus::NotServing));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_never_registered_stops_without_its_registry() {
    let registry = FakeRegistry {
        register: Answer::Never,
        ..FakeRegistry::default()
    };
    let log = registry.log.clone();
    let mut options = later();
    options.propagation = MINUTE;
    let begin = tokio::time::Instant::now();
    let server = server(registry, &HealthHandle::new()).options(options);

    let server = server.start().await.expect("serving");
    assert_eq!(begin.elapsed(), Duration::from_secs(10));
    server.stop().await;

    assert_eq!(begin.elapsed(), Duration::from_secs(10));
    assert_eq!(changes(&log).last().expect("entries"), "listener closed");
    assert!(
        !changes(&log)
            .iter()
            .any(|entry| entry.starts_with("revoke"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_no_repetition_mends_ends_the_start_all_the_same() {
    let registry = FakeRegistry {
        refuses: Some("other.Other"),
        ..FakeRegistry::default()
    };
    let log = registry.log.clone();

    let error = server(registry, &HealthHandle::new())
        .options(later())
        .start()
        .await;

    assert_eq!(error.expect_err("refused").code(), Code::PermissionDenied);
    assert!(changes(&log).contains(&"revoke test.Test".to_owned()));
}
