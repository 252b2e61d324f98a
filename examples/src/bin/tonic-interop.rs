//! gufo and tonic: a tonic client calls a gufo server, a gufo client calls a tonic server.
//!
//! Both sides share nothing but the wire and the prost messages. What tonic's generator would
//! write is written out here for two methods.
//!
//! `cargo run -p gufo-examples --bin tonic-interop`

#![allow(clippy::print_stdout, reason = "an example that talks to its reader")]

use std::{
    convert::Infallible,
    pin::Pin,
    process::ExitCode,
    task::{Context, Poll},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use gufo::{Connect, Server, Streaming};
use gufo_examples::{
    BoxError, ChatMessage, GreeterClient, GreeterServer, HelloReply, HelloRequest, Polite, args,
    ensure,
};
use http::uri::PathAndQuery;
use tonic::{Request, Response, Status, body::Body, transport};
use tonic_prost::ProstCodec;

const HELLO: &str = "/greeter.Greeter/Hello";
const CHAT: &str = "/greeter.Greeter/Chat";

#[tokio::main]
async fn main() -> ExitCode {
    args::exit(run().await)
}

async fn run() -> Result<(), BoxError> {
    let server = Server::builder()
        .listen("grpc://127.0.0.1:0")
        .service(GreeterServer::new(Polite))
        .start()
        .await?;
    let url = server.urls().first().ok_or("the server listens nowhere")?;
    tonic_calls(&url.replace("grpc://", "http://")).await?;
    server.stop().await;

    let incoming = transport::server::TcpIncoming::bind(([127, 0, 0, 1], 0).into())?;
    let url = format!("grpc://{}", incoming.local_addr()?);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(
        transport::Server::builder()
            .add_service(TonicGreeter)
            .serve_with_incoming_shutdown(incoming, async { drop(stopped.await) }),
    );
    gufo_calls(&url).await?;
    drop(stop);
    serving.await??;
    Ok(())
}

/// A tonic client, towards gufo.
async fn tonic_calls(url: &str) -> Result<(), BoxError> {
    let channel = transport::Endpoint::from_shared(url.to_owned())?
        .connect()
        .await?;
    let mut client = tonic::client::Grpc::new(channel);

    client.ready().await?;
    let request = Request::new(HelloRequest { name: "owl".into() });
    let codec = ProstCodec::<HelloRequest, HelloReply>::default();
    let reply = client
        .unary(request, PathAndQuery::from_static(HELLO), codec)
        .await?;
    let message = reply.into_inner().message;
    println!("tonic client, gufo server: {message}");
    ensure(message == "hello owl", "the reply arrives")?;

    client.ready().await?;
    let codec = ProstCodec::<HelloRequest, HelloReply>::default();
    let nobody = Request::new(HelloRequest::default());
    let refused = client
        .unary(nobody, PathAndQuery::from_static(HELLO), codec)
        .await;
    let status = refused
        .map(drop)
        .err()
        .ok_or("not as promised: nobody was greeted")?;
    println!(
        "tonic client, gufo server: {:?}, {}",
        status.code(),
        status.message()
    );
    ensure(
        status.code() == tonic::Code::InvalidArgument,
        "the status arrives",
    )?;

    client.ready().await?;
    let lines = ["hoo", "hoo-hoo"].map(|text| ChatMessage { text: text.into() });
    let codec = ProstCodec::<ChatMessage, ChatMessage>::default();
    let answers = client
        .streaming(
            Request::new(stream::iter(lines)),
            PathAndQuery::from_static(CHAT),
            codec,
        )
        .await?;
    let answers: Vec<_> = answers
        .into_inner()
        .map_ok(|line| line.text)
        .try_collect()
        .await?;
    println!("tonic client, gufo server: {answers:?}");
    ensure(
        answers == ["you said hoo", "you said hoo-hoo"],
        "the stream arrives",
    )
}

/// A gufo client, towards tonic.
async fn gufo_calls(url: &str) -> Result<(), BoxError> {
    let greeter = GreeterClient::connect(url).await?;
    let message = greeter
        .hello(HelloRequest { name: "owl".into() })
        .await?
        .message;
    println!("gufo client, tonic server: {message}");
    ensure(message == "hello owl", "the reply arrives")?;

    let refused = greeter.hello(HelloRequest::default()).await;
    let error = refused
        .map(drop)
        .err()
        .ok_or("not as promised: nobody was greeted")?;
    println!("gufo client, tonic server: {}, {error}", error.code());
    ensure(
        error.code() == gufo::Code::InvalidArgument,
        "the status arrives",
    )?;

    let lines = ["hoo", "hoo-hoo"].map(|text| ChatMessage { text: text.into() });
    let answers = greeter
        .chat(Streaming::iter(lines))
        .await?
        .collect()
        .await?;
    let answers: Vec<_> = answers.into_iter().map(|line| line.text).collect();
    println!("gufo client, tonic server: {answers:?}");
    ensure(
        answers == ["you said hoo", "you said hoo-hoo"],
        "the stream arrives",
    )
}

/// What tonic's generator would write.
#[derive(Clone)]
struct TonicGreeter;

impl tonic::server::NamedService for TonicGreeter {
    const NAME: &'static str = "greeter.Greeter";
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl tower_service::Service<http::Request<Body>> for TonicGreeter {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            Ok(match request.uri().path() {
                HELLO => {
                    let codec = ProstCodec::<HelloReply, HelloRequest>::default();
                    tonic::server::Grpc::new(codec).unary(Hello, request).await
                }
                CHAT => {
                    let codec = ProstCodec::<ChatMessage, ChatMessage>::default();
                    tonic::server::Grpc::new(codec)
                        .streaming(Chat, request)
                        .await
                }
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

struct Hello;

impl tonic::server::UnaryService<HelloRequest> for Hello {
    type Response = HelloReply;
    type Future = Boxed<Result<Response<HelloReply>, Status>>;

    fn call(&mut self, request: Request<HelloRequest>) -> Self::Future {
        Box::pin(async move {
            let name = request.into_inner().name;
            if name.is_empty() {
                return Err(Status::invalid_argument("name is empty"));
            }
            Ok(Response::new(HelloReply {
                message: format!("hello {name}"),
            }))
        })
    }
}

struct Chat;

impl tonic::server::StreamingService<ChatMessage> for Chat {
    type Response = ChatMessage;
    type ResponseStream = stream::BoxStream<'static, Result<ChatMessage, Status>>;
    type Future = Boxed<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<tonic::Streaming<ChatMessage>>) -> Self::Future {
        Box::pin(async move {
            let answers = request.into_inner().map_ok(|line| ChatMessage {
                text: format!("you said {}", line.text),
            });
            Ok(Response::new(answers.boxed()))
        })
    }
}
