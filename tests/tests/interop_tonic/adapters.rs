//! The doors: a tonic service on a gufo server, a gufo channel under a tonic client.

use gufo::{
    Connect as _, Server, Streaming,
    tower::tonic::{TonicChannel, mount},
};
use gufo_tests::{
    greeter::{ChatMessage, CountRequest, GreeterClient, HelloRequest, SumRequest},
    polite,
    tonic_greeter::{self, greeter_client, greeter_server},
};
use tokio_stream::StreamExt;

use crate::services::{TonicPolite, UNKNOWN};

async fn mounted(url: &str) -> gufo::RunningServer {
    Server::builder()
        .listen(url)
        .service(mount(greeter_server::GreeterServer::new(TonicPolite)))
        .start()
        .await
        .expect("starts")
}

#[tokio::test]
async fn a_mounted_tonic_service_answers_all_kinds_over_every_transport() {
    for url in ["grpc://127.0.0.1:0", "memory://mounted"] {
        let server = mounted(url).await;
        let greeter = GreeterClient::connect(&server.urls()[0])
            .await
            .expect("connects");

        let hello = greeter
            .hello(HelloRequest { name: "owl".into() })
            .metadata("x-user", "barn");
        let response = hello.response().await.expect("answers");
        assert_eq!(response.message.message, "hello owl from barn", "{url}");
        assert_eq!(response.metadata.get("x-ahead"), Some("1"));

        let counted = greeter
            .count(CountRequest {
                to: 10,
                interval_ms: 0,
            })
            .await
            .expect("opens");
        assert_eq!(counted.collect().await.expect("ends well").len(), 10);

        let requests = (1..=10).map(|number| SumRequest { number });
        let sum = greeter
            .sum(Streaming::iter(requests))
            .await
            .expect("answers");
        assert_eq!(sum.total, 55);

        let texts = ["one", "two"].map(|text| ChatMessage { text: text.into() });
        let replies = greeter.chat(Streaming::iter(texts)).await.expect("opens");
        assert_eq!(replies.collect().await.expect("ends well").len(), 2);

        let error = greeter
            .hello(HelloRequest {
                name: UNKNOWN.into(),
            })
            .await
            .expect_err("not found");
        let status = error.status().expect("from the server");
        assert_eq!(status.details().len(), 1);
        assert_eq!(status.metadata().get("x-why"), Some("gone"));
        server.stop().await;
    }
}

#[tokio::test]
async fn a_request_stream_that_fails_reaches_a_mounted_service_as_an_error() {
    let server = mounted("memory://mounted-failing").await;
    let greeter = GreeterClient::connect(&server.urls()[0])
        .await
        .expect("connects");

    let (sender, requests) = Streaming::channel(2);
    sender.send(SumRequest { number: 1 }).await.expect("takes");
    sender.fail(gufo::Status::aborted("half way")).await;
    let error = greeter.sum(requests).await.expect_err("aborted");

    assert_ne!(error.code(), gufo::Code::Ok);
    server.stop().await;
}

#[tokio::test]
async fn a_tonic_client_over_a_gufo_channel_makes_all_kinds_of_calls() {
    for url in ["grpc://127.0.0.1:0", "memory://under-tonic"] {
        let server = polite::serve(url).await;
        let channel = gufo::connect(&server.urls()[0], "greeter.Greeter")
            .await
            .expect("connects");
        let mut greeter = greeter_client::GreeterClient::new(TonicChannel::new(channel));

        let hello = tonic_greeter::HelloRequest { name: "owl".into() };
        let response = greeter.hello(hello).await.expect("answers");
        assert_eq!(
            response.metadata().get("x-ahead").expect("ahead"),
            "1",
            "{url}"
        );
        assert_eq!(response.into_inner().message, "hello owl");

        let count = tonic_greeter::CountRequest {
            to: 10,
            interval_ms: 0,
        };
        let counted: Vec<_> = greeter
            .count(count)
            .await
            .expect("opens")
            .into_inner()
            .collect()
            .await;
        assert_eq!(counted.len(), 10);

        let requests =
            tokio_stream::iter((1..=10).map(|number| tonic_greeter::SumRequest { number }));
        assert_eq!(
            greeter
                .sum(requests)
                .await
                .expect("answers")
                .into_inner()
                .total,
            55
        );

        let texts = ["one", "two"].map(|text| tonic_greeter::ChatMessage { text: text.into() });
        let replies = greeter
            .chat(tokio_stream::iter(texts))
            .await
            .expect("opens");
        assert_eq!(replies.into_inner().collect::<Vec<_>>().await.len(), 2);

        let nobody = tonic_greeter::HelloRequest {
            name: UNKNOWN.into(),
        };
        let status = greeter.hello(nobody).await.expect_err("not found");
        assert_eq!(status.code(), tonic::Code::NotFound);
        assert_eq!(status.metadata().get("x-why").expect("metadata"), "gone");
        server.stop().await;
    }
}
