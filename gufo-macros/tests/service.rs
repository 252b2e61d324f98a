//! What `#[gufo::service]` emits, called in the process: every kind, every format, with and
//! without serialization.

#![deny(
    missing_docs,
    missing_debug_implementations,
    dead_code,
    unused_qualifications,
    unused_imports,
    unreachable_pub,
    elided_lifetimes_in_paths,
    deprecated,
    clippy::all,
    clippy::use_self,
    clippy::allow_attributes_without_reason
)]

mod greeter;
mod support;

use std::sync::Arc;

use bytes::Bytes;
use greeter::{
    CountRequest, GREETER_METHODS, GreeterClient, GreeterServer, HelloReply, HelloRequest, Line,
    Number, Polite,
};
use gufo_core::{
    Caller, Code, Context, Format, Idempotency, Kind, RestBinding, Service, Status, Streaming,
    TypedClient, Values,
};
use support::Router;

/// Every way a message goes from client to server.
fn ways() -> impl Iterator<Item = (Format, GreeterClient)> {
    let formats = [Format::Protobuf, Format::Json, Format::MessagePack];
    formats.into_iter().flat_map(|format| {
        [Values::Encode, Values::HandOver].map(|values| {
            let caller = Router::caller(GreeterServer::new(Polite), values);
            (format.clone(), GreeterClient::new(caller))
        })
    })
}

fn owl() -> HelloRequest {
    HelloRequest { name: "owl".into() }
}

fn numbers(numbers: impl IntoIterator<Item = i64>) -> Vec<Number> {
    numbers
        .into_iter()
        .map(|number| Number { number })
        .collect()
}

#[tokio::test]
async fn a_unary_method_answers_in_every_format() {
    for (format, client) in ways() {
        let reply = client.hello(owl()).format(format).await;

        assert_eq!(reply.expect("a reply").message, "hello owl");
    }
}

#[tokio::test]
async fn a_status_reaches_the_client() {
    for (format, client) in ways() {
        let error = client.hello(HelloRequest::default()).format(format).await;

        let error = error.expect_err("an empty name");
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(error.message(), "name is empty");
    }
}

#[tokio::test]
async fn a_server_stream_answers_in_every_format() {
    for (format, client) in ways() {
        let counted = client.count(CountRequest { to: 3 }).format(format).await;

        let counted = counted.expect("a stream").collect().await;
        assert_eq!(counted.expect("numbers"), numbers([1, 2, 3]));
    }
}

#[tokio::test]
async fn a_client_stream_is_answered_in_every_format_with_metadata() {
    for (format, client) in ways() {
        let requests = Streaming::iter(numbers([-1, 2, 41]));
        let call = client.sum(requests).format(format.clone());

        let response = call.response().await.expect("a reply");

        assert_eq!(response.message.number, 42);
        assert_eq!(response.metadata.get("format"), Some(format.name()));
        assert_eq!(response.trailers.get("done"), Some("yes"));
    }
}

#[tokio::test]
async fn both_sides_stream_at_once_in_every_format() {
    for (format, client) in ways() {
        let (tx, requests) = Streaming::channel(1);
        let mut replies = client
            .chat(requests)
            .format(format)
            .await
            .expect("a stream");

        for word in ["hoo", "hoo-hoo"] {
            tx.send(Line { text: word.into() }).await.expect("room");
            let reply = replies.next().await.expect("a line");
            assert_eq!(
                reply.map(|line| line.text),
                Some(format!("you said {word}"))
            );
        }
        drop(tx);

        assert_eq!(replies.next().await.expect("a regular end"), None);
    }
}

#[test]
fn the_method_table_holds_what_the_trait_says() {
    let [hello, count, sum, chat] = &GREETER_METHODS;

    assert_eq!(hello.path(), "/greeter.Greeter/Hello");
    assert_eq!(hello.kind(), Kind::Unary);
    assert_eq!(hello.idempotency(), Idempotency::Idempotent);
    assert_eq!(
        hello.rest(),
        [
            RestBinding::new("GET", "/hello/{name}", ""),
            RestBinding::new("POST", "/hello", "*"),
            RestBinding::new("PUT", "/hello/{name}", "name"),
        ]
    );
    assert_eq!(count.path(), "/greeter.Greeter/CountUp");
    assert_eq!(count.kind(), Kind::ServerStream);
    assert_eq!(count.idempotency(), Idempotency::NoSideEffects);
    assert_eq!(sum.kind(), Kind::ClientStream);
    assert_eq!(sum.idempotency(), Idempotency::Unknown);
    assert_eq!(chat.kind(), Kind::Bidi);
    assert!(chat.rest().is_empty());
}

#[test]
fn a_server_turns_into_a_service_with_the_methods_of_the_table() {
    let service = Service::from(GreeterServer::from_arc(Arc::new(Polite)).clone());

    assert_eq!(service.name(), "greeter.Greeter");
    assert_eq!(<GreeterClient as TypedClient>::SERVICE, service.name());
    assert_eq!(service.routes().len(), GREETER_METHODS.len());
    for (route, method) in service.routes().iter().zip(&GREETER_METHODS) {
        assert!(std::ptr::eq(&*route.method, method));
    }
}

#[test]
fn generated_types_debug_without_their_contents() {
    let server = GreeterServer::new(Polite);
    let client = GreeterClient::from(Router::caller(server.clone(), Values::Encode));

    assert_eq!(format!("{server:?}"), "GreeterServer { .. }");
    assert!(format!("{client:?}").starts_with("GreeterClient { caller: Caller {"));
}

#[gufo_macros::service(name = "Store", codecs(raw), crate = ::gufo_core)]
trait Store {
    /// A function without `#[method]`, with a name that is a keyword.
    async fn r#move(&self, _: &Context, _: Bytes) -> Result<Bytes, Status>;

    #[deprecated = "use move"]
    async fn take(&self, _: &Context, body: Bytes) -> Result<Bytes, Status>;
}

struct Reversed;

impl Store for Reversed {
    async fn r#move(&self, _: &Context, body: Bytes) -> Result<Bytes, Status> {
        Ok(body.iter().rev().copied().collect())
    }

    async fn take(&self, _: &Context, body: Bytes) -> Result<Bytes, Status> {
        Ok(body)
    }
}

#[tokio::test]
async fn raw_messages_pass_as_they_are() {
    let client = StoreClient::new(Router::caller(StoreServer::new(Reversed), Values::Encode));

    let reply = client.r#move(Bytes::from_static(b"owl")).await;

    assert_eq!(reply.expect("a reply"), "lwo");
    assert_eq!(STORE_METHODS[0].path(), "/Store/Move");
}

mod plain {
    use gufo_core::{Context, Status};
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub(super) struct Note {
        pub(super) text: Option<String>,
        pub(super) tags: Vec<(u8, String)>,
    }

    #[gufo_macros::service(name = "notes.Notes")]
    pub(super) trait Notes: std::fmt::Debug {
        async fn keep(&self, ctx: &Context, note: Note) -> Result<Note, Status>;
    }

    #[derive(Debug)]
    pub(super) struct Same;

    impl Notes for Same {
        async fn keep(&self, _: &Context, note: Note) -> Result<Note, Status> {
            Ok(note)
        }
    }
}

#[tokio::test]
async fn any_serde_type_is_a_message_in_the_formats_of_serde() {
    let client = plain::NotesClient::new(Router::caller(
        plain::NotesServer::new(plain::Same),
        Values::Encode,
    ));
    let note = || plain::Note {
        text: None,
        tags: vec![(1, "owl".into())],
    };

    for format in [Format::Json, Format::MessagePack] {
        let reply = client.keep(note()).format(format).await;
        assert_eq!(reply.expect("a reply"), note());
    }
    let error = client.keep(note()).format(Format::Protobuf).await;
    assert_eq!(error.expect_err("no such form").code(), Code::Unimplemented);
}

#[deprecated = "it does nothing"]
#[gufo_macros::service(name = "empty.Empty")]
trait Empty {}

struct Nothing;

#[allow(deprecated, reason = "that it compiles is the test")]
impl Empty for Nothing {}

#[test]
fn a_service_may_have_no_methods() {
    let service = Service::from(EmptyServer::new(Nothing));

    assert!(service.routes().is_empty());
    assert!(EMPTY_METHODS.is_empty());
}

#[tokio::test]
async fn clients_prefer_the_first_format_of_their_messages() {
    #[derive(Debug)]
    struct Tells;

    impl gufo_core::Handler for Tells {
        fn unary(
            &self,
            ctx: Context,
            _: gufo_core::Payload,
        ) -> gufo_core::Answer<gufo_core::Reply> {
            let status = Status::aborted(ctx.format().name().to_owned());
            status.into()
        }

        fn stream(
            &self,
            _: Context,
            _: gufo_core::Messages,
        ) -> gufo_core::Answer<gufo_core::Replies> {
            Status::aborted("a stream").into()
        }
    }

    let caller = Caller::new(Arc::new(Tells));
    let told = |error: gufo_core::Error| error.message().to_owned();
    let note = plain::Note {
        text: None,
        tags: vec![],
    };

    let protobuf = GreeterClient::new(caller.clone()).hello(owl()).await;
    let json = plain::NotesClient::new(caller.clone()).keep(note).await;
    let raw = StoreClient::new(caller).r#move(Bytes::new()).await;

    assert_eq!(
        protobuf.map(|HelloReply { message }| message).map_err(told),
        Err("proto".into())
    );
    assert_eq!(json.map_err(told), Err("json".into()));
    assert_eq!(raw.map_err(told), Err("octet-stream".into()));
}
