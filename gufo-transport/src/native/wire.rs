//! Numbers, texts and metadata inside frames.

use std::collections::HashMap;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use gufo_core::{Key, Metadata, Status};

use super::frame::LONGEST_DEFINED;

/// What the peer did that the protocol forbids. It ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Violation(pub(super) &'static str);

/// Appends an unsigned LEB128 number.
pub(super) fn put_varint(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

/// Appends bytes behind their length.
pub(super) fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.put_slice(bytes);
}

/// Takes a number.
pub(super) fn varint(buf: &mut Bytes) -> Result<u64, Violation> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = buf
            .try_get_u8()
            .map_err(|_| Violation("a number breaks off"))?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Violation("a number is longer than 64 bits"))
}

/// Takes a number that fits in memory.
pub(super) fn size(buf: &mut Bytes) -> Result<usize, Violation> {
    usize::try_from(varint(buf)?).map_err(|_| Violation("a length does not fit into memory"))
}

/// Takes bytes behind their length.
pub(super) fn bytes(buf: &mut Bytes) -> Result<Bytes, Violation> {
    let length = size(buf)?;
    if length > buf.len() {
        return Err(Violation("a length reaches beyond its frame"));
    }
    Ok(buf.split_to(length))
}

/// Takes a text behind its length.
pub(super) fn text(buf: &mut Bytes) -> Result<String, Violation> {
    String::from_utf8(bytes(buf)?.into()).map_err(|_| Violation("a text is not UTF-8"))
}

/// Texts that this side has given numbers, which the peer knows.
#[derive(Debug)]
pub(super) struct Numbers {
    known: Vec<Box<str>>,
    /// Used once looking through all of them would take longer.
    index: HashMap<Box<str>, u32>,
    limit: usize,
}

/// So many texts are looked through one by one.
const FEW: usize = 8;

impl Numbers {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            known: Vec::new(),
            index: HashMap::new(),
            limit,
        }
    }

    /// The number of a text that has one. Numbers start at 1.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        if self.known.len() <= FEW {
            let position = self.known.iter().position(|known| **known == *text)?;
            return u32::try_from(position + 1).ok();
        }
        self.index.get(text).copied()
    }

    /// Gives a text the next number; `None` when all are taken.
    pub(super) fn define(&mut self, text: &str) -> Option<u32> {
        if self.known.len() >= self.limit || text.len() > LONGEST_DEFINED {
            return None;
        }
        self.known.push(text.into());
        let number = u32::try_from(self.known.len()).ok()?;
        self.index.insert(text.into(), number);
        Some(number)
    }
}

/// Names of metadata as the peer numbered them.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<Key>);

impl Names {
    pub(super) fn define(&mut self, name: &[u8], limit: usize) -> Result<(), Violation> {
        if self.0.len() >= limit {
            return Err(Violation("more metadata names are defined than allowed"));
        }
        self.0.push(key(name)?);
        Ok(())
    }

    fn get(&self, number: u64) -> Result<Key, Violation> {
        let index = usize::try_from(number.wrapping_sub(1)).unwrap_or(usize::MAX);
        let name = self.0.get(index);
        name.cloned()
            .ok_or(Violation("a metadata name is used that was not defined"))
    }
}

fn key(name: &[u8]) -> Result<Key, Violation> {
    std::str::from_utf8(name)
        .ok()
        .and_then(|name| Key::parse(name).ok())
        .ok_or(Violation("a metadata name has illegal characters"))
}

/// Appends metadata as one block behind its length. Names with a number in `numbers` are written as
/// such.
pub(super) fn put_metadata(out: &mut BytesMut, metadata: &Metadata, numbers: &Numbers) {
    let mut block = BytesMut::with_capacity(metadata.size());
    put_varint(&mut block, metadata.len() as u64);
    for (name, value) in metadata.iter() {
        match numbers.find(name.as_str()) {
            Some(number) => put_varint(&mut block, number.into()),
            None => {
                put_varint(&mut block, 0);
                put_bytes(&mut block, name.as_str().as_bytes());
            }
        }
        put_bytes(&mut block, value);
    }
    put_bytes(out, &block);
}

/// Reads a block of metadata. Outside: the connection is over; inside: the call is.
pub(super) fn metadata(
    mut block: Bytes,
    names: &Names,
    limit: usize,
) -> Result<Result<Metadata, Status>, Violation> {
    let count = size(&mut block)?;
    // Every entry takes two bytes at least.
    if count > block.len() / 2 {
        return Err(Violation("metadata has fewer entries than it says"));
    }
    let mut metadata = Metadata::new();
    let mut refused = None;
    let mut total = 0;
    for _ in 0..count {
        let key = match varint(&mut block)? {
            0 => key(&bytes(&mut block)?)?,
            number => names.get(number)?,
        };
        let value = bytes(&mut block)?;
        total += key.as_str().len() + value.len() + 32;
        if total > limit {
            refused.get_or_insert_with(|| {
                Status::resource_exhausted(format!("metadata is over the limit of {limit} bytes"))
            });
        } else if let Err(error) = metadata.push(key, Bytes::copy_from_slice(&value)) {
            refused.get_or_insert_with(|| error.into());
        }
    }
    if !block.is_empty() {
        return Err(Violation("metadata has more entries than it says"));
    }
    Ok(refused.map_or(Ok(metadata), Err))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = BytesMut::new();
            put_varint(&mut out, value);
            let mut read = out.freeze();
            assert_eq!(varint(&mut read), Ok(value));
            assert!(read.is_empty());
        }
    }

    #[test]
    fn numbers_that_break_off_or_never_end_are_violations() {
        assert!(varint(&mut Bytes::from_static(&[0x80])).is_err());
        assert!(varint(&mut Bytes::from_static(&[0xff; 11])).is_err());
        assert!(bytes(&mut Bytes::from_static(&[9, 1])).is_err());
    }

    #[test]
    fn metadata_comes_back_by_number_and_by_name() {
        let mut metadata_sent = Metadata::new();
        metadata_sent.append("x-owl", "barn").expect("legal");
        metadata_sent
            .append_bin("x-key-bin", vec![0, 255])
            .expect("legal");
        let mut numbers = Numbers::new(8);
        let mut names = Names::default();
        assert_eq!(numbers.define("x-owl"), Some(1));
        names.define(b"x-owl", 8).expect("room");

        let mut out = BytesMut::new();
        put_metadata(&mut out, &metadata_sent, &numbers);
        let block = bytes(&mut out.freeze()).expect("a block");

        let read = metadata(block, &names, 1024)
            .expect("legal")
            .expect("small");
        assert_eq!(read, metadata_sent);
    }

    #[test]
    fn metadata_over_the_limit_fails_the_call_and_not_the_connection() {
        let mut sent = Metadata::new();
        sent.append("x-owl", &"o".repeat(100)).expect("legal");
        let mut out = BytesMut::new();
        put_metadata(&mut out, &sent, &Numbers::new(0));
        let block = bytes(&mut out.freeze()).expect("a block");

        let refused = metadata(block, &Names::default(), 100).expect("legal frames");

        assert_eq!(
            refused.expect_err("over the limit").code(),
            gufo_core::Code::ResourceExhausted
        );
    }
}
