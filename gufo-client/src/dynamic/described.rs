//! Described: a service as its descriptors tell of it.

use gufo_core::{Error, Idempotency, Kind, MethodRef, Result, Streams};
use prost_reflect::{
    DescriptorPool, MethodDescriptor, ServiceDescriptor,
    prost_types::{FileDescriptorProto, method_options::IdempotencyLevel},
};

use super::{MethodDescription, ServiceDescription, form::Transcoder, method_ref};

/// A service whose descriptors make sense.
pub(super) struct Described(ServiceDescriptor);

/// A method ready to be called.
pub(super) struct DescribedMethod {
    pub(super) kind: Kind,
    pub(super) method: MethodRef,
    pub(super) request: Transcoder,
    pub(super) reply: Transcoder,
}

impl Described {
    /// A service out of the files that describe it, in any order.
    pub(super) fn new(name: &str, files: Vec<FileDescriptorProto>) -> Result<Self> {
        // The pool panics on others.
        let known = |file: &&FileDescriptorProto| {
            matches!(file.syntax.as_deref(), None | Some("proto2" | "proto3"))
        };
        if let Some(file) = files.iter().find(|file| !known(file)) {
            return Err(Error::failed_precondition(format!(
                "the server describes {name} in {:.100}, which has the unknown syntax {:.100?}",
                file.name(),
                file.syntax()
            )));
        }
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_protos(files).map_err(|error| {
            Error::failed_precondition(format!(
                "the server's description of {name} makes no sense: {error}"
            ))
        })?;
        let service = pool.get_service_by_name(name);
        service.map(Self).ok_or_else(|| {
            Error::not_found(format!("the server describes {name}, which is no service"))
        })
    }

    pub(super) fn description(&self) -> ServiceDescription {
        let methods = self.0.methods().map(|method| MethodDescription {
            name: method.name().to_owned(),
            kind: kind(&method),
            idempotency: idempotency(&method),
            request: method.input().full_name().to_owned(),
            reply: method.output().full_name().to_owned(),
        });
        ServiceDescription {
            name: self.0.full_name().to_owned(),
            methods: methods.collect(),
        }
    }

    pub(super) fn method(&self, name: &str) -> Result<DescribedMethod> {
        let service = self.0.full_name();
        let Some(method) = self.0.methods().find(|method| method.name() == name) else {
            let known: Vec<_> = self.0.methods().map(|it| it.name().to_owned()).collect();
            return Err(Error::not_found(format!(
                "{service} has no method {name}; it has {}",
                known.join(", ")
            )));
        };
        let kind = kind(&method);
        Ok(DescribedMethod {
            kind,
            method: method_ref(kind, service, name, idempotency(&method))?,
            request: Transcoder(method.input()),
            reply: Transcoder(method.output()),
        })
    }
}

fn kind(method: &MethodDescriptor) -> Kind {
    Kind::of(Streams {
        requests: method.is_client_streaming(),
        replies: method.is_server_streaming(),
    })
}

fn idempotency(method: &MethodDescriptor) -> Idempotency {
    let proto = method.method_descriptor_proto();
    let level = proto.options.as_ref().map(|it| it.idempotency_level());
    match level {
        Some(IdempotencyLevel::NoSideEffects) => Idempotency::NoSideEffects,
        Some(IdempotencyLevel::Idempotent) => Idempotency::Idempotent,
        Some(IdempotencyLevel::IdempotencyUnknown) | None => Idempotency::Unknown,
    }
}
