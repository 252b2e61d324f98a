//! One direction of one connection: a reader, a pipe and a writer that works the faults.

use std::{convert::Infallible, sync::Arc};

use bytes::BytesMut;
use tokio::sync::watch;

use super::{
    Direction,
    address::Stream,
    pipe::{Pipe, What},
    shared::{Orders, Shared},
    writer::Writer,
};

/// Bytes of one read at most.
pub(super) const READ: usize = 16 * 1024;

/// What the two lanes of a connection know of it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) shared: Arc<Shared>,
    pub(super) number: u64,
    pub(super) orders: Arc<watch::Sender<Orders>>,
    /// Receivers that take nothing any more, by direction.
    pub(super) deaf: parking_lot::Mutex<[bool; 2]>,
    /// Lanes that have come to their end.
    pub(super) done: parking_lot::Mutex<[bool; 2]>,
}

impl Link {
    pub(super) fn is_deaf(&self, direction: Direction) -> bool {
        self.deaf.lock()[direction.index()]
    }

    pub(super) fn is_done(&self, direction: Direction) -> bool {
        self.done.lock()[direction.index()]
    }
}

/// Why a connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// A fault said so.
    Fault,
    /// One end did so itself.
    Peer,
}

/// The ends of a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends<'a> {
    pub(super) source: &'a Stream,
    pub(super) destination: &'a Stream,
    /// Further receivers.
    pub(super) duplicates: &'a [Stream],
}

/// Carries bytes until the sender's end was told to the receiver.
pub(super) async fn run(link: &Link, direction: Direction, ends: Ends<'_>) -> Result<(), Broken> {
    let pipe = Pipe::new(link.shared.buffer);
    let writer = Writer::new(link, direction, ends, &pipe);
    let ended = tokio::select! {
        ended = writer.run() => ended,
        never = read(link, direction, ends.source, &pipe) => match never {},
    };
    link.done.lock()[direction.index()] = true;
    ended
}

async fn read(link: &Link, direction: Direction, source: &Stream, pipe: &Pipe) -> Infallible {
    let mut offset = 0;
    let mut buffer = BytesMut::new();
    let end = loop {
        let most = pipe.room().await.min(READ);
        buffer.reserve(most);
        match source.read(&mut buffer, most).await {
            Ok(0) => break What::End,
            Err(_) => break What::Abort,
            Ok(read) => {
                link.shared
                    .count_lane(direction, |counts| counts.taken += read as u64);
                pipe.push(offset, What::Bytes(buffer.split().freeze()));
                offset += read as u64;
            }
        }
    };
    pipe.push(offset, end);
    std::future::pending().await
}
