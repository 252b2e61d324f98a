//! Nodes that answer over several transports, and servers on threads of their own, over real
//! sockets.
#![cfg(all(feature = "transport-native", feature = "transport-grpc"))]
#![allow(missing_docs, reason = "the messages of a test")]

use std::{sync::Arc, time::Duration};

use gufo::{
    Caller, Channel, ChannelBuilder, Registry, ServiceName,
    core::{
        Cancel, Endpoint, Node,
        registry::{Lease, RegisterOptions},
    },
    prelude::*,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Number {
    pub value: u64,
}

#[gufo::service(name = "test.Counter")]
pub trait Counter {
    #[method(idempotent)]
    async fn next(&self, ctx: &Context, number: Number) -> Result<Number, Status>;
    async fn count(&self, ctx: &Context, to: Number) -> Result<Streaming<Number>, Status>;
    async fn sum(&self, ctx: &Context, numbers: Streaming<Number>) -> Result<Number, Status>;
}

struct Plain;

impl Counter for Plain {
    async fn next(&self, _: &Context, number: Number) -> Result<Number, Status> {
        Ok(Number {
            value: number.value + 1,
        })
    }

    async fn count(&self, _: &Context, to: Number) -> Result<Streaming<Number>, Status> {
        Ok(Streaming::iter(
            (1..=to.value).map(|value| Number { value }),
        ))
    }

    async fn sum(&self, _: &Context, mut numbers: Streaming<Number>) -> Result<Number, Status> {
        let mut value = 0;
        while let Some(number) = numbers.next().await? {
            value += number.value;
        }
        Ok(Number { value })
    }
}

fn service() -> ServiceName {
    ServiceName::parse("test.Counter").expect("legal")
}

async fn registry() -> Arc<dyn Registry> {
    gufo::open::registry("memory://").await.expect("opens")
}

fn builder(urls: &[&str]) -> gufo::ServerBuilder {
    let builder = Server::builder().service(CounterServer::new(Plain));
    urls.iter()
        .fold(builder, |builder, url| builder.listen(*url))
}

async fn start(urls: &[&str], registry: &Arc<dyn Registry>) -> gufo::RunningServer {
    let builder = builder(urls).registry(Arc::clone(registry));
    builder.start().await.expect("the server starts")
}

const BOTH: [&str; 2] = ["grpc://127.0.0.1:0", "tcp://127.0.0.1:0"];

fn channel(registry: &Arc<dyn Registry>) -> ChannelBuilder {
    gufo::channel().registry(Arc::clone(registry), service())
}

async fn connected(builder: ChannelBuilder) -> Channel {
    builder.connect().await.expect("connects")
}

fn endpoints(channel: &Channel) -> Vec<String> {
    let endpoints = channel.endpoints();
    endpoints.iter().map(ToString::to_string).collect()
}

fn schemes(channel: &Channel) -> Vec<String> {
    let scheme = |url: &String| url.split(':').next().unwrap_or_default().to_owned();
    endpoints(channel).iter().map(scheme).collect()
}

async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let holds = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), holds).await;
    assert!(in_time.is_ok(), "never came true: {what}");
}

async fn call(channel: &Channel) -> gufo::Result<()> {
    let counter = CounterClient::from(Caller::from(channel));
    assert_eq!(counter.next(Number { value: 1 }).await?.value, 2);
    let counted = counter.count(Number { value: 3 }).await?.collect().await?;
    assert_eq!(counted, [1, 2, 3].map(|value| Number { value }));
    let numbers = Streaming::iter((1..=4).map(|value| Number { value }));
    assert_eq!(counter.sum(numbers).await?.value, 10);
    Ok(())
}

/// Registers a node of some endpoints, as if a server elsewhere had done so.
async fn register(registry: &Arc<dyn Registry>, change: impl FnOnce(&mut Node)) -> Lease {
    let id = gufo::core::NodeId::parse("by-hand").expect("legal");
    let mut node = Node::new(service(), id);
    change(&mut node);
    let registered = registry.register(node, RegisterOptions::default()).await;
    registered.expect("registers")
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint::parse(url).expect("legal")
}

#[tokio::test]
async fn a_server_answers_over_all_its_transports_and_a_client_takes_the_best() {
    let registry = registry().await;
    let dir = tempfile("best");
    let unix = format!("unix://{dir}");
    let server = start(&[BOTH[0], BOTH[1], &unix, "memory://"], &registry).await;

    let best = connected(channel(&registry)).await;
    assert_eq!(schemes(&best), ["memory"]);
    for scheme in ["unix", "tcp", "grpc"] {
        let chosen = connected(channel(&registry).prefer([scheme])).await;
        assert_eq!(schemes(&chosen), [scheme]);
        call(&chosen).await.unwrap();
    }
    call(&best).await.unwrap();

    assert_eq!(server.nodes()[0].endpoints.len(), 4);
}

#[tokio::test]
async fn servers_with_two_transports_are_two_nodes_to_a_client() {
    let registry = registry().await;
    let _servers = [start(&BOTH, &registry).await, start(&BOTH, &registry).await];

    let channel = connected(channel(&registry)).await;
    eventually("both are connected", || channel.connections() == 2).await;

    assert_eq!(schemes(&channel), ["tcp", "tcp"]);
}

#[tokio::test]
async fn what_the_best_transport_does_not_reach_the_next_does_until_it_is_reached() {
    let (registry, elsewhere) = (registry().await, registry().await);
    let grpc = start(&[BOTH[0]], &elsewhere).await;
    let later = start(&[BOTH[1]], &elsewhere).await;
    let (grpc_url, tcp_url) = (grpc.urls()[0].clone(), later.urls()[0].clone());
    later.stop().await;
    let _lease = register(&registry, |node| {
        node.endpoints = vec![endpoint(&grpc_url), endpoint(&tcp_url)];
    })
    .await;

    let channel = connected(channel(&registry)).await;
    assert_eq!(endpoints(&channel), [grpc_url]);
    call(&channel).await.unwrap();
    let _later = start(&[&tcp_url], &elsewhere).await;

    eventually("the better one is taken", || {
        endpoints(&channel) == [tcp_url.as_str()]
    })
    .await;
    call(&channel).await.unwrap();
}

#[tokio::test]
async fn an_endpoint_that_speaks_another_protocol_is_passed_over() {
    let (registry, elsewhere) = (registry().await, registry().await);
    let server = start(&[BOTH[0]], &elsewhere).await;
    let grpc = server.urls()[0].clone();
    let _lease = register(&registry, |node| {
        node.endpoints = vec![endpoint(&grpc.replace("grpc:", "tcp:")), endpoint(&grpc)];
    })
    .await;

    let channel = connected(channel(&registry)).await;

    assert_eq!(endpoints(&channel), [grpc]);
    call(&channel).await.unwrap();
}

#[tokio::test]
async fn the_path_of_a_socket_on_another_host_is_not_tried() {
    let (registry, elsewhere) = (registry().await, registry().await);
    let unix = format!("unix://{}", tempfile("place"));
    let server = start(&[&unix, BOTH[1]], &elsewhere).await;
    let here = server.nodes().remove(0);
    assert!(here.places.contains_key(&endpoint(&unix)));
    let _lease = register(&registry, |node| {
        node.endpoints.clone_from(&here.endpoints);
        let moved = here.places.keys();
        node.places = moved
            .map(|it| (it.clone(), "files-elsewhere".to_owned()))
            .collect();
    })
    .await;

    let here = connected(channel(&elsewhere)).await;
    let there = connected(channel(&registry)).await;

    assert_eq!(
        (schemes(&here), schemes(&there)),
        (vec!["unix".to_owned()], vec!["tcp".to_owned()])
    );
}

#[tokio::test]
async fn a_node_is_given_by_hand_with_all_its_addresses() {
    let server = start(&BOTH, &registry().await).await;

    let channel = connected(gufo::channel().node(server.urls())).await;

    assert_eq!(schemes(&channel), ["tcp"]);
    call(&channel).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_of_servers_on_threads_fails_no_call() {
    let registry = registry().await;
    let start = async || {
        let builder = builder(&BOTH).threads(2).registry(Arc::clone(&registry));
        builder.start().await.expect("the server starts")
    };
    let mut servers = vec![start().await, start().await];
    let channel = connected(channel(&registry).connections(4)).await;
    let stop = Cancel::new();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (counter, stop) = (CounterClient::from(Caller::from(&channel)), stop.clone());
            tokio::spawn(async move {
                let mut answered = 0_u32;
                while !stop.is_cancelled() {
                    counter.next(Number { value: 1 }).await?;
                    answered += 1;
                }
                gufo::Result::<u32>::Ok(answered)
            })
        })
        .collect();

    for _ in 0..3 {
        servers.push(start().await);
        let report = servers.remove(0).stop().await;
        assert_eq!(report.aborted, 0);
    }
    stop.cancel();

    for caller in callers {
        assert!(caller.await.unwrap().unwrap() > 0);
    }
}

#[tokio::test]
async fn every_kind_of_call_works_on_threads_of_the_server() {
    for url in BOTH {
        let server = builder(&[url]).threads(2).start().await.unwrap();
        for _ in 0..8 {
            let channel = connected(gufo::channel().address(&server.urls()[0])).await;
            call(&channel).await.unwrap();
        }
    }
}

/// A path of this test and process.
fn tempfile(name: &str) -> String {
    let file = format!("gufo-transports-{name}-{}.sock", std::process::id());
    std::env::temp_dir().join(file).display().to_string()
}
