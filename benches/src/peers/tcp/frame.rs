//! The frame: `u32` length of the body, `u64` id, body; big-endian.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::Result;

const HEADER: usize = 12;
/// Larger than every scenario; a wrong length must not become an allocation.
const LARGEST_BODY: usize = 1 << 20;

/// Appends one frame.
pub(super) fn write(out: &mut BytesMut, id: u64, body: &[u8]) {
    out.reserve(HEADER + body.len());
    out.put_u32(u32::try_from(body.len()).expect("invariant: scenarios are far below 4 GiB"));
    out.put_u64(id);
    out.put_slice(body);
}

/// Takes the next whole frame off the front, or nothing when it has not arrived yet.
pub(super) fn read(input: &mut BytesMut) -> Result<Option<(u64, Bytes)>> {
    let Some(mut header) = input.get(..HEADER) else {
        return Ok(None);
    };
    let length = header.get_u32() as usize;
    let id = header.get_u64();
    if length > LARGEST_BODY {
        return Err(format!("reading a frame: a body of {length} bytes is too long").into());
    }
    if input.len() < HEADER + length {
        return Ok(None);
    }
    input.advance(HEADER);
    Ok(Some((id, input.split_to(length).freeze())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_once_its_last_byte_is_there() {
        let mut whole = BytesMut::new();
        write(&mut whole, 7, b"owl");

        let mut input = BytesMut::new();
        for byte in &whole[..whole.len() - 1] {
            input.put_u8(*byte);
            assert!(read(&mut input).unwrap().is_none());
        }
        input.put_u8(b'l');

        assert_eq!(
            read(&mut input).unwrap(),
            Some((7, Bytes::from_static(b"owl")))
        );
        assert!(input.is_empty());
    }

    #[test]
    fn a_length_beyond_all_scenarios_is_refused() {
        let mut input = BytesMut::from(&[0xff; HEADER][..]);

        assert!(read(&mut input).is_err());
    }
}
