//! Messages over a stream, in both directions.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use bytes::{BufMut, Bytes};
use gufo_core::{Compression, Messages, Metadata, Status};

use super::{
    frame::{self, FRAME_COST, HEAD, Kind, MAX_PART, WINDOW, flag},
    out::Out,
    room::{Place, Room},
    stream::{Next, Raw, Stream},
    wire,
};
use crate::{
    compress,
    encoding::{Encoding, Placed},
};

/// Messages are gathered up to this size before they are handed to the connection.
const BATCH: usize = 16 * 1024;

/// So much is given back at once, in credit.
const WORTH: i64 = WINDOW as i64 / 8;

/// The receiving side of a stream, as whole messages.
#[derive(Debug)]
pub(super) struct Body {
    stream: Arc<Stream>,
    /// Taken from the stream and not read yet.
    taken: VecDeque<Raw>,
    /// What those cost that were read, as far as the stream does not know.
    owed: i64,
    compression: Option<Compression>,
    limit: usize,
    room: Option<Place>,
}

impl Body {
    pub(super) fn new(stream: Arc<Stream>, compression: Option<Compression>, limit: usize) -> Self {
        Self {
            stream,
            taken: VecDeque::new(),
            owed: 0,
            compression,
            limit,
            room: None,
        }
    }

    /// Messages that come in parts share this room with those of other calls.
    pub(super) fn sharing(mut self, room: &Arc<Room>) -> Self {
        self.room = Some(Place::new(room));
        self
    }

    /// Whether a message has begun that there is no room for yet.
    pub(super) fn waits_for_room(&self) -> bool {
        self.room.as_ref().is_some_and(Place::is_waiting)
    }

    pub(super) fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// The next message; inside, how the messages ended.
    pub(super) fn poll_message(
        &mut self,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Result<Bytes, Result<Metadata, Status>>> {
        loop {
            if let Some(message) = self.taken.pop_front() {
                if let Some(room) = &mut self.room {
                    room.leave();
                }
                self.owed += message.cost;
                if self.taken.is_empty() || self.owed > WORTH {
                    self.stream.taken(std::mem::take(&mut self.owed));
                }
                return Poll::Ready(
                    decompressed(
                        message.bytes,
                        message.compressed,
                        self.compression,
                        self.limit,
                    )
                    .map_err(Err),
                );
            }
            match ready!(self.stream.poll_next(cx)) {
                Next::Messages(messages) => self.taken = messages,
                Next::Large(size) => {
                    if let Some(room) = &mut self.room {
                        ready!(room.poll_enter(size, cx));
                    }
                    self.stream.admit();
                }
                Next::End(end) => return Poll::Ready(Err(end)),
            }
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.stream.deafen();
    }
}

/// A message as its sender encoded it.
pub(super) fn decompressed(
    bytes: Bytes,
    compressed: bool,
    compression: Option<Compression>,
    limit: usize,
) -> Result<Bytes, Status> {
    match (compressed, compression) {
        (false, _) => Ok(bytes),
        (true, Some(compression)) => compress::decompress(compression, &bytes, limit),
        (true, None) => Err(Status::internal(
            "a compressed message came in a call that names no compression",
        )),
    }
}

/// Why sending messages ended early.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The source of the messages failed.
    Failed(Status),
    /// The call is over.
    Refused,
}

enum Gathered {
    Batch,
    Large(Bytes),
    End,
    Failed(Status),
    Refused,
}

/// Sends messages as fast as the peer takes them. Leaves the stream open.
pub(super) async fn send(
    stream: &Stream,
    messages: &mut Messages,
    encoding: &Encoding,
) -> Result<(), Stopped> {
    let mut batch = Out::default();
    loop {
        let (gathered, spent) =
            poll_fn(|cx| gather(stream, messages, encoding, &mut batch, cx)).await;
        if spent > 0 {
            stream.spend(spent);
            if !stream.write(|writer| writer.out.append(&mut batch)) {
                return Err(Stopped::Refused);
            }
        }
        match gathered {
            Gathered::Batch => {}
            Gathered::Large(bytes) => {
                let _held = stream.link.backlog.hold(bytes.len());
                send_large(stream, bytes, encoding.compression.is_some()).await?
            }
            Gathered::End => return Ok(()),
            Gathered::Failed(status) => return Err(Stopped::Failed(status)),
            Gathered::Refused => return Err(Stopped::Refused),
        }
        poll_fn(|cx| stream.link.poll_room(cx)).await;
    }
}

/// Frames messages that are ready, and says what they cost.
fn gather(
    stream: &Stream,
    messages: &mut Messages,
    encoding: &Encoding,
    batch: &mut Out,
    cx: &mut TaskContext<'_>,
) -> Poll<(Gathered, i64)> {
    let Some(credit) = ready!(stream.poll_credit(cx)) else {
        return Poll::Ready((Gathered::Refused, 0));
    };
    let mut spent = 0;
    while spent < credit && batch.len() < BATCH {
        match poll_put(stream.id, messages, encoding, batch, cx) {
            Poll::Ready(Some(Ok(Put::Here(length)))) => spent += length as i64 + FRAME_COST,
            Poll::Ready(Some(Ok(Put::Apart(body)))) if body.len() > MAX_PART => {
                return Poll::Ready((Gathered::Large(body), spent));
            }
            Poll::Ready(Some(Ok(Put::Apart(body)))) => {
                spent += body.len() as i64 + FRAME_COST;
                put_message(batch, stream.id, body, encoding.compression.is_some());
            }
            Poll::Ready(Some(Err(status))) => {
                return Poll::Ready((Gathered::Failed(status), spent));
            }
            Poll::Ready(None) => return Poll::Ready((Gathered::End, spent)),
            Poll::Pending if spent > 0 => return Poll::Ready((Gathered::Batch, spent)),
            Poll::Pending => {
                return stream.poll_finished(cx).map(|()| (Gathered::Refused, 0));
            }
        }
    }
    Poll::Ready((Gathered::Batch, spent))
}

/// Where a message was put.
enum Put {
    /// In its frame; so long.
    Here(usize),
    Apart(Bytes),
}

/// Encodes the next message straight into its frame.
fn poll_put(
    id: u32,
    messages: &mut Messages,
    encoding: &Encoding,
    batch: &mut Out,
    cx: &mut TaskContext<'_>,
) -> Poll<Option<Result<Put, Status>>> {
    let buffer = batch.tail();
    let start = buffer.len();
    buffer.put_slice(&[0; HEAD]);
    buffer.put_u8(flag::MESSAGE);
    let body = buffer.len();
    let placed = encoding.poll_body(messages, cx, buffer);
    let length = buffer.len() - body;
    let put = placed.map(|placed| {
        placed.map(|placed| {
            placed.map(|placed| match placed {
                Placed::Apart(body) => Put::Apart(body),
                Placed::Here if length > MAX_PART => Put::Apart(buffer.split_off(body).freeze()),
                Placed::Here => Put::Here(length),
            })
        })
    });
    if let Poll::Ready(Some(Ok(Put::Here(_)))) = &put {
        frame::close(buffer, start, Kind::Data, id);
        return put;
    }
    buffer.truncate(start);
    put
}

/// Appends a message that fits into one frame.
fn put_message(out: &mut Out, id: u32, body: Bytes, compressed: bool) {
    let flags = flag::MESSAGE | if compressed { flag::COMPRESSED } else { 0 };
    frame::put(out, Kind::Data, id, |out| out.put_u8(flags), body);
}

/// Sends a message in parts, between which other calls send theirs.
pub(super) async fn send_large(
    stream: &Stream,
    mut bytes: Bytes,
    compressed: bool,
) -> Result<(), Stopped> {
    // A message in one part does not say how long it is.
    let mut total = Some(bytes.len()).filter(|total| *total > MAX_PART);
    loop {
        if poll_fn(|cx| stream.poll_credit(cx)).await.is_none() {
            return Err(Stopped::Refused);
        }
        let part = bytes.split_to(bytes.len().min(MAX_PART));
        let mut flags = flag::MESSAGE;
        if compressed {
            flags |= flag::COMPRESSED;
        }
        if !bytes.is_empty() {
            flags |= flag::MORE;
        }
        let mut cost = part.len() as i64 + FRAME_COST;
        let sent = stream.write(|writer| {
            let fill = |out: &mut bytes::BytesMut| {
                out.put_u8(flags);
                if let Some(total) = total.take() {
                    let before = out.len();
                    wire::put_varint(out, total as u64);
                    cost += (out.len() - before) as i64;
                }
            };
            frame::put(&mut writer.out, Kind::Data, stream.id, fill, part);
        });
        if !sent {
            return Err(Stopped::Refused);
        }
        stream.spend(cost);
        if bytes.is_empty() {
            return Ok(());
        }
        poll_fn(|cx| stream.link.poll_room(cx)).await;
    }
}
