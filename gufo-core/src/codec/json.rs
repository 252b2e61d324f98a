//! JSON through serde_json, whose own nesting limit is 128.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::Status;

pub(super) fn encode<T: Serialize>(message: &T) -> Result<Bytes, Status> {
    serde_json::to_vec(message)
        .map(Bytes::from)
        .map_err(|error| Status::internal(format!("cannot write the message as JSON: {error}")))
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Status> {
    // An empty body is the empty message, so that `curl -X POST` needs no `-d '{}'`.
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(bytes)
        .map_err(|error| Status::invalid_argument(format!("message is not valid JSON: {error}")))
}
