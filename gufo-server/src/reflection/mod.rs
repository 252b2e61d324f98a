//! Reflection: `grpc.reflection.v1` and `v1alpha`, answered from the descriptors of the services.

mod descriptors;
mod index;
mod messages;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use futures_core::Stream;
use gufo_core::{
    Code, Idempotency, Kind, Method, Result, Service, Status, Streaming, codec::Prost, handler,
};

#[cfg(feature = "health")]
pub(crate) use descriptors::health as health_descriptor;
use index::{Index, NotFound};
use messages::{
    Ask, Error, ExtensionNumbers, Files, Give, ListedService, Request, Response, Services,
};

static V1: Method = Method::new(
    Kind::Bidi,
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
)
.with_idempotency(Idempotency::NoSideEffects);
static V1ALPHA: Method = Method::new(
    Kind::Bidi,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
.with_idempotency(Idempotency::NoSideEffects);

/// Both versions of the service, which describe `services` and themselves.
///
/// # Errors
/// `InvalidArgument` when a descriptor is not an encoded `FileDescriptorSet`.
pub(crate) fn services<'a>(services: impl Iterator<Item = &'a Service>) -> Result<[Service; 2]> {
    let own = [&V1, &V1ALPHA].map(|method| {
        let package = method.service().trim_end_matches(".ServerReflection");
        Service::new(method.service()).descriptor(descriptors::reflection(package))
    });
    let mut index = Index::default();
    for service in services {
        index.add(service)?;
    }
    for service in &own {
        index.add(service)?;
    }
    let index = Arc::new(index);
    let [v1, v1alpha] = own;
    Ok([
        with_handler(v1, &V1, &index),
        with_handler(v1alpha, &V1ALPHA, &index),
    ])
}

fn with_handler(service: Service, method: &'static Method, index: &Arc<Index>) -> Service {
    let index = Arc::clone(index);
    let info = handler::bidi::<Prost, Request, Response, _, _, _>(move |_, requests| {
        let index = Arc::clone(&index);
        async move { Ok::<_, Status>(Streaming::new(Answers { requests, index })) }
    });
    service.route(method, info)
}

/// One answer per question, in order.
struct Answers {
    requests: Streaming<Request>,
    index: Arc<Index>,
}

impl Stream for Answers {
    type Item = Result<Response, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let request = ready!(Pin::new(&mut this.requests).poll_next(cx));
        Poll::Ready(request.map(|request| {
            request.map(|request| Response {
                valid_host: request.host.clone(),
                message_response: Some(answer(&this.index, request.message_request.as_ref())),
                original_request: Some(request),
            })
        }))
    }
}

fn answer(index: &Index, ask: Option<&Ask>) -> Give {
    let Some(ask) = ask else {
        return Give::Error(Error {
            error_code: i32::from(Code::InvalidArgument.number()),
            error_message: "the request asks for nothing".to_owned(),
        });
    };
    let given = match ask {
        Ask::FileByFilename(name) => index.file(name).map(files),
        Ask::FileContainingSymbol(symbol) => index.file_of_symbol(symbol).map(files),
        Ask::FileContainingExtension(extension) => index
            .file_of_extension(&extension.containing_type, extension.extension_number)
            .map(files),
        Ask::AllExtensionNumbersOfType(extended) => {
            index.extension_numbers(extended).map(|extension_number| {
                Give::ExtensionNumbers(ExtensionNumbers {
                    base_type_name: extended.clone(),
                    extension_number,
                })
            })
        }
        // The argument has no defined meaning and is ignored by every implementation.
        Ask::ListServices(_) => Ok(Give::Services(Services {
            service: index
                .services()
                .map(|name| ListedService {
                    name: name.to_owned(),
                })
                .collect(),
        })),
    };
    given.unwrap_or_else(|NotFound(what)| {
        Give::Error(Error {
            error_code: i32::from(Code::NotFound.number()),
            error_message: what,
        })
    })
}

fn files(file_descriptor_proto: Vec<gufo_core::Bytes>) -> Give {
    Give::Files(Files {
        file_descriptor_proto,
    })
}
