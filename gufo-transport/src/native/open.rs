//! Open: how a call begins, as a frame.

use bytes::{BufMut, Bytes, BytesMut};
use gufo_core::{Compression, Context, Deadline};

use super::{
    frame::{self, Kind, MAX_FRAME, flag},
    link::Writer,
    wire::{self, Violation},
};

/// What an OPEN says before its message.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) flags: u8,
    pub(super) compression: u8,
    pub(super) method: Named,
    pub(super) format: Named,
    pub(super) deadline: Deadline,
    /// A block; empty without metadata.
    pub(super) metadata: Bytes,
}

/// Something with a number, or with the text itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    Number(usize),
    Text(String),
}

impl Named {
    fn read(buf: &mut Bytes) -> Result<Self, Violation> {
        Ok(match wire::size(buf)? {
            0 => Self::Text(wire::text(buf)?),
            number => Self::Number(number),
        })
    }
}

/// The number of a compression.
pub(super) const fn compression_number(compression: Option<Compression>) -> u8 {
    match compression {
        Some(Compression::Gzip) => 1,
        Some(Compression::Zstd) => 2,
        _ => 0,
    }
}

impl Open {
    /// Reads what stands before the message, which stays in `body`.
    pub(super) fn read(body: &mut Bytes) -> Result<Self, Violation> {
        let (Some(&flags), Some(&compression)) = (body.first(), body.get(1)) else {
            return Err(Violation("an OPEN breaks off"));
        };
        bytes::Buf::advance(body, 2);
        let method = Named::read(body)?;
        let format = Named::read(body)?;
        let deadline = if flags & flag::DEADLINE == 0 {
            Deadline::NONE
        } else {
            Deadline::after(std::time::Duration::from_micros(wire::varint(body)?))
        };
        let metadata = if flags & flag::METADATA == 0 {
            Bytes::new()
        } else {
            wire::bytes(body)?
        };
        Ok(Self {
            flags,
            compression,
            method,
            format,
            deadline,
            metadata,
        })
    }

    /// The compression of the call, if it is one there is.
    pub(super) fn compression(&self) -> Result<Option<Compression>, gufo_core::Status> {
        match self.compression {
            0 => Ok(None),
            1 => Ok(Some(Compression::Gzip)),
            2 => Ok(Some(Compression::Zstd)),
            other => Err(gufo_core::Status::unimplemented(format!(
                "compression {other} is not known here; known are 1 (gzip) and 2 (zstd)"
            ))),
        }
    }
}

/// Appends the OPEN of a call; true when the message went with it.
pub(super) fn put(
    writer: &mut Writer,
    id: u32,
    ctx: &Context,
    formats: &[String],
    message: Option<&Bytes>,
    last: bool,
) -> bool {
    let method = writer.method(ctx.method().path());
    let metadata = ctx.metadata();
    writer.name(metadata);
    let (out, names) = writer.split();
    let mut block = BytesMut::new();
    if !metadata.is_empty() {
        wire::put_metadata(&mut block, metadata, names);
    }
    let left = ctx.deadline().remaining();
    // Path, format and numbers take less than a tenth of this.
    let room = MAX_FRAME - block.len() - 16 * 1024;
    let message = message.filter(|message| message.len() <= room);
    let compression = ctx.compression();
    let mut flags = 0;
    let set = |flags: &mut u8, flag, on| *flags |= if on { flag } else { 0 };
    set(&mut flags, flag::LAST, last && message.is_some());
    set(&mut flags, flag::MESSAGE, message.is_some());
    let compressed = message.is_some() && compression.is_some();
    set(&mut flags, flag::COMPRESSED, compressed);
    set(&mut flags, flag::METADATA, !block.is_empty());
    set(&mut flags, flag::DEADLINE, left.is_some());
    let fill = |out: &mut BytesMut| {
        out.put_slice(&[flags, compression_number(compression)]);
        match method {
            Some(number) => wire::put_varint(out, number.into()),
            None => {
                wire::put_varint(out, 0);
                wire::put_bytes(out, ctx.method().path().as_bytes());
            }
        }
        let format = ctx.format().name();
        match formats.iter().position(|known| known == format) {
            Some(position) => wire::put_varint(out, position as u64 + 1),
            None => {
                wire::put_varint(out, 0);
                wire::put_bytes(out, format.as_bytes());
            }
        }
        if let Some(left) = left {
            wire::put_varint(out, u64::try_from(left.as_micros()).unwrap_or(u64::MAX));
        }
        out.put_slice(&block);
    };
    frame::put(
        out,
        Kind::Open,
        id,
        fill,
        message.cloned().unwrap_or_default(),
    );
    message.is_some()
}
