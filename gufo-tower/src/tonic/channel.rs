//! A gufo channel under a tonic-generated client.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use gufo_core::{BoxFuture, Context, Deadline, Format, Handler, Kind, Messages, Method, Status};
use tonic::{body::Body, metadata::MetadataMap, server::StreamingService};

use super::{
    codec::BytesCodec,
    convert::{metadata_from_tonic, metadata_to_tonic, status_to_tonic},
    mount::TonicMessages,
};

/// What a tonic-generated client calls instead of tonic's own channel.
///
/// ```text
/// let mut greeter = GreeterClient::new(TonicChannel::new(channel));
/// ```
#[derive(Clone)]
pub struct TonicChannel {
    handler: Arc<dyn Handler>,
}

impl TonicChannel {
    /// Sends tonic's calls to a handler, such as a gufo channel.
    #[must_use]
    pub fn new(handler: impl Handler) -> Self {
        Self {
            handler: Arc::new(handler),
        }
    }
}

impl fmt::Debug for TonicChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TonicChannel")
    }
}

impl tower_service::Service<http::Request<Body>> for TonicChannel {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let handler = Arc::clone(&self.handler);
        Box::pin(async move {
            let ctx = match context(&request) {
                Ok(ctx) => ctx,
                Err(status) => return Ok(status_to_tonic(&status).into_http()),
            };
            // The client behind this holds the limits.
            let mut grpc = tonic::server::Grpc::new(BytesCodec)
                .max_decoding_message_size(usize::MAX)
                .max_encoding_message_size(usize::MAX);
            Ok(grpc
                .streaming(
                    Bridge {
                        handler,
                        ctx: Some(ctx),
                    },
                    request,
                )
                .await)
        })
    }
}

/// tonic does not tell of which kind a call is; one that streams both ways can carry all of them.
fn context(request: &http::Request<Body>) -> Result<Context, Status> {
    let method = Method::parse(Kind::Bidi, request.uri().path())?;
    let deadline = match request.headers().get("grpc-timeout") {
        Some(timeout) => Deadline::from_timeout(timeout.to_str().unwrap_or("?"))?,
        None => Deadline::NONE,
    };
    let metadata = metadata_from_tonic(&MetadataMap::from_headers(request.headers().clone()));
    Ok(Context::incoming(
        method.into(),
        Format::Protobuf,
        metadata,
        deadline,
        None,
    ))
}

struct Bridge {
    handler: Arc<dyn Handler>,
    ctx: Option<Context>,
}

impl StreamingService<Bytes> for Bridge {
    type Response = Bytes;
    type ResponseStream = Replies;
    type Future = BoxFuture<'static, Result<tonic::Response<Replies>, tonic::Status>>;

    fn call(&mut self, request: tonic::Request<tonic::Streaming<Bytes>>) -> Self::Future {
        let handler = Arc::clone(&self.handler);
        let ctx = self.ctx.take();
        Box::pin(async move {
            let ctx = ctx.ok_or_else(|| tonic::Status::internal("a call was made twice"))?;
            let requests = Messages::new(TonicMessages::new(request.into_inner()));
            let replies = handler
                .stream(ctx, requests)
                .await
                .map_err(|status| status_to_tonic(&status))?;
            let mut response = tonic::Response::new(Replies(replies.messages));
            *response.metadata_mut() = metadata_to_tonic(&replies.metadata);
            Ok(response)
        })
    }
}

/// Our replies as tonic's stream.
struct Replies(Messages);

impl Stream for Replies {
    type Item = Result<Bytes, tonic::Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.get_mut().0.poll_next_message(cx));
        Poll::Ready(item.map(|message| {
            message
                .and_then(|message| message.into_bytes(&Format::Protobuf))
                .map_err(|status| status_to_tonic(&status))
        }))
    }
}
