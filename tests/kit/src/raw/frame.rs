//! HTTP/2 frames (RFC 9113, 4 and 6), legal or not.

use bytes::{BufMut, Bytes, BytesMut};

/// Types of frames.
pub mod kinds {
    /// DATA.
    pub const DATA: u8 = 0;
    /// HEADERS.
    pub const HEADERS: u8 = 1;
    /// PRIORITY.
    pub const PRIORITY: u8 = 2;
    /// `RST_STREAM`.
    pub const RST_STREAM: u8 = 3;
    /// SETTINGS.
    pub const SETTINGS: u8 = 4;
    /// PING.
    pub const PING: u8 = 6;
    /// GOAWAY.
    pub const GOAWAY: u8 = 7;
    /// `WINDOW_UPDATE`.
    pub const WINDOW_UPDATE: u8 = 8;
    /// CONTINUATION.
    pub const CONTINUATION: u8 = 9;
}

/// Flags of frames.
pub mod flags {
    /// None.
    pub const NONE: u8 = 0;
    /// `ACK` of SETTINGS and PING.
    pub const ACK: u8 = 1;
    /// `END_STREAM` of DATA and HEADERS.
    pub const END_STREAM: u8 = 1;
    /// `END_HEADERS` of HEADERS and CONTINUATION.
    pub const END_HEADERS: u8 = 4;
}

/// Error codes (RFC 9113, 7).
pub mod codes {
    /// `NO_ERROR`.
    pub const NO_ERROR: u32 = 0;
    /// `PROTOCOL_ERROR`.
    pub const PROTOCOL_ERROR: u32 = 1;
    /// `FLOW_CONTROL_ERROR`.
    pub const FLOW_CONTROL_ERROR: u32 = 3;
    /// `FRAME_SIZE_ERROR`.
    pub const FRAME_SIZE_ERROR: u32 = 6;
    /// CANCEL.
    pub const CANCEL: u32 = 8;
    /// `COMPRESSION_ERROR`.
    pub const COMPRESSION_ERROR: u32 = 9;
    /// `ENHANCE_YOUR_CALM`.
    pub const ENHANCE_YOUR_CALM: u32 = 11;
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its type; see [`kinds`].
    pub kind: u8,
    /// Its flags; see [`flags`].
    pub flags: u8,
    /// The stream it belongs to, 0 for the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Bytes,
}

/// Length of a frame's head, in bytes.
pub(super) const HEAD: usize = 9;

impl Frame {
    /// A frame.
    #[must_use]
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Bytes>) -> Self {
        Self {
            kind,
            flags,
            stream,
            payload: payload.into(),
        }
    }

    /// A DATA frame.
    #[must_use]
    pub fn data(stream: u32, payload: impl Into<Bytes>, end: bool) -> Self {
        let flags = if end { flags::END_STREAM } else { flags::NONE };
        Self::new(kinds::DATA, flags, stream, payload)
    }

    /// A frame whose payload is numbers of four bytes.
    #[must_use]
    pub fn words(kind: u8, stream: u32, words: &[u32]) -> Self {
        let mut payload = BytesMut::new();
        for word in words {
            payload.put_u32(*word);
        }
        Self::new(kind, flags::NONE, stream, payload)
    }

    /// `RST_STREAM`.
    #[must_use]
    pub fn reset(stream: u32, code: u32) -> Self {
        Self::words(kinds::RST_STREAM, stream, &[code])
    }

    /// `WINDOW_UPDATE`.
    #[must_use]
    pub fn window(stream: u32, increment: u32) -> Self {
        Self::words(kinds::WINDOW_UPDATE, stream, &[increment])
    }

    /// PING.
    #[must_use]
    pub fn ping() -> Self {
        Self::new(kinds::PING, flags::NONE, 0, Bytes::from_static(b"owl owl."))
    }

    /// The frame as bytes.
    ///
    /// # Panics
    /// When the payload has 16 MiB or more.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(HEAD + self.payload.len());
        self.encode_into(&mut out);
        out.freeze()
    }

    /// Appends the frame.
    ///
    /// # Panics
    /// When the payload has 16 MiB or more.
    pub fn encode_into(&self, out: &mut BytesMut) {
        assert!(
            self.payload.len() < 1 << 24,
            "a frame has 24 bits of length"
        );
        out.put_uint(self.payload.len() as u64, 3);
        out.put_u8(self.kind);
        out.put_u8(self.flags);
        out.put_u32(self.stream);
        out.put_slice(&self.payload);
    }

    /// The word of four bytes at an index of the payload.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn word(&self, index: usize) -> u32 {
        let at = index * 4;
        let bytes = self.payload.get(at..at + 4).expect("four bytes");
        u32::from_be_bytes(bytes.try_into().expect("four bytes"))
    }
}

/// The head of a gRPC message: a flag and a stated length, whatever follows.
#[must_use]
pub fn message_head(flag: u8, length: u32) -> [u8; 5] {
    let [a, b, c, d] = length.to_be_bytes();
    [flag, a, b, c, d]
}

/// A gRPC message with its head.
///
/// # Panics
/// When it has 4 GiB or more.
#[must_use]
pub fn message(body: &[u8]) -> Bytes {
    let length = u32::try_from(body.len()).expect("below 4 GiB");
    let mut out = BytesMut::with_capacity(body.len() + 5);
    out.put_slice(&message_head(0, length));
    out.put_slice(body);
    out.freeze()
}
