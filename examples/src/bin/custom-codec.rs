//! A format of the application's own: MessagePack without field names.
//!
//! The built-in MessagePack names every field, so that fields may be added. Where both ends are
//! always of one version, leaving the names out makes messages smaller.
//!
//! `cargo run -p gufo-examples --bin custom-codec`

#![allow(clippy::print_stdout, reason = "an example that talks to its reader")]

use std::{process::ExitCode, sync::Arc};

use gufo::{
    Caller, Codec, Format, Server, Status,
    core::codec::{AnySerialize, DecodeSeed, MAX_DEPTH, Serde, Wire},
};
use gufo_examples::{
    BoxError, CountRequest, GreeterClient, GreeterServer, HelloRequest, Polite, args, ensure,
};

/// MessagePack with fields by position, `application/x-compact`.
#[derive(Debug)]
struct Compact;

impl Codec for Compact {
    fn name(&self) -> &str {
        "x-compact"
    }

    fn encode(&self, value: &dyn AnySerialize, out: &mut Vec<u8>) -> Result<(), Status> {
        rmp_serde::encode::write(out, value)
            .map_err(|error| Status::internal(format!("cannot write x-compact: {error}")))
    }

    fn decode(&self, bytes: &[u8], seed: &mut DecodeSeed<'_>) -> Result<(), Status> {
        let refused = |why: &dyn std::fmt::Display| {
            Status::invalid_argument(format!("message is not valid x-compact: {why}"))
        };
        let mut rest = bytes;
        let mut deserializer = rmp_serde::Deserializer::new(&mut rest);
        deserializer.set_max_depth(MAX_DEPTH);
        seed.read(&mut deserializer)
            .map_err(|error| refused(&error))?;
        if rest.is_empty() {
            return Ok(());
        }
        Err(refused(&format_args!("{} bytes follow it", rest.len())))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    args::exit(run().await)
}

async fn run() -> Result<(), BoxError> {
    let compact = Format::Custom(Arc::new(Compact));
    let owl = || HelloRequest { name: "owl".into() };
    for format in [&compact, &Format::MessagePack, &Format::Json] {
        let bytes = <Serde as Wire<HelloRequest>>::encode(&owl(), format)?;
        println!("{format}: {} bytes, {bytes:?}", bytes.len());
    }

    let server = Server::builder()
        .listen("grpc://127.0.0.1:0")
        .codec(Compact)
        .service(GreeterServer::new(Polite))
        .start()
        .await?;
    let url = server.urls().first().ok_or("the server listens nowhere")?;

    // All calls of a channel in one format; `.format(..)` on a call would choose for that call.
    let channel = gufo::channel()
        .address(url)
        .format(compact)
        .connect()
        .await?;
    let greeter = GreeterClient::from(Caller::from(channel));
    let reply = greeter.hello(owl()).await?.message;
    println!("over gRPC in application/grpc+x-compact: {reply}");
    ensure(
        reply == "hello owl",
        "the server answers in the format it was asked in",
    )?;
    let counted = greeter
        .count(CountRequest { to: 3 })
        .await?
        .collect()
        .await?;
    ensure(counted.len() == 3, "streams use the format too")?;

    server.stop().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use gufo::{Bytes, Code};
    use serde::{Deserialize, Serialize};

    use super::*;

    /// A value that nests as deep as its sender likes.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Nested(Vec<Self>);

    fn decode<T: Serialize + serde::de::DeserializeOwned>(bytes: Vec<u8>) -> Result<T, Code> {
        let format = Format::Custom(Arc::new(Compact));
        <Serde as Wire<T>>::decode(Bytes::from(bytes), &format).map_err(|status| status.code())
    }

    #[test]
    fn a_message_comes_back() {
        let format = Format::Custom(Arc::new(Compact));
        let message = (i64::MIN, u64::MAX, "owl".to_owned(), vec![1_u8, 0, 255]);

        let bytes = Serde::encode(&message, &format).expect("encodes");

        assert_eq!(decode(bytes.to_vec()), Ok(message));
    }

    #[test]
    fn what_is_cut_off_followed_by_more_or_garbage_is_refused() {
        for wrong in [
            b"\x91\xa3ow".to_vec(),
            b"\x91\xa3owl!".to_vec(),
            vec![0xc1],
            vec![],
        ] {
            assert_eq!(decode::<HelloRequest>(wrong), Err(Code::InvalidArgument));
        }
    }

    #[test]
    fn nesting_has_a_limit_and_lengths_reserve_nothing() {
        let mut bomb = vec![0x91; 100_000];
        bomb.push(0x90);
        assert_eq!(decode::<Nested>(bomb), Err(Code::InvalidArgument));

        let four_billion_items = b"\xdd\xff\xff\xff\xff".to_vec();
        assert_eq!(
            decode::<Vec<u64>>(four_billion_items),
            Err(Code::InvalidArgument)
        );
    }
}
