//! The facade as an application uses it.
#![allow(missing_docs, reason = "the messages of a test")]

use std::{sync::Arc, time::Duration};

use gufo::{
    Caller, Deadline, Registry,
    core::{Kind, Node, registry::RegisterOptions},
    prelude::*,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

#[derive(Debug, Serialize, Deserialize, gufo::Describe)]
pub struct HelloRequest {
    pub name: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, gufo::Describe)]
pub struct HelloReply {
    pub message: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, gufo::Describe)]
pub struct Number {
    pub value: u64,
}

#[gufo::service(name = "greeter.Greeter")]
pub trait Greeter {
    #[method(idempotent)]
    async fn hello(&self, ctx: &Context, request: HelloRequest) -> Result<HelloReply, Status>;
    async fn count(&self, ctx: &Context, to: Number) -> Result<Streaming<Number>, Status>;
    async fn sum(&self, ctx: &Context, numbers: Streaming<Number>) -> Result<Number, Status>;
    async fn chat(
        &self,
        ctx: &Context,
        names: Streaming<HelloRequest>,
    ) -> Result<Streaming<HelloReply>, Status>;
}

/// Greets; the name `wait` waits for ever, telling when it is given up.
#[derive(Clone, Default)]
struct Polite {
    given_up: Arc<Notify>,
}

struct TellDrop(Arc<Notify>);

impl Drop for TellDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Greeter for Polite {
    async fn hello(&self, _: &Context, request: HelloRequest) -> Result<HelloReply, Status> {
        if request.name == "wait" {
            let _tell = TellDrop(Arc::clone(&self.given_up));
            std::future::pending::<()>().await;
        }
        Ok(greet(request))
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

    async fn chat(
        &self,
        _: &Context,
        mut names: Streaming<HelloRequest>,
    ) -> Result<Streaming<HelloReply>, Status> {
        let (sender, replies) = Streaming::channel(1);
        tokio::spawn(async move {
            while let Ok(Some(name)) = names.next().await {
                if sender.send(greet(name)).await.is_err() {
                    return;
                }
            }
        });
        Ok(replies)
    }
}

fn greet(request: HelloRequest) -> HelloReply {
    HelloReply {
        message: format!("hello {}", request.name),
    }
}

fn request(name: &str) -> HelloRequest {
    HelloRequest { name: name.into() }
}

async fn server(url: &str) -> gufo::RunningServer {
    let builder = Server::builder().listen(url);
    #[cfg(feature = "reflection")]
    let builder = builder.reflection();
    let started = builder
        .service(GreeterServer::new(Polite::default()))
        .start()
        .await;
    started.expect("the server starts")
}

/// All four kinds of calls.
async fn call_everything(greeter: &GreeterClient) -> gufo::Result<()> {
    assert_eq!(greeter.hello(request("owl")).await?.message, "hello owl");

    let numbers = greeter.count(Number { value: 3 }).await?.collect().await?;
    assert_eq!(numbers, [1, 2, 3].map(|value| Number { value }));

    let numbers = Streaming::iter((1..=4).map(|value| Number { value }));
    assert_eq!(greeter.sum(numbers).await?.value, 10);

    let (sender, names) = Streaming::channel(1);
    let mut replies = greeter.chat(names).await?;
    for name in ["owl", "fox"] {
        sender.send(request(name)).await?;
        assert_eq!(replies.next().await?, Some(greet(request(name))));
    }
    drop(sender);
    assert_eq!(replies.next().await?, None);
    Ok(())
}

#[tokio::test]
async fn every_kind_of_call_works_over_memory() {
    let server = server("memory://").await;

    let greeter = GreeterClient::connect(&server.urls()[0]).await.unwrap();

    call_everything(&greeter).await.unwrap();
}

#[cfg(feature = "transport-grpc")]
#[tokio::test]
async fn every_kind_of_call_works_over_grpc() {
    let server = server("grpc://127.0.0.1:0").await;

    let greeter = GreeterClient::connect(&server.urls()[0]).await.unwrap();

    call_everything(&greeter).await.unwrap();
}

#[cfg(feature = "transport-native")]
#[tokio::test]
async fn every_kind_of_call_works_over_tcp() {
    let server = server("tcp://127.0.0.1:0").await;

    let greeter = GreeterClient::connect(&server.urls()[0]).await.unwrap();

    call_everything(&greeter).await.unwrap();
}

#[cfg(feature = "transport-grpc")]
#[tokio::test]
async fn a_client_finds_the_servers_a_registry_knows() {
    let servers = [
        server("grpc://127.0.0.1:0").await,
        server("grpc://127.0.0.1:0").await,
    ];
    let hosts = servers
        .each_ref()
        .map(|it| it.urls()[0].trim_start_matches("grpc://").to_owned());

    let greeter = GreeterClient::connect(&format!("fixed://{}", hosts.join(",")))
        .await
        .unwrap();

    call_everything(&greeter).await.unwrap();
}

#[cfg(feature = "transport-grpc")]
#[tokio::test]
async fn servers_register_themselves_and_clients_follow() {
    let registry = gufo::open::registry("memory://").await.unwrap();
    let start = || {
        let builder = Server::builder()
            .listen("grpc://127.0.0.1:0")
            .registry(Arc::clone(&registry));
        builder
            .service(GreeterServer::new(Polite::default()))
            .start()
    };
    let first = start().await.unwrap();
    let name = gufo::ServiceName::parse("greeter.Greeter").unwrap();
    let channel = gufo::channel()
        .registry(Arc::clone(&registry), name)
        .connect()
        .await
        .unwrap();
    let greeter = GreeterClient::from(Caller::from(&channel));

    let second = start().await.unwrap();
    first.stop().await;
    for _ in 0..20 {
        greeter.hello(request("owl")).await.unwrap();
    }

    assert_eq!((channel.connections(), second.connections()), (1, 1));
}

#[tokio::test]
async fn a_test_client_brings_its_server_along_and_ends_it() {
    let polite = Polite::default();
    let greeter: GreeterClient = gufo::testing::client(GreeterServer::new(polite.clone()))
        .await
        .unwrap();
    call_everything(&greeter).await.unwrap();
    let waiting = tokio::spawn({
        let greeter = greeter.clone();
        async move { greeter.hello(request("wait")).await }
    });
    tokio::task::yield_now().await;

    waiting.abort();
    polite.given_up.notified().await;
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    assert!(tasks() > 0);
    drop(greeter);

    while tasks() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_ends_at_its_deadline() {
    let polite = Polite::default();
    let greeter: GreeterClient = gufo::testing::client(GreeterServer::new(polite.clone()))
        .await
        .unwrap();

    let call = greeter
        .hello(request("wait"))
        .timeout(Duration::from_secs(3));
    let error = call.await.unwrap_err();

    assert_eq!(error.code(), Code::DeadlineExceeded);
    polite.given_up.notified().await;
}

#[tokio::test]
async fn a_url_that_opens_nothing_says_what_would() {
    let refused = async |url| GreeterClient::connect(url).await.unwrap_err();

    let unknown = refused("pigeon://loft").await;
    assert_eq!(unknown.code(), Code::InvalidArgument);
    for part in ["unknown transport", "memory", "unknown registry", "fixed"] {
        assert!(unknown.message().contains(part), "{unknown}");
    }
    let registry = refused("fixed://").await;
    assert!(!registry.message().contains("unknown"), "{registry}");
    assert_eq!(refused("nonsense").await.code(), Code::InvalidArgument);
}

#[tokio::test(start_paused = true)]
async fn nobody_at_the_address_is_unavailable_and_named() {
    let error = GreeterClient::connect("memory://nobody").await.unwrap_err();

    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("memory://nobody"), "{error}");
}

#[cfg(feature = "dynamic")]
#[tokio::test]
async fn services_are_called_by_reflection_alone() {
    for url in ["memory://", "tcp://127.0.0.1:0", "grpc://127.0.0.1:0"] {
        let server = server(url).await;
        let channel = gufo::channel()
            .address(&server.urls()[0])
            .connect()
            .await
            .unwrap();
        let client = gufo::DynamicClient::new(channel);

        let services = client.list_services().await.unwrap();
        assert!(
            services.iter().any(|name| name == "greeter.Greeter"),
            "{services:?}"
        );
        let described = client.describe("greeter.Greeter").await.unwrap();
        assert_eq!(described.methods[0].name, "Hello");
        assert_eq!(described.methods[3].kind, Kind::Bidi);
        let reply = client
            .call("greeter.Greeter/Hello", r#"{"name":"owl"}"#)
            .await
            .unwrap();
        assert_eq!(reply, r#"{"message":"hello owl"}"#);
        let numbers = Streaming::iter([r#"{"value":2}"#.to_owned()]);
        let counted = client
            .stream("greeter.Greeter/Count", numbers)
            .await
            .unwrap();
        assert_eq!(
            counted.collect().await.unwrap(),
            [r#"{"value":1}"#, r#"{"value":2}"#]
        );
    }
}

#[tokio::test]
async fn registries_of_one_name_are_one() {
    let open = || gufo::open::registry("memory://facade-shared");
    let (writer, reader) = (open().await.unwrap(), open().await.unwrap());
    let service = gufo::ServiceName::parse("greeter.Greeter").unwrap();
    let id = gufo::core::NodeId::parse("one").unwrap();

    let node = Node::new(service.clone(), id);
    let _lease = writer
        .register(node, RegisterOptions::default())
        .await
        .unwrap();

    assert_eq!(reader.lookup(&service).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_lazy_channel_waits_for_its_server() {
    let channel = gufo::channel()
        .address("memory://facade-late")
        .connect_lazy()
        .unwrap();
    let greeter = GreeterClient::from(Caller::from(&channel));
    let waiting = tokio::spawn(async move { greeter.hello(request("owl")).await });

    let _server = server("memory://facade-late").await;

    assert_eq!(waiting.await.unwrap().unwrap().message, "hello owl");
    channel.ready(Deadline::NONE).await.unwrap();
}
#[cfg(feature = "transport-grpc")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_fails_no_call() {
    let registry = gufo::open::registry("memory://").await.unwrap();
    let start = || {
        let builder = Server::builder()
            .listen("grpc://127.0.0.1:0")
            .registry(Arc::clone(&registry));
        builder
            .service(GreeterServer::new(Polite::default()))
            .start()
    };
    let mut servers = vec![start().await.unwrap(), start().await.unwrap()];
    let name = gufo::ServiceName::parse("greeter.Greeter").unwrap();
    let channel = gufo::channel().registry(Arc::clone(&registry), name);
    let greeter = GreeterClient::from(Caller::from(channel.connect().await.unwrap()));
    let stop = gufo::core::Cancel::new();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (greeter, stop) = (greeter.clone(), stop.clone());
            tokio::spawn(async move {
                let mut answered = 0_u32;
                while !stop.is_cancelled() {
                    greeter.hello(request("owl")).await?;
                    answered += 1;
                }
                gufo::Result::<u32>::Ok(answered)
            })
        })
        .collect();

    for _ in 0..4 {
        servers.push(start().await.unwrap());
        let report = servers.remove(0).stop().await;
        assert_eq!(report.aborted, 0);
    }
    stop.cancel();

    for caller in callers {
        assert!(caller.await.unwrap().unwrap() > 0);
    }
}
