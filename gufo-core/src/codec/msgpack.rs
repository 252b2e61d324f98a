//! MessagePack through rmp-serde, with named fields so that fields may be added.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::MAX_DEPTH;
use crate::Status;

pub(super) fn encode<T: Serialize>(message: &T) -> Result<Bytes, Status> {
    rmp_serde::to_vec_named(message)
        .map(Bytes::from)
        .map_err(|error| {
            Status::internal(format!("cannot write the message as MessagePack: {error}"))
        })
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Status> {
    let mut rest = bytes;
    let mut deserializer = rmp_serde::Deserializer::new(&mut rest);
    deserializer.set_max_depth(MAX_DEPTH);
    let message = T::deserialize(&mut deserializer).map_err(|error| {
        Status::invalid_argument(format!("message is not valid MessagePack: {error}"))
    })?;
    if rest.is_empty() {
        return Ok(message);
    }
    Err(Status::invalid_argument(format!(
        "{} bytes follow the MessagePack message",
        rest.len()
    )))
}
