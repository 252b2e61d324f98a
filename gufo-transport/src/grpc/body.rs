//! Messages over an h2 stream, in both directions.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context as TaskContext, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use gufo_core::{Compression, MessageStream, Messages, Metadata, Payload, Status};
use h2::{Reason, RecvStream, SendStream};

use crate::{
    encoding::{Encoding, Placed},
    web::headers,
};

use super::{
    errors::{self, Side},
    frame::{self, Decoder, Frame},
};

/// Small messages are gathered up to this size before they are sent.
const BATCH: usize = 16 * 1024;

/// The receiving half of a stream, as whole messages.
#[derive(Debug)]
pub(super) struct Body {
    stream: RecvStream,
    decoder: Decoder,
    side: Side,
    /// Bytes that have come so far.
    received: usize,
}

impl Body {
    pub(super) fn new(
        stream: RecvStream,
        limit: usize,
        compression: Option<Compression>,
        side: Side,
    ) -> Self {
        Self {
            stream,
            decoder: Decoder::new(limit, compression),
            side,
            received: 0,
        }
    }

    /// Bytes that have come so far, whole messages or not.
    pub(super) const fn received(&self) -> usize {
        self.received
    }

    /// The next message; `None` once the peer has ended its side.
    pub(super) fn poll_message(
        &mut self,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Bytes, Status>>> {
        loop {
            match self.decoder.next() {
                Ok(None) => {}
                Ok(Some(message)) => return Poll::Ready(Some(Ok(message))),
                Err(status) => return Poll::Ready(Some(Err(status))),
            }
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(chunk)) => {
                    // The peer may send as much again: what it sent is out of h2's hands.
                    let _ = self.stream.flow_control().release_capacity(chunk.len());
                    self.received += chunk.len();
                    self.decoder.push(chunk);
                }
                Some(Err(error)) => {
                    return Poll::Ready(Some(Err(errors::status(&error, self.side))));
                }
                None if self.decoder.is_clean() => return Poll::Ready(None),
                None => {
                    let status = Status::internal("the stream ended in the middle of a message");
                    return Poll::Ready(Some(Err(status)));
                }
            }
        }
    }

    /// True when the peer has sent everything and nothing is left to take.
    pub(super) fn is_finished(&self) -> bool {
        self.decoder.is_clean() && self.stream.is_end_stream()
    }

    /// How the call ended; only after [`Body::poll_message`] gave `None`.
    pub(super) fn poll_outcome(
        &mut self,
        cx: &mut TaskContext<'_>,
        limit: usize,
    ) -> Poll<Result<Metadata, Status>> {
        let trailers = match ready!(self.stream.poll_trailers(cx)) {
            Ok(trailers) => trailers,
            Err(error) => return Poll::Ready(Err(errors::status(&error, self.side))),
        };
        Poll::Ready(
            trailers
                .and_then(|trailers| headers::outcome(&trailers, limit))
                .unwrap_or_else(|| {
                    Err(Status::internal(
                        "the server ended the stream without a grpc-status",
                    ))
                }),
        )
    }
}

/// A [`Body`] as messages: what a handler reads, or a client.
pub(super) struct Received {
    body: Body,
    /// The largest trailers a client takes; `None` on the server, where no trailers come.
    trailers_limit: Option<usize>,
    trailers: Metadata,
    done: bool,
    /// The task that sends the requests, which ends once nobody reads the replies.
    sending: Option<Sending>,
}

impl Received {
    pub(super) fn requests(body: Body) -> Messages {
        Messages::new(Self {
            body,
            trailers_limit: None,
            trailers: Metadata::new(),
            done: false,
            sending: None,
        })
    }

    pub(super) fn replies(body: Body, limit: usize, sending: Option<Sending>) -> Messages {
        Messages::new(Self {
            body,
            trailers_limit: Some(limit),
            trailers: Metadata::new(),
            done: false,
            sending,
        })
    }

    fn poll_item(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Payload, Status>>> {
        if let Some(message) = ready!(self.body.poll_message(cx)) {
            return Poll::Ready(Some(message.map(Payload::Encoded)));
        }
        let Some(limit) = self.trailers_limit else {
            return Poll::Ready(None);
        };
        match ready!(self.body.poll_outcome(cx, limit)) {
            Ok(trailers) => {
                self.trailers = trailers;
                Poll::Ready(None)
            }
            Err(status) => Poll::Ready(Some(Err(status))),
        }
    }

    /// Requests that failed are why the call failed, whatever the peer made of it.
    fn cause(&self, status: Status) -> Status {
        let sending = self.sending.as_ref();
        sending.and_then(Sending::failure).unwrap_or(status)
    }
}

impl MessageStream for Received {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        if this.done {
            return Poll::Ready(None);
        }
        let item = ready!(this.poll_item(cx));
        this.done = !matches!(item, Some(Ok(_)));
        Poll::Ready(item.map(|item| item.map_err(|status| this.cause(status))))
    }

    fn trailers(self: Pin<&mut Self>) -> Metadata {
        std::mem::take(&mut self.get_mut().trailers)
    }
}

/// The task that sends the requests of a call; dropping this ends it.
#[derive(Debug)]
pub(super) struct Sending {
    task: tokio::task::AbortHandle,
    failure: Arc<OnceLock<Status>>,
}

impl Sending {
    pub(super) fn start(
        mut stream: SendStream<Frame>,
        mut requests: Messages,
        encoding: Encoding,
    ) -> Self {
        let failure = Arc::<OnceLock<Status>>::default();
        let failed = Arc::clone(&failure);
        let task = tokio::spawn(async move {
            match send_messages(&mut stream, &mut requests, &encoding).await {
                // Given up this very moment: that is no end.
                Ok(()) if failed.get().is_some() => stream.send_reset(Reason::CANCEL),
                // An error means that the server wants no more, which the replies will tell.
                Ok(()) => drop(stream.send_data(Frame::plain(Bytes::new()), true)),
                Err(Stopped::Failed(status)) => {
                    // When it is set already, nobody asks for it any more.
                    let _ = failed.set(status);
                    stream.send_reset(Reason::CANCEL);
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
    pub(super) fn failure(&self) -> Option<Status> {
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

/// Why sending messages ended early.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The source of the messages failed.
    Failed(Status),
    /// The peer does not want more, or is gone.
    Refused,
}

enum Gathered {
    Batch,
    Large(Bytes),
    End,
    Failed(Status),
    Refused,
}

/// Sends messages as fast as the peer takes them; small ones that are ready together share a DATA
/// frame. Leaves the stream open.
pub(super) async fn send_messages(
    stream: &mut SendStream<Frame>,
    messages: &mut Messages,
    encoding: &Encoding,
) -> Result<(), Stopped> {
    let mut batch = BytesMut::new();
    loop {
        let gathered = poll_fn(|cx| gather(stream, messages, encoding, &mut batch, cx)).await;
        if !batch.is_empty() {
            send_bytes(stream, batch.split().freeze()).await?;
        }
        match gathered {
            Gathered::Batch => {}
            Gathered::Large(bytes) => send_bytes(stream, bytes).await?,
            Gathered::End => return Ok(()),
            Gathered::Failed(status) => return Err(Stopped::Failed(status)),
            Gathered::Refused => return Err(Stopped::Refused),
        }
    }
}

fn gather(
    stream: &mut SendStream<Frame>,
    messages: &mut Messages,
    encoding: &Encoding,
    batch: &mut BytesMut,
    cx: &mut TaskContext<'_>,
) -> Poll<Gathered> {
    while batch.len() < BATCH {
        let start = batch.len();
        batch.extend_from_slice(&[0; frame::HEAD]);
        let placed = encoding.poll_body(messages, cx, batch);
        if !matches!(placed, Poll::Ready(Some(Ok(Placed::Here)))) {
            batch.truncate(start);
        }
        let placed = match placed {
            Poll::Ready(Some(placed)) => placed,
            Poll::Ready(None) => return Poll::Ready(Gathered::End),
            Poll::Pending if !batch.is_empty() => return Poll::Ready(Gathered::Batch),
            Poll::Pending => return stream.poll_reset(cx).map(|_| Gathered::Refused),
        };
        let compressed = encoding.compression.is_some();
        let put = placed.and_then(|placed| match placed {
            Placed::Here => frame::close(batch, start).map(|()| None),
            Placed::Apart(body) if body.len() < BATCH => {
                frame::put(batch, &body, compressed).map(|()| None)
            }
            Placed::Apart(body) => {
                frame::put_head(batch, body.len(), compressed).map(|()| Some(body))
            }
        });
        match put {
            Ok(None) => {}
            Ok(Some(large)) => return Poll::Ready(Gathered::Large(large)),
            Err(status) => return Poll::Ready(Gathered::Failed(status)),
        }
    }
    Poll::Ready(Gathered::Batch)
}

/// Sends bytes as the peer's windows open.
pub(super) async fn send_bytes(
    stream: &mut SendStream<Frame>,
    mut bytes: Bytes,
) -> Result<(), Stopped> {
    while !bytes.is_empty() {
        stream.reserve_capacity(bytes.len());
        let mut room = stream.capacity();
        if room == 0 {
            room = match poll_fn(|cx| stream.poll_capacity(cx)).await {
                Some(Ok(room)) => room,
                Some(Err(_)) | None => return Err(Stopped::Refused),
            };
        }
        let part = bytes.split_to(room.min(bytes.len()));
        stream
            .send_data(Frame::plain(part), false)
            .map_err(|_| Stopped::Refused)?;
    }
    Ok(())
}
