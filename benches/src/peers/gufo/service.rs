//! What generated code would hand to a server.

use bytes::Bytes;
use gufo_core::codec::Prost;
use gufo_core::{Context, Kind, Method, Service, Streaming, handler};

pub(super) static UNARY: Method = Method::new(Kind::Unary, "/bench.Echo/Unary");
pub(super) static STREAM: Method = Method::new(Kind::Bidi, "/bench.Echo/Stream");

/// The message of tonic's service.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Echo {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) body: Bytes,
}

pub(super) fn echo() -> Service {
    let unary = |_: Context, request: Echo| async move { Ok(request) };
    let stream = |_: Context, requests: Streaming<Echo>| async move { Ok(requests) };
    Service::new("bench.Echo")
        .route(
            &UNARY,
            handler::unary::<Prost, Echo, Echo, Echo, _, _>(unary),
        )
        .route(
            &STREAM,
            handler::bidi::<Prost, Echo, Echo, Streaming<Echo>, _, _>(stream),
        )
}
