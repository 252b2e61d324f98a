//! Out: what waits for the socket, small things copied together, large ones as they are.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncWrite;

/// Copying less than this costs less than a part of its own in a vectored write.
const COPY: usize = 4 * 1024;

/// Parts of one write.
const PARTS: usize = 64;

/// A buffer this large is given back once it is empty.
const KEEP: usize = 256 * 1024;

/// Bytes that wait for the socket.
#[derive(Debug, Default)]
pub(super) struct Out {
    /// Ahead of `tail`.
    parts: VecDeque<Bytes>,
    tail: BytesMut,
    length: usize,
}

impl Out {
    /// The end, to write small things to.
    pub(super) fn tail(&mut self) -> &mut BytesMut {
        &mut self.tail
    }

    /// Appends bytes.
    pub(super) fn push(&mut self, bytes: Bytes) {
        if bytes.len() < COPY {
            self.tail.extend_from_slice(&bytes);
            return;
        }
        if !self.tail.is_empty() {
            let tail = self.tail.split().freeze();
            self.length += tail.len();
            self.parts.push_back(tail);
        }
        self.length += bytes.len();
        self.parts.push_back(bytes);
    }

    /// Moves everything of another behind what is here.
    pub(super) fn append(&mut self, other: &mut Self) {
        if self.is_empty() {
            std::mem::swap(self, other);
            return;
        }
        while let Some(part) = other.parts.pop_front() {
            self.push(part);
        }
        self.tail.extend_from_slice(&other.tail);
        other.tail.clear();
        other.length = 0;
    }

    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.length + self.tail.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }

    /// Writes until nothing is left.
    pub(super) fn poll_write(
        &mut self,
        socket: &mut (impl AsyncWrite + Unpin),
        cx: &mut TaskContext<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let written = if self.parts.is_empty() {
                ready!(Pin::new(&mut *socket).poll_write(cx, &self.tail))?
            } else {
                let mut slices = [IoSlice::new(&[]); PARTS];
                let all = self.parts.iter().map(|part| &part[..]);
                let mut count = 0;
                for (slot, part) in slices.iter_mut().zip(all.chain([&self.tail[..]])) {
                    *slot = IoSlice::new(part);
                    count += 1;
                }
                ready!(Pin::new(&mut *socket).poll_write_vectored(cx, &slices[..count]))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(written);
        }
        if self.tail.capacity() > KEEP {
            self.tail = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(first) = self.parts.front_mut() {
            let step = count.min(first.len());
            first.advance(step);
            self.length -= step;
            count -= step;
            if !first.is_empty() {
                return;
            }
            self.parts.pop_front();
        }
        if count == self.tail.len() {
            self.tail.clear();
        } else {
            self.tail.advance(count);
        }
    }

    /// A copy of everything that waits.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut all: Vec<u8> = self.parts.iter().flatten().copied().collect();
        all.extend_from_slice(&self.tail);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_parts_keep_their_order() {
        let large = Bytes::from(vec![7; COPY]);
        let mut out = Out::default();
        out.push(Bytes::from_static(b"a"));
        out.push(large.clone());
        out.push(Bytes::from_static(b"b"));
        let mut front = Out::default();
        front.push(Bytes::from_static(b"0"));

        front.append(&mut out);

        let all = [&b"0a"[..], &large, b"b"].concat();
        assert_eq!(front.len(), all.len());
        assert_eq!(front.to_vec(), all);
        assert!(out.is_empty());
        front.advance(2 + 10);
        assert_eq!(front.to_vec(), all[12..]);
        front.advance(all.len() - 12);
        assert!(front.is_empty());
    }
}
