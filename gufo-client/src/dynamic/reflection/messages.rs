//! The messages of `grpc.reflection.v1`, which those of `v1alpha` equal on the wire. What is never
//! asked is left out.

use gufo_core::{Bytes, Code};

/// `ServerReflectionRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Request {
    #[prost(string, tag = "1")]
    host: String,
    #[prost(oneof = "Ask", tags = "3, 4, 7")]
    message_request: Option<Ask>,
}

impl Request {
    pub(super) const fn new(ask: Ask) -> Self {
        Self {
            host: String::new(),
            message_request: Some(ask),
        }
    }
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Ask {
    #[prost(string, tag = "3")]
    FileByFilename(String),
    #[prost(string, tag = "4")]
    FileContainingSymbol(String),
    #[prost(string, tag = "7")]
    ListServices(String),
}

/// `ServerReflectionResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Response {
    #[prost(oneof = "Give", tags = "4, 6, 7")]
    pub(super) message_response: Option<Give>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Give {
    #[prost(message, tag = "4")]
    Files(Files),
    #[prost(message, tag = "6")]
    Services(Services),
    #[prost(message, tag = "7")]
    Error(Error),
}

/// `FileDescriptorResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Files {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(super) file_descriptor_proto: Vec<Bytes>,
}

/// `ListServiceResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Services {
    #[prost(message, repeated, tag = "1")]
    pub(super) service: Vec<Service>,
}

/// `ServiceResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Service {
    #[prost(string, tag = "1")]
    pub(super) name: String,
}

/// `ErrorResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Error {
    #[prost(int32, tag = "1")]
    error_code: i32,
    #[prost(string, tag = "2")]
    error_message: String,
}

impl From<Error> for gufo_core::Error {
    fn from(error: Error) -> Self {
        let code = match Code::from_number(i64::from(error.error_code)) {
            Code::Ok => Code::Unknown,
            code => code,
        };
        Self::new(code, error.error_message)
    }
}
