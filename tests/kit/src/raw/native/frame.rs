//! Frames of `docs/native-protocol.md`, legal or not, written after the text and not after the code.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Kinds of frames.
pub mod kinds {
    /// HELLO.
    pub const HELLO: u8 = 1;
    /// DEFINE.
    pub const DEFINE: u8 = 2;
    /// OPEN.
    pub const OPEN: u8 = 3;
    /// DATA.
    pub const DATA: u8 = 4;
    /// HEAD.
    pub const HEAD: u8 = 5;
    /// REPLY.
    pub const REPLY: u8 = 6;
    /// END.
    pub const END: u8 = 7;
    /// CANCEL.
    pub const CANCEL: u8 = 8;
    /// CREDIT.
    pub const CREDIT: u8 = 9;
    /// PING.
    pub const PING: u8 = 10;
    /// PONG.
    pub const PONG: u8 = 11;
    /// GOAWAY.
    pub const GOAWAY: u8 = 12;
}

/// Flags of the frames of a call.
pub mod flags {
    /// None.
    pub const NONE: u8 = 0;
    /// LAST.
    pub const LAST: u8 = 0x01;
    /// MESSAGE.
    pub const MESSAGE: u8 = 0x02;
    /// MORE.
    pub const MORE: u8 = 0x04;
    /// COMPRESSED.
    pub const COMPRESSED: u8 = 0x08;
    /// METADATA.
    pub const METADATA: u8 = 0x10;
    /// DEADLINE.
    pub const DEADLINE: u8 = 0x20;
    /// TRAILERS.
    pub const TRAILERS: u8 = 0x40;
    /// A whole request of one message.
    pub const WHOLE: u8 = LAST | MESSAGE;
}

/// Settings of a HELLO.
pub mod settings {
    /// FORMATS.
    pub const FORMATS: u64 = 1;
    /// MESSAGE.
    pub const MESSAGE: u64 = 3;
    /// METADATA.
    pub const METADATA: u64 = 4;
    /// CALLS.
    pub const CALLS: u64 = 5;
    /// FRAME.
    pub const FRAME: u64 = 6;
    /// CREDIT.
    pub const CREDIT: u64 = 7;
}

/// Length of a frame's head, in bytes.
pub const HEAD: usize = 8;

/// The longest body a frame may have, in bytes.
pub const LONGEST: usize = 128 * 1024;

/// What both sides send first, up to the versions.
pub const MAGIC: &[u8; 6] = b"GUFO\r\n";

/// Magic and versions of a peer that speaks version 1 only.
pub const PREFACE: &[u8; 8] = b"GUFO\r\n\x01\x01";

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its kind; see [`kinds`].
    pub kind: u8,
    /// The number of its call.
    pub call: u32,
    /// What follows the head.
    pub body: Bytes,
}

impl Frame {
    /// Any frame at all.
    #[must_use]
    pub fn new(kind: u8, call: u32, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { kind, call, body }
    }

    /// A HELLO with these settings, whose values are numbers.
    #[must_use]
    pub fn hello(settings: &[(u64, u64)]) -> Self {
        let mut body = BytesMut::new();
        for (id, value) in settings {
            let mut number = BytesMut::new();
            put_varint(&mut number, *value);
            put_varint(&mut body, *id);
            put_bytes(&mut body, &number);
        }
        Self::new(kinds::HELLO, 0, body)
    }

    /// The next number for a method.
    #[must_use]
    pub fn define_method(path: &str) -> Self {
        Self::new(kinds::DEFINE, 0, [b"\x01", path.as_bytes()].concat())
    }

    /// The next number for a name of metadata.
    #[must_use]
    pub fn define_name(name: &str) -> Self {
        Self::new(kinds::DEFINE, 0, [b"\x02", name.as_bytes()].concat())
    }

    /// An OPEN by path, for raw bytes, without anything optional but what the flags say of `rest`.
    #[must_use]
    pub fn open(call: u32, path: &str, flags: u8, rest: &[u8]) -> Self {
        Self::open_as(call, path, flags, 0, "octet-stream", rest)
    }

    /// An OPEN with a compression and a format by name.
    #[must_use]
    pub fn open_as(
        call: u32,
        path: &str,
        flags: u8,
        compression: u8,
        format: &str,
        rest: &[u8],
    ) -> Self {
        let mut body = BytesMut::new();
        body.put_slice(&[flags, compression]);
        for text in [path, format] {
            put_varint(&mut body, 0);
            put_bytes(&mut body, text.as_bytes());
        }
        body.put_slice(rest);
        Self::new(kinds::OPEN, call, body)
    }

    /// A call of one message.
    #[must_use]
    pub fn unary(call: u32, path: &str, message: &[u8]) -> Self {
        Self::open(call, path, flags::WHOLE, message)
    }

    /// A call whose messages follow.
    #[must_use]
    pub fn stream(call: u32, path: &str) -> Self {
        Self::open(call, path, flags::NONE, b"")
    }

    /// DATA with flags and what follows them.
    #[must_use]
    pub fn data(call: u32, flags: u8, rest: &[u8]) -> Self {
        Self::flagged(kinds::DATA, call, flags, rest)
    }

    /// A frame of a call that begins with flags.
    #[must_use]
    pub fn flagged(kind: u8, call: u32, flags: u8, rest: &[u8]) -> Self {
        Self::new(kind, call, [&[flags], rest].concat())
    }

    /// DATA with one whole message.
    #[must_use]
    pub fn message(call: u32, message: &[u8]) -> Self {
        Self::data(call, flags::MESSAGE, message)
    }

    /// DATA with the first part of a message, and how long all of it is.
    #[must_use]
    pub fn first_part(call: u32, total: u64, part: &[u8]) -> Self {
        let mut body = BytesMut::new();
        put_varint(&mut body, total);
        body.put_slice(part);
        Self::data(call, flags::MESSAGE | flags::MORE, &body)
    }

    /// The end of a client's messages.
    #[must_use]
    pub fn last(call: u32) -> Self {
        Self::data(call, flags::LAST, b"")
    }

    /// A REPLY without metadata.
    #[must_use]
    pub fn reply(call: u32, message: &[u8]) -> Self {
        Self::flagged(kinds::REPLY, call, flags::NONE, message)
    }

    /// A HEAD without metadata.
    #[must_use]
    pub fn head(call: u32) -> Self {
        Self::flagged(kinds::HEAD, call, flags::NONE, b"")
    }

    /// An END without trailers.
    #[must_use]
    pub fn end(call: u32, code: u8, message: &str) -> Self {
        let mut body = BytesMut::new();
        body.put_slice(&[flags::NONE, code]);
        if code != 0 {
            put_bytes(&mut body, message.as_bytes());
            // No details, no advice.
            body.put_slice(&[0, 0]);
        }
        Self::new(kinds::END, call, body)
    }

    /// A CANCEL.
    #[must_use]
    pub fn cancel(call: u32) -> Self {
        Self::new(kinds::CANCEL, call, Bytes::new())
    }

    /// A CREDIT.
    #[must_use]
    pub fn credit(call: u32, credit: u64) -> Self {
        let mut body = BytesMut::new();
        put_varint(&mut body, credit);
        Self::new(kinds::CREDIT, call, body)
    }

    /// A PING.
    #[must_use]
    pub fn ping(body: &[u8]) -> Self {
        Self::new(kinds::PING, 0, Bytes::copy_from_slice(body))
    }

    /// A GOAWAY.
    #[must_use]
    pub fn goaway(code: u8, text: &str) -> Self {
        Self::new(kinds::GOAWAY, 0, [&[code], text.as_bytes()].concat())
    }

    /// Appends the frame with a length of its own choice.
    pub fn encode_lying(&self, out: &mut BytesMut, length: u32) {
        out.put_u32(length << 8 | u32::from(self.kind));
        out.put_u32(self.call);
        out.put_slice(&self.body);
    }

    /// Appends the frame.
    ///
    /// # Panics
    /// When it is too long for its head.
    pub fn encode_into(&self, out: &mut BytesMut) {
        let length = u32::try_from(self.body.len()).expect("a length");
        assert!(length < 1 << 24, "a length of three bytes");
        self.encode_lying(out, length);
    }
}

/// Appends a number.
pub fn put_varint(out: &mut BytesMut, mut number: u64) {
    while number > 0x7f {
        out.put_u8((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.put_u8(number as u8);
}

/// Appends bytes behind their length.
pub fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.put_slice(bytes);
}

/// A block of metadata behind its length, all names as texts.
#[must_use]
pub fn block(entries: &[(&str, &[u8])]) -> BytesMut {
    let mut block = BytesMut::new();
    put_varint(&mut block, entries.len() as u64);
    for (name, value) in entries {
        put_varint(&mut block, 0);
        put_bytes(&mut block, name.as_bytes());
        put_bytes(&mut block, value);
    }
    let mut out = BytesMut::new();
    put_bytes(&mut out, &block);
    out
}

/// Takes a number; `None` when it breaks off.
pub fn varint(from: &mut Bytes) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = from.try_get_u8().ok()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Takes bytes behind their length; `None` when they break off.
pub fn bytes(from: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(varint(from)?).ok()?;
    (length <= from.len()).then(|| from.split_to(length))
}
