//! The descriptors of the server's own services, as `protoc` would write them.

use prost::Message;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    MethodDescriptorProto, OneofDescriptorProto, ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};
#[cfg(feature = "health")]
use prost_types::{EnumDescriptorProto, EnumValueDescriptorProto};

/// `grpc/health/v1/health.proto`.
#[cfg(feature = "health")]
pub(crate) fn health() -> Vec<u8> {
    let scope = Scope("grpc.health.v1");
    let names = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
    let status = EnumDescriptorProto {
        name: text("ServingStatus"),
        value: (0..)
            .zip(names)
            .map(|(number, name)| EnumValueDescriptorProto {
                name: text(name),
                number: Some(number),
                options: None,
            })
            .collect(),
        ..EnumDescriptorProto::default()
    };
    let mut response = message(
        "HealthCheckResponse",
        [scope.enumeration("status", 1, "HealthCheckResponse.ServingStatus")],
    );
    response.enum_type.push(status);
    let call = |name, replies| MethodDescriptorProto {
        server_streaming: replies,
        ..scope.method(name, "HealthCheckRequest", "HealthCheckResponse")
    };
    scope.file(
        "grpc/health/v1/health.proto",
        vec![
            message("HealthCheckRequest", [scalar("service", 1, Type::String)]),
            response,
        ],
        service(
            "Health",
            vec![call("Check", None), call("Watch", Some(true))],
        ),
    )
}

/// `grpc/reflection/v1/reflection.proto`, or that of `v1alpha`.
pub(super) fn reflection(package: &str) -> Vec<u8> {
    let scope = Scope(package);
    let mut request = message(
        "ServerReflectionRequest",
        [
            scalar("host", 1, Type::String),
            one_of(scalar("file_by_filename", 3, Type::String)),
            one_of(scalar("file_containing_symbol", 4, Type::String)),
            one_of(scope.message("file_containing_extension", 5, "ExtensionRequest")),
            one_of(scalar("all_extension_numbers_of_type", 6, Type::String)),
            one_of(scalar("list_services", 7, Type::String)),
        ],
    );
    request.oneof_decl.push(oneof("message_request"));
    let mut response = message(
        "ServerReflectionResponse",
        [
            scalar("valid_host", 1, Type::String),
            scope.message("original_request", 2, "ServerReflectionRequest"),
            one_of(scope.message("file_descriptor_response", 4, "FileDescriptorResponse")),
            one_of(scope.message(
                "all_extension_numbers_response",
                5,
                "ExtensionNumberResponse",
            )),
            one_of(scope.message("list_services_response", 6, "ListServiceResponse")),
            one_of(scope.message("error_response", 7, "ErrorResponse")),
        ],
    );
    response.oneof_decl.push(oneof("message_response"));
    let info = MethodDescriptorProto {
        client_streaming: Some(true),
        server_streaming: Some(true),
        ..scope.method(
            "ServerReflectionInfo",
            "ServerReflectionRequest",
            "ServerReflectionResponse",
        )
    };
    scope.file(
        &format!("{}/reflection.proto", package.replace('.', "/")),
        vec![
            request,
            message(
                "ExtensionRequest",
                [
                    scalar("containing_type", 1, Type::String),
                    scalar("extension_number", 2, Type::Int32),
                ],
            ),
            response,
            message(
                "FileDescriptorResponse",
                [repeated(scalar("file_descriptor_proto", 1, Type::Bytes))],
            ),
            message(
                "ExtensionNumberResponse",
                [
                    scalar("base_type_name", 1, Type::String),
                    repeated(scalar("extension_number", 2, Type::Int32)),
                ],
            ),
            message(
                "ListServiceResponse",
                [repeated(scope.message("service", 1, "ServiceResponse"))],
            ),
            message("ServiceResponse", [scalar("name", 1, Type::String)]),
            message(
                "ErrorResponse",
                [
                    scalar("error_code", 1, Type::Int32),
                    scalar("error_message", 2, Type::String),
                ],
            ),
        ],
        service("ServerReflection", vec![info]),
    )
}

/// The package in which names are looked up.
#[derive(Clone, Copy)]
struct Scope<'a>(&'a str);

impl Scope<'_> {
    fn absolute(self, name: &str) -> Option<String> {
        Some(format!(".{}.{name}", self.0))
    }

    fn message(self, name: &str, number: i32, of: &str) -> FieldDescriptorProto {
        FieldDescriptorProto {
            type_name: self.absolute(of),
            ..scalar(name, number, Type::Message)
        }
    }

    #[cfg(feature = "health")]
    fn enumeration(self, name: &str, number: i32, of: &str) -> FieldDescriptorProto {
        FieldDescriptorProto {
            type_name: self.absolute(of),
            ..scalar(name, number, Type::Enum)
        }
    }

    fn method(self, name: &str, input: &str, output: &str) -> MethodDescriptorProto {
        MethodDescriptorProto {
            name: text(name),
            input_type: self.absolute(input),
            output_type: self.absolute(output),
            ..MethodDescriptorProto::default()
        }
    }

    fn file(
        self,
        name: &str,
        message_type: Vec<DescriptorProto>,
        service: ServiceDescriptorProto,
    ) -> Vec<u8> {
        let file = FileDescriptorProto {
            name: text(name),
            package: text(self.0),
            message_type,
            service: vec![service],
            syntax: text("proto3"),
            ..FileDescriptorProto::default()
        };
        FileDescriptorSet { file: vec![file] }.encode_to_vec()
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn message<const N: usize>(name: &str, field: [FieldDescriptorProto; N]) -> DescriptorProto {
    DescriptorProto {
        name: text(name),
        field: field.into(),
        ..DescriptorProto::default()
    }
}

fn service(name: &str, method: Vec<MethodDescriptorProto>) -> ServiceDescriptorProto {
    ServiceDescriptorProto {
        name: text(name),
        method,
        options: None,
    }
}

fn scalar(name: &str, number: i32, r#type: Type) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: text(name),
        number: Some(number),
        label: Some(Label::Optional.into()),
        r#type: Some(r#type.into()),
        json_name: Some(lower_camel_case(name)),
        ..FieldDescriptorProto::default()
    }
}

fn repeated(field: FieldDescriptorProto) -> FieldDescriptorProto {
    FieldDescriptorProto {
        label: Some(Label::Repeated.into()),
        ..field
    }
}

/// A member of the one `oneof` its message has.
fn one_of(field: FieldDescriptorProto) -> FieldDescriptorProto {
    FieldDescriptorProto {
        oneof_index: Some(0),
        ..field
    }
}

fn oneof(name: &str) -> OneofDescriptorProto {
    OneofDescriptorProto {
        name: text(name),
        options: None,
    }
}

fn lower_camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut out, word| {
        let (initial, rest) = word.split_at(1.min(word.len()));
        out.push_str(&initial.to_ascii_uppercase());
        out.push_str(rest);
        out
    })
}
