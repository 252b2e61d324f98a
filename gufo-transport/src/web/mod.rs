//! What gRPC and plain HTTP share: headers as metadata, and errors as JSON.
#![cfg_attr(
    not(all(feature = "grpc", feature = "http")),
    allow(
        dead_code,
        reason = "each transport alone writes or reads only one side"
    )
)]

pub(crate) mod headers;
pub(crate) mod json;
pub(crate) mod lines;
