//! Many calls on one connection: a task that writes what callers appended, a task that wakes them.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use bytes::Bytes;
use gufo_benches::Caller;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc};

use super::frame;
use super::input::Input;
use crate::Result;

/// Frames with this id belong to the stream, all others to the call in the slot of that number.
const STREAM_ID: u64 = u64::MAX;
/// Streamed messages that are sent at once.
const STREAM_BATCH: u64 = 1024;
/// Batches of echoes that may wait for the reader of the stream.
const STREAM_QUEUE: usize = 64;

/// A handle to a connection. One stream at a time; any number of calls.
#[derive(Clone)]
pub(crate) struct RawCaller(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// There is something to write.
    appended: Notify,
    /// Everything appended before was handed to the kernel.
    drained: Notify,
}

#[derive(Default)]
struct State {
    output: Vec<u8>,
    slots: Vec<Slot>,
    free: Vec<usize>,
    echoes: Option<mpsc::Sender<u64>>,
    failed: Option<String>,
}

#[derive(Default)]
struct Slot {
    reply: Option<Bytes>,
    waker: Option<Waker>,
}

impl RawCaller {
    /// Starts the two tasks of the connection.
    pub(super) fn start(stream: TcpStream) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            appended: Notify::new(),
            drained: Notify::new(),
        });
        let (reading, writing) = stream.into_split();
        let (reader, writer) = (Arc::clone(&shared), Arc::clone(&shared));
        tokio::spawn(async move { reader.end(reader.read(reading).await) });
        tokio::spawn(async move { writer.end(writer.write(writing).await) });
        Self(shared)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self, mut stream: OwnedWriteHalf) -> Result<()> {
        let mut batch = Vec::new();
        loop {
            self.appended.notified().await;
            // Every caller that is ready appends first: one system call for all of them, on any runtime.
            tokio::task::yield_now().await;
            std::mem::swap(&mut batch, &mut self.state().output);
            stream.write_all(&batch).await?;
            batch.clear();
            self.drained.notify_one();
        }
    }

    async fn read(&self, mut stream: OwnedReadHalf) -> Result<()> {
        let mut input = Input::new();
        loop {
            if !input.fill(&mut stream).await? {
                return Err("the server closed the connection".into());
            }
            let (echoed, listener) = self.dispatch(&mut input)?;
            if let (true, Some(listener)) = (echoed > 0, listener) {
                // A listener that went away has counted all it wanted.
                let _ = listener.send(echoed).await;
            }
        }
    }

    /// Gives each whole frame to its call; returns the number of streamed ones and who counts them.
    fn dispatch(&self, input: &mut Input) -> Result<(u64, Option<mpsc::Sender<u64>>)> {
        let mut state = self.state();
        let mut echoed = 0;
        while let Some((id, body)) = input.next()? {
            if id == STREAM_ID {
                echoed += 1;
                continue;
            }
            let slot = usize::try_from(id)
                .ok()
                .and_then(|slot| state.slots.get_mut(slot));
            let slot =
                slot.ok_or_else(|| format!("the answer to call {id} was never asked for"))?;
            slot.reply = Some(Bytes::copy_from_slice(body));
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
        Ok((echoed, state.echoes.clone()))
    }

    fn end(&self, outcome: Result<()>) {
        let mut state = self.state();
        state.failed = Some(
            outcome
                .err()
                .map_or_else(String::new, |error| error.to_string()),
        );
        state.echoes = None;
        for slot in &mut state.slots {
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }

    fn append(&self, state: &mut State, id: u64, body: &[u8]) {
        let first = state.output.is_empty();
        frame::write(&mut state.output, id, body);
        if first {
            self.appended.notify_one();
        }
    }
}

impl Caller for RawCaller {
    async fn unary(&mut self, body: Bytes) -> Result<Bytes> {
        let mut place = None;
        poll_fn(|cx| {
            let mut state = self.0.state();
            if let Some(failed) = &state.failed {
                return Poll::Ready(Err(failed.clone().into()));
            }
            let slot = *place.get_or_insert_with(|| {
                let slot = state.free.pop().unwrap_or_else(|| {
                    state.slots.push(Slot::default());
                    state.slots.len() - 1
                });
                self.0.append(&mut state, slot as u64, &body);
                slot
            });
            match state.slots[slot].reply.take() {
                Some(reply) => {
                    state.free.push(slot);
                    Poll::Ready(Ok(reply))
                }
                None => {
                    state.slots[slot].waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    async fn stream(&mut self, body: Bytes, count: u64) -> Result<u64> {
        let (echoes, mut counted) = mpsc::channel(STREAM_QUEUE);
        self.0.state().echoes = Some(echoes);
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            let mut left = count;
            while left > 0 {
                let batch = left.min(STREAM_BATCH);
                {
                    let mut state = shared.state();
                    for _ in 0..batch {
                        shared.append(&mut state, STREAM_ID, &body);
                    }
                }
                left -= batch;
                shared.drained.notified().await;
            }
        });
        let mut echoed = 0;
        while echoed < count {
            echoed += counted
                .recv()
                .await
                .ok_or("the connection ended in the middle of the stream")?;
        }
        Ok(echoed)
    }
}
