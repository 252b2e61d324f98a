//! Reflection of services declared as Rust traits: what is known of them by their descriptors only
//! suffices to call them.

use std::collections::HashMap;

use gufo::{
    Context, Describe, DynamicClient, Server, Status, Streaming,
    core::{Caller, Idempotency, Kind},
};
use prost::Message;
use serde::{Deserialize, Serialize};

/// An owl.
#[derive(Clone, PartialEq, Message, Describe)]
struct Owl {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(sint32, tag = "2")]
    altitude: i32,
    #[prost(enumeration = "Color", tag = "3")]
    color: i32,
    #[prost(message, repeated, tag = "4")]
    chicks: Vec<Self>,
    #[prost(map = "string, message", tag = "5")]
    nests: HashMap<String, Nest>,
    #[prost(double, optional, tag = "6")]
    weight: Option<f64>,
}

#[derive(Clone, PartialEq, Message, Describe)]
struct Nest {
    #[prost(fixed64, repeated, tag = "1")]
    rings: Vec<u64>,
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration, Describe,
)]
#[repr(i32)]
enum Color {
    Brown = 0,
    White = 1,
}

/// Protobuf only: JSON has to be transcoded by the descriptors.
#[gufo::service(name = "owls.Owls", codecs(protobuf))]
trait Owls {
    #[method(no_side_effects)]
    async fn grow(&self, ctx: &Context, owl: Owl) -> Result<Owl, Status>;
    async fn flock(&self, ctx: &Context, owls: Streaming<Owl>) -> Result<Streaming<Owl>, Status>;
}

struct Growing;

impl Owls for Growing {
    async fn grow(&self, _: &Context, mut owl: Owl) -> Result<Owl, Status> {
        owl.altitude -= 1;
        Ok(owl)
    }

    async fn flock(&self, _: &Context, owls: Streaming<Owl>) -> Result<Streaming<Owl>, Status> {
        Ok(owls)
    }
}

/// Neither described nor prost: called in JSON, whatever the descriptors say.
#[derive(Serialize, Deserialize)]
struct Note {
    text: Vec<(String, Option<u8>)>,
}

#[gufo::service(name = "owls.Notes")]
trait Notes {
    async fn keep(&self, ctx: &Context, note: Note) -> Result<Note, Status>;
    async fn show(&self, ctx: &Context, owl: Shown) -> Result<Shown, Status>;
}

/// A message that both services could share.
#[derive(Serialize, Deserialize, Describe)]
struct Shown {
    name: String,
}

struct Keeper;

impl Notes for Keeper {
    async fn keep(&self, _: &Context, note: Note) -> Result<Note, Status> {
        Ok(note)
    }

    async fn show(&self, _: &Context, owl: Shown) -> Result<Shown, Status> {
        Ok(owl)
    }
}

fn client() -> DynamicClient {
    let router = Server::builder()
        .reflection()
        .service(OwlsServer::new(Growing))
        .service(NotesServer::new(Keeper))
        .into_router();
    DynamicClient::new(Caller::new(router.expect("a router")))
}

#[tokio::test]
async fn a_trait_is_described_as_it_was_written() {
    let client = client();

    let owls = client.describe("owls.Owls").await.expect("the service");

    let methods: Vec<_> = owls
        .methods
        .iter()
        .map(|method| (method.name.as_str(), method.kind, method.idempotency))
        .collect();
    assert_eq!(
        methods,
        [
            ("Grow", Kind::Unary, Idempotency::NoSideEffects),
            ("Flock", Kind::Bidi, Idempotency::Unknown),
        ]
    );
    assert_eq!(owls.methods[0].request, "owls.Owl");
}

#[tokio::test]
async fn json_is_transcoded_by_what_describe_says() {
    let client = client();
    let owl = serde_json::json!({
        "name": "Tawny",
        "altitude": -3,
        "color": "COLOR_WHITE",
        "chicks": [{"name": "Tiny"}],
        "nests": {"oak": {"rings": ["7", "18446744073709551615"]}},
        "weight": 0.0,
    });

    let reply = client.call("owls.Owls/Grow", &owl.to_string()).await;

    let reply: serde_json::Value = serde_json::from_str(&reply.expect("an owl")).expect("JSON");
    let mut grown = owl;
    grown["altitude"] = (-4).into();
    assert_eq!(reply, grown);
}

#[tokio::test]
async fn streams_are_transcoded_once_a_unary_call_has_shown_the_need() {
    let client = client();
    let owls = [r#"{"name":"a"}"#, r#"{"name":"b"}"#];
    client
        .call("owls.Owls/Grow", owls[0])
        .await
        .expect("an owl");

    let requests = Streaming::iter(owls.map(str::to_owned));
    let replies = client.stream("owls.Owls/Flock", requests).await;

    let replies = replies.expect("a stream").collect().await;
    assert_eq!(replies.expect("owls"), owls);
}

#[tokio::test]
async fn messages_that_are_not_described_are_called_in_json() {
    let client = client();
    let note = r#"{"text":[["hoo",1],["hoo-hoo",null]]}"#;

    let kept = client.call("owls.Notes/Keep", note).await;
    let shown = client.call("owls.Notes/Show", r#"{"name":"Tawny"}"#).await;

    assert_eq!(kept.expect("a note"), note);
    assert_eq!(shown.expect("an owl"), r#"{"name":"Tawny"}"#);
}
