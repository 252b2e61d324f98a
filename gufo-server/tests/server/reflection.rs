//! Reflection, asked with the protobuf project's own messages.

use gufo_core::{Call, Caller, Code, Kind, Many, Method, Service, Streaming, codec::Prost};
use gufo_server::Server;
use prost::Message as _;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    MethodDescriptorProto, ServiceDescriptorProto,
};
use tonic_reflection::pb::v1::{
    ExtensionRequest, ServerReflectionRequest, ServerReflectionResponse,
    server_reflection_request::MessageRequest as Ask,
    server_reflection_response::MessageResponse as Give,
};

use crate::fixture::{echo, router};

static V1: Method = Method::new(
    Kind::Bidi,
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
);
static V1ALPHA: Method = Method::new(
    Kind::Bidi,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
);
static HOOT: Method = Method::new(Kind::Unary, "/owl.Owl/Hoot");

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// `owl/types.proto` with a message and an extension of it, and `owl/owl.proto` with a service.
fn owl() -> Service {
    let types = FileDescriptorProto {
        name: text("owl/types.proto"),
        package: text("owl"),
        message_type: vec![DescriptorProto {
            name: text("Sound"),
            field: vec![FieldDescriptorProto {
                name: text("volume"),
                number: Some(1),
                ..FieldDescriptorProto::default()
            }],
            nested_type: vec![DescriptorProto {
                name: text("Echo"),
                ..DescriptorProto::default()
            }],
            ..DescriptorProto::default()
        }],
        extension: vec![FieldDescriptorProto {
            name: text("pitch"),
            extendee: text(".owl.Sound"),
            number: Some(100),
            ..FieldDescriptorProto::default()
        }],
        ..FileDescriptorProto::default()
    };
    let service = FileDescriptorProto {
        name: text("owl/owl.proto"),
        package: text("owl"),
        dependency: vec!["owl/types.proto".into(), "google/protobuf/any.proto".into()],
        service: vec![ServiceDescriptorProto {
            name: text("Owl"),
            method: vec![MethodDescriptorProto {
                name: text("Hoot"),
                ..MethodDescriptorProto::default()
            }],
            options: None,
        }],
        ..FileDescriptorProto::default()
    };
    let set = FileDescriptorSet {
        file: vec![types, service],
    };
    Service::new("owl.Owl")
        .route(&HOOT, echo())
        .descriptor(set.encode_to_vec())
}

fn caller() -> Caller {
    let server = Server::builder().service(owl()).reflection();
    #[cfg(feature = "health")]
    let server = server.health(&gufo_server::HealthHandle::new());
    Caller::new(router(server))
}

async fn ask_all(
    method: &'static Method,
    asked: Vec<Option<Ask>>,
) -> Vec<ServerReflectionResponse> {
    let requests = asked
        .into_iter()
        .map(|message_request| ServerReflectionRequest {
            host: "owl.example".into(),
            message_request,
        });
    let call = Call::<Prost, Many<ServerReflectionRequest>, Many<ServerReflectionResponse>>::new(
        &caller(),
        method,
        Many(Streaming::iter(requests.collect::<Vec<_>>())),
    );
    call.await
        .expect("opened")
        .collect()
        .await
        .expect("answers")
}

async fn ask(asked: Ask) -> Give {
    let mut answers = ask_all(&V1, vec![Some(asked)]).await;
    assert_eq!(answers.len(), 1);
    answers.remove(0).message_response.expect("an answer")
}

async fn file_names(asked: Ask) -> Vec<String> {
    match ask(asked).await {
        Give::FileDescriptorResponse(files) => files
            .file_descriptor_proto
            .iter()
            .map(|file| FileDescriptorProto::decode(&**file).expect("a descriptor"))
            .map(|file| file.name().to_owned())
            .collect(),
        other => panic!("expected files, got {other:?}"),
    }
}

async fn error_code(asked: Option<Ask>) -> i32 {
    let mut answers = ask_all(&V1, vec![asked]).await;
    match answers.remove(0).message_response {
        Some(Give::ErrorResponse(error)) => {
            assert!(!error.error_message.is_empty());
            error.error_code
        }
        other => panic!("expected an error, got {other:?}"),
    }
}

#[tokio::test]
async fn services_are_listed_sorted_in_both_versions() {
    for method in [&V1, &V1ALPHA] {
        let answers = ask_all(method, vec![Some(Ask::ListServices("*".into()))]).await;

        let Some(Give::ListServicesResponse(list)) = &answers[0].message_response else {
            panic!("expected a list, got {answers:?}");
        };
        let names: Vec<_> = list.service.iter().map(|it| it.name.as_str()).collect();
        let mut expected = vec![
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
            "owl.Owl",
        ];
        if cfg!(feature = "health") {
            expected.insert(0, "grpc.health.v1.Health");
        }
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn files_come_with_those_they_import() {
    let both = ["owl/owl.proto", "owl/types.proto"];

    assert_eq!(
        file_names(Ask::FileByFilename("owl/owl.proto".into())).await,
        both
    );
    assert_eq!(
        file_names(Ask::FileByFilename("owl/types.proto".into())).await,
        ["owl/types.proto"]
    );
    for symbol in ["owl.Owl", "owl.Owl.Hoot", ".owl.Owl"] {
        let asked = Ask::FileContainingSymbol(symbol.into());
        assert_eq!(file_names(asked).await, both, "{symbol}");
    }
    for symbol in [
        "owl.Sound",
        "owl.Sound.volume",
        "owl.Sound.Echo",
        "owl.pitch",
    ] {
        let asked = Ask::FileContainingSymbol(symbol.into());
        assert_eq!(file_names(asked).await, ["owl/types.proto"], "{symbol}");
    }
}

#[tokio::test]
async fn extensions_are_found_by_type_and_number() {
    let extension = ExtensionRequest {
        containing_type: "owl.Sound".into(),
        extension_number: 100,
    };

    let files = file_names(Ask::FileContainingExtension(extension)).await;
    let numbers = ask(Ask::AllExtensionNumbersOfType("owl.Sound".into())).await;

    assert_eq!(files, ["owl/types.proto"]);
    let Give::AllExtensionNumbersResponse(numbers) = numbers else {
        panic!("expected numbers, got {numbers:?}");
    };
    assert_eq!(numbers.base_type_name, "owl.Sound");
    assert_eq!(numbers.extension_number, [100]);
}

#[tokio::test]
async fn what_is_not_there_is_an_error_response_and_the_stream_goes_on() {
    let missing = ExtensionRequest {
        containing_type: "owl.Sound".into(),
        extension_number: 1,
    };
    let not_found = i32::from(Code::NotFound.number());
    for asked in [
        Ask::FileByFilename("no.proto".into()),
        Ask::FileContainingSymbol("owl".into()),
        Ask::FileContainingExtension(missing),
        Ask::AllExtensionNumbersOfType("no.Such".into()),
    ] {
        assert_eq!(
            error_code(Some(asked.clone())).await,
            not_found,
            "{asked:?}"
        );
    }
    let invalid = i32::from(Code::InvalidArgument.number());
    assert_eq!(error_code(None).await, invalid);

    let missing = Some(Ask::FileByFilename("no.proto".into()));
    let found = Some(Ask::FileByFilename("owl/owl.proto".into()));
    let answers = ask_all(&V1, vec![missing.clone(), found]).await;

    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0].valid_host, "owl.example");
    let original = answers[0].original_request.as_ref().expect("the request");
    assert_eq!(original.message_request, missing);
    assert!(matches!(
        answers[1].message_response,
        Some(Give::FileDescriptorResponse(_))
    ));
}

/// The one file of a set as it means: without comments and options of other languages, under
/// the name it is known by.
fn meaning(set: &[u8], name: &str) -> FileDescriptorProto {
    let mut set = FileDescriptorSet::decode(set).expect("a set");
    assert_eq!(set.file.len(), 1);
    let mut file = set.file.remove(0);
    file.name = text(name);
    file.source_code_info = None;
    file.options = None;
    file
}

async fn served(name: &str) -> FileDescriptorProto {
    match ask(Ask::FileByFilename(name.into())).await {
        Give::FileDescriptorResponse(files) => {
            FileDescriptorProto::decode(&*files.file_descriptor_proto[0]).expect("a descriptor")
        }
        other => panic!("expected files, got {other:?}"),
    }
}

#[tokio::test]
async fn reflection_describes_itself_as_the_original_does() {
    for (name, set) in [
        (
            "grpc/reflection/v1/reflection.proto",
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        ),
        (
            "grpc/reflection/v1alpha/reflection.proto",
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ),
    ] {
        assert_eq!(served(name).await, meaning(set, name));
    }
}

#[cfg(feature = "health")]
#[tokio::test]
async fn health_describes_itself_as_the_original_does() {
    let original = meaning(
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        "grpc/health/v1/health.proto",
    );

    assert_eq!(served("grpc/health/v1/health.proto").await, original);
}

#[test]
fn a_descriptor_that_is_none_is_told_at_the_start() {
    let service = Service::new("owl.Owl").descriptor(&b"\xff\xff"[..]);

    let error = Server::builder()
        .service(service)
        .reflection()
        .into_router();

    let error = error.expect_err("no descriptor");
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.message().contains("owl.Owl"), "{error}");
}
