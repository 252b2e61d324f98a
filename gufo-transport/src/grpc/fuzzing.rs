//! What of gRPC reads bytes, for the fuzz targets.

use bytes::{Bytes, BytesMut};
use gufo_core::{BackendUrl, Compression, Result, Status};

use super::frame::{self, Decoder};
use crate::{compress, fuzzing::Frames, socket::Address};

pub(crate) fn frames(chunks: &[&[u8]], limit: usize, compression: Option<Compression>) -> Frames {
    let mut decoder = Decoder::new(limit, compression);
    let mut frames = Frames::default();
    for chunk in chunks {
        decoder.push(Bytes::copy_from_slice(chunk));
        loop {
            match decoder.next() {
                Ok(Some(message)) => frames.messages.push(message),
                Ok(None) => break,
                Err(status) => {
                    frames.error = Some(status);
                    return frames;
                }
            }
        }
    }
    frames.clean = decoder.is_clean();
    frames
}

pub(crate) fn write_frames(messages: &[Bytes]) -> Result<Bytes, Status> {
    let mut out = BytesMut::new();
    for message in messages {
        frame::put(&mut out, message, false)?;
    }
    Ok(out.freeze())
}

pub(crate) fn decompress(
    compression: Compression,
    message: &[u8],
    limit: usize,
) -> Result<Bytes, Status> {
    compress::decompress(compression, message, limit)
}

pub(crate) fn compress(compression: Compression, message: &[u8]) -> Result<Bytes, Status> {
    compress::compress(compression, message)
}

pub(crate) fn address(url: &BackendUrl) -> Result<String> {
    Address::parse(url, "grpc", "grpc+unix").map(|address| address.to_string())
}
