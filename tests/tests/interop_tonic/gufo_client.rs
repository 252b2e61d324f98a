//! A gufo client calls a tonic server.

use std::time::Duration;

use gufo::{Code, Compression, Connect as _, Streaming};
use gufo_tests::greeter::{ChatMessage, CountRequest, GreeterClient, HelloRequest, SumRequest};

use crate::services::{ENDLESS, UNKNOWN, tonic_server};

async fn client() -> GreeterClient {
    GreeterClient::connect(&tonic_server().await)
        .await
        .expect("connects")
}

fn hello(name: &str) -> HelloRequest {
    HelloRequest { name: name.into() }
}

#[tokio::test]
async fn a_unary_call_carries_metadata_both_ways() {
    let greeter = client().await;

    let call = greeter.hello(hello("owl")).metadata("x-user", "barn");
    let response = call.response().await.expect("answers");

    assert_eq!(response.message.message, "hello owl from barn");
    assert_eq!(response.metadata.get("x-ahead"), Some("1"));
}

#[tokio::test]
async fn streams_of_all_kinds_work() {
    let greeter = client().await;

    let counted = greeter
        .count(CountRequest {
            to: 1000,
            interval_ms: 0,
        })
        .await;
    let numbers = counted.expect("opens").collect().await.expect("ends well");
    assert_eq!(numbers.len(), 1000);

    let requests = (1..=100).map(|number| SumRequest { number });
    let sum = greeter
        .sum(Streaming::iter(requests))
        .await
        .expect("answers");
    assert_eq!(sum.total, 5050);

    let (sender, requests) = Streaming::channel(1);
    let mut replies = greeter.chat(requests).await.expect("opens");
    for text in ["one", "two"] {
        sender
            .send(ChatMessage { text: text.into() })
            .await
            .expect("takes");
        let reply = replies.next().await.expect("goes on").expect("a reply");
        assert_eq!(reply.text, format!("re: {text}"));
    }
    drop(sender);
    assert!(replies.next().await.expect("ends well").is_none());
}

#[tokio::test]
async fn an_error_arrives_with_details_and_metadata() {
    let greeter = client().await;

    let error = greeter.hello(hello(UNKNOWN)).await.expect_err("not found");

    let status = error.status().expect("from the server");
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.message(), "nobody is here: ü");
    assert_eq!(status.metadata().get("x-why"), Some("gone"));
    let [detail] = status.details() else {
        panic!("one detail: {status:?}")
    };
    assert_eq!(detail.type_url, "type.googleapis.com/google.rpc.ErrorInfo");
    assert_eq!(&detail.value[..], b"\x0a\x06NOBODY\x12\x07greeter");
}

#[tokio::test]
async fn a_deadline_ends_the_call() {
    let greeter = client().await;

    let call = greeter
        .hello(hello(ENDLESS))
        .timeout(Duration::from_millis(50));
    let error = call.await.expect_err("too late");

    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn compressed_requests_and_replies_are_read() {
    let greeter = client().await;

    for compression in [Compression::Gzip, Compression::Zstd] {
        let name = "owl".repeat(1000);
        let reply = greeter.hello(hello(&name)).compress(compression).await;
        assert_eq!(reply.expect("answers").message, format!("hello {name}"));
    }
}
