//! HPACK (RFC 7541) as far as a test needs it: literals out; static table, literals and Huffman
//! codes in. There is no dynamic table: the peer is told that its size is 0.

use bytes::{BufMut, BytesMut};

/// A header as a peer sent it.
pub type Header = (String, String);

/// Appends a literal that is not indexed, both texts as they are: nothing is checked or folded.
pub fn put_literal(out: &mut BytesMut, name: &[u8], value: &[u8]) {
    out.put_u8(0);
    for text in [name, value] {
        put_length(out, text.len());
        out.put_slice(text);
    }
}

/// An integer with a prefix of seven bits, not Huffman coded.
fn put_length(out: &mut BytesMut, length: usize) {
    if length < 127 {
        out.put_u8(length as u8);
        return;
    }
    out.put_u8(127);
    let mut rest = length - 127;
    while rest >= 128 {
        out.put_u8((rest % 128) as u8 | 128);
        rest /= 128;
    }
    out.put_u8(rest as u8);
}

/// Headers as one block.
#[must_use]
pub fn encode(headers: &[(&str, &str)]) -> BytesMut {
    let mut out = BytesMut::new();
    for (name, value) in headers {
        put_literal(&mut out, name.as_bytes(), value.as_bytes());
    }
    out
}

/// Reads a block; `None` when it is not one, or names an entry of a dynamic table.
#[must_use]
pub fn decode(mut block: &[u8]) -> Option<Vec<Header>> {
    let mut headers = Vec::new();
    while let Some(&first) = block.first() {
        if first & 0x80 != 0 {
            let index = integer(&mut block, 7)?;
            let (name, value) = STATIC.get(index.checked_sub(1)?)?;
            headers.push(((*name).to_owned(), (*value).to_owned()));
        } else if first & 0xe0 == 0x20 {
            integer(&mut block, 5)?;
        } else {
            let index = integer(&mut block, if first & 0x40 != 0 { 6 } else { 4 })?;
            let name = match index {
                0 => text(&mut block)?,
                index => STATIC.get(index - 1)?.0.to_owned(),
            };
            headers.push((name, text(&mut block)?));
        }
    }
    Some(headers)
}

fn integer(block: &mut &[u8], prefix: u32) -> Option<usize> {
    let mut next = || {
        let (first, rest) = block.split_first()?;
        *block = rest;
        Some(usize::from(*first))
    };
    let most = (1 << prefix) - 1;
    let mut value = next()? & most;
    if value < most {
        return Some(value);
    }
    for shift in [0, 7, 14] {
        let byte = next()?;
        value += (byte & 127) << shift;
        if byte & 128 == 0 {
            return Some(value);
        }
    }
    None
}

fn text(block: &mut &[u8]) -> Option<String> {
    let coded = block.first()? & 0x80 != 0;
    let length = integer(block, 7)?;
    let (bytes, rest) = block.split_at_checked(length)?;
    *block = rest;
    let bytes = if coded {
        huffman(bytes)?
    } else {
        bytes.to_vec()
    };
    String::from_utf8(bytes).ok()
}

/// Undoes the Huffman code, which is canonical: codes of one length follow each other in the order
/// of their symbols.
fn huffman(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut code, mut length) = (0_u32, 0_u8);
    for bit in bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1))
    {
        code = code << 1 | u32::from(bit);
        length += 1;
        if length > 30 {
            return None;
        }
        if let Some(symbol) = symbol(code, length) {
            out.push(symbol);
            (code, length) = (0, 0);
        }
    }
    // Filled up with ones.
    (length < 8 && code == (1 << length) - 1).then_some(out)
}

fn symbol(code: u32, length: u8) -> Option<u8> {
    let mut first = 0_u32;
    for shorter in 1..length {
        let count = LENGTHS.iter().filter(|known| **known == shorter).count();
        first = (first + count as u32) << 1;
    }
    let index = code.checked_sub(first)? as usize;
    let mut with_length = (0..=255_u8).filter(|symbol| LENGTHS[usize::from(*symbol)] == length);
    with_length.nth(index)
}

/// Bits of the code of each byte (RFC 7541, appendix B).
#[rustfmt::skip]
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/// The static table (RFC 7541, appendix A).
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7541, appendix C.4.1 and C.6.1.
    #[test]
    fn the_examples_of_the_specification_are_read() {
        let request = [
            0x82, 0x86, 0x84, 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab,
            0x90, 0xf4, 0xff,
        ];

        let headers = decode(&request).expect("legal");

        let expected = [
            (":method", "GET"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "www.example.com"),
        ];
        let read: Vec<_> = headers
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(read, expected);
        assert_eq!(
            huffman(&[0xae, 0xc3, 0x77, 0x1a, 0x4b]),
            Some(b"private".to_vec())
        );
    }

    #[test]
    fn literals_come_back() {
        let long = "x".repeat(5000);
        let block = encode(&[("name", "value"), ("long", &long)]);

        let headers = decode(&block).expect("legal");

        assert_eq!(headers[0], ("name".to_owned(), "value".to_owned()));
        assert_eq!(headers[1].1, long);
    }
}
