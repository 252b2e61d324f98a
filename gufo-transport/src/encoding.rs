//! Encoding: from a message to the bytes that a frame carries.
//!
//! Between compression and framing every message that is sent passes [`Encoding::body`] or
//! [`Encoding::poll_body`]: whatever has to see its bytes belongs there.

use std::task::{Context as TaskContext, Poll, ready};

use bytes::{Bytes, BytesMut};
use gufo_core::{Compression, Format, Messages, Payload, Status, Written};

use crate::compress;

/// How messages become what a frame carries.
#[derive(Clone, Debug)]
pub(crate) struct Encoding {
    pub(crate) format: Format,
    pub(crate) compression: Option<Compression>,
    pub(crate) limit: usize,
}

/// Where [`Encoding::poll_body`] left a message.
#[derive(Debug)]
pub(crate) enum Placed {
    /// Behind what was in the buffer.
    Here,
    Apart(Bytes),
}

impl Encoding {
    fn check(&self, size: usize) -> Result<(), Status> {
        if size <= self.limit {
            return Ok(());
        }
        Err(Status::resource_exhausted(format!(
            "message of {size} bytes is over the limit of {}",
            self.limit
        )))
    }

    /// Encodes, checks and compresses a message: what goes behind its head.
    pub(crate) fn body(&self, message: Payload) -> Result<Bytes, Status> {
        let bytes = message.into_bytes(&self.format)?;
        self.check(bytes.len())?;
        match self.compression {
            Some(compression) => compress::compress(compression, &bytes),
            None => Ok(bytes),
        }
    }

    /// The next message of a stream as [`body`](Self::body) makes it, behind what is in `out` where
    /// that saves a buffer of its own. `out` is as it was unless the message is there.
    pub(crate) fn poll_body(
        &self,
        messages: &mut Messages,
        cx: &mut TaskContext<'_>,
        out: &mut BytesMut,
    ) -> Poll<Option<Result<Placed, Status>>> {
        if self.compression.is_some() {
            let message = ready!(messages.poll_next_message(cx));
            return Poll::Ready(message.map(|message| Ok(Placed::Apart(self.body(message?)?))));
        }
        let before = out.len();
        let message = ready!(messages.poll_write_message(cx, out));
        Poll::Ready(message.map(|message| match message? {
            Written::Apart(message) => Ok(Placed::Apart(self.body(message)?)),
            Written::Here => {
                self.check(out.len() - before)
                    .inspect_err(|_| out.truncate(before))?;
                Ok(Placed::Here)
            }
        }))
    }
}
