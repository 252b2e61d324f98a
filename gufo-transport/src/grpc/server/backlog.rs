//! Backlog: replies that are made and not yet taken by the peer, and the calls that wait for it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use tokio::sync::Notify;

use crate::grpc::frame::Held;

/// Replies up to this size do not count.
const SMALL: usize = 16 * 1024;

/// No handler is begun while more than this waits, in bytes: a peer must not make this side hold
/// many times what it sent by asking for large replies and reading none.
const LIMIT: usize = 16 << 20;

/// The large replies of one connection that the peer has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    bytes: Arc<AtomicUsize>,
    /// Somebody waits for room.
    crowded: AtomicBool,
    room: Notify,
}

impl Backlog {
    /// Counts a reply until what is returned is dropped; small ones are not worth it.
    pub(super) fn hold(&self, size: usize) -> Option<Held> {
        (size > SMALL).then(|| Held::new(Arc::clone(&self.bytes), size))
    }

    /// Bytes that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(SeqCst)
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes() > LIMIT
    }

    /// Waits until a handler may begin. Ready at once unless the peer does not read.
    pub(super) async fn room(&self) {
        let mut waited = false;
        while self.is_full() {
            let mut woken = std::pin::pin!(self.room.notified());
            woken.as_mut().enable();
            self.crowded.store(true, SeqCst);
            if self.is_full() {
                woken.await;
                waited = true;
            }
        }
        if waited {
            // There may be room for one more. Not said while there is none: with nobody else to
            // hear it, this call would hear itself for ever.
            self.room.notify_one();
        }
    }

    /// Wakes a call that waits, if there is room: for whoever writes to the peer.
    pub(super) fn wake(&self) {
        if self.crowded.load(SeqCst) && !self.is_full() {
            self.crowded.store(false, SeqCst);
            self.room.notify_one();
        }
    }
}
