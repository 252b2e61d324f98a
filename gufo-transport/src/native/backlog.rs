//! Backlog: replies too large for one frame that are made and not yet sent.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::sync::Notify;

/// No handler is begun while more than this waits, in bytes: a peer must not make this side hold
/// many times what it sent by asking for large replies and reading none.
const LIMIT: usize = 16 << 20;

/// The large replies of one connection.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    bytes: AtomicUsize,
    room: Notify,
}

/// A reply that waits.
#[derive(Debug)]
pub(super) struct Held {
    backlog: Arc<Backlog>,
    size: usize,
}

impl Backlog {
    /// Counts a reply until what is returned is dropped.
    pub(super) fn hold(self: &Arc<Self>, size: usize) -> Held {
        self.bytes.fetch_add(size, SeqCst);
        Held {
            backlog: Arc::clone(self),
            size,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.load(SeqCst) > LIMIT
    }

    /// Waits until a handler may begin.
    pub(super) async fn room(&self) {
        if !self.is_full() {
            return;
        }
        loop {
            let mut woken = pin!(self.room.notified());
            woken.as_mut().enable();
            if !self.is_full() {
                break;
            }
            woken.await;
        }
        // There may be room for one more.
        self.room.notify_one();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.backlog.bytes.fetch_sub(self.size, SeqCst);
        if !self.backlog.is_full() {
            self.backlog.room.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use gufo_core::Cancel;

    use super::*;

    #[tokio::test]
    async fn handlers_begin_while_there_is_room_and_wait_while_there_is_none() {
        let backlog = Arc::<Backlog>::default();
        let _small = backlog.hold(LIMIT);
        backlog.room().await;
        let large = backlog.hold(1);
        assert!(backlog.is_full());
        let begun: Vec<_> = (0..3).map(|_| Cancel::new()).collect();
        let waiting: Vec<_> = begun
            .iter()
            .map(|begun| {
                let (backlog, begun) = (Arc::clone(&backlog), begun.clone());
                tokio::spawn(async move {
                    backlog.room().await;
                    begun.cancel();
                })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(begun.iter().all(|begun| !begun.is_cancelled()));

        drop(large);

        for waiting in waiting {
            waiting.await.expect("it begins");
        }
    }
}
