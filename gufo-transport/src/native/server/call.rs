//! Calls that take more than a frame, each in a task of its own.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use bytes::{BufMut, Bytes};
use gufo_core::{
    Answer, Context, Deadline, Kind as MethodKind, ListenOptions, MessageStream, Messages,
    Metadata, Payload, Reply, Route, Status, Watchdog,
};

use crate::{
    encoding::Encoding,
    native::{
        end,
        frame::{self, Kind, flag},
        link::Link,
        messages::{self, Body, Stopped},
        reply,
        room::Room,
        stream::Stream,
        wire,
    },
};

/// Runs a call to its end. However it ends, its caller learns of it.
pub(super) async fn ended(stream: Arc<Stream>, call: impl Future<Output = ()>) {
    let _end = EndOnDrop(&stream);
    call.await;
}

struct EndOnDrop<'a>(&'a Arc<Stream>);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        let lost = || Err(Status::internal("the call ended without an answer"));
        finish(self.0, lost);
        self.0.deafen();
    }
}

/// Ends a call, and what its handler may still read of it.
fn finish(stream: &Stream, end: impl FnOnce() -> Result<Metadata, Status>) {
    if stream.finish(|writer| end::put(writer, stream.id, &end())) {
        stream.receive_end(Err(Status::cancelled("the call is over")));
    }
}

/// Waits for the answer of a unary call.
pub(super) async fn unary(
    stream: Arc<Stream>,
    answer: Answer<Reply>,
    encoding: Encoding,
    limit: usize,
) {
    match answer.await {
        Ok(reply) => send_reply(&stream, reply, encoding, limit).await,
        Err(status) => finish(&stream, || Err(status)),
    }
}

async fn send_reply(stream: &Arc<Stream>, reply: Reply, encoding: Encoding, limit: usize) {
    let Reply {
        metadata,
        message,
        trailers,
    } = reply;
    let bytes = metadata
        .check_size(limit)
        .and_then(|()| trailers.check_size(limit))
        .map_err(Status::from)
        .and_then(|()| encoding.body(message));
    match bytes {
        Ok(bytes) if reply::fits(&bytes, &metadata, &trailers) => {
            let compressed = encoding.compression.is_some();
            stream.finish(|writer| {
                reply::put(writer, stream.id, bytes, compressed, &metadata, &trailers);
            });
        }
        Ok(bytes) => {
            large_reply(
                Arc::clone(stream),
                bytes,
                encoding.compression.is_some(),
                metadata,
                trailers,
            )
            .await;
        }
        Err(status) => finish(stream, || Err(status)),
    }
}

/// Sends a reply that does not fit into one frame. It counts from now on.
pub(super) fn large_reply(
    stream: Arc<Stream>,
    bytes: Bytes,
    compressed: bool,
    metadata: Metadata,
    trailers: Metadata,
) -> impl Future<Output = ()> + Send {
    let held = stream.link.backlog.hold(bytes.len());
    async move {
        let _held = held;
        send_head(&stream, &metadata);
        if messages::send_large(&stream, bytes, compressed)
            .await
            .is_ok()
        {
            finish(&stream, || Ok(trailers));
        }
    }
}

pub(in crate::native) fn send_head(stream: &Stream, metadata: &Metadata) {
    stream.write(|writer| {
        writer.name(metadata);
        let (out, names) = writer.split();
        frame::put_small(out, Kind::Head, stream.id, |out| {
            if metadata.is_empty() {
                out.put_u8(0);
            } else {
                out.put_u8(flag::METADATA);
                wire::put_metadata(out, metadata, names);
            }
        });
    });
}

/// Answers a call whose messages come as they come.
pub(super) async fn streaming(
    stream: Arc<Stream>,
    route: Arc<Route>,
    ctx: Context,
    encoding: Encoding,
    options: Arc<ListenOptions>,
    room: Arc<Room>,
) {
    if let Err(status) = has_room(&stream.link, ctx.deadline()).await {
        return finish(&stream, || Err(status));
    }
    let limits = &options.limits;
    let body = Body::new(Arc::clone(&stream), encoding.compression, limits.receive);
    let mut body = body.sharing(&room);
    let kind = route.method.kind();
    let requests = if kind.streams_requests() {
        Messages::new(Requests { body, done: false })
    } else {
        match only_message(&mut body, &options, ctx.deadline()).await {
            Ok(only) => Messages::one(Payload::Encoded(only)),
            Err(status) => return finish(&stream, || Err(status)),
        }
    };
    if kind == MethodKind::Unary {
        let answer = match requests.single().await {
            Ok(only) => route.handler.unary(ctx, only).await,
            Err(status) => Err(status),
        };
        return match answer {
            Ok(reply) => send_reply(&stream, reply, encoding, limits.metadata).await,
            Err(status) => finish(&stream, || Err(status)),
        };
    }
    let opened = match route.handler.stream(ctx, requests).await {
        Ok(replies) => match replies.metadata.check_size(limits.metadata) {
            Ok(()) => Ok(replies),
            Err(error) => Err(error.into()),
        },
        Err(status) => Err(status),
    };
    let mut replies = match opened {
        Ok(replies) => replies,
        Err(status) => return finish(&stream, || Err(status)),
    };
    send_head(&stream, &replies.metadata);
    let end = match messages::send(&stream, &mut replies.messages, &encoding).await {
        Ok(()) => {
            let trailers = replies.messages.trailers();
            match trailers.check_size(limits.metadata) {
                Ok(()) => Ok(trailers),
                Err(error) => Err(error.into()),
            }
        }
        Err(Stopped::Failed(status)) => Err(status),
        Err(Stopped::Refused) => return,
    };
    finish(&stream, || end);
}

/// Waits until the large replies of the connection let one more handler begin.
async fn has_room(link: &Link, deadline: Deadline) -> Result<(), Status> {
    tokio::select! {
        biased;
        () = link.backlog.room() => Ok(()),
        () = deadline.reached() => Err(Status::deadline_exceeded(
            "the call waited for others to be read, and never began",
        )),
    }
}

/// Waits for the one message of a call that does not stream its requests. A peer that sends
/// nothing for the stall timeout is given up.
async fn only_message(
    body: &mut Body,
    options: &ListenOptions,
    deadline: Deadline,
) -> Result<Bytes, Status> {
    let mut only = None;
    loop {
        let mut received = body.stream().received();
        let mut watchdog: Option<Watchdog> = None;
        let next = poll_fn(|cx| {
            if let Poll::Ready(next) = body.poll_message(cx) {
                return Poll::Ready(Ok(next));
            }
            let now = body.stream().received();
            if received != now || body.waits_for_room() {
                (received, watchdog) = (now, None);
            }
            let watchdog = watchdog.get_or_insert_with(|| {
                let stalled = Deadline::after(options.stall_timeout);
                Watchdog::new(deadline.min(stalled), None)
            });
            watchdog.poll(cx).map(|status| {
                if deadline.is_expired() {
                    return Err(status);
                }
                let limit = options.stall_timeout;
                Err(Status::deadline_exceeded(format!(
                    "nothing of the request came for {limit:?}"
                )))
            })
        })
        .await?;
        match (next, only.take()) {
            (Ok(first), None) => only = Some(first),
            (Ok(_), Some(_)) => {
                return Err(Status::invalid_argument(
                    "the call has more than one request",
                ));
            }
            (Err(Ok(_)), Some(only)) => return Ok(only),
            (Err(Ok(_)), None) => {
                return Err(Status::invalid_argument("the call ended without a request"));
            }
            (Err(Err(status)), _) => return Err(status),
        }
    }
}

/// The requests of a call, as its handler reads them.
struct Requests {
    body: Body,
    done: bool,
}

impl MessageStream for Requests {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        if this.done {
            return Poll::Ready(None);
        }
        this.body.poll_message(cx).map(|next| match next {
            Ok(message) => Some(Ok(Payload::Encoded(message))),
            Err(end) => {
                this.done = true;
                end.err().map(Err)
            }
        })
    }
}
