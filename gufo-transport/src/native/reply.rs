//! Reply: the whole answer to a unary call, as one frame.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use gufo_core::Metadata;

use super::{
    frame::{self, Kind, MAX_PART, flag},
    link::Writer,
    out::Out,
    wire::{self, Names, Violation},
};

/// A reply as it came.
#[derive(Debug)]
pub(super) struct RawReply {
    pub(super) metadata: Metadata,
    pub(super) message: Bytes,
    pub(super) compressed: bool,
    pub(super) trailers: Metadata,
}

/// Appends a reply without metadata.
pub(super) fn put_bare(out: &mut Out, id: u32, message: Bytes, compressed: bool) {
    let flags = if compressed { flag::COMPRESSED } else { 0 };
    frame::put(out, Kind::Reply, id, |out| out.put_u8(flags), message);
}

/// Whether a reply fits into one frame.
pub(super) fn fits(message: &Bytes, metadata: &Metadata, trailers: &Metadata) -> bool {
    message.len() + metadata.size() + trailers.size() <= MAX_PART
}

/// Appends a reply that fits.
pub(super) fn put(
    writer: &mut Writer,
    id: u32,
    message: Bytes,
    compressed: bool,
    metadata: &Metadata,
    trailers: &Metadata,
) {
    writer.name(metadata);
    writer.name(trailers);
    let (out, names) = writer.split();
    let mut flags = if compressed { flag::COMPRESSED } else { 0 };
    if !metadata.is_empty() {
        flags |= flag::METADATA;
    }
    if !trailers.is_empty() {
        flags |= flag::TRAILERS;
    }
    let fill = |out: &mut BytesMut| {
        out.put_u8(flags);
        for block in [metadata, trailers] {
            if !block.is_empty() {
                wire::put_metadata(out, block, names);
            }
        }
    };
    frame::put(out, Kind::Reply, id, fill, message);
}

/// Reads the body of a REPLY.
pub(super) fn read(
    mut body: Bytes,
    names: &Names,
    limit: usize,
) -> Result<Result<RawReply, gufo_core::Status>, Violation> {
    let flags = body
        .try_get_u8()
        .map_err(|_| Violation("a REPLY breaks off"))?;
    let mut block = |flag| {
        if flags & flag == 0 {
            return Ok(Ok(Metadata::new()));
        }
        wire::metadata(wire::bytes(&mut body)?, names, limit)
    };
    let metadata = block(flag::METADATA)?;
    let trailers = block(flag::TRAILERS)?;
    Ok(metadata.and_then(|metadata| {
        Ok(RawReply {
            metadata,
            message: body,
            compressed: flags & flag::COMPRESSED != 0,
            trailers: trailers?,
        })
    }))
}
