//! Descriptors, on the side that shows them and on the side that reads them.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use futures_core::Stream;
use gufo_client::DynamicClient;
use gufo_core::{
    Bytes, Caller, Code, Error, Format, Handler, Kind, Method, Service, Status, Streaming,
    codec::Raw, handler,
};
use gufo_server::Server;

const SERVICE: &str = "greeter.Greeter";

static V1: Method = Method::new(
    Kind::Bidi,
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
);
static HELLO: Method = Method::new(Kind::Unary, "/greeter.Greeter/Hello");

/// A service with these bytes as its descriptors: refused or served, and then read by a client.
pub(crate) fn descriptors(input: &[u8]) {
    let echo = handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(|ctx, request| async move {
        match ctx.format() {
            Format::Protobuf => Ok(request),
            _ => Err(Status::unimplemented("has no such form")),
        }
    });
    let service = Service::new(SERVICE)
        .route(&HELLO, echo)
        .descriptor(input.to_vec());
    let router = Server::builder()
        .service(service)
        .reflection()
        .into_router();
    match router {
        Ok(router) => ask(router),
        Err(error) => assert_eq!(error.code(), Code::InvalidArgument),
    }
}

/// A server that answers every question with these bytes.
pub(crate) fn reflection_answer(input: &[u8]) {
    let answer = Bytes::copy_from_slice(input);
    let info = handler::bidi::<Raw, Bytes, Bytes, _, _, _>(move |_, questions| {
        let answer = answer.clone();
        async move { Ok::<_, Status>(Streaming::new(Answers { questions, answer })) }
    });
    let service = Service::new(V1.service().to_owned()).route(&V1, info);
    let router = Server::builder().service(service).into_router();
    ask(router.expect("a service without descriptors is legal"));
}

/// What a client that knows nothing asks of a server.
fn ask(server: Arc<impl Handler>) {
    let client = DynamicClient::new(Caller::new(server));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime without sockets");
    runtime.block_on(async {
        check(client.list_services().await);
        check(client.describe(SERVICE).await);
        check(
            client
                .call("greeter.Greeter/Hello", r#"{"name":"owl"}"#)
                .await,
        );
    });
}

fn check<T>(answer: Result<T, Error>) {
    if let Err(error) = answer {
        assert_ne!(error.code(), Code::Ok, "{error}");
    }
}

struct Answers {
    questions: Streaming<Bytes>,
    answer: Bytes,
}

impl Stream for Answers {
    type Item = Result<Bytes, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let question = ready!(Pin::new(&mut this.questions).poll_next(cx));
        Poll::Ready(question.map(|question| question.map(|_| this.answer.clone())))
    }
}
