//! `google.rpc.Status` by hand: three fields, so that core needs no protobuf crate for it.
//!
//! Layout: `int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3;`
//! with `Any { string type_url = 1; bytes value = 2; }`.

use bytes::{BufMut, Bytes, BytesMut};

use crate::{Detail, Status};

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED32: u64 = 5;

pub(crate) fn encode(status: &Status) -> Bytes {
    if status.details().is_empty() {
        return Bytes::new();
    }
    let mut out = BytesMut::new();
    put_number(&mut out, 1, u64::from(status.code().number()));
    put_field(&mut out, 2, status.message().as_bytes());
    for detail in status.details() {
        let mut any = BytesMut::new();
        put_field(&mut any, 1, detail.type_url.as_bytes());
        put_field(&mut any, 2, &detail.value);
        put_field(&mut out, 3, &any);
    }
    out.freeze()
}

pub(crate) fn decode(encoded: &[u8]) -> Option<Vec<Detail>> {
    let mut details = Vec::new();
    for field in Fields(encoded) {
        if let (3, Value::Bytes(any)) = field? {
            details.push(decode_any(any)?);
        }
    }
    Some(details)
}

fn decode_any(encoded: &[u8]) -> Option<Detail> {
    let mut detail = Detail {
        type_url: String::new(),
        value: Bytes::new(),
    };
    for field in Fields(encoded) {
        match field? {
            (1, Value::Bytes(url)) => detail.type_url = std::str::from_utf8(url).ok()?.to_owned(),
            (2, Value::Bytes(value)) => detail.value = Bytes::copy_from_slice(value),
            _ => {}
        }
    }
    Some(detail)
}

/// Appends a field of bytes, a string or an encoded message.
pub(crate) fn put_field(out: &mut BytesMut, number: u64, value: &[u8]) {
    put_varint(out, number << 3 | LENGTH);
    put_varint(out, value.len() as u64);
    out.put_slice(value);
}

/// Appends an integer, boolean or enum field.
pub(crate) fn put_number(out: &mut BytesMut, number: u64, value: u64) {
    put_varint(out, number << 3 | VARINT);
    put_varint(out, value);
}

fn put_varint(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

enum Value<'a> {
    Bytes(&'a [u8]),
    Skipped,
}

/// Fields of one message; `None` as an item means that the rest is malformed.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            VARINT => {
                self.varint()?;
                Value::Skipped
            }
            FIXED64 => {
                self.take(8)?;
                Value::Skipped
            }
            LENGTH => {
                let length = self.varint()?;
                Value::Bytes(self.take(usize::try_from(length).ok()?)?)
            }
            FIXED32 => {
                self.take(4)?;
                Value::Skipped
            }
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_come_back() {
        let status = Status::not_found("no owl")
            .with_detail(
                "type.googleapis.com/google.rpc.ErrorInfo",
                &b"\x0a\x03owl"[..],
            )
            .with_detail("example.org/empty", Bytes::new());

        let read = Status::not_found("no owl").with_encoded_details(&encode(&status));

        assert_eq!(read.details(), status.details());
    }

    #[test]
    fn truncated_details_are_ignored() {
        let status = Status::internal("x").with_detail("a", &b"bcd"[..]);
        let encoded = encode(&status);

        for end in 1..encoded.len() {
            let read = Status::internal("x").with_encoded_details(&encoded[..end]);
            assert!(read.details().len() <= 1);
        }
    }
}
