//! What `gufo-build` generates, called in the process: every kind, every format, with and without
//! serialization; the JSON of messages; what descriptors say.

use std::time::Duration;

use gufo::{
    Caller, Code, Context, Error, Format, Response, Server, Service, Status, Streaming,
    core::{Idempotency, Kind, RestBinding, TypedClient},
    testing,
};
use gufo_tests::{
    animals::Species,
    greeter::{
        ChatMessage, CountReply, CountRequest, GREETER_METHODS, Greeter, GreeterClient,
        GreeterServer, HelloReply, HelloRequest, SumReply, SumRequest,
    },
    zoo::v1::{Animal, Diet, ZOO_METHODS, Zoo, ZooClient, ZooServer, animal},
};
use prost_reflect::DescriptorPool;

/// Greets politely.
struct Polite;

impl Greeter for Polite {
    async fn hello(&self, _: &Context, request: HelloRequest) -> Result<HelloReply, Status> {
        if request.name.is_empty() {
            return Err(Status::invalid_argument("name is empty"));
        }
        let message = format!("hello {}", request.name);
        Ok(HelloReply { message })
    }

    async fn count(
        &self,
        _: &Context,
        request: CountRequest,
    ) -> Result<Streaming<CountReply>, Status> {
        let (tx, replies) = Streaming::channel(1);
        tokio::spawn(async move {
            for number in 1..=request.to {
                tokio::time::sleep(Duration::from_millis(request.interval_ms.into())).await;
                if tx.send(CountReply { number }).await.is_err() {
                    break;
                }
            }
        });
        Ok(replies)
    }

    async fn sum(
        &self,
        _: &Context,
        mut requests: Streaming<SumRequest>,
    ) -> Result<SumReply, Status> {
        let mut total = 0;
        while let Some(request) = requests.next().await? {
            total += request.number;
        }
        Ok(SumReply { total })
    }

    async fn chat(
        &self,
        _: &Context,
        mut requests: Streaming<ChatMessage>,
    ) -> Result<Streaming<ChatMessage>, Status> {
        let (tx, replies) = Streaming::channel(1);
        tokio::spawn(async move {
            while let Ok(Some(message)) = requests.next().await {
                let text = format!("{} to you", message.text);
                if tx.send(ChatMessage { text }).await.is_err() {
                    break;
                }
            }
        });
        Ok(replies)
    }
}

/// Gives back what it gets.
struct Keeper;

impl Zoo for Keeper {
    async fn keep(&self, _: &Context, animal: Animal) -> Result<Animal, Status> {
        Ok(animal)
    }

    async fn new_(&self, _: &Context, animal: Animal) -> Result<Species, Status> {
        animal
            .species
            .ok_or_else(|| Status::not_found("no species"))
    }

    async fn r#type(&self, _: &Context, species: Species) -> Result<Animal, Status> {
        Ok(Animal {
            species: Some(species),
            ..Animal::default()
        })
    }

    async fn old(&self, _: &Context, animal: Animal) -> Result<Animal, Status> {
        Ok(animal)
    }
}

/// A client that serializes, through a router without a transport.
fn encoding<C: TypedClient>(service: impl Into<Service>) -> C {
    let router = Server::builder().service(service).into_router();
    C::from(Caller::new(router.expect("a router")))
}

/// Every way a message goes from client to server.
async fn ways() -> Vec<(Format, GreeterClient)> {
    let handing_over: GreeterClient = testing::client(GreeterServer::new(Polite))
        .await
        .expect("a server");
    let encoding: GreeterClient = encoding(GreeterServer::new(Polite));
    let formats = [Format::Protobuf, Format::Json, Format::MessagePack];
    let clients = [handing_over, encoding];
    let both = |format: Format| clients.clone().map(|client| (format.clone(), client));
    formats.into_iter().flat_map(both).collect()
}

fn owl() -> HelloRequest {
    HelloRequest { name: "owl".into() }
}

#[tokio::test]
async fn a_unary_method_answers_in_every_format() {
    for (format, client) in ways().await {
        let reply = client.hello(owl()).format(format).await;

        assert_eq!(reply.expect("a reply").message, "hello owl");
    }
}

#[tokio::test]
async fn a_status_reaches_the_client() {
    for (format, client) in ways().await {
        let error = client.hello(HelloRequest::default()).format(format).await;

        let error = error.expect_err("an empty name");
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(error.message(), "name is empty");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_stream_answers_in_every_format() {
    for (format, client) in ways().await {
        let request = CountRequest {
            to: 3,
            interval_ms: 1000,
        };

        let replies = client
            .count(request)
            .format(format)
            .await
            .expect("a stream");

        let numbers = replies.collect().await.expect("numbers");
        let numbers: Vec<u32> = numbers.into_iter().map(|reply| reply.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
    }
}

#[tokio::test]
async fn a_client_stream_is_answered_in_every_format() {
    for (format, client) in ways().await {
        let numbers = [i64::MAX, -1, 1].map(|number| SumRequest { number });

        let response = client.sum(Streaming::iter(numbers)).format(format);

        let Response { message, .. } = response.response().await.expect("a reply");
        assert_eq!(message.total, i64::MAX);
    }
}

#[tokio::test]
async fn both_sides_stream_at_once_in_every_format() {
    for (format, client) in ways().await {
        let (tx, requests) = Streaming::channel(1);
        let mut replies = client
            .chat(requests)
            .format(format)
            .await
            .expect("a stream");

        for text in ["hoo", "hoo-hoo"] {
            tx.send(ChatMessage { text: text.into() })
                .await
                .expect("room");
            let reply = replies
                .next()
                .await
                .expect("a message")
                .expect("not the end");
            assert_eq!(reply.text, format!("{text} to you"));
        }
        drop(tx);

        assert_eq!(replies.next().await.expect("a regular end"), None);
    }
}

#[test]
fn method_tables_hold_what_the_files_say() {
    let [hello, count, sum, chat] = &GREETER_METHODS;
    assert_eq!(hello.path(), "/greeter.Greeter/Hello");
    assert_eq!(hello.idempotency(), Idempotency::Idempotent);
    assert_eq!(hello.rest(), [RestBinding::new("GET", "/hello/{name}", "")]);
    assert_eq!(
        [hello, count, sum, chat].map(gufo::Method::kind),
        [
            Kind::Unary,
            Kind::ServerStream,
            Kind::ClientStream,
            Kind::Bidi
        ]
    );

    let [keep, new, r#type, _] = &ZOO_METHODS;
    assert_eq!(
        keep.rest(),
        [
            RestBinding::new("PUT", "/v1/animals/{id}", "name"),
            RestBinding::new("POST", "/v1/animals", "*"),
            RestBinding::new("POST", "/v1/animals/{id}:keep", ""),
        ]
    );
    assert_eq!(new.path(), "/zoo.v1.Zoo/New");
    assert_eq!(r#type.path(), "/zoo.v1.Zoo/Type");
    assert_eq!(r#type.idempotency(), Idempotency::NoSideEffects);
}

fn tawny() -> Animal {
    Animal {
        id: u64::MAX,
        display_name: "Tawny".into(),
        picture: vec![0, 159, 255].into(),
        weight: 0.5,
        tame: Some(false),
        diet: Diet::Mice.into(),
        tried: vec![Diet::Plants.into(), Diet::Unknown.into()],
        visits: [("monday".to_owned(), -3)].into(),
        species: Some(Species {
            name: "Strix aluco".into(),
        }),
        young: vec![Animal {
            id: 2,
            ..Animal::default()
        }],
        born: Some(pbjson_types::Timestamp {
            seconds: 1_700_000_000,
            nanos: 500_000_000,
        }),
        home: Some(animal::Home::Cage(animal::Cage { number: 7 })),
    }
}

#[tokio::test]
async fn every_kind_of_field_survives_every_format() {
    let client: ZooClient = encoding(ZooServer::new(Keeper));

    for format in [Format::Protobuf, Format::Json, Format::MessagePack] {
        let kept = client.keep(tawny()).format(format.clone()).await;

        assert_eq!(kept.expect("an animal"), tawny(), "{format}");
    }
}

#[tokio::test]
async fn names_that_are_taken_are_written_with_an_underscore_or_raw() {
    let client: ZooClient = encoding(ZooServer::new(Keeper));

    let species = client.new_(tawny()).await.expect("a species");
    let animal = client.r#type(species.clone()).await.expect("an animal");

    assert_eq!(animal.species, Some(species));
}

#[test]
fn json_follows_the_mapping_of_proto3() {
    let json = serde_json::to_value(tawny()).expect("JSON");

    let expected = serde_json::json!({
        "id": "18446744073709551615",
        "displayName": "Tawny",
        "picture": "AJ//",
        "weight": 0.5,
        "tame": false,
        "diet": "DIET_MICE",
        "tried": ["DIET_PLANTS", "DIET_UNKNOWN"],
        "visits": {"monday": "-3"},
        "species": {"name": "Strix aluco"},
        "young": [{"id": "2"}],
        // The mapping would end it with Z; this is the same instant in RFC 3339 as well.
        "born": "2023-11-14T22:13:20.500+00:00",
        "cage": {"number": 7},
    });
    assert_eq!(json, expected);
}

#[test]
fn json_may_have_names_of_the_file_and_unknown_fields() {
    let animal: Animal = serde_json::from_str(
        r#"{"display_name": "Tawny", "id": 3, "diet": 2, "wings": {"left": [1, 2]}}"#,
    )
    .expect("an animal");

    assert_eq!(animal.display_name, "Tawny");
    assert_eq!(animal.id, 3);
    assert_eq!(animal.diet(), Diet::Mice);
}

#[test]
fn json_cannot_write_enum_numbers_without_a_name_nor_read_null_for_a_scalar() {
    let unknown = Animal {
        diet: 99,
        ..Animal::default()
    };

    let written = serde_json::to_string(&unknown).map_err(|error| error.to_string());
    let read = serde_json::from_str::<Animal>(r#"{"displayName": null}"#);

    assert_eq!(written, Err("Invalid variant 99".to_owned()));
    assert!(read.is_err());
}

#[test]
fn json_timestamps_are_read_with_z_and_with_an_offset() {
    for born in ["2023-11-14T22:13:20.5Z", "2023-11-14T23:13:20.500+01:00"] {
        let json = serde_json::json!({ "born": born });

        let animal: Animal = serde_json::from_value(json).expect("an animal");

        assert_eq!(animal.born, tawny().born, "{born}");
    }
}

#[tokio::test]
async fn a_request_that_is_no_message_is_an_invalid_argument() -> Result<(), Error> {
    let router = Server::builder()
        .service(GreeterServer::new(Polite))
        .into_router()?;
    for (format, bytes) in [
        (Format::Protobuf, &b"\x0a\xff"[..]),
        (Format::Json, b"{\"name\": 1}"),
        (Format::MessagePack, b"\xc1"),
    ] {
        let ctx = Context::new(&GREETER_METHODS[0], format);
        let request = gufo::Bytes::from_static(bytes).into();

        let status = gufo::core::Handler::unary(&router, ctx, request).await;

        let status = status.expect_err("garbage");
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    }
    Ok(())
}

#[test]
fn services_carry_the_descriptors_of_their_files() {
    let service = Service::from(ZooServer::new(Keeper));
    let set = service.descriptors().next().expect("a set");

    let pool = DescriptorPool::decode(set).expect("a whole set");

    let zoo = pool.get_service_by_name("zoo.v1.Zoo").expect("the service");
    assert_eq!(zoo.methods().len(), ZOO_METHODS.len());
    for (method, known) in zoo.methods().zip(&ZOO_METHODS) {
        assert_eq!(method.name(), known.name());
        assert_eq!(
            method.is_client_streaming(),
            known.kind().streams_requests()
        );
        assert_eq!(method.is_server_streaming(), known.kind().streams_replies());
    }
    assert!(pool.get_message_by_name("animals.Species").is_some());
    assert!(
        pool.get_message_by_name("google.protobuf.Timestamp")
            .is_some()
    );
}
