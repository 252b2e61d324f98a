//! Frames: a head of eight bytes, then what the kind of the frame says.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{out::Out, wire::Violation};

/// Length of three bytes, kind, number of the call.
pub(super) const HEAD: usize = 8;

/// The largest frame either side takes, its head not counted.
pub(super) const MAX_FRAME: usize = 128 * 1024;

/// The most of a message that one frame carries: what stands before it has room.
pub(super) const MAX_PART: usize = MAX_FRAME - 16 * 1024;

/// The largest metadata that is sent or taken, as [`Metadata::size`](gufo_core::Metadata::size)
/// counts: two blocks and a status fit into one frame.
pub(super) const MAX_METADATA: usize = MAX_PART / 2;

/// The most calls at once: a number is a place in a table.
pub(super) const MAX_CALLS: u32 = 1 << 16;

/// What the receiver of a call's messages has for them before it says anything, in credit.
pub(super) const WINDOW: u32 = 256 * 1024;

/// What a frame of a message costs beyond its length, in credit: what it takes to hold it.
pub(super) const FRAME_COST: i64 = 64;

/// Methods and metadata names a peer may number.
pub(super) const MAX_METHODS: usize = 1024;
pub(super) const MAX_NAMES: usize = 256;

/// Longer texts get no number, in bytes.
pub(super) const LONGEST_DEFINED: usize = 256;

/// What a frame is. Kinds that are not listed are skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Hello = 1,
    Define = 2,
    Open = 3,
    Data = 4,
    Head = 5,
    Reply = 6,
    End = 7,
    Cancel = 8,
    Credit = 9,
    Ping = 10,
    Pong = 11,
    GoAway = 12,
}

impl Kind {
    const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Hello,
            2 => Self::Define,
            3 => Self::Open,
            4 => Self::Data,
            5 => Self::Head,
            6 => Self::Reply,
            7 => Self::End,
            8 => Self::Cancel,
            9 => Self::Credit,
            10 => Self::Ping,
            11 => Self::Pong,
            12 => Self::GoAway,
            _ => return None,
        })
    }
}

/// What a DEFINE frame gives a number.
pub(super) const DEFINE_METHOD: u8 = 1;
pub(super) const DEFINE_NAME: u8 = 2;

/// Flags of OPEN, DATA, HEAD, REPLY and END.
pub(super) mod flag {
    /// The client sends nothing after this.
    pub(in crate::native) const LAST: u8 = 0x01;
    /// A message, or the first or next part of one, is in the frame.
    pub(in crate::native) const MESSAGE: u8 = 0x02;
    /// The message goes on in the next DATA frame of the call.
    pub(in crate::native) const MORE: u8 = 0x04;
    /// The message is compressed.
    pub(in crate::native) const COMPRESSED: u8 = 0x08;
    /// A block of metadata ahead of the message.
    pub(in crate::native) const METADATA: u8 = 0x10;
    /// What is left until the deadline.
    pub(in crate::native) const DEADLINE: u8 = 0x20;
    /// A block of metadata that follows the messages.
    pub(in crate::native) const TRAILERS: u8 = 0x40;
}

/// One frame that has come whole.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) call: u32,
    pub(super) body: Bytes,
}

/// Takes the next frame of a known kind, skipping others; `None` until more has come.
///
/// The second value is how much must be there for the frame that has not come whole.
pub(super) fn take(buffer: &mut BytesMut) -> Result<Result<Frame, usize>, Violation> {
    loop {
        let Some(&[a, b, c, kind, d, e, f, g]) = buffer.first_chunk::<HEAD>() else {
            return Ok(Err(HEAD));
        };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if length > MAX_FRAME {
            return Err(Violation("a frame is longer than the limit"));
        }
        if buffer.len() < HEAD + length {
            return Ok(Err(HEAD + length));
        }
        buffer.advance(HEAD);
        match Kind::of(kind) {
            Some(kind) => {
                return Ok(Ok(Frame {
                    kind,
                    call: u32::from_be_bytes([d, e, f, g]),
                    body: buffer.split_to(length).freeze(),
                }));
            }
            None => buffer.advance(length),
        }
    }
}

/// Appends a frame: `fill` writes what stands before `tail`, which is not copied when it is large.
pub(super) fn put(
    out: &mut Out,
    kind: Kind,
    call: u32,
    fill: impl FnOnce(&mut BytesMut),
    tail: Bytes,
) {
    let buffer = out.tail();
    let start = buffer.len();
    buffer.put_u32(0);
    buffer.put_u32(call);
    fill(buffer);
    let length = buffer.len() - start - HEAD + tail.len();
    debug_assert!(length <= MAX_FRAME, "a frame of {length} bytes");
    let head = (length as u32) << 8 | kind as u32;
    if let Some(place) = buffer.get_mut(start..start + 4) {
        place.copy_from_slice(&head.to_be_bytes());
    }
    out.push(tail);
}

/// Completes a frame that was written at the end of a buffer, its head not yet.
pub(super) fn close(buffer: &mut BytesMut, start: usize, kind: Kind, call: u32) {
    let length = buffer.len() - start - HEAD;
    debug_assert!(length <= MAX_FRAME, "a frame of {length} bytes");
    let head = u64::from((length as u32) << 8 | kind as u32) << 32 | u64::from(call);
    if let Some(place) = buffer.get_mut(start..start + HEAD) {
        place.copy_from_slice(&head.to_be_bytes());
    }
}

/// Appends a frame without a large part.
pub(super) fn put_small(out: &mut Out, kind: Kind, call: u32, fill: impl FnOnce(&mut BytesMut)) {
    put(out, kind, call, fill, Bytes::new());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_unknown_kinds_are_skipped() {
        let mut out = Out::default();
        put_small(&mut out, Kind::Ping, 0, |out| out.put_slice(b"12345678"));
        put(
            &mut out,
            Kind::Data,
            7,
            |out| out.put_u8(2),
            Bytes::from_static(b"owl"),
        );
        let mut bytes = BytesMut::from(&[0, 0, 2, 0x7f, 0, 0, 0, 0, 1, 2][..]);
        bytes.extend_from_slice(&out.to_vec());

        let ping = take(&mut bytes).expect("legal").expect("whole");
        assert_eq!(
            (ping.kind, ping.call, &ping.body[..]),
            (Kind::Ping, 0, &b"12345678"[..])
        );
        let data = take(&mut bytes).expect("legal").expect("whole");
        assert_eq!(
            (data.kind, data.call, &data.body[..]),
            (Kind::Data, 7, &b"\x02owl"[..])
        );
        assert_eq!(
            take(&mut bytes).expect("legal").expect_err("nothing left"),
            HEAD
        );
    }

    #[test]
    fn a_frame_over_the_limit_is_a_violation_before_it_comes() {
        let mut bytes = BytesMut::from(&[0xff, 0xff, 0xff, 4, 0, 0, 0, 0][..]);

        assert!(take(&mut bytes).is_err());
    }
}
