//! End: how a call ends well or otherwise, as frames.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use gufo_core::{Code, Metadata, Retry, Status};

use super::{
    frame::{self, Kind, flag},
    link::Writer,
    wire::{self, Names, Violation},
};

/// What an END frame says of repeating the call.
const ADVICE_OF_CODE: u8 = 0;
const ADVICE_NOT_BEGUN: u8 = 1;
const ADVICE_NEVER: u8 = 2;
const ADVICE_AFTER: u8 = 3;

/// Longest message of a status that is sent, in bytes.
const LONGEST: usize = 8 * 1024;

/// Most of a status's details that is sent, in bytes.
const DETAILS: usize = 32 * 1024;

/// Appends the END frame of a call.
pub(super) fn put(writer: &mut Writer, id: u32, end: &Result<Metadata, Status>) {
    let none = Metadata::new();
    let (status, trailers) = match end {
        Ok(trailers) => (None, trailers),
        Err(status) => (Some(status), status.metadata()),
    };
    // Metadata that cannot be sent must not hide the status.
    let trailers = if trailers.size() > frame::MAX_METADATA {
        &none
    } else {
        trailers
    };
    writer.name(trailers);
    let (out, names) = writer.split();
    frame::put_small(out, Kind::End, id, |out| {
        out.put_u8(if trailers.is_empty() {
            0
        } else {
            flag::TRAILERS
        });
        if !trailers.is_empty() {
            wire::put_metadata(out, trailers, names);
        }
        out.put_u8(status.map_or(0, |status| status.code().number()));
        if let Some(status) = status {
            put_status(out, status);
        }
    });
}

fn put_status(out: &mut BytesMut, status: &Status) {
    let message = status.message();
    let mut end = message.len().min(LONGEST);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    wire::put_bytes(out, &message.as_bytes()[..end]);
    let details = status.encode_details();
    if details.len() > DETAILS {
        wire::put_bytes(out, &[]);
    } else {
        wire::put_bytes(out, &details);
    }
    match status.retry() {
        Retry::NotBegun => out.put_u8(ADVICE_NOT_BEGUN),
        Retry::After(wait) => {
            out.put_u8(ADVICE_AFTER);
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            wire::put_varint(out, wait);
        }
        Retry::Never | Retry::Exhausted if Retry::of(status.code()) != Retry::Never => {
            out.put_u8(ADVICE_NEVER);
        }
        _ => out.put_u8(ADVICE_OF_CODE),
    }
}

/// Reads the body of an END frame.
pub(super) fn read(
    mut body: Bytes,
    names: &Names,
    limit: usize,
) -> Result<Result<Metadata, Status>, Violation> {
    let short = |_| Violation("an END breaks off");
    let flags = body.try_get_u8().map_err(short)?;
    let trailers = if flags & flag::TRAILERS == 0 {
        Ok(Metadata::new())
    } else {
        wire::metadata(wire::bytes(&mut body)?, names, limit)?
    };
    let code = body.try_get_u8().map_err(short)?;
    if code == 0 {
        return Ok(trailers);
    }
    let message = wire::text(&mut body)?;
    let details = wire::bytes(&mut body)?;
    let code = Code::from_number(code.into());
    let retry = match body.try_get_u8().map_err(short)? {
        ADVICE_NOT_BEGUN => Retry::NotBegun,
        ADVICE_NEVER => Retry::Never,
        ADVICE_AFTER => Retry::After(Duration::from_millis(wire::varint(&mut body)?)),
        _ => Retry::of(code),
    };
    let status = Status::new(code, message)
        .with_encoded_details(&details)
        .with_metadata(trailers.unwrap_or_default())
        .with_retry(retry);
    Ok(Err(status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::link::Link;

    fn sent(end: &Result<Metadata, Status>) -> Result<Metadata, Status> {
        let link = Link::new();
        link.write(|writer| put(writer, 3, end));
        let mut bytes = BytesMut::from(&link.write(|writer| writer.out.to_vec())[..]);
        let mut names = Names::default();
        loop {
            let frame = frame::take(&mut bytes).expect("legal").expect("whole");
            if frame.kind == Kind::Define {
                names.define(&frame.body[1..], 8).expect("room");
                continue;
            }
            assert_eq!((frame.kind, frame.call), (Kind::End, 3));
            return read(frame.body, &names, 1024).expect("legal");
        }
    }

    #[test]
    fn a_status_comes_back_with_details_metadata_and_advice() {
        for retry in [
            Retry::NotBegun,
            Retry::Never,
            Retry::After(Duration::from_millis(250)),
            Retry::of(Code::Unavailable),
        ] {
            let mut metadata = Metadata::new();
            metadata.append("x-owl", "barn").expect("legal");
            let status = Status::unavailable("no owl \u{1f989}")
                .with_detail("example.org/a", &b"abc"[..])
                .with_metadata(metadata.clone())
                .with_retry(retry);

            let read = sent(&Err(status.clone())).expect_err("a status");

            assert_eq!(read.code(), status.code());
            assert_eq!(read.message(), status.message());
            assert_eq!(read.details(), status.details());
            assert_eq!(read.metadata(), &metadata);
            assert_eq!(read.retry(), retry);
        }
    }

    #[test]
    fn trailers_come_back_and_so_does_nothing() {
        let mut trailers = Metadata::new();
        trailers.append("x-after", "1").expect("legal");

        assert_eq!(sent(&Ok(trailers.clone())).expect("well"), trailers);
        assert!(sent(&Ok(Metadata::new())).expect("well").is_empty());
    }

    #[test]
    fn an_end_that_breaks_off_is_a_violation() {
        for body in [&b""[..], b"\0", b"\0\x05", b"\0\x05\x02a", b"\x40\x09"] {
            assert!(
                read(Bytes::copy_from_slice(body), &Names::default(), 64).is_err(),
                "{body:?}"
            );
        }
    }
}
