//! The gufo side of the greeter that `tests/python/client.py` calls.

use gufo::{Context, HealthHandle, Response, RunningServer, Server, Status, Streaming};
use gufo_tests::greeter::{
    ChatMessage, CountReply, CountRequest, FILE_DESCRIPTOR_SET, HelloReply, HelloRequest, SumReply,
    SumRequest,
};

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

struct Polite;

impl Greeter for Polite {
    async fn hello(
        &self,
        ctx: &Context,
        request: HelloRequest,
    ) -> Result<Response<HelloReply>, Status> {
        match request.name.as_str() {
            "nobody" => {
                let info = b"\x0a\x06NOBODY\x12\x07greeter".to_vec();
                let mut status = Status::not_found("nobody is here: ü")
                    .with_detail("type.googleapis.com/google.rpc.ErrorInfo", info);
                status.metadata_mut().insert("x-why", "gone")?;
                return Err(status);
            }
            "forever" => std::future::pending().await,
            _ => {}
        }
        let message = match ctx.metadata().get("x-user") {
            Some(user) => format!("hello {} from {user}", request.name),
            None => format!("hello {}", request.name),
        };
        let mut response = Response::new(HelloReply { message });
        response.metadata.insert("x-ahead", "1")?;
        response.metadata.insert_bin("x-raw-bin", vec![0, 255])?;
        response.trailers.insert("x-after", "2")?;
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

pub(crate) async fn serve() -> RunningServer {
    Server::builder()
        .listen("grpc://127.0.0.1:0")
        .service(GreeterServer::new(Polite))
        .health(&HealthHandle::new())
        .reflection()
        .start()
        .await
        .expect("starts")
}
