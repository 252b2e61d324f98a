//! One call of a client.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context as TaskContext, Poll, ready},
};

use bytes::{BufMut, Bytes};
use gufo_core::{
    Answer, Compression, Context, MessageStream, Messages, Metadata, Payload, Replies, Reply,
    Status,
};

use super::{Shared, not_begun};
use crate::{
    encoding::Encoding,
    native::{
        frame::{self, FRAME_COST, Kind, MAX_PART, flag},
        messages::{self, Body, Stopped, decompressed},
        open,
        stream::Stream,
    },
};

fn encoding(shared: &Shared, ctx: &Context) -> Encoding {
    Encoding {
        format: ctx.format().clone(),
        compression: ctx.compression(),
        limit: shared.options.limits.send,
    }
}

/// Makes a unary call: its request is on its way when this ends.
pub(super) fn unary(shared: &Arc<Shared>, ctx: Context, request: Payload) -> Answer<Reply> {
    let encoded = ctx
        .metadata()
        .check_size(shared.metadata_limit())
        .map_err(Status::from)
        .and_then(|()| encoding(shared, &ctx).body(request));
    let request = match encoded {
        Ok(request) => request,
        Err(status) => return status.into(),
    };
    if request.len() + ctx.metadata().size() > MAX_PART {
        return Answer::later(large(Arc::clone(shared), ctx, request));
    }
    match send(shared, &ctx, &request) {
        Sent::Call(call) => Answer::later(call),
        Sent::Closed => not_begun().into(),
        Sent::Full => {
            let shared = Arc::clone(shared);
            Answer::later(async move {
                loop {
                    shared.slots.room().await;
                    match send(&shared, &ctx, &request) {
                        Sent::Call(call) => return call.await,
                        Sent::Closed => return Err(not_begun()),
                        Sent::Full => {}
                    }
                }
            })
        }
    }
}

enum Sent {
    Call(Call),
    Closed,
    /// So many calls run that the server takes no more.
    Full,
}

fn send(shared: &Arc<Shared>, ctx: &Context, request: &Bytes) -> Sent {
    let Some(id) = shared.slots.unary() else {
        return if shared.link.has_left() {
            Sent::Closed
        } else {
            Sent::Full
        };
    };
    let formats = &shared.server.formats;
    let sent = shared
        .link
        .write(|writer| !writer.left && open::put(writer, id, ctx, formats, Some(request), true));
    if sent {
        Sent::Call(Call {
            shared: Arc::clone(shared),
            id,
            compression: ctx.compression(),
            done: false,
        })
    } else {
        shared.slots.never_sent(id);
        Sent::Closed
    }
}

/// A unary call on its way. Dropping it tells the server.
struct Call {
    shared: Arc<Shared>,
    id: u32,
    compression: Option<Compression>,
    done: bool,
}

impl Future for Call {
    type Output = Result<Reply, Status>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.done {
            let twice = Status::internal("a call was polled after its end");
            return Poll::Ready(Err(twice));
        }
        let (reply, freed) = ready!(this.shared.slots.poll_reply(this.id, cx));
        this.done = freed;
        let limit = this.shared.options.limits.receive;
        Poll::Ready(reply.and_then(|reply| {
            let message = decompressed(reply.message, reply.compressed, this.compression, limit)?;
            Ok(Reply {
                metadata: reply.metadata,
                message: Payload::Encoded(message),
                trailers: reply.trailers,
            })
        }))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.done {
            self.shared.slots.give_up(self.id, || {
                self.shared.link.write(|writer| {
                    frame::put_small(&mut writer.out, Kind::Cancel, self.id, |_| {});
                });
            });
        }
    }
}

/// A unary call whose request takes several frames.
async fn large(shared: Arc<Shared>, ctx: Context, request: Bytes) -> Result<Reply, Status> {
    send_only(&shared, &ctx, request).await?.into_reply().await
}

/// Says that nothing more is sent.
fn last(stream: &Stream) {
    stream.write(|writer| {
        frame::put_small(&mut writer.out, Kind::Data, stream.id, |out| {
            out.put_u8(flag::LAST);
        });
    });
}

/// Makes a call that streams.
pub(super) async fn stream(
    shared: Arc<Shared>,
    ctx: Context,
    mut requests: Messages,
) -> Result<Replies, Status> {
    ctx.metadata().check_size(shared.metadata_limit())?;
    let encoding = encoding(&shared, &ctx);
    let compression = ctx.compression();
    if ctx.method().kind().streams_requests() {
        let call = begin(&shared, &ctx, None).await?;
        // A caller may read nothing until all is sent, so the requests need a task of their own;
        // it ends with the call.
        let sending = Sending::start(Arc::clone(&call.stream), requests, encoding);
        return call.replies(&shared, compression, Some(sending)).await;
    }
    let only = requests
        .next()
        .await
        .ok_or_else(|| Status::internal("a call that sends one request has none"))??;
    let body = encoding.body(only)?;
    send_only(&shared, &ctx, body).await
}

/// Makes a call with one request, which is encoded.
async fn send_only(shared: &Arc<Shared>, ctx: &Context, body: Bytes) -> Result<Replies, Status> {
    let compression = ctx.compression();
    if body.len() + ctx.metadata().size() <= MAX_PART {
        let call = begin(shared, ctx, Some(&body)).await?;
        return call.replies(shared, compression, None).await;
    }
    let call = begin(shared, ctx, None).await?;
    if messages::send_large(&call.stream, body, compression.is_some())
        .await
        .is_ok()
    {
        last(&call.stream);
    }
    call.replies(shared, compression, None).await
}

/// Sends the OPEN of a call, waiting while the server takes no more.
async fn begin(
    shared: &Arc<Shared>,
    ctx: &Context,
    only: Option<&Bytes>,
) -> Result<Streaming, Status> {
    loop {
        let new = |id| {
            let limit = shared.options.limits.receive;
            Stream::new(id, Arc::clone(&shared.link), limit, shared.server.credit)
        };
        let Some(stream) = shared.slots.stream(new) else {
            if shared.link.has_left() {
                return Err(not_begun());
            }
            shared.slots.room().await;
            continue;
        };
        let formats = &shared.server.formats;
        let sent = shared.link.write(|writer| {
            let open = !writer.left;
            if open {
                open::put(writer, stream.id, ctx, formats, only, only.is_some());
            }
            open
        });
        if !sent {
            shared.slots.never_sent(stream.id);
            return Err(not_begun());
        }
        if let Some(only) = only {
            stream.spend(only.len() as i64 + FRAME_COST);
        }
        return Ok(Streaming {
            stream,
            shared: Arc::clone(shared),
        });
    }
}

/// A call that streams. Dropping it tells the server, unless that has ended it.
struct Streaming {
    stream: Arc<Stream>,
    shared: Arc<Shared>,
}

impl Streaming {
    /// Waits for the head of the replies.
    async fn replies(
        self,
        shared: &Shared,
        compression: Option<Compression>,
        sending: Option<Sending>,
    ) -> Result<Replies, Status> {
        let metadata = poll_fn(|cx| self.stream.poll_head(cx)).await;
        let metadata = metadata.map_err(|status| cause(sending.as_ref(), status))?;
        let limit = shared.options.limits.receive;
        let body = Body::new(Arc::clone(&self.stream), compression, limit);
        Ok(Replies {
            metadata,
            messages: Messages::new(Received {
                body,
                call: Some(self),
                sending,
                trailers: Metadata::new(),
            }),
        })
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        let id = self.stream.id;
        self.stream.finish(|writer| {
            frame::put_small(&mut writer.out, Kind::Cancel, id, |_| {});
        });
        self.shared.slots.left();
    }
}

/// Requests that failed are why the call failed, whatever the server made of it.
fn cause(sending: Option<&Sending>, status: Status) -> Status {
    sending.and_then(Sending::failure).unwrap_or(status)
}

/// The replies of a call, as its caller reads them.
struct Received {
    body: Body,
    /// Gone after the end.
    call: Option<Streaming>,
    sending: Option<Sending>,
    trailers: Metadata,
}

impl MessageStream for Received {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        if this.call.is_none() {
            return Poll::Ready(None);
        }
        let end = match ready!(this.body.poll_message(cx)) {
            Ok(message) => return Poll::Ready(Some(Ok(Payload::Encoded(message)))),
            Err(end) => end,
        };
        this.call = None;
        let sending = this.sending.take();
        Poll::Ready(match end {
            Ok(trailers) => {
                this.trailers = trailers;
                None
            }
            Err(status) => Some(Err(cause(sending.as_ref(), status))),
        })
    }

    fn trailers(self: Pin<&mut Self>) -> Metadata {
        std::mem::take(&mut self.get_mut().trailers)
    }
}

/// The task that sends the requests of a call; dropping this ends it.
#[derive(Debug)]
struct Sending {
    task: tokio::task::AbortHandle,
    failure: Arc<OnceLock<Status>>,
}

impl Sending {
    fn start(stream: Arc<Stream>, mut requests: Messages, encoding: Encoding) -> Self {
        let failure = Arc::<OnceLock<Status>>::default();
        let failed = Arc::clone(&failure);
        let task = tokio::spawn(async move {
            match messages::send(&stream, &mut requests, &encoding).await {
                // Given up this very moment: that is no end.
                Ok(()) if failed.get().is_some() => {}
                Ok(()) => last(&stream),
                Err(Stopped::Failed(status)) => {
                    // When it is set already, nobody asks for it any more.
                    let _ = failed.set(status);
                    stream.finish(|writer| {
                        frame::put_small(&mut writer.out, Kind::Cancel, stream.id, |_| {});
                    });
                }
                Err(Stopped::Refused) => {}
            }
        });
        Self {
            task: task.abort_handle(),
            failure,
        }
    }

    /// Why the requests ended, if they failed on this side.
    fn failure(&self) -> Option<Status> {
        self.failure.get().cloned()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.task.is_finished() {
            // The task may be in the middle of a step, which then must not take what it sees for
            // the end. When a failure is set already, it is the reason to keep.
            let _ = self.failure.set(Status::cancelled("the call was given up"));
            self.task.abort();
        }
    }
}
