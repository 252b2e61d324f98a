//! Plain JSON on the port of `grpc://`, as an ordinary HTTP client meets it: bytes by hand over
//! HTTP/1.1, and `curl` over HTTP/1.1 and HTTP/2.

mod curl;
mod errors;
mod http1;
mod streams;

use bytes::Bytes;
use gufo::{RunningServer, Server};
use gufo_core::{
    Code, Context, Kind, Method, Response, Service, Status, Streaming, codec::Serde, handler,
};
use gufo_testkit::raw::{Answer, Http1};
use serde::{Deserialize, Serialize};

static HELLO: Method = Method::new(Kind::Unary, "/greeter.Greeter/Hello");
static COUNT: Method = Method::new(Kind::ServerStream, "/greeter.Greeter/Count");
static SUM: Method = Method::new(Kind::ClientStream, "/greeter.Greeter/Sum");
static CHAT: Method = Method::new(Kind::Bidi, "/greeter.Greeter/Chat");

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Request {
    name: String,
    /// Counts so far, and fails after it if there is a name.
    number: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reply {
    message: String,
}

fn reply(message: impl ToString) -> Reply {
    Reply {
        message: message.to_string(),
    }
}

/// Fails with the code it is asked for, and greets otherwise.
async fn hello(ctx: Context, request: Request) -> Result<Response<Reply>, Status> {
    if let Some(code) = Code::from_name(&request.name).filter(|code| *code != Code::Ok) {
        let mut status = Status::new(code, format!("on \"purpose\": {code}")).with_detail(
            "type.googleapis.com/greeter.Why",
            Bytes::from_static(b"\x01owl"),
        );
        status.metadata_mut().insert("x-why", "asked")?;
        return Err(status);
    }
    let mut response = Response::new(reply(format!("hello {}", request.name)));
    for value in ctx.metadata().get_all("x-owl") {
        response.metadata.append("x-owl", value)?;
    }
    if let Some(value) = ctx.metadata().get_bin("x-owl-bin") {
        response.metadata.append_bin("x-owl-bin", value.clone())?;
    }
    let deadline = ctx.deadline().instant().is_some();
    response
        .metadata
        .insert("x-deadline", &deadline.to_string())?;
    response.trailers.insert("x-end", "done")?;
    response.trailers.insert_bin("x-end-bin", vec![0, 255])?;
    Ok(response)
}

async fn count(_: Context, request: Request) -> Result<Streaming<Reply>, Status> {
    let (sender, replies) = Streaming::channel(1);
    tokio::spawn(async move {
        for number in 1..=request.number {
            // Nobody reads any more.
            if sender.send(reply(number)).await.is_err() {
                return;
            }
        }
        if !request.name.is_empty() {
            sender.fail(Status::aborted("no further")).await;
        }
    });
    Ok(replies)
}

async fn sum(_: Context, mut requests: Streaming<Request>) -> Result<Reply, Status> {
    let mut sum = 0;
    while let Some(request) = requests.next().await? {
        sum += request.number;
    }
    Ok(reply(sum))
}

async fn chat(_: Context, mut requests: Streaming<Request>) -> Result<Streaming<Reply>, Status> {
    let (sender, replies) = Streaming::channel(1);
    tokio::spawn(async move {
        while let Ok(Some(request)) = requests.next().await {
            if sender.send(reply(request.name)).await.is_err() {
                return;
            }
        }
    });
    Ok(replies)
}

/// A server, and a client connected to it.
struct Fixture {
    server: RunningServer,
    client: Http1,
}

impl Fixture {
    async fn start() -> Self {
        let service = Service::new("greeter.Greeter")
            .route(&HELLO, handler::unary::<Serde, _, Reply, _, _, _>(hello))
            .route(
                &COUNT,
                handler::server_stream::<Serde, _, Reply, Streaming<Reply>, _, _>(count),
            )
            .route(
                &SUM,
                handler::client_stream::<Serde, Request, Reply, Reply, _, _>(sum),
            )
            .route(
                &CHAT,
                handler::bidi::<Serde, Request, Reply, Streaming<Reply>, _, _>(chat),
            );
        let server = Server::builder()
            .listen("grpc://127.0.0.1:0")
            .service(service)
            .start()
            .await
            .expect("a free port");
        let address = server.urls()[0].trim_start_matches("grpc://");
        let client = Http1::connect(address.parse().expect("an address")).await;
        Self { server, client }
    }

    /// `http://host:port` with the path of a method.
    fn url(&self, method: &Method) -> String {
        self.server.urls()[0].replace("grpc", "http") + method.path()
    }

    async fn post(&mut self, method: &Method, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let request = Http1::post(method.path(), headers, body);
        self.client.call(&request).await.expect("an answer")
    }
}
