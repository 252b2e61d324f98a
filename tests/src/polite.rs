//! The greeter on gufo that other languages call: it answers with metadata, fails with details and
//! waits for ever when asked to.

use gufo::{Context, HealthHandle, Response, RunningServer, Server, Status, Streaming};

use crate::greeter_responses::{
    ChatMessage, CountReply, CountRequest, Greeter, GreeterServer, HelloReply, HelloRequest,
    SumReply, SumRequest,
};

/// The name that makes the greeter fail, with details and metadata.
pub const UNKNOWN: &str = "nobody";

/// The name that makes the greeter wait for ever.
pub const ENDLESS: &str = "forever";

/// The greeter.
#[derive(Clone, Copy, Debug)]
pub struct Polite;

impl Greeter for Polite {
    async fn hello(
        &self,
        ctx: &Context,
        request: HelloRequest,
    ) -> Result<Response<HelloReply>, Status> {
        match request.name.as_str() {
            UNKNOWN => {
                let info = b"\x0a\x06NOBODY\x12\x07greeter".to_vec();
                let mut status = Status::not_found("nobody is here: ü")
                    .with_detail("type.googleapis.com/google.rpc.ErrorInfo", info);
                status.metadata_mut().insert("x-why", "gone")?;
                return Err(status);
            }
            ENDLESS => std::future::pending().await,
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
    ) -> Result<Response<Streaming<CountReply>>, Status> {
        let numbers = (1..=request.to).map(|number| CountReply { number });
        Ok(Streaming::iter(numbers).into())
    }

    async fn sum(
        &self,
        _: &Context,
        mut requests: Streaming<SumRequest>,
    ) -> Result<Response<SumReply>, Status> {
        let mut total = 0;
        while let Some(request) = requests.next().await? {
            total += request.number;
        }
        Ok(SumReply { total }.into())
    }

    async fn chat(
        &self,
        _: &Context,
        mut requests: Streaming<ChatMessage>,
    ) -> Result<Response<Streaming<ChatMessage>>, Status> {
        let (replies, stream) = Streaming::channel(1);
        tokio::spawn(async move {
            while let Ok(Some(message)) = requests.next().await {
                let text = format!("re: {}", message.text);
                if replies.send(ChatMessage { text }).await.is_err() {
                    return;
                }
            }
        });
        Ok(stream.into())
    }
}

/// Serves the greeter, with health and reflection.
///
/// # Panics
/// When the server does not start.
pub async fn serve(url: &str) -> RunningServer {
    Server::builder()
        .listen(url)
        .service(GreeterServer::new(Polite))
        .health(&HealthHandle::new())
        .reflection()
        .start()
        .await
        .expect("the greeter starts")
}
