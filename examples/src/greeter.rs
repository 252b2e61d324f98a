//! The greeter: one service with all four kinds of methods.
//!
//! The messages derive both prost and serde, so that they have a protobuf form as well as one in
//! JSON and MessagePack. `Describe` tells reflection what they look like.

use futures_util::TryStreamExt;
use gufo::{Context, Describe, Status, Streaming};
use prost::Message;
use serde::{Deserialize, Serialize};

/// Whom to greet.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub struct HelloRequest {
    /// A name.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// A greeting.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub struct HelloReply {
    /// What is said: `hello NAME`.
    #[prost(string, tag = "1")]
    pub message: String,
}

/// How far to count.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub struct CountRequest {
    /// The last number.
    #[prost(uint32, tag = "1")]
    pub to: u32,
}

/// One number of those counted.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub struct CountReply {
    /// The number.
    #[prost(uint32, tag = "1")]
    pub number: u32,
}

/// One number to add.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub struct SumRequest {
    /// The number.
    #[prost(int64, tag = "1")]
    pub number: i64,
}

/// A sum.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub struct SumReply {
    /// All numbers together.
    #[prost(int64, tag = "1")]
    pub total: i64,
}

/// A line of a chat.
#[derive(Clone, PartialEq, Eq, Message, Serialize, Deserialize, Describe)]
#[serde(default)]
pub struct ChatMessage {
    /// What is said.
    #[prost(string, tag = "1")]
    pub text: String,
}

/// Greets, counts, adds and chats.
#[gufo::service(name = "greeter.Greeter", codecs(protobuf, json, msgpack))]
pub trait Greeter {
    /// Says hello.
    #[method(idempotent, get = "/hello/{name}")]
    async fn hello(&self, ctx: &Context, request: HelloRequest) -> Result<HelloReply, Status>;

    /// Counts from 1 up to a number.
    #[method(no_side_effects)]
    async fn count(
        &self,
        ctx: &Context,
        request: CountRequest,
    ) -> Result<Streaming<CountReply>, Status>;

    /// Adds numbers as they come.
    async fn sum(&self, ctx: &Context, requests: Streaming<SumRequest>)
    -> Result<SumReply, Status>;

    /// Answers each line.
    async fn chat(
        &self,
        ctx: &Context,
        lines: Streaming<ChatMessage>,
    ) -> Result<Streaming<ChatMessage>, Status>;
}

/// The greeter as everybody would write it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Polite;

impl Greeter for Polite {
    async fn hello(&self, _: &Context, request: HelloRequest) -> Result<HelloReply, Status> {
        if request.name.is_empty() {
            return Err(Status::invalid_argument("name is empty"));
        }
        Ok(HelloReply {
            message: format!("hello {}", request.name),
        })
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
        let mut total = 0_i64;
        while let Some(SumRequest { number }) = requests.next().await? {
            total = total
                .checked_add(number)
                .ok_or_else(|| Status::out_of_range("the sum does not fit into 64 bits"))?;
        }
        Ok(SumReply { total })
    }

    async fn chat(
        &self,
        _: &Context,
        lines: Streaming<ChatMessage>,
    ) -> Result<Streaming<ChatMessage>, Status> {
        Ok(Streaming::new(lines.map_ok(|line| ChatMessage {
            text: format!("you said {}", line.text),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_empty_name_and_a_sum_too_large_are_refused() -> Result<(), gufo::Error> {
        let greeter: GreeterClient = gufo::testing::client(GreeterServer::new(Polite)).await?;

        let nobody = greeter.hello(HelloRequest::default()).await;
        let large = greeter
            .sum(Streaming::iter(
                [i64::MAX, 1].map(|number| SumRequest { number }),
            ))
            .await;

        let codes = [nobody.map(drop), large.map(drop)].map(|end| end.map_err(|it| it.code()));
        assert_eq!(
            codes,
            [gufo::Code::InvalidArgument, gufo::Code::OutOfRange].map(Err)
        );
        Ok(())
    }
}
