//! The same greeter twice: on gufo and on tonic.

use std::{pin::Pin, time::Duration};

use gufo::{Context, HealthHandle, Response, RunningServer, Server, Status, Streaming};
use gufo_tests::{
    greeter::{
        ChatMessage, CountReply, CountRequest, FILE_DESCRIPTOR_SET, HelloReply, HelloRequest,
        SumReply, SumRequest,
    },
    tonic_greeter::{self, greeter_server},
};
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt, wrappers::TcpListenerStream};
use tonic_types::{ErrorDetails, StatusExt};

/// The name that makes both greeters fail, with details and metadata.
pub(crate) const UNKNOWN: &str = "nobody";

/// The name that makes both greeters wait for ever.
pub(crate) const ENDLESS: &str = "forever";

/// The greeter of `greeter.proto`, by hand: its handlers answer with metadata.
#[gufo::service(
    name = "greeter.Greeter",
    codecs(protobuf, json),
    descriptor = FILE_DESCRIPTOR_SET
)]
pub(crate) trait Greeter {
    async fn hello(
        &self,
        ctx: &Context,
        request: HelloRequest,
    ) -> Result<Response<HelloReply>, Status>;
    async fn count(
        &self,
        ctx: &Context,
        request: CountRequest,
    ) -> Result<Streaming<CountReply>, Status>;
    async fn sum(&self, ctx: &Context, requests: Streaming<SumRequest>)
    -> Result<SumReply, Status>;
    async fn chat(
        &self,
        ctx: &Context,
        requests: Streaming<ChatMessage>,
    ) -> Result<Streaming<ChatMessage>, Status>;
}

pub(crate) struct Polite;

fn with_user(ctx: &Context, name: &str) -> String {
    match ctx.metadata().get("x-user") {
        Some(user) => format!("hello {name} from {user}"),
        None => format!("hello {name}"),
    }
}

/// `google.rpc.ErrorInfo { reason: "NOBODY", domain: "greeter" }`.
fn not_found() -> Status {
    let info = b"\x0a\x06NOBODY\x12\x07greeter".to_vec();
    let mut status = Status::not_found("nobody is here: ü")
        .with_detail("type.googleapis.com/google.rpc.ErrorInfo", info);
    status
        .metadata_mut()
        .insert("x-why", "gone")
        .expect("legal");
    status
}

impl Greeter for Polite {
    async fn hello(
        &self,
        ctx: &Context,
        request: HelloRequest,
    ) -> Result<Response<HelloReply>, Status> {
        match request.name.as_str() {
            UNKNOWN => return Err(not_found()),
            ENDLESS => std::future::pending().await,
            _ => {}
        }
        let message = with_user(ctx, &request.name);
        let mut response = Response::new(HelloReply { message });
        response.metadata.insert("x-ahead", "1").expect("legal");
        response
            .metadata
            .insert_bin("x-raw-bin", vec![0, 255])
            .expect("legal");
        response.trailers.insert("x-after", "2").expect("legal");
        Ok(response)
    }

    async fn count(
        &self,
        _: &Context,
        request: CountRequest,
    ) -> Result<Streaming<CountReply>, Status> {
        let numbers = (1..=request.to).map(|number| CountReply { number });
        Ok(Streaming::iter(numbers))
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
        let (replies, stream) = Streaming::channel(1);
        tokio::spawn(async move {
            while let Ok(Some(message)) = requests.next().await {
                let text = format!("re: {}", message.text);
                if replies.send(ChatMessage { text }).await.is_err() {
                    return;
                }
            }
        });
        Ok(stream)
    }
}

pub(crate) async fn gufo_server() -> RunningServer {
    Server::builder()
        .listen("grpc://127.0.0.1:0")
        .service(GreeterServer::new(Polite))
        .health(&HealthHandle::new())
        .reflection()
        .start()
        .await
        .expect("starts")
}

/// `http://127.0.0.1:port` of a gufo server, as tonic's channel takes it.
pub(crate) fn http_url(server: &RunningServer) -> String {
    server.urls()[0].replace("grpc://", "http://")
}

pub(crate) struct TonicPolite;

type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, tonic::Status>> + Send>>;

#[tonic::async_trait]
impl greeter_server::Greeter for TonicPolite {
    async fn hello(
        &self,
        request: tonic::Request<tonic_greeter::HelloRequest>,
    ) -> Result<tonic::Response<tonic_greeter::HelloReply>, tonic::Status> {
        let user = request
            .metadata()
            .get("x-user")
            .and_then(|value| value.to_str().ok())
            .map(|user| format!(" from {user}"));
        let name = request.into_inner().name;
        match name.as_str() {
            UNKNOWN => {
                let mut status = tonic::Status::with_error_details(
                    tonic::Code::NotFound,
                    "nobody is here: ü",
                    ErrorDetails::with_error_info("NOBODY", "greeter", []),
                );
                status
                    .metadata_mut()
                    .insert("x-why", "gone".parse().expect("legal"));
                return Err(status);
            }
            ENDLESS => tokio::time::sleep(Duration::from_secs(3600)).await,
            _ => {}
        }
        let message = format!("hello {name}{}", user.unwrap_or_default());
        let mut response = tonic::Response::new(tonic_greeter::HelloReply { message });
        response
            .metadata_mut()
            .insert("x-ahead", "1".parse().expect("legal"));
        Ok(response)
    }

    type CountStream = Replies<tonic_greeter::CountReply>;

    async fn count(
        &self,
        request: tonic::Request<tonic_greeter::CountRequest>,
    ) -> Result<tonic::Response<Self::CountStream>, tonic::Status> {
        let numbers = 1..=request.into_inner().to;
        let replies = numbers.map(|number| Ok(tonic_greeter::CountReply { number }));
        Ok(tonic::Response::new(Box::pin(tokio_stream::iter(replies))))
    }

    async fn sum(
        &self,
        request: tonic::Request<tonic::Streaming<tonic_greeter::SumRequest>>,
    ) -> Result<tonic::Response<tonic_greeter::SumReply>, tonic::Status> {
        let mut requests = request.into_inner();
        let mut total = 0;
        while let Some(request) = requests.message().await? {
            total += request.number;
        }
        Ok(tonic::Response::new(tonic_greeter::SumReply { total }))
    }

    type ChatStream = Replies<tonic_greeter::ChatMessage>;

    async fn chat(
        &self,
        request: tonic::Request<tonic::Streaming<tonic_greeter::ChatMessage>>,
    ) -> Result<tonic::Response<Self::ChatStream>, tonic::Status> {
        let replies = request.into_inner().map(|message| {
            let text = format!("re: {}", message?.text);
            Ok(tonic_greeter::ChatMessage { text })
        });
        Ok(tonic::Response::new(Box::pin(replies)))
    }
}

/// A tonic server on a free port; it ends with its runtime.
pub(crate) async fn tonic_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("bound");
    let greeter = greeter_server::GreeterServer::new(TonicPolite)
        .accept_compressed(tonic::codec::CompressionEncoding::Gzip)
        .accept_compressed(tonic::codec::CompressionEncoding::Zstd)
        .send_compressed(tonic::codec::CompressionEncoding::Gzip);
    let serving = tonic::transport::Server::builder()
        .add_service(greeter)
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);
    format!("grpc://{address}")
}
