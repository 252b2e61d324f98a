//! Intake: what has come from the socket, cut into frames.

use std::{
    io,
    pin::pin,
    task::{Context as TaskContext, Poll, ready},
};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{
    frame::{self, Frame},
    wire::Violation,
};

/// What a read asks for at first and at most, in bytes: large frames come in few pieces, and idle
/// connections hold no buffer at all.
const LEAST: usize = 64 * 1024;
const MOST: usize = 512 * 1024;

/// Bytes that have come and are no whole frame yet.
#[derive(Debug)]
pub(super) struct Intake {
    buffer: BytesMut,
    /// How much of it makes a frame.
    needed: usize,
    size: usize,
}

impl Intake {
    /// Begins with what came behind the handshake.
    pub(super) const fn new(buffer: BytesMut) -> Self {
        Self {
            buffer,
            needed: frame::HEAD,
            size: LEAST,
        }
    }

    /// Whether a whole frame may have come.
    pub(super) fn is_ready(&self) -> bool {
        self.buffer.len() >= self.needed
    }

    /// The next frame that has come whole.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Violation> {
        Ok(match frame::take(&mut self.buffer)? {
            Ok(frame) => Some(frame),
            Err(needed) => {
                self.needed = needed;
                None
            }
        })
    }

    /// Reads once; zero bytes are the end.
    pub(super) fn poll_read(
        &mut self,
        socket: &mut (impl AsyncRead + Unpin),
        cx: &mut TaskContext<'_>,
    ) -> Poll<io::Result<usize>> {
        let room = self.buffer.capacity() - self.buffer.len();
        let wanted = self.needed.saturating_sub(self.buffer.len()).max(1);
        if room < wanted || room < LEAST / 8 {
            self.buffer.reserve(wanted.max(self.size));
        }
        let count = ready!(pin!(socket.read_buf(&mut self.buffer)).poll(cx))?;
        if count > self.size / 2 {
            // Frames that lie across two buffers are copied: the larger these, the fewer.
            self.size = (self.size * 2).min(MOST);
        }
        Poll::Ready(Ok(count))
    }

    /// Gives back memory that an idle connection does not need.
    pub(super) fn give_back(&mut self) {
        if self.buffer.is_empty() {
            *self = Self::new(BytesMut::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::{frame::Kind, out::Out};

    #[tokio::test]
    async fn frames_come_whole_however_they_are_cut() {
        let mut out = Out::default();
        for id in 0..3 {
            frame::put(
                &mut out,
                Kind::Data,
                id,
                |_| {},
                bytes::Bytes::from(vec![7; 40_000]),
            );
        }
        let bytes = out.to_vec();
        for size in [1_000, 39_999, 40_008, 100_000] {
            let mut intake = Intake::new(BytesMut::new());
            let mut seen = 0;
            for mut piece in bytes.chunks(size) {
                while !piece.is_empty() {
                    std::future::poll_fn(|cx| intake.poll_read(&mut piece, cx))
                        .await
                        .expect("a slice");
                }
                while let Some(frame) = intake.next().expect("legal") {
                    assert_eq!((frame.call, frame.body.len()), (seen, 40_000));
                    seen += 1;
                }
            }
            assert_eq!(seen, 3, "pieces of {size}");
        }
    }
}
