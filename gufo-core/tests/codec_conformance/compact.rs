//! MessagePack with fields by position, as an application would add it.

use gufo_core::{
    Codec, Status,
    codec::{AnySerialize, DecodeSeed, MAX_DEPTH},
};

#[derive(Debug)]
pub(crate) struct Compact;

impl Codec for Compact {
    fn name(&self) -> &str {
        "x-compact"
    }

    fn encode(&self, value: &dyn AnySerialize, out: &mut Vec<u8>) -> Result<(), Status> {
        rmp_serde::encode::write(out, value)
            .map_err(|error| Status::internal(format!("cannot write x-compact: {error}")))
    }

    fn decode(&self, bytes: &[u8], seed: &mut DecodeSeed<'_>) -> Result<(), Status> {
        decode_within(MAX_DEPTH, bytes, seed)
    }
}

pub(crate) fn decode_within(
    depth: usize,
    bytes: &[u8],
    seed: &mut DecodeSeed<'_>,
) -> Result<(), Status> {
    let wrong = |why: &dyn std::fmt::Display| {
        Status::invalid_argument(format!("message is not valid x-compact: {why}"))
    };
    let mut rest = bytes;
    let mut deserializer = rmp_serde::Deserializer::new(&mut rest);
    deserializer.set_max_depth(depth);
    seed.read(&mut deserializer)
        .map_err(|error| wrong(&error))?;
    if rest.is_empty() {
        return Ok(());
    }
    Err(wrong(&format_args!("{} bytes follow it", rest.len())))
}

/// A message of one list, of a message of one list, and so on.
pub(crate) fn bomb() -> Vec<u8> {
    let mut bomb = b"\x91".repeat(20_000);
    bomb.push(0x90);
    bomb
}
