//! Sockets, and the buffer that turns many small writes into one.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

/// Gives back bytes that were read to find out the protocol.
#[derive(Debug)]
pub(super) struct Prefixed<S> {
    prefix: BytesMut,
    socket: S,
    patience: Option<Patience>,
}

impl<S> Prefixed<S> {
    pub(super) const fn new(prefix: BytesMut, socket: S) -> Self {
        Self {
            prefix,
            socket,
            patience: None,
        }
    }

    /// Writing fails once the peer has taken nothing for so long.
    pub(super) fn with_patience(mut self, limit: Duration) -> Self {
        self.patience = Some(Patience { limit, wait: None });
        self
    }

    fn bounded<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<io::Result<T>> {
        match &mut self.patience {
            Some(patience) => patience.bound(written, cx),
            None => written,
        }
    }
}

/// How long a peer may take nothing of what is written.
#[derive(Debug)]
struct Patience {
    limit: Duration,
    /// Since the last write that had to wait.
    wait: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn bound<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.wait = None;
            return written;
        }
        let limit = self.limit;
        let wait = self
            .wait
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(wait.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prefixed<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.prefix.is_empty() {
            return Pin::new(&mut this.socket).poll_read(cx, buf);
        }
        let count = this.prefix.len().min(buf.remaining());
        buf.put_slice(&this.prefix.split_to(count));
        if this.prefix.is_empty() {
            this.prefix = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prefixed<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write(cx, buf);
        this.bounded(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write_vectored(cx, bufs);
        this.bounded(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

/// Bytes held back before writing waits for the socket.
const HIGH_WATER: usize = 128 * 1024;

/// A buffer this large is given back once it is empty.
const KEEP: usize = 16 * 1024;

/// The write side of h2, held back until the connection's task has nothing left to add.
///
/// h2 flushes each DATA frame of 256 bytes or more by itself; here its flush does nothing, and
/// [`Outgoing::poll_drain`] sends what a whole batch of calls produced with one system call.
pub(super) struct Coalescing<S>(Arc<Mutex<State<S>>>);

/// The other handle of a [`Coalescing`] socket, for the task that drives the connection.
pub(super) struct Outgoing<S>(Arc<Mutex<State<S>>>);

struct State<S> {
    socket: S,
    out: BytesMut,
    /// Bytes read since the last look, to see whether the peer is alive.
    read: usize,
    /// A write had to wait: whoever empties the buffer has to drive h2 again.
    blocked: bool,
}

pub(super) fn coalesce<S>(socket: S) -> (Coalescing<S>, Outgoing<S>) {
    let state = Arc::new(Mutex::new(State {
        socket,
        out: BytesMut::new(),
        read: 0,
        blocked: false,
    }));
    (Coalescing(Arc::clone(&state)), Outgoing(state))
}

impl<S: AsyncWrite + Unpin> State<S> {
    fn poll_drain(&mut self, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let written = ready!(Pin::new(&mut self.socket).poll_write(cx, &self.out))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(written);
        }
        if self.out.capacity() > KEEP {
            self.out = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Outgoing<S> {
    /// Sends what is held back. The answer is true when h2 waited for this and has more to write.
    pub(super) fn poll_drain(&self, cx: &mut TaskContext<'_>) -> Poll<io::Result<bool>> {
        let mut state = self.0.lock();
        ready!(state.poll_drain(cx))?;
        Poll::Ready(Ok(std::mem::take(&mut state.blocked)))
    }

    /// Bytes that wait for the socket.
    pub(super) fn waiting(&self) -> usize {
        self.0.lock().out.len()
    }

    /// Bytes read since the last call.
    pub(super) fn take_read(&self) -> usize {
        std::mem::take(&mut self.0.lock().read)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Coalescing<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.lock();
        let before = buf.filled().len();
        ready!(Pin::new(&mut state.socket).poll_read(cx, buf))?;
        state.read += buf.filled().len() - before;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Coalescing<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock();
        if state.out.len() >= HIGH_WATER && state.poll_drain(cx)?.is_pending() {
            state.blocked = true;
            return Poll::Pending;
        }
        let mut written = 0;
        for buf in bufs {
            state.out.extend_from_slice(buf);
            written += buf.len();
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock();
        ready!(state.poll_drain(cx))?;
        Pin::new(&mut state.socket).poll_shutdown(cx)
    }
}

impl<S> fmt::Debug for Coalescing<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Coalescing")
    }
}
