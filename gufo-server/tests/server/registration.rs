//! What a server puts into the registry, and that it takes it out again.

use std::{sync::Arc, time::Duration};

use gufo_core::{
    BackendUrl, Cancel, Code, Error, Node, Registry, Result, ServiceName, async_trait,
    registry::{Capabilities, Lease, LeaseControl, RegisterOptions, Snapshot, Watch},
};
use gufo_server::{Builder, NodeOptions, Server};

use crate::fixture::{FakeListener, Log, echo, unary_service};

/// A registry that notes what is asked of it.
#[derive(Debug, Default)]
pub(crate) struct FakeRegistry {
    pub(crate) log: Log,
    pub(crate) register: Answer,
    /// Refuses this service, whatever it answers to others.
    pub(crate) refuses: Option<&'static str>,
    /// Out of reach until it is set.
    pub(crate) up: Option<Cancel>,
    pub(crate) revoke: Answer,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Answer {
    #[default]
    Well,
    Fails,
    Never,
}

impl Answer {
    async fn give(self) -> Result<()> {
        match self {
            Self::Well => Ok(()),
            Self::Fails => Err(Error::unavailable("the registry is down")),
            Self::Never => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Registry for FakeRegistry {
    async fn register(&self, node: Node, options: RegisterOptions) -> Result<Lease> {
        self.log.add(format!("register {}", node.service));
        self.register.give().await?;
        if self.up.as_ref().is_some_and(|up| !up.is_cancelled()) {
            return Err(Error::unavailable("the registry is down"));
        }
        if self.refuses == Some(node.service.as_str()) {
            return Err(Error::permission_denied("not here"));
        }
        let control = Control {
            name: node.service.clone(),
            log: self.log.clone(),
            revoke: self.revoke,
        };
        Ok(Lease::new(
            node,
            Some(Duration::from_secs(15)),
            options.keep_alive,
            control,
        ))
    }

    async fn lookup(&self, _: &ServiceName) -> Result<Snapshot> {
        Err(Error::unimplemented("not asked here"))
    }

    async fn watch(&self, _: &ServiceName) -> Result<Watch> {
        Err(Error::unimplemented("not asked here"))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
}

#[derive(Debug)]
struct Control {
    name: ServiceName,
    log: Log,
    revoke: Answer,
}

#[async_trait]
impl LeaseControl for Control {
    async fn keep_alive(&self, _: &Node) -> Result<()> {
        self.log.add(format!("keep alive {}", self.name));
        Ok(())
    }

    async fn revoke(&self) -> Result<()> {
        self.log.add(format!("revoke {}", self.name));
        self.revoke.give().await
    }
}

fn server(url: &str, registry: FakeRegistry) -> Builder {
    Server::builder()
        .listener(FakeListener::new(url, &registry.log))
        .service(unary_service(echo()))
        .registry(Arc::new(registry))
}

async fn endpoints(builder: Builder) -> Vec<String> {
    let server = builder.start().await.expect("a legal server");
    let nodes = server.nodes();
    let endpoints = nodes[0].endpoints.iter();
    endpoints.map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn a_server_is_registered_kept_alive_and_withdrawn() {
    let registry = FakeRegistry::default();
    let log = registry.log.clone();

    let server = server("fake://a:1", registry).start().await.expect("up");
    tokio::time::sleep(Duration::from_secs(6)).await;
    server.stop().await;
    tokio::time::sleep(Duration::from_secs(60)).await;

    assert_eq!(
        log.entries(),
        [
            "register test.Test",
            "keep alive test.Test",
            "revoke test.Test",
            "listener closed"
        ]
    );
}

#[tokio::test]
async fn the_node_carries_what_the_builder_was_told() {
    let mut options = NodeOptions::default();
    options.region = Some("eu".into());
    options.weight = 7;
    options.metadata.insert("k".into(), "v".into());
    let builder = server("fake://a:1", FakeRegistry::default())
        .node(options)
        .name("greeter")
        .version("1.2.3")
        .zone("eu-1a");

    let server = builder.start().await.expect("up");

    let nodes = server.nodes();
    assert_eq!(nodes.len(), 1);
    let node = &nodes[0];
    assert_eq!(node.service.as_str(), "greeter");
    assert_eq!(node.version.to_string(), "1.2.3");
    assert_eq!(node.zone.as_deref(), Some("eu-1a"));
    assert_eq!(node.region.as_deref(), Some("eu"));
    assert_eq!(node.weight, 7);
    assert_eq!(node.metadata["k"], "v");
    assert!(!node.boot.is_empty());
    assert_eq!(node.endpoints[0].as_str(), "fake://a:1");
}

#[tokio::test]
async fn without_a_name_every_service_is_registered_at_every_address() {
    let log = Log::default();
    let builder = server("fake://a:1", FakeRegistry::default())
        .service(gufo_core::Service::new("other.Other"))
        .listener(FakeListener::new("memory://b", &log));

    let server = builder.start().await.expect("up");

    let nodes = server.nodes();
    let names: Vec<_> = nodes.iter().map(|node| node.service.as_str()).collect();
    assert_eq!(names, ["test.Test", "other.Other"]);
    assert_eq!(nodes[0].id, nodes[1].id);
    for node in &nodes {
        assert_eq!(node.endpoints.len(), 2);
        assert_eq!(node.endpoints[1].as_str(), "memory://b");
    }
}

#[tokio::test]
async fn two_starts_differ_in_their_node() {
    let start = || server("fake://a:1", FakeRegistry::default()).start();

    let (one, two) = (start().await.expect("up"), start().await.expect("up"));

    assert_ne!(one.nodes()[0].id, two.nodes()[0].id);
    assert_ne!(one.nodes()[0].boot, two.nodes()[0].boot);
}

#[tokio::test]
async fn an_explicit_address_wins() {
    let builder = server("grpc://0.0.0.0:50051", FakeRegistry::default());

    let advertised = endpoints(builder.advertise("grpc://owl.example:443")).await;

    assert_eq!(advertised, ["grpc://owl.example:443"]);
}

#[tokio::test]
async fn an_endpoint_that_leads_here_in_one_place_only_is_marked_with_it() {
    let start = |builder: Builder| {
        builder
            .transports(gufo_transport::builtin())
            .listen("memory://registration-place")
            .start()
    };
    let builder = || server("fake://a:1", FakeRegistry::default());
    let places = async |builder: Builder| {
        let server = start(builder).await.expect("up");
        let node = server.nodes().remove(0);
        server.stop().await;
        let places = node.places.iter();
        let places = places.map(|(endpoint, place)| (endpoint.to_string(), place.clone()));
        places.collect::<Vec<_>>()
    };

    let listened = places(builder()).await;
    let advertised = places(builder().advertise("memory://registration-place")).await;

    let url = BackendUrl::parse("memory://registration-place").expect("legal");
    let transports = gufo_transport::builtin();
    let place = transports.find("memory").expect("there").place(&url);
    assert_eq!(
        listened,
        [(
            "memory://registration-place".to_owned(),
            place.expect("one process")
        )]
    );
    assert_eq!(advertised, [], "what is said to be reachable is so for all");
}

#[tokio::test]
async fn an_address_nobody_can_connect_to_is_never_advertised() {
    for address in ["grpc://0.0.0.0:1", "grpc://[::]:1", "grpc://owl.example:0"] {
        let builder = server("fake://a:1", FakeRegistry::default()).advertise(address);
        let error = builder.start().await.expect_err(address);
        assert_eq!(error.code(), Code::InvalidArgument, "{address}");
    }
    for listening in ["grpc://0.0.0.0:0", "grpc://127.0.0.1:0"] {
        let builder = server(listening, FakeRegistry::default());
        assert!(builder.start().await.is_err(), "{listening}");
    }
}

#[tokio::test]
async fn when_the_registry_fails_the_start_fails_and_nothing_is_left() {
    let registry = FakeRegistry {
        register: Answer::Fails,
        ..FakeRegistry::default()
    };
    let log = registry.log.clone();

    let error = server("fake://a:1", registry).start().await;

    let error = error.expect_err("the registry is down");
    assert_eq!(error.code(), Code::Unavailable);
    crate::fixture::eventually("the listener is closed", || {
        log.entries() == ["register test.Test", "listener closed"]
    })
    .await;
}

#[tokio::test]
async fn when_one_service_cannot_be_registered_the_others_are_withdrawn() {
    let registry = FakeRegistry {
        refuses: Some("other.Other"),
        ..FakeRegistry::default()
    };
    let log = registry.log.clone();
    let builder = server("fake://a:1", registry).service(gufo_core::Service::new("other.Other"));

    let error = builder.start().await.expect_err("refused");

    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(error.to_string().contains("other.Other"), "{error}");
    let mut entries = log.entries();
    entries.retain(|entry| entry != "listener closed");
    assert_eq!(
        entries,
        [
            "register test.Test",
            "register other.Other",
            "revoke test.Test"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn when_the_registry_never_answers_the_start_ends_within_its_bound() {
    let registry = FakeRegistry {
        register: Answer::Never,
        ..FakeRegistry::default()
    };
    let begin = tokio::time::Instant::now();

    let error = crate::fixture::in_time(server("fake://a:1", registry).start()).await;

    assert_eq!(error.expect_err("no answer").code(), Code::Unavailable);
    assert_eq!(begin.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_never_answers_does_not_hold_up_the_stop() {
    for revoke in [Answer::Fails, Answer::Never] {
        let registry = FakeRegistry {
            revoke,
            ..FakeRegistry::default()
        };
        let server = server("fake://a:1", registry).start().await.expect("up");
        let begin = tokio::time::Instant::now();

        crate::fixture::in_time(server.stop()).await;

        assert!(begin.elapsed() <= Duration::from_secs(5), "{revoke:?}");
    }
}
