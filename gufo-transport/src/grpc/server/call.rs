//! One call that arrived over HTTP/2: gRPC here, everything else in [`plain`].

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll};

use gufo_core::{
    Compression, Context, Deadline, Format, Kind, Messages, Metadata, Payload, Route, Status,
    Watchdog,
};
use h2::{Reason, RecvStream, SendStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response, header, request::Parts};

use super::{Shared, backlog::Backlog, http2::Answer, plain};
use crate::grpc::{
    body::{Body, Received, Stopped, send_messages},
    errors::Side,
    frame::{Frame, frame},
};
use crate::{compress, encoding::Encoding, web::headers};

/// Answers one request.
pub(super) fn answer(
    shared: Arc<Shared>,
    route: Option<Arc<Route>>,
    request: Request<RecvStream>,
    respond: SendResponse<Frame>,
) -> Answer {
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .map_or(&b""[..], HeaderValue::as_bytes);
    let Some(subtype) = headers::grpc_subtype(content_type) else {
        return Box::pin(plain::answer_http2(shared, route, request, respond));
    };
    let format = shared.dispatch.formats().find(subtype).ok_or_else(|| {
        let known = shared.dispatch.formats().names();
        Status::unimplemented(format!(
            "format {subtype:?} is not known here; known are {known}"
        ))
    });
    let (parts, stream) = request.into_parts();
    let begun = format.and_then(|format| begin(&shared, route, &parts, format));
    match begun {
        Err(status) => Box::pin(async move { refuse(respond, &status) }),
        Ok(begun) if begun.route.method.kind() == Kind::Unary => {
            Box::pin(unary(shared, begun, stream, respond))
        }
        Ok(begun) => Box::pin(streaming(shared, begun, stream, respond)),
    }
}

/// A gRPC call whose head is understood.
struct Begun {
    route: Arc<Route>,
    ctx: Context,
    /// How the requests are compressed.
    compression: Option<Compression>,
    encoding: Encoding,
}

fn begin(
    shared: &Shared,
    route: Option<Arc<Route>>,
    parts: &Parts,
    format: Format,
) -> Result<Begun, Status> {
    let route = route.ok_or_else(|| shared.dispatch.unknown(parts.uri.path()))?;
    if parts.method != http::Method::POST {
        return Err(Status::internal(format!(
            "gRPC calls are POST, not {}",
            parts.method
        )));
    }
    let limits = &shared.options.limits;
    let metadata = headers::metadata(&parts.headers, limits.metadata)?;
    let deadline = headers::deadline(&parts.headers)?;
    let compression = match parts.headers.get(headers::GRPC_ENCODING) {
        None => None,
        Some(name) => encoding_named(name)?,
    };
    // Who compresses what it sends can read what is compressed alike, if it says so.
    let reply = compression.filter(|wanted| accepts(&parts.headers, *wanted));
    let encoding = Encoding {
        format: format.clone(),
        compression: reply,
        limit: limits.send,
    };
    let mut ctx = Context::incoming(
        route.method.clone(),
        format,
        metadata,
        deadline,
        Some(Arc::clone(&shared.peer)),
    );
    ctx.set_eager(true);
    Ok(Begun {
        route,
        ctx,
        compression,
        encoding,
    })
}

fn encoding_named(name: &HeaderValue) -> Result<Option<Compression>, Status> {
    let text = name.to_str().unwrap_or("?");
    if text == "identity" {
        return Ok(None);
    }
    Compression::from_name(text).map(Some).ok_or_else(|| {
        Status::unimplemented(format!(
            "grpc-encoding {text:?} is not known here; known are {}",
            compress::ACCEPTED
        ))
    })
}

fn accepts(headers: &HeaderMap, compression: Compression) -> bool {
    headers
        .get_all(headers::GRPC_ACCEPT_ENCODING)
        .iter()
        .any(|value| {
            value
                .as_bytes()
                .split(|byte| *byte == b',')
                .any(|name| name.trim_ascii() == compression.name().as_bytes())
        })
}

async fn unary(
    shared: Arc<Shared>,
    begun: Begun,
    stream: RecvStream,
    mut respond: SendResponse<Frame>,
) {
    let Begun {
        route,
        ctx,
        compression,
        encoding,
    } = begun;
    let mut body = Body::new(
        stream,
        shared.options.limits.receive,
        compression,
        Side::Server,
    );
    let request = match only_message(&mut body, &shared, ctx.deadline()).await {
        Ok(request) => request,
        Err(status) => return refuse(respond, &status),
    };
    if shared.backlog.is_full() && !has_room(&shared, &mut respond).await {
        return;
    }
    let mut answer = route.handler.unary(ctx, Payload::Encoded(request));
    let reply = poll_fn(|cx| match Pin::new(&mut answer).poll(cx) {
        Poll::Ready(reply) => Poll::Ready(Some(reply)),
        Poll::Pending => respond.poll_reset(cx).map(|_| None),
    })
    .await;
    // The caller gave the call up: dropping the handler's future is all there is to do.
    let Some(reply) = reply else { return };
    let sent = reply.and_then(|reply| {
        let frame = frame(&encoding, reply.message)?;
        let mut head = reply_head(&encoding)?;
        let limit = shared.options.limits.metadata;
        reply.metadata.check_size(limit)?;
        headers::put_metadata(&mut head, &reply.metadata)?;
        let trailers = trailers(&reply.trailers, limit)?;
        Ok((head, frame, trailers))
    });
    match sent {
        Ok((head, frame, trailers)) => {
            send_reply(&mut respond, head, frame, trailers, &shared.backlog)
        }
        Err(status) => refuse(respond, &status),
    }
}

/// Waits until the peer has taken enough of what it asked for before; false when it gave the call
/// up meanwhile.
async fn has_room(shared: &Shared, respond: &mut SendResponse<Frame>) -> bool {
    let mut room = std::pin::pin!(shared.backlog.room());
    poll_fn(|cx| match room.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(true),
        Poll::Pending => respond.poll_reset(cx).map(|_| false),
    })
    .await
}

/// Waits for the one message of a call that does not stream its requests. A peer that sends
/// nothing for the stall timeout is given up.
async fn only_message(
    body: &mut Body,
    shared: &Shared,
    deadline: Deadline,
) -> Result<bytes::Bytes, Status> {
    let mut message = None;
    loop {
        let mut watchdog: Option<Watchdog> = None;
        let mut received = body.received();
        let next = poll_fn(|cx| {
            if let Poll::Ready(next) = body.poll_message(cx) {
                return Poll::Ready(next.transpose());
            }
            if received != body.received() {
                (received, watchdog) = (body.received(), None);
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
        match (next, message.take()) {
            (Some(_), Some(_)) => {
                return Err(Status::invalid_argument(
                    "the call has more than one request",
                ));
            }
            (Some(only), None) if body.is_finished() => return Ok(only),
            (Some(first), None) => message = Some(first),
            (None, Some(only)) => return Ok(only),
            (None, None) => {
                return Err(Status::invalid_argument("the call ended without a request"));
            }
        }
    }
}

async fn streaming(
    shared: Arc<Shared>,
    begun: Begun,
    stream: RecvStream,
    mut respond: SendResponse<Frame>,
) {
    let Begun {
        route,
        ctx,
        compression,
        encoding,
    } = begun;
    let mut body = Body::new(
        stream,
        shared.options.limits.receive,
        compression,
        Side::Server,
    );
    let requests = if route.method.kind().streams_requests() {
        Ok(Received::requests(body))
    } else {
        only_message(&mut body, &shared, ctx.deadline())
            .await
            .map(|only| Messages::one(Payload::Encoded(only)))
    };
    let requests = match requests {
        Ok(requests) => requests,
        Err(status) => return refuse(respond, &status),
    };
    let mut answer = route.handler.stream(ctx, requests);
    let replies = poll_fn(|cx| match Pin::new(&mut answer).poll(cx) {
        Poll::Ready(replies) => Poll::Ready(Some(replies)),
        Poll::Pending => respond.poll_reset(cx).map(|_| None),
    })
    .await;
    let Some(replies) = replies else { return };
    let limit = shared.options.limits.metadata;
    let opened = replies.and_then(|replies| {
        let mut head = reply_head(&encoding)?;
        replies.metadata.check_size(limit)?;
        headers::put_metadata(&mut head, &replies.metadata)?;
        Ok((head, replies.messages))
    });
    let (head, mut messages) = match opened {
        Ok(opened) => opened,
        Err(status) => return refuse(respond, &status),
    };
    let Ok(mut stream) = respond.send_response(response(head), false) else {
        return;
    };
    let end = match send_messages(&mut stream, &mut messages, &encoding).await {
        Ok(()) => trailers(&messages.trailers(), limit),
        Err(Stopped::Failed(status)) => Err(status),
        Err(Stopped::Refused) => return,
    };
    finish(&mut stream, end);
}

/// Ends a stream with its trailers.
fn finish(stream: &mut SendStream<Frame>, end: Result<HeaderMap, Status>) {
    let trailers = end.unwrap_or_else(|status| {
        let mut trailers = HeaderMap::new();
        headers::put_status(&mut trailers, &status);
        trailers
    });
    if stream.send_trailers(trailers).is_err() {
        stream.send_reset(Reason::CANCEL);
    }
}

fn reply_head(encoding: &Encoding) -> Result<HeaderMap, Status> {
    let mut head = HeaderMap::with_capacity(2);
    head.insert(
        header::CONTENT_TYPE,
        headers::content_type(&encoding.format)?,
    );
    if let Some(compression) = encoding.compression {
        head.insert(
            headers::GRPC_ENCODING,
            HeaderValue::from_static(compression.name()),
        );
    }
    Ok(head)
}

fn trailers(metadata: &Metadata, limit: usize) -> Result<HeaderMap, Status> {
    metadata.check_size(limit)?;
    let mut trailers = HeaderMap::with_capacity(1);
    headers::put_metadata(&mut trailers, metadata)?;
    trailers.insert(headers::GRPC_STATUS, HeaderValue::from_static("0"));
    Ok(trailers)
}

fn response(head: HeaderMap) -> Response<()> {
    let mut response = Response::new(());
    *response.headers_mut() = head;
    response
}

fn send_reply(
    respond: &mut SendResponse<Frame>,
    head: HeaderMap,
    mut frame: Frame,
    trailers: HeaderMap,
    backlog: &Backlog,
) {
    frame.count(backlog.hold(bytes::Buf::remaining(&frame)));
    // An error here means that the stream or the connection is gone, and the caller with it.
    if let Ok(mut stream) = respond.send_response(response(head), false)
        && stream.send_data(frame, false).is_ok()
    {
        let _ = stream.send_trailers(trailers);
    }
}

/// Answers with a status and nothing else.
fn refuse(mut respond: SendResponse<Frame>, status: &Status) {
    let mut head = HeaderMap::with_capacity(4);
    head.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    if status.code() == gufo_core::Code::Unimplemented {
        head.insert(
            headers::GRPC_ACCEPT_ENCODING,
            HeaderValue::from_static(compress::ACCEPTED),
        );
    }
    headers::put_status(&mut head, status);
    // An error here means that the caller is gone.
    let _ = respond.send_response(response(head), true);
}
