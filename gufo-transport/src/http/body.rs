//! Bodies of plain HTTP: a whole message, or one message a line.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use bytes::{BufMut, Bytes, BytesMut};
use gufo_core::{Cancel, Format, MessageStream, Messages, Payload, Status};
use http_body::{Body, Frame};
use hyper::body::Incoming;

use super::pool::{Lent, Pool};
use crate::web::{json, lines::Lines};

/// What a call sends.
pub(super) enum RequestBody {
    Whole(Option<Bytes>),
    Lines {
        messages: Messages,
        limit: usize,
        /// The call is over: requests that have not ended by then never end well.
        over: Cancel,
    },
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let data = match self.get_mut() {
            Self::Whole(bytes) => bytes.take().map(Ok),
            Self::Lines {
                messages,
                limit,
                over,
            } => {
                let limit = *limit;
                let next = match over.is_cancelled() {
                    true => None,
                    false => ready!(messages.poll_next_message(cx)),
                };
                // Looked at again: the end of requests that were given up this very moment is none.
                if next.is_none() && over.is_cancelled() {
                    Some(Err(Status::cancelled("the call was given up")))
                } else {
                    next.map(|message| line(message, limit))
                }
            }
        };
        Poll::Ready(data.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self {
            Self::Whole(bytes) => {
                http_body::SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64)
            }
            Self::Lines { .. } => http_body::SizeHint::default(),
        }
    }
}

fn line(message: Result<Payload, Status>, limit: usize) -> Result<Bytes, Status> {
    let json = checked(message?.into_bytes(&Format::Json)?, limit)?;
    let mut line = BytesMut::with_capacity(json.len() + 1);
    line.put_slice(&json);
    line.put_u8(b'\n');
    Ok(line.freeze())
}

pub(super) fn checked(bytes: Bytes, limit: usize) -> Result<Bytes, Status> {
    if bytes.len() <= limit {
        return Ok(bytes);
    }
    Err(Status::resource_exhausted(format!(
        "message of {} bytes is over the limit of {limit}",
        bytes.len()
    )))
}

/// What an error of hyper means: the requests' own, if they are what failed.
pub(super) fn broken(error: hyper::Error) -> Status {
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<Status>());
    if let Some(status) = cause {
        return status.clone();
    }
    Status::unavailable("the connection broke off in the middle of the answer").with_source(error)
}

/// Reads a whole body of at most `limit` bytes.
pub(super) async fn whole(body: &mut Incoming, limit: usize) -> Result<Bytes, Status> {
    let mut all = BytesMut::new();
    while let Some(chunk) = std::future::poll_fn(|cx| poll_chunk(body, cx)).await {
        let chunk = chunk?;
        if all.len() + chunk.len() > limit {
            return Err(Status::resource_exhausted(format!(
                "message is over the limit of {limit} bytes"
            )));
        }
        all.put(chunk);
    }
    Ok(all.freeze())
}

fn poll_chunk(
    body: &mut Incoming,
    cx: &mut TaskContext<'_>,
) -> Poll<Option<Result<Bytes, Status>>> {
    loop {
        match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(broken(error)))),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Poll::Ready(Some(Ok(data)));
                }
            }
        }
    }
}

/// Replies that stream: lines of JSON, or server-sent events.
pub(super) struct ReplyLines {
    pub(super) body: Incoming,
    pub(super) events: bool,
    lines: Lines,
    ended: bool,
    lent: Option<(Arc<Pool>, Lent)>,
}

impl ReplyLines {
    pub(super) fn new(
        body: Incoming,
        events: bool,
        limit: usize,
        pool: Arc<Pool>,
        lent: Lent,
    ) -> Self {
        Self {
            body,
            events,
            lines: Lines::new(limit),
            ended: false,
            lent: Some((pool, lent)),
        }
    }

    /// The next line without its end.
    fn poll_line(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Bytes, Status>>> {
        loop {
            if let Some(line) = self.lines.next().transpose() {
                return Poll::Ready(Some(line));
            }
            if self.ended {
                return Poll::Ready(self.lines.rest().map(Ok));
            }
            match ready!(poll_chunk(&mut self.body, cx)) {
                Some(Ok(chunk)) => self.lines.push(&chunk),
                Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                None => {
                    self.ended = true;
                    if let Some((pool, lent)) = self.lent.take() {
                        pool.give_back(lent);
                    }
                }
            }
        }
    }
}

/// What a line says; `None` for one that says nothing.
pub(super) fn message(line: &Bytes, events: bool) -> Option<Result<Bytes, Status>> {
    let text = line.trim_ascii();
    let json = if events {
        text.strip_prefix(b"data:")?.trim_ascii()
    } else {
        text
    };
    if json.is_empty() {
        return None;
    }
    Some(match json::parse_line(json) {
        Some(status) => Err(status),
        None => Ok(line.slice_ref(json)),
    })
}

impl MessageStream for ReplyLines {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        loop {
            let line = match ready!(this.poll_line(cx)) {
                None => return Poll::Ready(None),
                Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                Some(Ok(line)) => line,
            };
            if let Some(message) = message(&line, this.events) {
                return Poll::Ready(Some(message.map(Payload::Encoded)));
            }
        }
    }
}
