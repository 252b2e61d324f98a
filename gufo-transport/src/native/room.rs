//! Room: memory for messages that come in parts, shared by the calls of a connection.
//!
//! Of a message that comes in parts its sender may send as much as it may of any; for the rest it
//! waits for credit, which it gets in its turn.

use std::{
    fmt,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use gufo_core::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The least room of a connection, in bytes.
const LEAST: usize = 64 << 20;

/// Messages of the largest size there is room for, at least.
const MESSAGES: usize = 16;

/// What a permit stands for, in bytes.
const UNIT: usize = 1024;

/// The room of a connection.
#[derive(Debug)]
pub(super) struct Room {
    free: Arc<Semaphore>,
    all: u32,
}

impl Room {
    /// Room for messages of which the largest has this size.
    pub(super) fn new(largest: usize) -> Arc<Self> {
        let units = LEAST.max(largest.saturating_mul(MESSAGES)) / UNIT;
        let all = u32::try_from(units.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Arc::new(Self {
            free: Arc::new(Semaphore::new(all as usize)),
            all,
        })
    }

    fn enter(&self, size: usize) -> BoxFuture<'static, Option<OwnedSemaphorePermit>> {
        let units = u32::try_from(size.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let units = units.min(self.all);
        let free = Arc::clone(&self.free);
        // Nobody closes the semaphore.
        Box::pin(async move { free.acquire_many_owned(units).await.ok() })
    }
}

/// The place of one call in the room of its connection.
pub(super) struct Place {
    room: Arc<Room>,
    state: State,
}

enum State {
    Out,
    Waiting(BoxFuture<'static, Option<OwnedSemaphorePermit>>),
    In { _held: Option<OwnedSemaphorePermit> },
}

impl Place {
    pub(super) fn new(room: &Arc<Room>) -> Self {
        Self {
            room: Arc::clone(room),
            state: State::Out,
        }
    }

    /// Waits until there is room for a message of this size.
    pub(super) fn poll_enter(&mut self, size: usize, cx: &mut TaskContext<'_>) -> Poll<()> {
        if let State::Out = self.state {
            self.state = State::Waiting(self.room.enter(size));
        }
        if let State::Waiting(entering) = &mut self.state {
            let _held = ready!(entering.as_mut().poll(cx));
            self.state = State::In { _held };
        }
        Poll::Ready(())
    }

    /// The message has been taken, or there is none.
    pub(super) fn leave(&mut self) {
        self.state = State::Out;
    }

    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Out => "out",
            State::Waiting(_) => "waiting",
            State::In { .. } => "in",
        };
        f.debug_tuple("Place").field(&state).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, task::Waker};

    use super::*;

    fn enters(place: &mut Place, size: usize) -> bool {
        let mut cx = TaskContext::from_waker(Waker::noop());
        place.poll_enter(size, &mut cx).is_ready()
    }

    #[tokio::test]
    async fn whoever_comes_first_is_first_and_nobody_is_passed() {
        let room = Room::new(1 << 20);
        let (mut large, mut second, mut small) =
            (Place::new(&room), Place::new(&room), Place::new(&room));
        assert!(enters(&mut large, LEAST - UNIT));
        assert!(!enters(&mut second, 2 * UNIT));
        assert!(second.is_waiting());
        // There would be room for it.
        assert!(!enters(&mut small, 1));

        large.leave();

        poll_fn(|cx| second.poll_enter(2 * UNIT, cx)).await;
        poll_fn(|cx| small.poll_enter(1, cx)).await;
        assert!(!enters(&mut large, LEAST));
    }

    #[tokio::test]
    async fn a_message_of_any_size_has_room_once_nobody_else_is_there() {
        for (largest, size) in [(1, LEAST * 2), (usize::MAX, usize::MAX)] {
            let room = Room::new(largest);
            let mut place = Place::new(&room);

            assert!(enters(&mut place, size));
        }
    }

    #[tokio::test]
    async fn whoever_is_gone_leaves_its_room_and_its_turn() {
        let room = Room::new(1);
        let (mut first, mut second, mut third) =
            (Place::new(&room), Place::new(&room), Place::new(&room));
        assert!(enters(&mut first, LEAST));
        assert!(!enters(&mut second, LEAST));
        assert!(!enters(&mut third, LEAST));

        drop((first, second));

        assert!(enters(&mut third, LEAST));
    }
}
