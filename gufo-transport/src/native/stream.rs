//! Stream: one call that is more than a frame each way, seen from either side.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context as TaskContext, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use gufo_core::{Metadata, Status};
use parking_lot::{Mutex, MutexGuard};

use super::{
    frame::{self, FRAME_COST, Kind, WINDOW, flag},
    link::{Link, Writer},
    reply::RawReply,
    wire::{self, Violation},
};

/// Messages that lie so close to each other were read together, in bytes.
const CLOSE: usize = 64 * 1024;

/// A message as it came.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) bytes: Bytes,
    pub(super) compressed: bool,
    /// What taking it gives back to the sender.
    pub(super) cost: i64,
}

/// One call of a connection.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: u32,
    pub(super) link: Arc<Link>,
    /// Largest message taken.
    limit: usize,
    /// The last frame of this call that this side may send is written. Changed and looked at under
    /// the lock of the link: the number may be used again right after.
    finished: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Raw>,
    /// Where the first message of the queue lies in memory.
    place: usize,
    partial: Option<Partial>,
    head: Option<Metadata>,
    /// How the messages of the peer ended: with trailers or in a status.
    end: Option<Result<Metadata, Status>>,
    reader: Option<Waker>,
    /// What the peer may still send.
    granted: i64,
    /// What was taken and not granted again so far.
    owed: i64,
    /// Bytes of messages that have come.
    received: u64,
    /// What this side may still send.
    credit: i64,
    writer: Option<Waker>,
}

#[derive(Debug)]
struct Partial {
    bytes: BytesMut,
    total: usize,
    compressed: bool,
    /// What has not been given back early.
    cost: i64,
    /// There is memory for all of it.
    admitted: bool,
}

/// What a reader finds.
pub(super) enum Next {
    Messages(VecDeque<Raw>),
    /// A message of this size has begun; the rest is sent once there is [room](Stream::admit).
    Large(usize),
    End(Result<Metadata, Status>),
}

impl Stream {
    pub(super) fn new(id: u32, link: Arc<Link>, limit: usize, credit: u32) -> Arc<Self> {
        Arc::new(Self {
            id,
            link,
            limit,
            finished: AtomicBool::new(false),
            state: Mutex::new(State {
                queue: VecDeque::new(),
                place: 0,
                partial: None,
                head: None,
                end: None,
                reader: None,
                granted: WINDOW.into(),
                owed: 0,
                received: 0,
                credit: credit.into(),
                writer: None,
            }),
        })
    }

    /// Writes a frame of this call, unless it is over.
    pub(super) fn write(&self, write: impl FnOnce(&mut Writer)) -> bool {
        self.link.write(|writer| {
            let open = !self.finished.load(SeqCst);
            if open {
                write(writer);
            }
            open
        })
    }

    /// Writes the last frame of this call, unless it is over.
    pub(super) fn finish(&self, write: impl FnOnce(&mut Writer)) -> bool {
        let first = self.link.write(|writer| {
            let first = !self.finished.swap(true, SeqCst);
            if first {
                write(writer);
            }
            first
        });
        if first {
            self.wake_writer();
        }
        first
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished.load(SeqCst)
    }

    fn wake_writer(&self) {
        let writer = self.state.lock().writer.take();
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    /// Takes a frame of a message: what follows its flags.
    pub(super) fn receive(&self, flags: u8, mut body: Bytes) -> Result<(), Violation> {
        let mut owed = 0;
        let mut state = self.state.lock();
        if state.end.is_some() {
            // Sent before the peer heard that nobody reads.
            return Ok(());
        }
        let cost = body.len() as i64 + FRAME_COST;
        if state.granted <= 0 {
            return Err(Violation("more was sent than credit was given for"));
        }
        state.granted -= cost;
        state.received += body.len() as u64;
        let more = flags & flag::MORE != 0;
        match &mut state.partial {
            None if !more => {
                if body.len() > self.limit {
                    self.refuse(&mut state, body.len());
                } else {
                    let bytes = state.keep(body);
                    state.queue.push_back(Raw {
                        bytes,
                        compressed: flags & flag::COMPRESSED != 0,
                        cost,
                    });
                }
            }
            None => {
                let total = wire::size(&mut body)?;
                if total > self.limit {
                    self.refuse(&mut state, total);
                } else {
                    let mut bytes = BytesMut::with_capacity(total.min(body.len() * 4));
                    bytes.extend_from_slice(&body);
                    state.partial = Some(Partial {
                        bytes,
                        total,
                        compressed: flags & flag::COMPRESSED != 0,
                        cost,
                        admitted: false,
                    });
                }
            }
            Some(partial) => {
                partial.bytes.extend_from_slice(&body);
                partial.cost += cost;
                if partial.bytes.len() > partial.total {
                    return Err(Violation("a message is longer than it said"));
                }
            }
        }
        let awaited = state.queue.is_empty() && state.reader.is_some();
        match state.partial.take() {
            Some(partial) if !more => {
                if partial.bytes.len() != partial.total {
                    return Err(Violation("a message is shorter than it said"));
                }
                state.queue.push_back(Raw {
                    bytes: partial.bytes.freeze(),
                    compressed: partial.compressed,
                    cost: partial.cost,
                });
            }
            Some(mut partial) => {
                if awaited && partial.admitted {
                    state.owed += std::mem::take(&mut partial.cost);
                    owed = state.take_owed();
                }
                state.partial = Some(partial);
            }
            None => {}
        }
        let reader = state.reader.take();
        drop(state);
        if owed > 0 {
            self.grant(owed);
        }
        if let Some(reader) = reader {
            reader.wake();
        }
        Ok(())
    }

    /// A message that is too large ends the messages of the call.
    fn refuse(&self, state: &mut State, size: usize) {
        let limit = self.limit;
        state.end = Some(Err(Status::resource_exhausted(format!(
            "message of {size} bytes is over the limit of {limit}"
        ))));
    }

    /// The whole answer to a call has come in one frame.
    pub(super) fn receive_reply(&self, reply: Result<RawReply, Status>) -> Result<(), Violation> {
        match reply {
            Ok(reply) => {
                self.receive_head(reply.metadata);
                let flags = if reply.compressed {
                    flag::COMPRESSED
                } else {
                    0
                };
                self.receive(flags, reply.message)?;
                self.receive_end(Ok(reply.trailers));
            }
            Err(status) => self.receive_end(Err(status)),
        }
        Ok(())
    }

    /// The metadata ahead of the messages has come.
    pub(super) fn receive_head(&self, metadata: Metadata) {
        let mut state = self.state.lock();
        state.head.get_or_insert(metadata);
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// The messages of the peer have ended.
    pub(super) fn receive_end(&self, end: Result<Metadata, Status>) {
        let mut state = self.state.lock();
        if state.end.is_none() {
            let end = match (end, &state.partial) {
                (Ok(_), Some(_)) => Err(Status::internal(
                    "the stream ended in the middle of a message",
                )),
                (end, _) => end,
            };
            state.partial = None;
            state.end = Some(end);
        }
        let wakers = [state.reader.take(), state.writer.take()];
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Waits for messages, or for their end.
    pub(super) fn poll_next(&self, cx: &TaskContext<'_>) -> Poll<Next> {
        let mut state = self.state.lock();
        if !state.queue.is_empty() {
            return Poll::Ready(Next::Messages(std::mem::take(&mut state.queue)));
        }
        if let Some(end) = &state.end {
            return Poll::Ready(Next::End(end.clone()));
        }
        state.reader = Some(cx.waker().clone());
        match &state.partial {
            Some(partial) if !partial.admitted => Poll::Ready(Next::Large(partial.total)),
            Some(_) => {
                self.want_the_rest(state);
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }

    /// There is room for the message that has begun, and somebody waits for it.
    pub(super) fn admit(&self) {
        let mut state = self.state.lock();
        if let Some(partial) = &mut state.partial {
            partial.admitted = true;
            self.want_the_rest(state);
        }
    }

    /// Gives back what the parts of a message cost before it is whole.
    fn want_the_rest(&self, mut state: MutexGuard<'_, State>) {
        let held = state
            .partial
            .as_mut()
            .map(|partial| std::mem::take(&mut partial.cost));
        state.owed += held.unwrap_or_default();
        let owed = state.take_owed();
        drop(state);
        if owed > 0 {
            self.grant(owed);
        }
    }

    /// Nobody reads any more: what has come and what may come is dropped.
    pub(super) fn deafen(&self) {
        let mut state = self.state.lock();
        let unread = std::mem::take(&mut state.queue);
        let partial = state.partial.take();
        state
            .end
            .get_or_insert_with(|| Err(Status::cancelled("nobody reads this any more")));
        drop(state);
        drop((unread, partial));
    }

    /// Waits for the metadata ahead of the messages.
    pub(super) fn poll_head(&self, cx: &TaskContext<'_>) -> Poll<Result<Metadata, Status>> {
        let mut state = self.state.lock();
        if let Some(head) = state.head.take() {
            return Poll::Ready(Ok(head));
        }
        if !state.queue.is_empty() {
            return Poll::Ready(Ok(Metadata::new()));
        }
        match &state.end {
            Some(Ok(_)) => Poll::Ready(Ok(Metadata::new())),
            Some(Err(status)) => Poll::Ready(Err(status.clone())),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Gives back to the sender what messages cost.
    pub(super) fn taken(&self, cost: i64) {
        let mut state = self.state.lock();
        state.owed += cost;
        let owed = state.take_owed();
        drop(state);
        if owed > 0 {
            self.grant(owed);
        }
    }

    fn grant(&self, owed: i64) {
        self.write(|writer| {
            frame::put_small(&mut writer.out, Kind::Credit, self.id, |out| {
                wire::put_varint(out, owed.unsigned_abs());
            });
        });
    }

    /// Bytes of messages that have come so far.
    pub(super) fn received(&self) -> u64 {
        self.state.lock().received
    }

    /// The peer takes more.
    pub(super) fn add_credit(&self, credit: u64) -> Result<(), Violation> {
        let mut state = self.state.lock();
        let credit = i64::try_from(credit).unwrap_or(i64::MAX);
        state.credit = state.credit.saturating_add(credit);
        if state.credit > i64::from(u32::MAX) {
            return Err(Violation("more credit is given than a call can have"));
        }
        let writer = state.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
        Ok(())
    }

    /// Waits until something may be sent; `None` once the call is over.
    pub(super) fn poll_credit(&self, cx: &TaskContext<'_>) -> Poll<Option<i64>> {
        let mut state = self.state.lock();
        if self.is_finished() {
            return Poll::Ready(None);
        }
        if state.credit > 0 {
            return Poll::Ready(Some(state.credit));
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Waits until the call is over.
    pub(super) fn poll_finished(&self, cx: &TaskContext<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if self.is_finished() {
            return Poll::Ready(());
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Something was sent.
    pub(super) fn spend(&self, cost: i64) {
        self.state.lock().credit -= cost;
    }
}

impl State {
    /// A message to wait in the queue. It keeps all that was read together with it, so only the
    /// first one may, and those close to it.
    fn keep(&mut self, bytes: Bytes) -> Bytes {
        let place = bytes.as_ptr() as usize;
        if self.queue.is_empty() {
            self.place = place;
            return bytes;
        }
        if place.wrapping_sub(self.place) < CLOSE {
            return bytes;
        }
        Bytes::copy_from_slice(&bytes)
    }

    /// What is worth a frame of its own.
    fn take_owed(&mut self) -> i64 {
        if self.owed < i64::from(WINDOW) / 2 {
            return 0;
        }
        self.granted += self.owed;
        std::mem::take(&mut self.owed)
    }
}
