//! Plain HTTP: JSON (or another format) in, the same out, over HTTP/1.1 and HTTP/2.
//!
//! `POST /package.Service/Method` with the message as body. The content type chooses the format;
//! none, or that of an HTML form as `curl -d` sends it, is JSON. A method that streams its
//! requests reads one JSON message a line; one that streams its replies answers one a line, or
//! server-sent events if the caller accepts `text/event-stream`. An error is a JSON object with
//! the HTTP status that goes with its code; in mid-stream it is the last line, under `error`.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use bytes::{BufMut, Bytes, BytesMut};
use gufo_core::{
    Context, Deadline, Format, Kind, MessageStream, Messages, Metadata, Payload, Route, Status,
    Watchdog,
};
use h2::{Reason, RecvStream, SendStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header, request::Parts};
use http_body::Body as HttpBody;

use super::Shared;
use crate::{
    grpc::frame::Frame,
    web::{headers, json, lines},
};

/// The body of a plain answer.
pub(super) enum PlainBody {
    Whole(Option<Bytes>),
    Stream(Box<Lines>),
}

/// Replies as lines of JSON or as events.
pub(super) struct Lines {
    messages: Option<Messages>,
    events: bool,
    limit: usize,
}

/// A request body, whatever carries it.
pub(super) trait Source: Send + 'static {
    fn poll_chunk(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Bytes, Status>>>;
}

impl Source for RecvStream {
    fn poll_chunk(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Bytes, Status>>> {
        let chunk = ready!(self.poll_data(cx));
        Poll::Ready(chunk.map(|chunk| {
            let chunk = chunk.map_err(|error| {
                crate::grpc::errors::status(&error, crate::grpc::errors::Side::Server)
            })?;
            // The peer may send as much again.
            let _ = self.flow_control().release_capacity(chunk.len());
            Ok(chunk)
        }))
    }
}

/// Answers a request that is not gRPC.
pub(super) async fn answer(
    shared: &Shared,
    route: Option<Arc<Route>>,
    parts: &Parts,
    body: impl Source,
) -> Response<PlainBody> {
    match try_answer(shared, route, parts, body).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    }
}

/// A status, or an HTTP status that has no gRPC code of its own.
struct Refused {
    http: Option<StatusCode>,
    allow: Option<&'static str>,
    status: Status,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self {
            http: None,
            allow: None,
            status,
        }
    }
}

impl From<gufo_core::Error> for Refused {
    fn from(error: gufo_core::Error) -> Self {
        Status::from(error).into()
    }
}

impl Refused {
    fn into_response(self) -> Response<PlainBody> {
        let body = Bytes::from(json::error(&self.status));
        let mut response = Response::new(PlainBody::Whole(Some(body)));
        let code = StatusCode::from_u16(self.status.code().http_status());
        *response.status_mut() = self
            .http
            .or(code.ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let head = response.headers_mut();
        head.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Some(allow) = self.allow {
            head.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        // Metadata that cannot be sent must not hide the error.
        let _ = headers::put_metadata(head, self.status.metadata());
        response
    }
}

async fn try_answer(
    shared: &Shared,
    route: Option<Arc<Route>>,
    parts: &Parts,
    mut body: impl Source,
) -> Result<Response<PlainBody>, Refused> {
    let route = route.ok_or_else(|| Refused {
        http: Some(StatusCode::NOT_FOUND),
        allow: None,
        status: shared.dispatch.unknown(parts.uri.path()),
    })?;
    if parts.method != http::Method::POST {
        return Err(Refused {
            http: Some(StatusCode::METHOD_NOT_ALLOWED),
            allow: Some("POST"),
            status: Status::unimplemented(format!("calls are POST, not {}", parts.method)),
        });
    }
    let format = format_of(shared, parts)?;
    let limits = &shared.options.limits;
    let metadata = headers::metadata(&parts.headers, limits.metadata)?;
    let deadline = headers::deadline(&parts.headers)?;
    let kind = route.method.kind();
    if kind != Kind::Unary && format != Format::Json {
        return Err(unsupported(format!(
            "methods that stream speak JSON over plain HTTP, not {format}"
        )));
    }
    let mut ctx = Context::incoming(
        route.method.clone(),
        format.clone(),
        metadata,
        deadline,
        Some(Arc::clone(&shared.peer)),
    );
    ctx.set_compression(None);
    if kind == Kind::Unary {
        let request = whole(&mut body, shared, deadline, limits.receive).await?;
        shared.backlog.room().await;
        let reply = route.handler.unary(ctx, Payload::Encoded(request)).await?;
        let bytes = checked(reply.message.into_bytes(&format)?, limits.send)?;
        let mut response = Response::new(PlainBody::Whole(Some(bytes)));
        let head = response.headers_mut();
        head.insert(header::CONTENT_TYPE, plain_content_type(&format)?);
        reply.metadata.check_size(limits.metadata)?;
        headers::put_metadata(head, &reply.metadata)?;
        reply.trailers.check_size(limits.metadata)?;
        put_trailers(head, &reply.trailers)?;
        return Ok(response);
    }
    let requests = if kind.streams_requests() {
        Messages::new(RequestLines {
            source: Box::new(body),
            lines: lines::Lines::new(limits.receive),
            done: false,
        })
    } else {
        Messages::one(Payload::Encoded(
            whole(&mut body, shared, deadline, limits.receive).await?,
        ))
    };
    let mut replies = route.handler.stream(ctx, requests).await?;
    replies.metadata.check_size(limits.metadata)?;
    if kind == Kind::ClientStream {
        let only = replies
            .messages
            .next()
            .await
            .unwrap_or_else(|| Err(Status::internal("the handler gave no reply")))?;
        let bytes = checked(only.into_bytes(&format)?, limits.send)?;
        let mut response = Response::new(PlainBody::Whole(Some(bytes)));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, plain_content_type(&format)?);
        headers::put_metadata(response.headers_mut(), &replies.metadata)?;
        return Ok(response);
    }
    let events = accepts_events(&parts.headers);
    let lines = Lines {
        messages: Some(replies.messages),
        events,
        limit: limits.send,
    };
    let mut response = Response::new(PlainBody::Stream(Box::new(lines)));
    let head = response.headers_mut();
    let content_type = if events {
        "text/event-stream"
    } else {
        "application/x-ndjson"
    };
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers::put_metadata(head, &replies.metadata)?;
    Ok(response)
}

fn unsupported(message: String) -> Refused {
    Refused {
        http: Some(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        allow: None,
        status: Status::unimplemented(message),
    }
}

/// The format a content type names.
fn format_of(shared: &Shared, parts: &Parts) -> Result<Format, Refused> {
    if let Some(encoding) = parts.headers.get(header::CONTENT_ENCODING)
        && encoding != "identity"
    {
        return Err(unsupported(format!(
            "content-encoding {encoding:?} is not known here"
        )));
    }
    let Some(value) = parts.headers.get(header::CONTENT_TYPE) else {
        return Ok(Format::Json);
    };
    let text = value.to_str().unwrap_or("?");
    let essence = text
        .split(';')
        .next()
        .unwrap_or(text)
        .trim()
        .to_ascii_lowercase();
    let format = match essence.as_str() {
        "application/x-www-form-urlencoded" | "text/json" | "application/x-ndjson" => {
            Some(Format::Json)
        }
        other => other
            .strip_prefix("application/")
            .and_then(|name| shared.dispatch.formats().find(name)),
    };
    format.ok_or_else(|| {
        let known = shared.dispatch.formats().names();
        unsupported(format!(
            "content type {text:?} is not known here; application/ with one of {known} is"
        ))
    })
}

fn plain_content_type(format: &Format) -> Result<HeaderValue, Status> {
    match format {
        Format::Json => Ok(HeaderValue::from_static("application/json")),
        other => HeaderValue::try_from(format!("application/{}", other.name()))
            .map_err(|_| Status::internal("the name of a codec does not fit into a content type")),
    }
}

fn accepts_events(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|text| text.to_ascii_lowercase().contains("text/event-stream"))
    })
}

fn checked(bytes: Bytes, limit: usize) -> Result<Bytes, Status> {
    if bytes.len() <= limit {
        return Ok(bytes);
    }
    Err(Status::resource_exhausted(format!(
        "message of {} bytes is over the limit of {limit}",
        bytes.len()
    )))
}

/// Trailers of a plain answer follow as headers with the prefix `trailer-`, as the Connect protocol
/// has it (<https://connectrpc.com/docs/protocol>).
fn put_trailers(head: &mut HeaderMap, trailers: &Metadata) -> Result<(), Status> {
    for (key, value) in trailers.iter() {
        let mut one = Metadata::new();
        one.push(
            gufo_core::Key::parse(&format!("trailer-{key}"))?,
            value.clone(),
        )?;
        headers::put_metadata(head, &one)?;
    }
    Ok(())
}

/// Reads a whole body.
async fn whole(
    body: &mut impl Source,
    shared: &Shared,
    deadline: Deadline,
    limit: usize,
) -> Result<Bytes, Status> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let mut watchdog: Option<Watchdog> = None;
        let chunk = poll_fn(|cx| {
            if let Poll::Ready(chunk) = body.poll_chunk(cx) {
                return Poll::Ready(chunk.transpose());
            }
            let watchdog = watchdog.get_or_insert_with(|| {
                Watchdog::new(
                    deadline.min(Deadline::after(shared.options.stall_timeout)),
                    None,
                )
            });
            watchdog
                .poll(cx)
                .map(|status| Err(shared.too_late(status, deadline)))
        })
        .await?;
        let Some(chunk) = chunk else { break };
        let size = first.len() + rest.len() + chunk.len();
        if size > limit {
            return Err(Status::resource_exhausted(format!(
                "message is over the limit of {limit} bytes"
            )));
        }
        if first.is_empty() && rest.is_empty() {
            first = chunk;
        } else {
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&chunk);
        }
    }
    Ok(if rest.is_empty() {
        first
    } else {
        rest.freeze()
    })
}

/// Requests, one JSON message a line.
struct RequestLines {
    source: Box<dyn Source>,
    lines: lines::Lines,
    done: bool,
}

impl MessageStream for RequestLines {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        loop {
            let line = match this.lines.next() {
                Ok(Some(line)) => line,
                Err(status) => return Poll::Ready(Some(Err(status))),
                Ok(None) if this.done => match this.lines.rest() {
                    Some(line) => line,
                    None => return Poll::Ready(None),
                },
                Ok(None) => match ready!(this.source.poll_chunk(cx)) {
                    Some(Ok(chunk)) => {
                        this.lines.push(&chunk);
                        continue;
                    }
                    Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                    None => {
                        this.done = true;
                        continue;
                    }
                },
            };
            if !line.trim_ascii().is_empty() {
                return Poll::Ready(Some(Ok(Payload::Encoded(line))));
            }
        }
    }
}

impl Lines {
    fn poll_line(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Bytes>> {
        let Some(messages) = &mut self.messages else {
            return Poll::Ready(None);
        };
        let item = ready!(messages.poll_next_message(cx));
        let message = match item {
            None => {
                self.messages = None;
                return Poll::Ready(None);
            }
            Some(message) => message
                .and_then(|message| message.into_bytes(&Format::Json))
                .and_then(|bytes| checked(bytes, self.limit)),
        };
        let line = match message {
            Ok(bytes) => self.line("data: ", &bytes),
            Err(status) => {
                self.messages = None;
                let error = json::error_line(&status);
                self.line("event: error\ndata: ", error.as_bytes())
            }
        };
        Poll::Ready(Some(line))
    }

    fn line(&self, event: &str, json: &[u8]) -> Bytes {
        let mut line = BytesMut::with_capacity(json.len() + event.len() + 2);
        if self.events {
            line.put_slice(event.as_bytes());
        }
        line.put_slice(json);
        line.put_slice(if self.events { b"\n\n" } else { b"\n" });
        line.freeze()
    }
}

impl HttpBody for PlainBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let data = match self.get_mut() {
            Self::Whole(bytes) => bytes.take(),
            Self::Stream(lines) => ready!(lines.poll_line(cx)),
        };
        Poll::Ready(data.map(|data| Ok(http_body::Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Whole(bytes) => {
                http_body::SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64)
            }
            Self::Stream(_) => http_body::SizeHint::default(),
        }
    }
}

/// Answers over HTTP/2.
pub(super) async fn answer_http2(
    shared: Arc<Shared>,
    route: Option<Arc<Route>>,
    request: Request<RecvStream>,
    mut respond: SendResponse<Frame>,
) {
    let (parts, stream) = request.into_parts();
    let mut answering = std::pin::pin!(answer(&shared, route, &parts, stream));
    let response = poll_fn(|cx| match answering.as_mut().poll(cx) {
        Poll::Ready(response) => Poll::Ready(Some(response)),
        Poll::Pending => respond.poll_reset(cx).map(|_| None),
    })
    .await;
    let Some(response) = response else { return };
    let (head, mut body) = response.into_parts();
    let size = body
        .size_hint()
        .exact()
        .and_then(|size| usize::try_from(size).ok());
    let _held = size.and_then(|size| shared.backlog.hold(size));
    let Ok(mut stream) =
        respond.send_response(Response::from_parts(head, ()), body.is_end_stream())
    else {
        return;
    };
    if body.is_end_stream() {
        return;
    }
    if send_body(&mut stream, &mut body).await.is_none() {
        stream.send_reset(Reason::CANCEL);
    }
}

/// Sends a body as the peer takes it; `None` when the peer does not want it.
async fn send_body(stream: &mut SendStream<Frame>, body: &mut PlainBody) -> Option<()> {
    loop {
        let frame = poll_fn(|cx| match Pin::new(&mut *body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(Some(frame)),
            Poll::Pending => stream.poll_reset(cx).map(|_| None),
        })
        .await?;
        let Some(Ok(frame)) = frame else {
            return stream.send_data(Frame::plain(Bytes::new()), true).ok();
        };
        if let Ok(data) = frame.into_data() {
            crate::grpc::body::send_bytes(stream, data).await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use gufo_core::Code;

    use super::*;

    #[test]
    fn an_error_has_the_status_of_its_code_and_a_json_body() {
        let response =
            Refused::from(Status::new(Code::ResourceExhausted, "too \"much\"")).into_response();

        assert_eq!(response.status(), 429);
        let PlainBody::Whole(Some(body)) = response.into_body() else {
            panic!("a whole body")
        };
        assert_eq!(
            body,
            &br#"{"code":"RESOURCE_EXHAUSTED","message":"too \"much\""}"#[..]
        );
    }
}
