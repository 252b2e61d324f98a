//! The Greeter as a Rust trait: messages of prost and serde, all four kinds of methods.

use gufo_core::{Context, Response, Status, Streaming};
use gufo_macros::Describe;
use prost::Message;
use serde::{Deserialize, Serialize};

/// Whom to greet.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub(crate) struct HelloRequest {
    /// A name.
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

/// The greeting.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub(crate) struct HelloReply {
    /// What is said.
    #[prost(string, tag = "1")]
    pub(crate) message: String,
}

/// How far to count.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub(crate) struct CountRequest {
    /// The last number.
    #[prost(uint32, tag = "1")]
    pub(crate) to: u32,
}

/// One number.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub(crate) struct Number {
    /// The number.
    #[prost(sint64, tag = "1")]
    pub(crate) number: i64,
}

/// A line of a chat.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub(crate) struct Line {
    /// What is said.
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

/// Greets people.
///
/// In four ways.
#[gufo_macros::service(name = "greeter.Greeter", codecs(protobuf, json, msgpack))]
pub(crate) trait Greeter {
    /// Says hello.
    #[method(
        idempotent,
        get = "/hello/{name}",
        post = "/hello",
        put = "/hello/{name}",
        body = "name"
    )]
    async fn hello(&self, ctx: &Context, request: HelloRequest) -> Result<HelloReply, Status>;

    /// Counts.
    #[method(name = "CountUp", no_side_effects)]
    async fn count(
        &self,
        ctx: &Context,
        request: CountRequest,
    ) -> Result<Streaming<Number>, Status>;

    /// Adds up.
    async fn sum(
        &self,
        ctx: &Context,
        numbers: Streaming<Number>,
    ) -> Result<Response<Number>, Status>;

    /// Answers each line.
    async fn chat(
        &self,
        ctx: &Context,
        lines: Streaming<Line>,
    ) -> Result<Response<Streaming<Line>>, Status>;
}

/// Greets politely.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Polite;

impl Greeter for Polite {
    async fn hello(&self, _: &Context, request: HelloRequest) -> Result<HelloReply, Status> {
        if request.name.is_empty() {
            return Err(Status::invalid_argument("name is empty"));
        }
        Ok(HelloReply {
            message: format!("hello {}", request.name),
        })
    }

    async fn count(&self, _: &Context, request: CountRequest) -> Result<Streaming<Number>, Status> {
        Ok(Streaming::iter(
            (1..=i64::from(request.to)).map(|number| Number { number }),
        ))
    }

    async fn sum(
        &self,
        ctx: &Context,
        mut numbers: Streaming<Number>,
    ) -> Result<Response<Number>, Status> {
        let mut sum = 0;
        while let Some(Number { number }) = numbers.next().await? {
            sum += number;
        }
        let mut response = Response::new(Number { number: sum });
        response.metadata.insert("format", ctx.format().name())?;
        response.trailers.insert("done", "yes")?;
        Ok(response)
    }

    async fn chat(
        &self,
        _: &Context,
        mut lines: Streaming<Line>,
    ) -> Result<Response<Streaming<Line>>, Status> {
        let (tx, rx) = Streaming::channel(1);
        tokio::spawn(async move {
            while let Ok(Some(Line { text })) = lines.next().await {
                let text = format!("you said {text}");
                if tx.send(Line { text }).await.is_err() {
                    break;
                }
            }
        });
        Ok(rx.into())
    }
}
