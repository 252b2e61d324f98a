//! One call of a client.

use std::{future::poll_fn, sync::Arc, task::Poll};

use gufo_core::{
    Code, Compression, Context, MessageStream, Messages, Metadata, Payload, Replies, Reply, Retry,
    Status,
};
use h2::{
    RecvStream, SendStream,
    client::{ResponseFuture, SendRequest},
};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, Uri, Version, header,
    uri::{PathAndQuery, Scheme},
};

use super::{Running, Shared};
use crate::grpc::{
    body::{Body, Received, Sending},
    errors::{self, Side},
    frame::{Frame, frame},
};
use crate::{compress, encoding::Encoding, web::headers};

pub(super) async fn unary(
    running: Running,
    send: SendRequest<Frame>,
    ctx: Context,
    request: Payload,
) -> Result<Reply, Status> {
    let shared = Arc::clone(&running.0);
    let encoding = encoding(&shared, &ctx);
    let frame = frame(&encoding, request)?;
    let (response, stream) = open(&shared, send, &ctx).await?;
    let (head, stream) = ask(&shared, response, stream, frame).await?;
    let limits = &shared.options.limits;
    let metadata = match head_of(&head, limits.metadata)? {
        Head::Metadata(metadata) => metadata,
        Head::Ended(_) => return Err(without_message()),
    };
    let compression = reply_encoding(head.headers())?;
    let mut body = Body::new(stream, limits.receive, compression, Side::Client);
    let message = poll_fn(|cx| body.poll_message(cx)).await.transpose()?;
    if message.is_some()
        && poll_fn(|cx| body.poll_message(cx))
            .await
            .transpose()?
            .is_some()
    {
        return Err(Status::internal(
            "the call has more than the one reply it must have",
        ));
    }
    let trailers = poll_fn(|cx| body.poll_outcome(cx, limits.metadata)).await?;
    drop(running);
    match message {
        Some(message) => Ok(Reply {
            metadata,
            message: Payload::Encoded(message),
            trailers,
        }),
        None => Err(without_message()),
    }
}

fn without_message() -> Status {
    Status::internal("the call ended well without the reply it must have")
}

pub(super) async fn stream(
    running: Running,
    send: SendRequest<Frame>,
    ctx: Context,
    mut requests: Messages,
) -> Result<Replies, Status> {
    let shared = Arc::clone(&running.0);
    let encoding = encoding(&shared, &ctx);
    let single = !ctx.method().kind().streams_requests();
    let first = if single {
        Some(frame(
            &encoding,
            requests.next().await.ok_or_else(no_request)??,
        )?)
    } else {
        None
    };
    let (response, stream) = open(&shared, send, &ctx).await?;
    let (sending, (head, stream)) = match first {
        Some(frame) => (None, ask(&shared, response, stream, frame).await?),
        // A caller may read nothing until all is sent, so the requests need a task of their own;
        // it ends with the call.
        None => {
            let sending = Sending::start(stream, requests, encoding);
            let answer = answered(&shared, response).await;
            let answer = answer.map_err(|status| sending.failure().unwrap_or(status))?;
            (Some(sending), answer)
        }
    };
    let limits = &shared.options.limits;
    let (metadata, messages) = match head_of(&head, limits.metadata)? {
        Head::Metadata(metadata) => {
            let body = Body::new(
                stream,
                limits.receive,
                reply_encoding(head.headers())?,
                Side::Client,
            );
            (metadata, Received::replies(body, limits.metadata, sending))
        }
        Head::Ended(trailers) => (Metadata::new(), Messages::empty().with_trailers(trailers)),
    };
    Ok(Replies {
        metadata,
        messages: Messages::new(Counted {
            messages,
            running: Some(running),
        }),
    })
}

fn no_request() -> Status {
    Status::internal("a call that sends one request has none")
}

fn encoding(shared: &Shared, ctx: &Context) -> Encoding {
    Encoding {
        format: ctx.format().clone(),
        compression: ctx.compression(),
        limit: shared.options.limits.send,
    }
}

/// Sends the head of a call, waiting while the peer's limit of concurrent calls is reached.
async fn open(
    shared: &Shared,
    mut send: SendRequest<Frame>,
    ctx: &Context,
) -> Result<(ResponseFuture, SendStream<Frame>), Status> {
    if shared.leaving.is_cancelled() {
        return Err(Status::unavailable("the connection was closed").with_retry(Retry::NotBegun));
    }
    ctx.metadata().check_size(shared.options.limits.metadata)?;
    let request = head(shared, ctx)?;
    let failed = |error: h2::Error| not_begun(shared, &error);
    poll_fn(|cx| send.poll_ready(cx)).await.map_err(failed)?;
    send.send_request(request, false).map_err(failed)
}

/// The status of a call that could not be sent.
fn not_begun(shared: &Shared, error: &h2::Error) -> Status {
    note(shared, error);
    errors::status(error, Side::Client).with_retry(Retry::NotBegun)
}

/// Takes a hint that the peer is going away.
fn note(shared: &Shared, error: &h2::Error) {
    if error.is_go_away() || error.is_io() {
        shared.draining.cancel();
    }
}

fn head(shared: &Shared, ctx: &Context) -> Result<Request<()>, Status> {
    let path = PathAndQuery::try_from(ctx.method().path()).map_err(|_| {
        Status::internal(format!(
            "method path {} does not fit into a URI",
            ctx.method().path()
        ))
    })?;
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(shared.authority.clone());
    uri.path_and_query = Some(path);
    let uri = Uri::from_parts(uri)
        .map_err(|error| Status::internal("the URI of a call is broken").with_source(error))?;

    let mut map = HeaderMap::with_capacity(8);
    map.insert(header::TE, HeaderValue::from_static("trailers"));
    map.insert(header::CONTENT_TYPE, headers::content_type(ctx.format())?);
    map.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("gufo/", env!("CARGO_PKG_VERSION"))),
    );
    map.insert(
        headers::GRPC_ACCEPT_ENCODING,
        HeaderValue::from_static(compress::ACCEPTED),
    );
    if let Some(compression) = ctx.compression() {
        map.insert(
            headers::GRPC_ENCODING,
            HeaderValue::from_static(compression.name()),
        );
    }
    if let Some(timeout) = headers::timeout_value(ctx.deadline()) {
        map.insert(headers::GRPC_TIMEOUT, timeout);
    }
    headers::put_metadata(&mut map, ctx.metadata())?;

    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = uri;
    *request.headers_mut() = map;
    Ok(request)
}

/// Sends the one request of a call, and waits for the head of the answer.
async fn ask(
    shared: &Shared,
    response: ResponseFuture,
    mut stream: SendStream<Frame>,
    request: Frame,
) -> Result<(Response<()>, RecvStream), Status> {
    let sent = stream.send_data(request, true);
    let mut answer = std::pin::pin!(answered(shared, response));
    poll_fn(|cx| match (answer.as_mut().poll(cx), &sent) {
        (Poll::Pending, Ok(())) => Poll::Pending,
        (Poll::Pending, Err(error)) => Poll::Ready(Err(errors::status(error, Side::Client))),
        // A server may refuse a call by its head alone: then its answer is there, and the stream
        // closed, before the request is sent.
        (answer, _) => answer,
    })
    .await
}

async fn answered(
    shared: &Shared,
    response: ResponseFuture,
) -> Result<(Response<()>, RecvStream), Status> {
    match response.await {
        Ok(response) => {
            let (head, stream) = response.into_parts();
            Ok((Response::from_parts(head, ()), stream))
        }
        Err(error) => {
            note(shared, &error);
            Err(errors::status(&error, Side::Client))
        }
    }
}

enum Head {
    Metadata(Metadata),
    /// The call ended well with its head: trailers only.
    Ended(Metadata),
}

fn head_of(head: &Response<()>, limit: usize) -> Result<Head, Status> {
    if let Some(outcome) = headers::outcome(head.headers(), limit) {
        return outcome.map(Head::Ended);
    }
    let code = head.status().as_u16();
    if code != 200 {
        let status = match code {
            400 => Code::Internal,
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            404 => Code::Unimplemented,
            // h2 answers so when the metadata is over the limit.
            431 => Code::ResourceExhausted,
            429 | 502 | 503 | 504 => Code::Unavailable,
            _ => Code::Unknown,
        };
        return Err(Status::new(
            status,
            format!("the server answered with HTTP status {code} and no grpc-status"),
        ));
    }
    let content_type = head
        .headers()
        .get(header::CONTENT_TYPE)
        .map_or(&b""[..], HeaderValue::as_bytes);
    if headers::grpc_subtype(content_type).is_none() {
        let shown = String::from_utf8_lossy(content_type).into_owned();
        return Err(Status::unknown(format!(
            "the server answered with content type {shown:?}, which is not gRPC"
        )));
    }
    headers::metadata(head.headers(), limit).map(Head::Metadata)
}

fn reply_encoding(headers: &HeaderMap) -> Result<Option<Compression>, Status> {
    let Some(name) = headers.get(headers::GRPC_ENCODING) else {
        return Ok(None);
    };
    let name = name.to_str().unwrap_or("?");
    if name == "identity" {
        return Ok(None);
    }
    Compression::from_name(name).map(Some).ok_or_else(|| {
        Status::internal(format!(
            "the server compressed with {name:?}, which was not offered"
        ))
    })
}

/// Keeps a call counted until its replies have ended.
struct Counted {
    messages: Messages,
    running: Option<Running>,
}

impl MessageStream for Counted {
    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        let item = std::task::ready!(this.messages.poll_next_message(cx));
        if !matches!(item, Some(Ok(_))) {
            this.running = None;
        }
        Poll::Ready(item)
    }

    fn trailers(self: std::pin::Pin<&mut Self>) -> Metadata {
        self.get_mut().messages.trailers()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use bytes::Bytes;
    use gufo_core::{Cancel, ConnectOptions};
    use http::uri::Authority;
    use tokio::io::DuplexStream;

    use super::*;

    /// Refuses the one call that comes as soon as its head is there.
    async fn refuse(socket: DuplexStream) {
        let mut connection = h2::server::handshake(socket).await.expect("a handshake");
        let (request, mut respond) = connection.accept().await.expect("a call").expect("sound");
        let refusal = Response::builder().header(headers::GRPC_STATUS, "12");
        respond
            .send_response(refusal.body(()).expect("a response"), true)
            .expect("open");
        drop((request, respond));
        while connection.accept().await.is_some() {}
    }

    #[tokio::test]
    async fn an_answer_that_came_before_the_request_was_sent_is_the_answer() {
        let (near, far) = tokio::io::duplex(64 * 1024);
        tokio::spawn(refuse(far));
        let handshake = h2::client::Builder::new().handshake::<_, Frame>(near).await;
        let (send, connection) = handshake.expect("a handshake");
        tokio::spawn(connection);
        let shared = Shared {
            authority: Authority::from_static("localhost"),
            options: ConnectOptions::default(),
            in_flight: AtomicUsize::new(0),
            draining: Cancel::new(),
            closed: Cancel::new(),
            leaving: Cancel::new(),
            done: Cancel::new(),
        };
        let mut send = send.ready().await.expect("ready");
        let request = Request::post("http://localhost/a/b")
            .body(())
            .expect("a request");
        let (response, mut stream) = send.send_request(request, false).expect("open");
        poll_fn(|cx| stream.poll_reset(cx)).await.expect("refused");

        let request = Frame::plain(Bytes::from_static(b"owl"));
        let answer = ask(&shared, response, stream, request).await;

        let (head, _) = answer.expect("the refusal");
        assert_eq!(head.headers()[headers::GRPC_STATUS], "12");
    }
}
