//! What reflection is told about a service and about messages that derive `Describe`.

mod greeter;

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use greeter::{GreeterServer, Polite};
use gufo_core::{Context, Service, Status, Streaming, describe::ServiceDescription};
use gufo_macros::Describe;
use prost::Message;
use prost_reflect::{
    Cardinality, DescriptorPool, FieldDescriptor, Kind, MessageDescriptor,
    prost_types::{FileDescriptorSet, method_options::IdempotencyLevel},
};

/// The descriptors of a service, read by a peer's library.
fn pool(service: impl Into<Service>) -> DescriptorPool {
    let mut pool = DescriptorPool::new();
    for set in service.into().descriptors() {
        pool.decode_file_descriptor_set(set).expect("a valid set");
    }
    pool
}

fn greeter() -> DescriptorPool {
    pool(GreeterServer::new(Polite))
}

fn field(message: &MessageDescriptor, name: &str) -> FieldDescriptor {
    message.get_field_by_name(name).expect(name)
}

#[test]
fn a_service_has_its_methods_with_kinds_and_messages() {
    let pool = greeter();

    let service = pool
        .get_service_by_name("greeter.Greeter")
        .expect("the service");

    let methods: Vec<_> = service
        .methods()
        .map(|method| {
            (
                method.name().to_owned(),
                method.is_client_streaming(),
                method.is_server_streaming(),
                method.input().full_name().to_owned(),
                method.output().full_name().to_owned(),
            )
        })
        .collect();
    let expected = [
        (
            "Hello",
            false,
            false,
            "greeter.HelloRequest",
            "greeter.HelloReply",
        ),
        (
            "CountUp",
            false,
            true,
            "greeter.CountRequest",
            "greeter.Number",
        ),
        ("Sum", true, false, "greeter.Number", "greeter.Number"),
        ("Chat", true, true, "greeter.Line", "greeter.Line"),
    ]
    .map(|(name, client, server, request, reply)| {
        (
            name.to_owned(),
            client,
            server,
            request.to_owned(),
            reply.to_owned(),
        )
    });
    assert_eq!(methods, expected);
}

#[test]
fn methods_state_idempotency_and_rest_bindings() {
    let pool = greeter();
    let service = pool
        .get_service_by_name("greeter.Greeter")
        .expect("the service");
    let level = |name: &str| {
        let method = service.methods().find(|method| method.name() == name);
        let method = method.expect(name).method_descriptor_proto().clone();
        method.options.unwrap_or_default().idempotency_level()
    };

    assert_eq!(level("Hello"), IdempotencyLevel::Idempotent);
    assert_eq!(level("CountUp"), IdempotencyLevel::NoSideEffects);
    assert_eq!(level("Sum"), IdempotencyLevel::IdempotencyUnknown);
    // `google.api.http` is known by its number.
    let hello = service
        .methods()
        .find(|method| method.name() == "Hello")
        .expect("Hello");
    let options = hello.options().encode_to_vec();
    let path = "/hello/{name}";
    let mut rule = vec![2 << 3 | 2, path.len() as u8];
    rule.extend_from_slice(path.as_bytes());
    assert!(options.windows(rule.len()).any(|window| window == rule));
}

#[test]
fn doc_comments_are_descriptions() {
    let service = Service::from(GreeterServer::new(Polite));
    let set = service.descriptors().next().expect("a set");
    let set = FileDescriptorSet::decode(set).expect("a valid set");
    let comment = |file: &str, path: &[i32]| {
        let file = set
            .file
            .iter()
            .find(|known| known.name() == file)
            .expect(file);
        let info = file.source_code_info.clone().expect("comments");
        let location = info
            .location
            .into_iter()
            .find(|location| location.path == path);
        location.and_then(|location| location.leading_comments)
    };

    let service = comment("greeter.Greeter.proto", &[6, 0]);
    assert_eq!(service.as_deref(), Some("Greets people.\n\nIn four ways."));
    let method = comment("greeter.Greeter.proto", &[6, 0, 2, 1]);
    assert_eq!(method.as_deref(), Some("Counts."));
    let message = comment("greeter.HelloRequest.proto", &[4, 0]);
    assert_eq!(message.as_deref(), Some("Whom to greet."));
    let field = comment("greeter.HelloRequest.proto", &[4, 0, 2, 0]);
    assert_eq!(field.as_deref(), Some("A name."));
}

#[test]
fn a_described_message_reads_what_prost_writes() {
    let pool = greeter();
    let number = pool
        .get_message_by_name("greeter.Number")
        .expect("the message");

    let encoded = greeter::Number { number: -7 }.encode_to_vec();
    let read = prost_reflect::DynamicMessage::decode(number, &*encoded).expect("a number");

    let value = read.get_field_by_name("number").expect("the field");
    assert_eq!(value.as_i64(), Some(-7));
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration, Describe,
)]
#[repr(i32)]
enum Color {
    Brown = 0,
    SnowWhite = 3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
enum Mood {
    Calm = 0,
}

#[derive(Clone, PartialEq, Message, Describe)]
struct Owl {
    #[prost(string, tag = "2")]
    name: String,
    #[prost(bytes = "bytes", tag = "4")]
    picture: Bytes,
    #[prost(enumeration = "Color", tag = "5")]
    color: i32,
    #[prost(enumeration = "Mood", repeated, tag = "6")]
    moods: Vec<i32>,
    #[prost(double, optional, tag = "7")]
    weight: Option<f64>,
    #[prost(fixed64, repeated, tag = "8")]
    rings: Vec<u64>,
    #[prost(map = "string, sint32", tag = "9")]
    sightings: HashMap<String, i32>,
    #[prost(map = "int32, message", tag = "10")]
    nests: HashMap<i32, Nest>,
    #[prost(message, optional, boxed, tag = "11")]
    mother: Option<Box<Self>>,
    #[prost(message, repeated, tag = "12")]
    chicks: Vec<Self>,
}

#[derive(Clone, PartialEq, Message, Describe)]
struct Nest {
    #[prost(message, optional, tag = "1")]
    owner: Option<Box<Owl>>,
}

struct Undescribed;

#[derive(Describe)]
#[allow(dead_code, reason = "only its shape is looked at")]
struct Plain {
    r#type: String,
    small: u8,
    list: Vec<Option<String>>,
    table: BTreeMap<String, bool>,
    other: Option<Undescribed>,
    unit: Empty,
}

#[derive(Describe)]
struct Empty;

#[gufo_macros::service(name = "owls.v1.Owls", codecs(protobuf))]
trait Owls {
    async fn find(&self, ctx: &Context, request: Owl) -> Result<Streaming<Owl>, Status>;
}

struct NoOwls;

impl Owls for NoOwls {
    async fn find(&self, _: &Context, _: Owl) -> Result<Streaming<Owl>, Status> {
        Ok(Streaming::iter([]))
    }
}

#[test]
fn fields_of_prost_have_their_numbers_types_and_labels() {
    let pool = pool(OwlsServer::new(NoOwls));
    let owl = pool
        .get_message_by_name("owls.v1.Owl")
        .expect("the message");

    let name = field(&owl, "name");
    assert_eq!((name.number(), name.kind()), (2, Kind::String));
    assert!(!name.supports_presence());
    assert_eq!(field(&owl, "picture").kind(), Kind::Bytes);
    let color = field(&owl, "color").kind();
    let color = color.as_enum().expect("an enum");
    assert_eq!(color.full_name(), "owls.v1.Color");
    let white = color.get_value(3).expect("white");
    assert_eq!(white.name(), "COLOR_SNOW_WHITE");
    // An enum that is not described is its number.
    assert_eq!(field(&owl, "moods").kind(), Kind::Int32);
    assert!(field(&owl, "moods").is_list());
    assert!(field(&owl, "weight").supports_presence());
    assert_eq!(field(&owl, "rings").kind(), Kind::Fixed64);
    assert_eq!(field(&owl, "rings").cardinality(), Cardinality::Repeated);
    let sightings = field(&owl, "sightings");
    assert!(sightings.is_map());
    let entry = sightings.kind();
    let entry = entry.as_message().expect("an entry");
    assert_eq!(entry.map_entry_key_field().kind(), Kind::String);
    assert_eq!(entry.map_entry_value_field().kind(), Kind::Sint32);
    assert_eq!(field(&owl, "chicks").kind(), Kind::Message(owl.clone()));
}

#[test]
fn messages_that_use_each_other_share_a_file() {
    let pool = pool(OwlsServer::new(NoOwls));
    let owl = pool
        .get_message_by_name("owls.v1.Owl")
        .expect("the message");
    let nest = pool
        .get_message_by_name("owls.v1.Nest")
        .expect("the message");

    assert_eq!(owl.parent_file(), nest.parent_file());
    assert_eq!(field(&nest, "owner").kind(), Kind::Message(owl));
}

#[gufo_macros::service(name = "plain.Plain")]
trait PlainService {
    async fn keep(&self, ctx: &Context, request: Kept) -> Result<Vec<Kept>, Status>;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Kept;

struct Keeper;

impl PlainService for Keeper {
    async fn keep(&self, _: &Context, request: Kept) -> Result<Vec<Kept>, Status> {
        Ok(vec![request])
    }
}

#[test]
fn messages_that_are_not_described_have_the_names_of_their_types() {
    let pool = pool(PlainServiceServer::new(Keeper));
    let service = pool
        .get_service_by_name("plain.Plain")
        .expect("the service");

    let method = service.methods().next().expect("a method");

    assert_eq!(method.input().full_name(), "plain.Kept");
    assert_eq!(method.output().full_name(), "plain.Vec_Kept");
    assert_eq!(method.input().fields().len(), 0);
}

static KEEP: gufo_core::Method = gufo_core::Method::new(gufo_core::Kind::Unary, "/p.S/Keep");

#[test]
fn fields_without_prost_are_typed_by_rust() {
    let set = ServiceDescription::new("p.S", "")
        .method::<Plain, Plain>(
            &KEEP,
            "",
            <Plain as gufo_core::Describe>::describe,
            <Plain as gufo_core::Describe>::describe,
        )
        .encode();
    let pool = DescriptorPool::decode(&*set).expect("a valid set");
    let plain = pool.get_message_by_name("p.Plain").expect("the message");

    let numbers: Vec<_> = plain.fields().map(|field| field.number()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    assert_eq!(field(&plain, "type").kind(), Kind::String);
    assert_eq!(field(&plain, "small").kind(), Kind::Uint32);
    assert!(field(&plain, "table").is_map());
    // A list of options has no form in protobuf.
    let list = field(&plain, "list").kind();
    assert_eq!(list.as_message().map(|list| list.fields().len()), Some(0));
    let other = field(&plain, "other").kind();
    let other = other
        .as_message()
        .expect("a message")
        .full_name()
        .to_owned();
    assert_eq!(other, "p.Option_Undescribed");
}

#[test]
fn two_services_that_share_a_message_state_the_same_file() {
    let describe = |name| {
        let set = ServiceDescription::new(name, "")
            .method::<Owl, Owl>(
                &KEEP,
                "",
                <Owl as gufo_core::Describe>::describe,
                <Owl as gufo_core::Describe>::describe,
            )
            .encode();
        let set = FileDescriptorSet::decode(&*set).expect("a valid set");
        set.file
            .into_iter()
            .filter(|file| file.service.is_empty())
            .collect::<Vec<_>>()
    };

    let (one, other) = (describe("p.One"), describe("p.Other"));

    assert_eq!(one, other);
    assert_eq!(one.last().map(|file| file.name()), Some("p.Nest.proto"));
}
