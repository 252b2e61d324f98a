//! Slots: the numbers of calls, and who waits for what comes under them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context as TaskContext, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use gufo_core::{Metadata, Status};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::native::{
    frame::{FRAME_COST, WINDOW, flag},
    reply::RawReply,
    stream::Stream,
    wire::{self, Violation},
};

/// The numbers of the calls of a connection. One is free again once the server has ended its call
/// and the caller has seen it.
#[derive(Debug)]
pub(super) struct Slots {
    table: Mutex<Table>,
    in_flight: AtomicUsize,
    /// Told when a number becomes free while somebody waits for one.
    freed: Notify,
}

#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    limit: u32,
    waiting: usize,
}

#[derive(Debug)]
enum Slot {
    Free,
    Unary(Unary),
    Stream(Arc<Stream>),
    /// Nobody waits any more; the server has not ended it yet.
    GivenUp,
}

#[derive(Debug, Default)]
struct Unary {
    caller: Option<Waker>,
    reply: Option<Result<RawReply, Status>>,
    partial: Option<Box<Partial>>,
    /// The server has ended the call; without this a reply is what this side made of it.
    ended: bool,
}

/// A reply that comes in several frames.
#[derive(Debug, Default)]
struct Partial {
    metadata: Metadata,
    message: BytesMut,
    total: usize,
    compressed: bool,
    whole: bool,
    owed: i64,
}

/// What is to be done after the lock is given back.
#[derive(Debug, Default)]
pub(super) struct After {
    wakers: Vec<Waker>,
    /// Credit to give, by number.
    pub(super) credit: Vec<(u32, i64)>,
}

impl After {
    /// Wakes everyone.
    pub(super) fn wake(&mut self) {
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

impl Slots {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            table: Mutex::new(Table {
                slots: Vec::new(),
                free: Vec::new(),
                limit,
                waiting: 0,
            }),
            in_flight: AtomicUsize::new(0),
            freed: Notify::new(),
        }
    }

    /// Calls that run.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    /// True once every number is free: the server has ended every call.
    pub(super) fn are_free(&self) -> bool {
        let table = self.table.lock();
        table.free.len() == table.slots.len()
    }

    /// A number for a unary call; `None` when all are taken.
    pub(super) fn unary(&self) -> Option<u32> {
        self.take(|_| Slot::Unary(Unary::default()))
    }

    /// A number for a call that streams.
    pub(super) fn stream(&self, new: impl FnOnce(u32) -> Arc<Stream>) -> Option<Arc<Stream>> {
        let mut made = None;
        self.take(|id| {
            let stream = made.insert(new(id));
            Slot::Stream(Arc::clone(stream))
        })?;
        made
    }

    fn take(&self, slot: impl FnOnce(u32) -> Slot) -> Option<u32> {
        let mut table = self.table.lock();
        let id = match table.free.pop() {
            Some(id) => id,
            None => {
                let id = u32::try_from(table.slots.len()).ok()?;
                if id >= table.limit {
                    return None;
                }
                table.slots.push(Slot::Free);
                id
            }
        };
        let slot = slot(id);
        if let Some(place) = table.slots.get_mut(id as usize) {
            *place = slot;
        }
        self.in_flight.fetch_add(1, Relaxed);
        Some(id)
    }

    /// Waits until a number may be free.
    pub(super) async fn room(&self) {
        let mut freed = std::pin::pin!(self.freed.notified());
        freed.as_mut().enable();
        {
            let mut table = self.table.lock();
            if !table.free.is_empty() {
                return;
            }
            table.waiting += 1;
        }
        freed.await;
        self.table.lock().waiting -= 1;
    }

    fn free(&self, table: &mut Table, id: u32) {
        if let Some(place) = table.slots.get_mut(id as usize) {
            *place = Slot::Free;
        }
        table.free.push(id);
        if table.waiting > 0 {
            self.freed.notify_one();
        }
    }

    /// Waits for the reply to a unary call. Inside: whether its number is free again; if not, it is
    /// to be [given up](Self::give_up).
    pub(super) fn poll_reply(
        &self,
        id: u32,
        cx: &TaskContext<'_>,
    ) -> Poll<(Result<RawReply, Status>, bool)> {
        let mut table = self.table.lock();
        let Some(Slot::Unary(unary)) = table.slots.get_mut(id as usize) else {
            let twice = Status::internal("a call was polled after its end");
            return Poll::Ready((Err(twice), true));
        };
        if let Some(reply) = unary.reply.take() {
            let ended = unary.ended;
            if ended {
                self.free(&mut table, id);
                self.in_flight.fetch_sub(1, Relaxed);
            }
            return Poll::Ready((reply, ended));
        }
        if !unary
            .caller
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            unary.caller = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Nobody waits for a unary call any more; `tell` tells the server, unless it has ended the
    /// call. Until it is told nobody gets the number, or a call that is new would end.
    pub(super) fn give_up(&self, id: u32, tell: impl FnOnce()) {
        let mut table = self.table.lock();
        let Some(slot) = table.slots.get_mut(id as usize) else {
            return;
        };
        let Slot::Unary(unary) = slot else {
            return;
        };
        self.in_flight.fetch_sub(1, Relaxed);
        if unary.ended {
            self.free(&mut table, id);
            return;
        }
        *slot = Slot::GivenUp;
        tell();
    }

    /// A call was never sent: its number is free at once.
    pub(super) fn never_sent(&self, id: u32) {
        let mut table = self.table.lock();
        self.in_flight.fetch_sub(1, Relaxed);
        self.free(&mut table, id);
    }

    /// Nobody reads the replies of a call any more.
    pub(super) fn left(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    /// The table, for whoever handles what came.
    pub(super) fn lock(&self) -> parking_lot::MutexGuard<'_, Table> {
        self.table.lock()
    }

    /// Ends every call.
    pub(super) fn fail_all(&self, status: &Status) {
        let mut after = After::default();
        {
            let mut table = self.table.lock();
            for id in 0..table.slots.len() {
                // Numbers of slots fit, since they were handed out.
                self.ended(&mut table, id as u32, Err(status.clone()), &mut after);
            }
        }
        after.wake();
        self.freed.notify_waiters();
    }

    /// The server has ended a call.
    pub(super) fn ended(
        &self,
        table: &mut Table,
        id: u32,
        end: Result<Metadata, Status>,
        after: &mut After,
    ) {
        match table.slots.get_mut(id as usize) {
            Some(Slot::Unary(unary)) if !unary.ended => {
                unary.ended = true;
                if unary.reply.is_none() {
                    unary.end(end);
                }
                after.wakers.extend(unary.caller.take());
            }
            Some(Slot::Stream(stream)) => {
                // What this side may still have to say comes too late.
                stream.finish(|_| {});
                stream.receive_end(end);
                self.free(table, id);
            }
            Some(Slot::GivenUp) => self.free(table, id),
            _ => {}
        }
    }

    /// The whole reply to a unary call has come.
    pub(super) fn replied(
        &self,
        table: &mut Table,
        id: u32,
        reply: Result<RawReply, Status>,
        after: &mut After,
    ) -> Result<(), Violation> {
        match table.slots.get_mut(id as usize) {
            Some(Slot::Unary(unary)) if !unary.ended => {
                unary.ended = true;
                unary.reply.get_or_insert(reply);
                after.wakers.extend(unary.caller.take());
            }
            Some(Slot::Stream(stream)) => {
                stream.finish(|_| {});
                stream.receive_reply(reply)?;
                self.free(table, id);
            }
            Some(Slot::GivenUp) => self.free(table, id),
            _ => return Err(Violation("a REPLY came for a call that does not run")),
        }
        Ok(())
    }
}

impl Table {
    /// Metadata ahead of the messages has come.
    pub(super) fn head(&mut self, id: u32, metadata: Result<Metadata, Status>, after: &mut After) {
        match (self.slots.get_mut(id as usize), metadata) {
            (Some(Slot::Unary(unary)), Ok(metadata)) => {
                unary.partial.get_or_insert_default().metadata = metadata;
            }
            (Some(Slot::Unary(unary)), Err(status)) => {
                unary.partial = None;
                unary.reply.get_or_insert(Err(status));
                after.wakers.extend(unary.caller.take());
            }
            (Some(Slot::Stream(stream)), Ok(metadata)) => stream.receive_head(metadata),
            (Some(Slot::Stream(stream)), Err(status)) => stream.receive_end(Err(status)),
            _ => {}
        }
    }

    /// A message or a part of one has come.
    pub(super) fn data(
        &mut self,
        id: u32,
        flags: u8,
        body: Bytes,
        limit: usize,
        after: &mut After,
    ) -> Result<(), Violation> {
        match self.slots.get_mut(id as usize) {
            Some(Slot::Unary(unary)) if unary.reply.is_none() => {
                let owed = unary.receive(flags, body, limit)?;
                if unary.reply.is_some() {
                    after.wakers.extend(unary.caller.take());
                }
                if owed > 0 {
                    after.credit.push((id, owed));
                }
                Ok(())
            }
            Some(Slot::Stream(stream)) => stream.receive(flags, body),
            // Sent before the server heard that the call was given up.
            _ => Ok(()),
        }
    }

    /// The stream of a call.
    pub(super) fn stream(&self, id: u32) -> Option<&Arc<Stream>> {
        match self.slots.get(id as usize) {
            Some(Slot::Stream(stream)) => Some(stream),
            _ => None,
        }
    }
}

impl Unary {
    /// Takes a part of a large reply; what comes back is to be granted to the server.
    fn receive(&mut self, flags: u8, mut body: Bytes, limit: usize) -> Result<i64, Violation> {
        let cost = body.len() as i64 + FRAME_COST;
        let more = flags & flag::MORE != 0;
        let partial = self.partial.get_or_insert_default();
        if partial.whole {
            self.reply = Some(Err(Status::internal(
                "the call has more than the one reply it must have",
            )));
            return Ok(0);
        }
        if partial.message.is_empty() && partial.total == 0 {
            partial.compressed = flags & flag::COMPRESSED != 0;
            partial.total = if more {
                wire::size(&mut body)?
            } else {
                body.len()
            };
            if partial.total > limit {
                let size = partial.total;
                self.reply = Some(Err(Status::resource_exhausted(format!(
                    "message of {size} bytes is over the limit of {limit}"
                ))));
                return Ok(0);
            }
        }
        partial.message.extend_from_slice(&body);
        if partial.message.len() > partial.total {
            return Err(Violation("a message is longer than it said"));
        }
        if !more {
            if partial.message.len() != partial.total {
                return Err(Violation("a message is shorter than it said"));
            }
            partial.whole = true;
        }
        partial.owed += cost;
        if partial.owed < i64::from(WINDOW) / 2 {
            return Ok(0);
        }
        Ok(std::mem::take(&mut partial.owed))
    }

    fn end(&mut self, end: Result<Metadata, Status>) {
        let partial = self.partial.take().filter(|partial| partial.whole);
        self.reply = Some(match (end, partial) {
            (Err(status), _) => Err(status),
            (Ok(trailers), Some(partial)) => Ok(RawReply {
                metadata: partial.metadata,
                message: partial.message.freeze(),
                compressed: partial.compressed,
                trailers,
            }),
            (Ok(_), None) => Err(Status::internal(
                "the call ended well without the reply it must have",
            )),
        });
    }
}
