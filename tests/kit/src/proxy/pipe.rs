//! What is on its way: bytes that were read and not delivered, up to a cap.

use std::collections::VecDeque;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

/// Reads kept at most, so that reads of a single byte do not cost more than their share.
const READS: usize = 1024;

/// What one read gave.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) arrived: Instant,
    /// Where it begins in the stream.
    pub(super) offset: u64,
    pub(super) what: What,
    /// Whether it was kept back.
    pub(super) delayed: bool,
    pub(super) held: bool,
}

#[derive(Debug)]
pub(super) enum What {
    Bytes(Bytes),
    /// The sender ended in order.
    End,
    /// The sender is gone.
    Abort,
}

/// From the reader of a direction to its writer. The reader stops when it is full.
#[derive(Debug)]
pub(super) struct Pipe {
    limit: usize,
    queue: Mutex<Queue>,
    room: Notify,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
}

impl Pipe {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            queue: Mutex::default(),
            room: Notify::new(),
            filled: Notify::new(),
        }
    }

    /// Waits until bytes may be read; how many.
    pub(super) async fn room(&self) -> usize {
        loop {
            {
                let queue = self.queue.lock();
                let free = self.limit.saturating_sub(queue.bytes);
                if free > 0 && queue.items.len() < READS {
                    return free;
                }
            }
            self.room.notified().await;
        }
    }

    pub(super) fn push(&self, offset: u64, what: What) {
        let mut queue = self.queue.lock();
        if let What::Bytes(bytes) = &what {
            queue.bytes += bytes.len();
        }
        queue.items.push_back(Item {
            arrived: Instant::now(),
            offset,
            what,
            delayed: false,
            held: false,
        });
        drop(queue);
        self.filled.notify_one();
    }

    /// The oldest item. Its bytes count until they are [released](Self::release).
    pub(super) fn pop(&self) -> Option<Item> {
        self.queue.lock().items.pop_front()
    }

    pub(super) fn release(&self, bytes: usize) {
        self.queue.lock().bytes -= bytes;
        self.room.notify_one();
    }

    /// Waits until something was pushed since the last wait.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }
}
