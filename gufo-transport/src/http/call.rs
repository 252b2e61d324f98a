//! One call over HTTP/1.1.

use std::sync::Arc;

use bytes::Bytes;
use gufo_core::{
    Cancel, Code, Context, Format, Key, Kind, Messages, Metadata, Payload, Replies, Reply, Retry,
    Status,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use hyper::body::Incoming;

use super::{
    body::{ReplyLines, RequestBody, broken, checked, whole},
    pool::{Lent, Pool},
    rest,
};
use crate::web::{headers, json};

/// Where calls go.
pub(super) struct Target {
    pub(super) authority: String,
    pub(super) base: String,
    pub(super) rest: bool,
}

pub(super) async fn unary(
    target: Arc<Target>,
    pool: Arc<Pool>,
    ctx: Context,
    request: Payload,
) -> Result<Reply, Status> {
    let limits = &pool.options.limits;
    let message = checked(json_of(&ctx, request)?, limits.send)?;
    let (response, lent) = send(&target, &pool, &ctx, Whole(message)).await?;
    let (head, mut body) = response.into_parts();
    let bytes = whole(&mut body, limits.receive).await?;
    pool.give_back(lent);
    if head.status.is_success() {
        check_type(&head.headers)?;
    } else {
        return Err(refusal(
            head.status.as_u16(),
            &head.headers,
            &bytes,
            limits.metadata,
        ));
    }
    let (metadata, trailers) = metadata(&head.headers, limits.metadata)?;
    Ok(Reply {
        metadata,
        message: Payload::Encoded(bytes),
        trailers,
    })
}

pub(super) async fn stream(
    target: Arc<Target>,
    pool: Arc<Pool>,
    ctx: Context,
    requests: Messages,
) -> Result<Replies, Status> {
    let limits = &pool.options.limits;
    let kind = ctx.method().kind();
    let over = SetOnDrop(Cancel::new());
    let body = match kind {
        Kind::Bidi => {
            return Err(Status::unimplemented(
                "HTTP/1.1 cannot stream both ways at once; use grpc://",
            ));
        }
        Kind::ClientStream => Sending::Lines(requests, over.0.clone()),
        _ => Whole(checked(
            json_of(&ctx, requests.single().await?)?,
            limits.send,
        )?),
    };
    let (response, lent) = send(&target, &pool, &ctx, body).await?;
    let (head, mut body) = response.into_parts();
    if !head.status.is_success() {
        let bytes = whole(&mut body, limits.receive).await?;
        pool.give_back(lent);
        return Err(refusal(
            head.status.as_u16(),
            &head.headers,
            &bytes,
            limits.metadata,
        ));
    }
    check_type(&head.headers)?;
    let (metadata, trailers) = metadata(&head.headers, limits.metadata)?;
    if kind == Kind::ClientStream {
        let bytes = whole(&mut body, limits.receive).await?;
        pool.give_back(lent);
        let messages = Messages::one(Payload::Encoded(bytes)).with_trailers(trailers);
        return Ok(Replies { metadata, messages });
    }
    let events = head.headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        value
            .as_bytes()
            .to_ascii_lowercase()
            .starts_with(b"text/event-stream")
    });
    let limit = limits.receive;
    let messages = Messages::new(ReplyLines::new(
        body,
        events,
        limit,
        Arc::clone(&pool),
        lent,
    ));
    Ok(Replies { metadata, messages })
}

/// Tells the requests of a call that it is over.
struct SetOnDrop(Cancel);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

enum Sending {
    Whole(Bytes),
    Lines(Messages, Cancel),
}
use Sending::Whole;

fn json_of(ctx: &Context, message: Payload) -> Result<Bytes, Status> {
    if *ctx.format() != Format::Json {
        return Err(Status::unimplemented(format!(
            "http:// speaks JSON, not {}",
            ctx.format()
        )));
    }
    message.into_bytes(&Format::Json)
}

async fn send(
    target: &Target,
    pool: &Pool,
    ctx: &Context,
    sending: Sending,
) -> Result<(Response<Incoming>, Lent), Status> {
    let limits = &pool.options.limits;
    ctx.metadata().check_size(limits.metadata)?;
    let mut request = match (
        sending,
        target.rest.then(|| ctx.method().rest().first()).flatten(),
    ) {
        (Whole(message), Some(binding)) => {
            let rest::Request { verb, path, body } = rest::bind(binding, &message)?;
            let mut request = Request::new(RequestBody::Whole(body));
            *request.method_mut() = verb;
            *request.uri_mut() = uri(target, &path)?;
            request
        }
        (sending, _) => {
            let body = match sending {
                Whole(message) => RequestBody::Whole(Some(message)),
                Sending::Lines(messages, over) => RequestBody::Lines {
                    messages,
                    over,
                    limit: limits.send,
                },
            };
            let mut request = Request::new(body);
            *request.method_mut() = Method::POST;
            *request.uri_mut() = uri(target, ctx.method().path())?;
            request
        }
    };
    let streams = matches!(request.body(), RequestBody::Lines { .. });
    let map = request.headers_mut();
    let host = HeaderValue::try_from(target.authority.as_str())
        .map_err(|_| Status::invalid_argument("the host does not fit into a header"))?;
    map.insert(header::HOST, host);
    let content_type = if streams {
        "application/x-ndjson"
    } else {
        "application/json"
    };
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    map.insert(
        header::ACCEPT,
        HeaderValue::from_static("application/json, application/x-ndjson"),
    );
    map.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("gufo/", env!("CARGO_PKG_VERSION"))),
    );
    if let Some(timeout) = headers::timeout_value(ctx.deadline()) {
        map.insert(headers::GRPC_TIMEOUT, timeout);
    }
    headers::put_metadata(map, ctx.metadata())?;

    let mut lent = pool.lend().await?;
    let response = lent.sender.send_request(request).await.map_err(|error| {
        // A kept socket may have been closed by the server at this very moment.
        let not_begun = error.is_canceled();
        let status = broken(error);
        if not_begun {
            status.with_retry(Retry::NotBegun)
        } else {
            status
        }
    })?;
    Ok((response, lent))
}

fn uri(target: &Target, path: &str) -> Result<http::Uri, Status> {
    http::Uri::try_from(format!("{}{path}", target.base)).map_err(|error| {
        Status::invalid_argument(format!("path {path:?} does not fit into a URI"))
            .with_source(error)
    })
}

/// Refuses an answer that says it is no JSON, such as a page of HTML. Services that say nothing,
/// or nothing better than plain text, are believed until they are read.
fn check_type(headers: &HeaderMap) -> Result<(), Status> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
    let kind = text.split(';').next().unwrap_or(&text).trim();
    let known = [
        "text/event-stream",
        "text/plain",
        "application/octet-stream",
    ];
    if kind.is_empty() || kind.contains("json") || known.contains(&kind) {
        return Ok(());
    }
    Err(Status::unknown(format!(
        "the server answered with content type {kind:.100?}, which is not JSON"
    )))
}

/// The status an answer stands for whose HTTP status is not a success.
fn refusal(code: u16, headers: &HeaderMap, body: &[u8], limit: usize) -> Status {
    let status = json::parse(body).unwrap_or_else(|| {
        let text = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        Status::new(
            Code::from_http_status(code),
            format!("the server answered with HTTP status {code}: {text}"),
        )
    });
    // The metadata of an error is worth less than the error.
    let metadata = metadata(headers, limit)
        .map(|(metadata, _)| metadata)
        .unwrap_or_default();
    status.with_metadata(metadata)
}

/// Metadata, and the trailers among the headers: those with the prefix `trailer-`.
fn metadata(headers: &HeaderMap, limit: usize) -> Result<(Metadata, Metadata), Status> {
    let (mut ahead, mut trailers) = (Metadata::new(), Metadata::new());
    for (key, value) in headers::metadata(headers, limit)?.iter() {
        match key.as_str().strip_prefix("trailer-") {
            Some(name) if !name.is_empty() => trailers.push(Key::parse(name)?, value.clone())?,
            _ => ahead.push(key.clone(), value.clone())?,
        }
    }
    Ok((ahead, trailers))
}
