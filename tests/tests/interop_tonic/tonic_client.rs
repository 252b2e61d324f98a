//! A tonic client calls a gufo server; tonic's own messages read health and reflection.

use std::time::Duration;

use gufo_tests::tonic_greeter::{
    ChatMessage, CountRequest, HelloRequest, SumRequest, greeter_client::GreeterClient,
};
use tokio_stream::StreamExt;
use tonic::{Code, Request, codec::CompressionEncoding, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tonic_types::StatusExt;

use crate::services::{ENDLESS, UNKNOWN, gufo_server, http_url};

fn hello(name: &str) -> HelloRequest {
    HelloRequest { name: name.into() }
}

async fn channel(url: String) -> Channel {
    let endpoint = Channel::from_shared(url).expect("a URL");
    endpoint.connect().await.expect("connects")
}

#[tokio::test]
async fn a_unary_call_carries_metadata_both_ways() {
    let server = gufo_server().await;
    let mut greeter = GreeterClient::new(channel(http_url(&server)).await);

    let mut request = Request::new(hello("owl"));
    request
        .metadata_mut()
        .insert("x-user", "barn".parse().expect("legal"));
    let response = greeter.hello(request).await.expect("answers");

    assert_eq!(response.metadata().get("x-ahead").expect("ahead"), "1");
    assert_eq!(response.metadata().get("x-after").expect("after"), "2");
    let raw = response.metadata().get_bin("x-raw-bin").expect("binary");
    assert_eq!(raw.to_bytes().expect("base64"), &[0, 255][..]);
    assert_eq!(response.into_inner().message, "hello owl from barn");
}

#[tokio::test]
async fn streams_of_all_kinds_work() {
    let server = gufo_server().await;
    let mut greeter = GreeterClient::new(channel(http_url(&server)).await);

    let counted = greeter
        .count(CountRequest {
            to: 1000,
            interval_ms: 0,
        })
        .await;
    let numbers: Vec<_> = counted.expect("opens").into_inner().collect().await;
    assert_eq!(numbers.len(), 1000);
    assert!(numbers.iter().all(Result::is_ok));

    let requests = tokio_stream::iter((1..=100).map(|number| SumRequest { number }));
    let sum = greeter.sum(requests).await.expect("answers").into_inner();
    assert_eq!(sum.total, 5050);

    let (sender, requests) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let mut replies = greeter.chat(requests).await.expect("opens").into_inner();
    for text in ["one", "two"] {
        sender
            .send(ChatMessage { text: text.into() })
            .await
            .expect("takes");
        let reply = replies.message().await.expect("goes on").expect("a reply");
        assert_eq!(reply.text, format!("re: {text}"));
    }
    drop(sender);
    assert!(replies.message().await.expect("ends well").is_none());
}

#[tokio::test]
async fn an_error_arrives_with_details_and_metadata() {
    let server = gufo_server().await;
    let mut greeter = GreeterClient::new(channel(http_url(&server)).await);

    let status = greeter.hello(hello(UNKNOWN)).await.expect_err("not found");

    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.message(), "nobody is here: ü");
    assert_eq!(status.metadata().get("x-why").expect("metadata"), "gone");
    let info = status.get_details_error_info().expect("details");
    assert_eq!(
        (info.reason.as_str(), info.domain.as_str()),
        ("NOBODY", "greeter")
    );
}

#[tokio::test]
async fn a_deadline_ends_the_call_at_the_server() {
    let server = gufo_server().await;
    let mut greeter = GreeterClient::new(channel(http_url(&server)).await);

    let mut request = Request::new(hello(ENDLESS));
    request.set_timeout(Duration::from_millis(50));
    let status = greeter.hello(request).await.expect_err("too late");

    // tonic's own timer answers CANCELLED; whichever is first, the call ends.
    assert!(
        matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{status:?}"
    );
}

#[tokio::test]
async fn compressed_requests_and_replies_are_read() {
    let server = gufo_server().await;
    for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Zstd] {
        let mut greeter = GreeterClient::new(channel(http_url(&server)).await)
            .send_compressed(encoding)
            .accept_compressed(encoding);

        let name = "owl".repeat(1000);
        let response = greeter.hello(hello(&name)).await.expect("answers");

        let encoded = response
            .metadata()
            .get("grpc-encoding")
            .expect("compressed");
        assert!(encoded == "gzip" || encoded == "zstd");
        assert_eq!(response.into_inner().message, format!("hello {name}"));
    }
}

#[tokio::test]
async fn health_is_read_by_its_own_client() {
    let server = gufo_server().await;
    let mut health = HealthClient::new(channel(http_url(&server)).await);

    for service in ["", "greeter.Greeter"] {
        let request = HealthCheckRequest {
            service: service.into(),
        };
        let response = health.check(request).await.expect("answers").into_inner();
        assert_eq!(response.status().as_str_name(), "SERVING", "{service}");
    }
    let request = HealthCheckRequest {
        service: "a.B".into(),
    };
    assert_eq!(
        health.check(request).await.expect_err("unknown").code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn reflection_lists_the_services_and_describes_them() {
    let server = gufo_server().await;
    let mut reflection = ServerReflectionClient::new(channel(http_url(&server)).await);
    let ask = |request| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(request),
    };
    let requests = tokio_stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(
            "greeter.Greeter".into(),
        )),
    ]);

    let replies = reflection
        .server_reflection_info(requests)
        .await
        .expect("opens");
    let replies: Vec<_> = replies.into_inner().collect().await;

    let Some(Ok(Some(MessageResponse::ListServicesResponse(list)))) = replies
        .first()
        .map(|reply| reply.clone().map(|reply| reply.message_response))
    else {
        panic!("a list: {replies:?}")
    };
    assert!(
        list.service
            .iter()
            .any(|service| service.name == "greeter.Greeter")
    );
    let Some(Ok(Some(MessageResponse::FileDescriptorResponse(files)))) = replies
        .get(1)
        .map(|reply| reply.clone().map(|reply| reply.message_response))
    else {
        panic!("files: {replies:?}")
    };
    assert!(!files.file_descriptor_proto.is_empty());
}
