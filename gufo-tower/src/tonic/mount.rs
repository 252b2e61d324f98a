//! A tonic-generated service on a gufo server.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context as TaskContext, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use gufo_core::{
    Answer, Context, Format, Handler, MessageStream, Messages, Metadata, Payload, Replies, Reply,
    Service, Status,
};
use http::uri::PathAndQuery;
use tonic::{body::Body, server::NamedService};

use super::{
    codec::BytesCodec,
    convert::{metadata_from_tonic, metadata_to_tonic, status_from_tonic, status_to_tonic},
};

/// Makes a gufo service of a tonic-generated one, for `Server::builder().service(..)`.
///
/// Whatever the gufo server offers, deadlines, panics, interceptors, drain, holds for it too.
/// Calls in another format than protobuf are `Unimplemented`.
pub fn mount<S>(service: S) -> Service
where
    S: tower_service::Service<
            http::Request<Body>,
            Response = http::Response<Body>,
            Error = Infallible,
        > + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    Service::new(S::NAME).fallback(Arc::new(Mounted { service }))
}

struct Mounted<S> {
    service: S,
}

impl<S> Handler for Mounted<S>
where
    S: tower_service::Service<
            http::Request<Body>,
            Response = http::Response<Body>,
            Error = Infallible,
        > + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        let replies = self.stream(ctx, Messages::one(request));
        Answer::later(async move { replies.await?.into_reply().await })
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        Answer::later(call(self.service.clone(), ctx, requests))
    }
}

async fn call<S>(service: S, ctx: Context, messages: Messages) -> Result<Replies, Status>
where
    S: tower_service::Service<
            http::Request<Body>,
            Response = http::Response<Body>,
            Error = Infallible,
        > + Send
        + 'static,
    S::Future: Send,
{
    if *ctx.format() != Format::Protobuf {
        return Err(Status::unimplemented(format!(
            "this service speaks protobuf, not {}",
            ctx.format()
        )));
    }
    let path = PathAndQuery::try_from(ctx.method().path()).map_err(|_| {
        Status::internal(format!(
            "method path {} does not fit into a URI",
            ctx.method().path()
        ))
    })?;
    let failed = Arc::new(OnceLock::new());
    let mut request = tonic::Request::new(Requests {
        messages,
        failed: Arc::clone(&failed),
    });
    *request.metadata_mut() = metadata_to_tonic(ctx.metadata());
    if let Some(left) = ctx.deadline().remaining() {
        request.set_timeout(left);
    }
    // Limits hold at gufo's transport already.
    let mut client = tonic::client::Grpc::new(Failing { service, failed })
        .max_decoding_message_size(usize::MAX)
        .max_encoding_message_size(usize::MAX);
    match client.ready().await {
        Ok(()) => {}
        Err(never) => match never {},
    }
    let response = client
        .streaming(request, path, BytesCodec)
        .await
        .map_err(|status| status_from_tonic(&status))?;
    let (metadata, replies, _) = response.into_parts();
    let messages = Messages::new(TonicMessages::new(replies));
    Ok(Replies {
        metadata: metadata_from_tonic(&metadata),
        messages,
    })
}

/// Requests as tonic takes them: it has no place for a failed one, so that is kept aside.
struct Requests {
    messages: Messages,
    failed: Arc<OnceLock<Status>>,
}

impl Stream for Requests {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Bytes>> {
        let this = self.get_mut();
        let item = ready!(this.messages.poll_next_message(cx));
        Poll::Ready(item.and_then(|message| {
            let bytes = message.and_then(|message| message.into_bytes(&Format::Protobuf));
            bytes.map_err(|status| this.failed.set(status)).ok()
        }))
    }
}

/// Ends the request body in an error when a request failed: an abort must not look like an end.
struct Failing<S> {
    service: S,
    failed: Arc<OnceLock<Status>>,
}

impl<S> tower_service::Service<http::Request<Body>> for Failing<S>
where
    S: tower_service::Service<
            http::Request<Body>,
            Response = http::Response<Body>,
            Error = Infallible,
        >,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> S::Future {
        let failed = Arc::clone(&self.failed);
        self.service.call(request.map(|body| {
            Body::new(FailingBody {
                body,
                failed: Some(failed),
            })
        }))
    }
}

struct FailingBody {
    body: Body,
    failed: Option<Arc<OnceLock<Status>>>,
}

impl http_body::Body for FailingBody {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, tonic::Status>>> {
        let this = self.get_mut();
        if let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            return Poll::Ready(Some(frame));
        }
        let failed = this
            .failed
            .take()
            .and_then(|failed| failed.get().map(status_to_tonic));
        Poll::Ready(failed.map(Err))
    }
}

/// tonic's stream as ours.
pub(super) struct TonicMessages {
    stream: tonic::Streaming<Bytes>,
    trailers: Metadata,
}

impl TonicMessages {
    pub(super) const fn new(stream: tonic::Streaming<Bytes>) -> Self {
        Self {
            stream,
            trailers: Metadata::new(),
        }
    }
}

impl MessageStream for TonicMessages {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        match ready!(Pin::new(&mut this.stream).poll_next(cx)) {
            Some(Ok(bytes)) => Poll::Ready(Some(Ok(Payload::Encoded(bytes)))),
            Some(Err(status)) => Poll::Ready(Some(Err(status_from_tonic(&status)))),
            None => {
                // At the end of the stream its trailers are there: this does not wait.
                if let Ok(Some(trailers)) = ready!(std::pin::pin!(this.stream.trailers()).poll(cx))
                {
                    this.trailers = metadata_from_tonic(&trailers);
                }
                Poll::Ready(None)
            }
        }
    }

    fn trailers(self: Pin<&mut Self>) -> Metadata {
        std::mem::take(&mut self.get_mut().trailers)
    }
}
