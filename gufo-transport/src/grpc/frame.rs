//! gRPC framing: a flag byte, a length of four bytes, the message.
//!
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, "Length-Prefixed-Message".

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use gufo_core::{Compression, Payload, Status};

use crate::{compress, encoding::Encoding};

/// Flag byte and length.
pub(super) const HEAD: usize = 5;

/// What one DATA frame carries: a head and a message that are not copied together.
#[derive(Debug)]
pub(super) struct Frame {
    head: [u8; HEAD],
    sent: usize,
    body: Bytes,
    held: Option<Held>,
}

/// Counts bytes in a total for as long as they are held.
#[derive(Debug)]
pub(super) struct Held {
    total: Arc<AtomicUsize>,
    size: usize,
}

impl Held {
    pub(super) fn new(total: Arc<AtomicUsize>, size: usize) -> Self {
        total.fetch_add(size, Ordering::SeqCst);
        Self { total, size }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.fetch_sub(self.size, Ordering::SeqCst);
    }
}

impl Frame {
    /// A framed message.
    pub(super) fn message(body: Bytes, compressed: bool) -> Result<Self, Status> {
        Ok(Self {
            head: head(body.len(), compressed)?,
            sent: 0,
            body,
            held: None,
        })
    }

    /// Bytes that need no head: several framed messages in one, or a body that is not gRPC.
    pub(super) const fn plain(body: Bytes) -> Self {
        Self {
            head: [0; HEAD],
            sent: HEAD,
            body,
            held: None,
        }
    }

    /// Counts the frame as held until h2 has written or dropped it.
    pub(super) fn count(&mut self, held: Option<Held>) {
        self.held = held;
    }
}

fn head(length: usize, compressed: bool) -> Result<[u8; HEAD], Status> {
    let length = u32::try_from(length)
        .map_err(|_| Status::resource_exhausted("a gRPC message cannot be larger than 4 GiB"))?;
    let [a, b, c, d] = length.to_be_bytes();
    Ok([u8::from(compressed), a, b, c, d])
}

/// Appends a framed message.
pub(super) fn put(out: &mut BytesMut, body: &[u8], compressed: bool) -> Result<(), Status> {
    out.reserve(HEAD + body.len());
    put_head(out, body.len(), compressed)?;
    out.put_slice(body);
    Ok(())
}

/// Completes a message that was written at the end of a buffer, behind room for its head.
pub(super) fn close(out: &mut BytesMut, start: usize) -> Result<(), Status> {
    let head = head(out.len() - start - HEAD, false)?;
    if let Some(place) = out.get_mut(start..start + HEAD) {
        place.copy_from_slice(&head);
    }
    Ok(())
}

/// Appends the head of a message that is sent by itself.
pub(super) fn put_head(out: &mut BytesMut, length: usize, compressed: bool) -> Result<(), Status> {
    out.put_slice(&head(length, compressed)?);
    Ok(())
}

impl Buf for Frame {
    fn remaining(&self) -> usize {
        HEAD - self.sent + self.body.len()
    }

    fn chunk(&self) -> &[u8] {
        if self.sent < HEAD {
            &self.head[self.sent..]
        } else {
            &self.body
        }
    }

    fn chunks_vectored<'a>(&'a self, out: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut used = 0;
        for chunk in [&self.head[self.sent..], &self.body[..]] {
            if let (false, Some(slot)) = (chunk.is_empty(), out.get_mut(used)) {
                *slot = std::io::IoSlice::new(chunk);
                used += 1;
            }
        }
        used
    }

    fn advance(&mut self, count: usize) {
        let of_head = count.min(HEAD - self.sent);
        self.sent += of_head;
        self.body.advance(count - of_head);
    }
}

/// A message as a frame.
pub(super) fn frame(encoding: &Encoding, message: Payload) -> Result<Frame, Status> {
    Frame::message(encoding.body(message)?, encoding.compression.is_some())
}

/// Takes messages out of the chunks of a body, however they are split.
#[derive(Debug)]
pub(super) struct Decoder {
    buffer: BytesMut,
    /// A chunk that needs no copying.
    chunk: Bytes,
    limit: usize,
    compression: Option<Compression>,
}

impl Decoder {
    pub(super) fn new(limit: usize, compression: Option<Compression>) -> Self {
        Self {
            buffer: BytesMut::new(),
            chunk: Bytes::new(),
            limit,
            compression,
        }
    }

    /// Adds a chunk. All messages of the one before have been taken.
    pub(super) fn push(&mut self, chunk: Bytes) {
        if self.buffer.is_empty() && self.chunk.is_empty() {
            self.chunk = chunk;
            return;
        }
        let rest = std::mem::take(&mut self.chunk);
        self.buffer.extend_from_slice(&rest);
        self.buffer.extend_from_slice(&chunk);
    }

    /// The next whole message, decompressed.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Status> {
        let available = if self.buffer.is_empty() {
            &self.chunk[..]
        } else {
            &self.buffer[..]
        };
        let Some((&[flag, a, b, c, d], body)) = available.split_first_chunk::<HEAD>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > self.limit {
            let limit = self.limit;
            return Err(Status::resource_exhausted(format!(
                "message of {length} bytes is over the limit of {limit}"
            )));
        }
        if body.len() < length {
            return Ok(None);
        }
        let message = if self.buffer.is_empty() {
            self.chunk.advance(HEAD);
            self.chunk.split_to(length)
        } else {
            self.buffer.advance(HEAD);
            self.buffer.split_to(length).freeze()
        };
        match flag {
            0 => Ok(Some(message)),
            1 => self.decompress(&message).map(Some),
            flag => Err(Status::internal(format!(
                "message has the flag {flag}, which gRPC does not define"
            ))),
        }
    }

    fn decompress(&self, message: &[u8]) -> Result<Bytes, Status> {
        match self.compression {
            Some(compression) => compress::decompress(compression, message, self.limit),
            None => Err(Status::internal(
                "a compressed message came without grpc-encoding",
            )),
        }
    }

    /// True when no part of a message is left.
    pub(super) fn is_clean(&self) -> bool {
        self.buffer.is_empty() && self.chunk.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gufo_core::Code;

    fn framed(messages: &[&[u8]]) -> BytesMut {
        let mut out = BytesMut::new();
        for message in messages {
            put(&mut out, message, false).expect("small");
        }
        out
    }

    #[test]
    fn messages_come_back_however_they_are_split() {
        let messages: [&[u8]; 4] = [b"", b"a", b"owl", &[7; 300]];
        let stream = framed(&messages).freeze();

        for size in 1..stream.len() {
            let mut decoder = Decoder::new(1024, None);
            let mut seen = Vec::new();
            for chunk in stream.chunks(size) {
                decoder.push(Bytes::copy_from_slice(chunk));
                while let Some(message) = decoder.next().expect("legal") {
                    seen.push(message);
                }
            }
            assert_eq!(seen, messages, "chunks of {size}");
            assert!(decoder.is_clean());
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_the_message_arrives() {
        let mut decoder = Decoder::new(1024, None);
        decoder.push(Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff]));

        assert_eq!(
            decoder.next().expect_err("too large").code(),
            Code::ResourceExhausted
        );
    }

    #[test]
    fn an_undefined_flag_and_a_compression_nobody_named_are_errors() {
        for flag in [1, 2, 255] {
            let mut decoder = Decoder::new(1024, None);
            decoder.push(Bytes::copy_from_slice(&[flag, 0, 0, 0, 0]));
            assert_eq!(
                decoder.next().expect_err("flag").code(),
                Code::Internal,
                "{flag}"
            );
        }
    }

    #[test]
    fn a_frame_reads_as_head_and_body() {
        let mut frame = Frame::message(Bytes::from_static(b"owl"), false).expect("small");

        assert_eq!(frame.remaining(), 8);
        assert_eq!(
            frame.copy_to_bytes(8),
            &[0, 0, 0, 0, 3, b'o', b'w', b'l'][..]
        );
    }
}
