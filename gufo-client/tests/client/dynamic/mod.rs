//! Dynamic calls, to servers of different manners.

mod server;

use std::sync::Arc;

use gufo_client::DynamicClient;
use gufo_core::{Caller, Code, Error, Idempotency, Kind, Streaming};

use server::{Json, Server};

fn client(server: &Arc<Server>) -> DynamicClient {
    DynamicClient::new(Caller::new(Arc::clone(server) as _))
}

#[tokio::test]
async fn a_server_that_speaks_protobuf_only_is_called_in_protobuf() {
    let server = Server::foreign();

    let reply = client(&server)
        .call("greeter.Greeter/Hello", r#"{"name":"owl"}"#)
        .await
        .unwrap();

    assert_eq!(reply, r#"{"message":"hello owl"}"#);
    assert_eq!(server.calls("Hello"), ["proto"]);
}

#[tokio::test]
async fn a_server_that_speaks_json_gets_the_json_as_it_is() {
    for json in [Json::Everywhere, Json::ButForReflection] {
        let server = Server::new(json);
        // What the descriptors do not know is the server's business.
        let text = r#"{ "name": "owl", "not_described": 1 }"#;

        let reply = client(&server).call("greeter.Greeter/Hello", text).await;

        assert_eq!(reply.unwrap(), r#"{"message":"hello owl"}"#, "{json:?}");
        assert_eq!(server.calls("Hello"), ["json"], "{json:?}");
    }
}

#[tokio::test]
async fn a_service_without_json_is_called_in_protobuf_from_the_second_call_on() {
    let server = Server::new(Json::ButForServices);
    let client = client(&server);

    for _ in 0..2 {
        let reply = client
            .call("greeter.Greeter/Hello", r#"{"name":"owl"}"#)
            .await;
        assert_eq!(reply.unwrap(), r#"{"message":"hello owl"}"#);
    }

    assert_eq!(server.calls("Hello"), ["json", "proto", "proto"]);
}

#[tokio::test]
async fn what_the_server_answers_is_the_error() {
    let server = Server::foreign();

    let error = client(&server)
        .call("greeter.Greeter/Hello", r#"{"name":""}"#)
        .await
        .unwrap_err();

    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.message(), "name is empty");
    assert_eq!(server.calls("Hello").len(), 1);
}

#[tokio::test]
async fn json_that_is_not_the_request_is_not_sent() {
    let server = Server::foreign();
    let client = client(&server);

    for wrong in [
        "",
        "{",
        "[]",
        r#"{"nam":"owl"}"#,
        r#"{"name":1}"#,
        r#"{"name":"a"} x"#,
    ] {
        let error = client
            .call("greeter.Greeter/Hello", wrong)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{wrong}");
        assert!(error.message().contains("greeter.HelloRequest"), "{error}");
    }

    assert!(server.calls("Hello").is_empty());
}

#[tokio::test]
async fn streams_are_streams_of_json() {
    for server in [Server::foreign(), Server::new(Json::Everywhere)] {
        let requests = ["owl", "fox"].map(|name| format!(r#"{{"name":"{name}"}}"#));

        let client = client(&server);
        let chat = client.stream("greeter.Greeter/Chat", Streaming::iter(requests));
        let replies = chat.await.unwrap().collect().await.unwrap();

        assert_eq!(
            replies,
            [r#"{"message":"hello owl"}"#, r#"{"message":"hello fox"}"#]
        );
    }
}

#[tokio::test]
async fn a_request_that_does_not_fit_ends_its_stream() {
    let server = Server::foreign();
    let requests = Streaming::iter([r#"{"name":"owl"}"#.to_owned(), "nonsense".to_owned()]);

    let client = client(&server);
    let chat = client.stream("greeter.Greeter/Chat", requests);
    let mut replies = chat.await.unwrap();

    assert_eq!(
        replies.next().await.unwrap().unwrap(),
        r#"{"message":"hello owl"}"#
    );
    assert_eq!(
        replies.next().await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn a_service_is_described_by_its_methods() {
    let client = client(&Server::foreign());

    let described = client.describe("greeter.Greeter").await.unwrap();

    assert_eq!(described.name, "greeter.Greeter");
    let hello = &described.methods[0];
    assert_eq!((hello.name.as_str(), hello.kind), ("Hello", Kind::Unary));
    assert_eq!(hello.idempotency, Idempotency::NoSideEffects);
    assert_eq!(hello.request, "greeter.HelloRequest");
    assert_eq!(hello.reply, "greeter.HelloReply");
    let chat = &described.methods[1];
    assert_eq!((chat.name.as_str(), chat.kind), ("Chat", Kind::Bidi));
    assert_eq!(chat.idempotency, Idempotency::Unknown);
}

#[tokio::test]
async fn a_description_is_asked_for_once() {
    let server = Server::foreign();
    let client = client(&server);

    for _ in 0..3 {
        client.describe("greeter.Greeter").await.unwrap();
    }

    let asked = server.asked();
    assert_eq!(
        asked
            .iter()
            .filter(|it| *it == "symbol greeter.Greeter")
            .count(),
        1,
        "{asked:?}"
    );
}

#[tokio::test]
async fn services_are_listed_sorted() {
    let services = client(&Server::foreign()).list_services().await.unwrap();

    assert_eq!(services, ["a.First", "greeter.Greeter"]);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let server = Server::foreign();
    let client = client(&server);
    let code_of = |error: Error| (error.code(), error.message().to_owned());

    let service = client.call("greeter.Nobody/Hello", "{}").await.unwrap_err();
    let method = client.call("greeter.Greeter/Bye", "{}").await.unwrap_err();
    let message = client.describe("greeter.HelloRequest").await.unwrap_err();

    let expected = "the server tells of no service greeter.Nobody".to_owned();
    assert_eq!(code_of(service), (Code::NotFound, expected));
    let expected = "greeter.Greeter has no method Bye; it has Hello, Chat".to_owned();
    assert_eq!(code_of(method), (Code::NotFound, expected));
    assert_eq!(message.code(), Code::NotFound);
}

#[tokio::test]
async fn a_method_of_another_kind_is_refused() {
    let client = client(&Server::foreign());

    let unary = client.call("greeter.Greeter/Chat", "{}").await.unwrap_err();
    let stream = client
        .stream("greeter.Greeter/Hello", Streaming::iter([]))
        .await
        .unwrap_err();

    assert_eq!(unary.code(), Code::InvalidArgument);
    assert_eq!(stream.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_server_without_reflection_is_told_apart() {
    let client = client(&Server::mute());

    let listed = client.list_services().await.unwrap_err();
    let called = client
        .call("greeter.Greeter/Hello", "{}")
        .await
        .unwrap_err();

    for error in [listed, called] {
        assert_eq!(error.code(), Code::Unimplemented);
        assert_eq!(error.message(), "the server has no reflection");
    }
}

#[tokio::test]
async fn descriptors_that_make_no_sense_are_an_error() {
    let cases = [
        ("hostile.Garbage", "not valid protobuf"),
        ("hostile.Dangling", "makes no sense"),
        ("hostile.Endless", "1000 files"),
        ("hostile.OffTopic", "something else"),
    ];
    for (service, expected) in cases {
        let error = client(&Server::foreign())
            .describe(service)
            .await
            .unwrap_err();
        assert!(error.message().contains(expected), "{service}: {error}");
    }
}
