//! A gufo client calls the grpcio server of `tests/python/server.py`.

use std::time::Duration;

use gufo::{Code, Compression, Connect as _, Streaming};
use gufo_tests::greeter::{ChatMessage, CountRequest, GreeterClient, HelloRequest, SumRequest};

use crate::python::Server;

async fn start() -> (Server, GreeterClient) {
    let server = Server::start();
    let greeter = GreeterClient::connect(&server.url())
        .await
        .expect("connects");
    (server, greeter)
}

fn hello(name: &str) -> HelloRequest {
    HelloRequest { name: name.into() }
}

#[tokio::test]
async fn unary() {
    let (_server, greeter) = start().await;

    let call = greeter.hello(hello("owl")).metadata("x-user", "barn");
    let response = call.response().await.expect("answers");

    assert_eq!(response.message.message, "hello owl from barn");
    assert_eq!(response.metadata.get("x-ahead"), Some("1"));
}

#[tokio::test]
async fn streams() {
    let (_server, greeter) = start().await;

    let request = CountRequest {
        to: 1000,
        interval_ms: 0,
    };
    let counted = greeter.count(request).await.expect("opens");
    assert_eq!(counted.collect().await.expect("ends well").len(), 1000);

    let requests = (1..=100).map(|number| SumRequest { number });
    let sum = greeter
        .sum(Streaming::iter(requests))
        .await
        .expect("answers");
    assert_eq!(sum.total, 5050);

    let texts = ["one", "two"].map(|text| ChatMessage { text: text.into() });
    let replies = greeter.chat(Streaming::iter(texts)).await.expect("opens");
    let replies = replies.collect().await.expect("ends well");
    assert_eq!(replies.last().expect("two").text, "re: two");
}

#[tokio::test]
async fn error_with_details() {
    let (_server, greeter) = start().await;

    let error = greeter.hello(hello("nobody")).await.expect_err("not found");

    let status = error.status().expect("from the server");
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "nobody is here: ü")
    );
    assert_eq!(status.metadata().get("x-why"), Some("gone"));
    assert_eq!(
        status.details()[0].type_url,
        "type.googleapis.com/google.rpc.ErrorInfo"
    );
}

#[tokio::test]
async fn deadline() {
    let (_server, greeter) = start().await;

    let call = greeter
        .hello(hello("forever"))
        .timeout(Duration::from_millis(100));
    let error = call.await.expect_err("too late");

    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn cancellation() {
    let (_server, greeter) = start().await;

    let mut replies = greeter
        .count(CountRequest {
            to: u32::MAX,
            interval_ms: 0,
        })
        .await
        .expect("opens");
    assert_eq!(
        replies
            .next()
            .await
            .expect("goes on")
            .expect("a reply")
            .number,
        1
    );
    drop(replies);

    let reply = greeter
        .hello(hello("owl"))
        .await
        .expect("the connection lives on");
    assert_eq!(reply.message, "hello owl");
}

#[tokio::test]
async fn compression() {
    let (_server, greeter) = start().await;
    let name = "owl".repeat(10_000);

    let call = greeter.hello(hello(&name)).compress(Compression::Gzip);

    assert_eq!(
        call.await.expect("answers").message,
        format!("hello {name}")
    );
}

#[tokio::test]
async fn unknown_method() {
    #[gufo::service(name = "greeter.Greeter", codecs(protobuf))]
    trait Other {
        async fn nothing(
            &self,
            ctx: &gufo::Context,
            request: HelloRequest,
        ) -> Result<HelloRequest, gufo::Status>;
    }
    let server = Server::start();
    let other = OtherClient::connect(&server.url()).await.expect("connects");

    let error = other.nothing(hello("owl")).await.expect_err("unknown");

    assert_eq!(error.code(), Code::Unimplemented);
}

/// grpcio's reflection speaks v1alpha only: this is the fallback, and JSON transcoded to protobuf.
#[tokio::test]
async fn dynamic_call_through_reflection() {
    let server = Server::start();
    let channel = gufo::connect(&server.url(), "greeter.Greeter")
        .await
        .expect("connects");
    let client = gufo::DynamicClient::new(channel);

    let reply = client
        .call("greeter.Greeter/Hello", r#"{"name":"owl"}"#)
        .await
        .expect("answers");

    assert_eq!(reply, r#"{"message":"hello owl"}"#);
}
