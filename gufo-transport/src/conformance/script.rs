//! Streams that do what a check wants, and flags that tell what became of them.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as TaskContext, Poll},
};

use futures_core::Stream;
use gufo_core::{Cancel, Status, Streaming};

use super::message::{Note, numbered};

/// Sets a flag when dropped: what holds it is gone.
pub(super) struct OnDrop(pub(super) Cancel);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What follows the notes of a script.
pub(super) enum Then {
    Wait,
    Fail(Status),
    Panic,
}

struct Script {
    notes: VecDeque<Note>,
    then: Then,
    _gone: OnDrop,
}

/// The notes `0..count`, then something else. The flag is set once the stream is dropped.
pub(super) fn script(count: u64, then: Then, gone: &Cancel) -> Streaming<Note> {
    Streaming::new(Script {
        notes: numbered(count).collect(),
        then,
        _gone: OnDrop(gone.clone()),
    })
}

impl Stream for Script {
    type Item = Result<Note, Status>;

    fn poll_next(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(note) = this.notes.pop_front() {
            return Poll::Ready(Some(Ok(note)));
        }
        match &this.then {
            Then::Wait => Poll::Pending,
            Then::Fail(status) => Poll::Ready(Some(Err(status.clone()))),
            Then::Panic => panic!("on purpose"),
        }
    }
}

/// Notes of a size without end, counted as they are taken.
pub(super) struct Endless {
    pub(super) size: usize,
    pub(super) taken: Arc<AtomicUsize>,
}

impl Stream for Endless {
    type Item = Result<Note, Status>;

    fn poll_next(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        self.taken.fetch_add(1, Ordering::AcqRel);
        Poll::Ready(Some(Ok(Note::sized(self.size))))
    }
}

/// How a stream of requests ended at the server.
#[derive(Debug)]
pub(super) enum Ended {
    Regularly,
    InError,
}

/// Reads a stream to its end in a task of its own, so that the end is seen even when the handler
/// is dropped before.
pub(super) fn read_to_end(mut notes: Streaming<Note>, tell: impl FnOnce(Ended) + Send + 'static) {
    tokio::spawn(async move {
        let ended = loop {
            match notes.next().await {
                Ok(Some(_)) => {}
                Ok(None) => break Ended::Regularly,
                Err(_) => break Ended::InError,
            }
        };
        tell(ended);
    });
}
