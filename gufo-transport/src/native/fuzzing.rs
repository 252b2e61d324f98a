//! What of the native transport reads bytes, for the fuzz targets.
//!
//! Most of it reads and writes again: whatever is legal reads the same after that.

use std::{
    future::Future,
    pin::pin,
    task::{Context as TaskContext, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use gufo_core::{BackendUrl, Code, Metadata, Result};

use super::{
    end,
    frame::{self, DEFINE_NAME, Frame, Kind, LONGEST_DEFINED, MAX_NAMES},
    hello::{self, Hello},
    intake::Intake,
    link::Link,
    open::{Named, Open},
    reply,
    wire::{self, Names, Numbers, Violation},
};
use crate::socket::Address;

/// A frame: kind, number of its call, what follows its head.
pub type Cut = (u8, u32, Bytes);

/// An outcome that was read and written again: its code, 0 for a good one, and the frames.
pub type Again = (u8, Vec<u8>);

/// An OPEN up to its message.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// Number or text of the method.
    pub method: std::result::Result<usize, String>,
    /// Number or text of the format.
    pub format: std::result::Result<usize, String>,
    /// Its metadata, read with the names `x-a` and `x-b-bin`: entries, or the code of a refusal.
    pub metadata: std::result::Result<usize, Code>,
    /// What stands behind all that.
    pub message: Bytes,
}

/// Drives a future that has nothing to wait for.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a slice is read without waiting"),
    }
}

/// Frames out of chunks, and why the rest could not be cut.
#[must_use]
pub fn frames(chunks: &[&[u8]]) -> (Vec<Cut>, Option<&'static str>) {
    let mut intake = Intake::new(BytesMut::new());
    let mut cut = Vec::new();
    for mut chunk in chunks.iter().copied() {
        while !chunk.is_empty() {
            now(std::future::poll_fn(|cx| intake.poll_read(&mut chunk, cx)))
                .expect("invariant: reading a slice does not fail");
            loop {
                match intake.next() {
                    Ok(Some(Frame { kind, call, body })) => cut.push((kind as u8, call, body)),
                    Ok(None) => break,
                    Err(Violation(why)) => return (cut, Some(why)),
                }
            }
        }
    }
    (cut, None)
}

/// A preface and a HELLO, written again, and how many bytes came behind them.
///
/// # Errors
/// Why there is no connection.
pub fn hello(mut input: &[u8]) -> std::result::Result<(Vec<u8>, usize), String> {
    let mut buffer = BytesMut::new();
    let read = now(hello::read_all(&mut input, &mut buffer));
    let read: Hello = read.map_err(|refused| refused.to_string())?;
    let rest = buffer.len() + input.len();
    Ok((read.write().tail().to_vec(), rest))
}

fn names() -> Names {
    let mut names = Names::default();
    for name in [&b"x-a"[..], b"x-b-bin"] {
        names
            .define(name, MAX_NAMES)
            .expect("invariant: two legal names");
    }
    names
}

fn named(named: Named) -> std::result::Result<usize, String> {
    match named {
        Named::Number(number) => Ok(number),
        Named::Text(text) => Err(text),
    }
}

/// The body of an OPEN.
///
/// # Errors
/// How it breaks the protocol.
pub fn open(input: &[u8], limit: usize) -> std::result::Result<Opened, &'static str> {
    let mut message = Bytes::copy_from_slice(input);
    let violation = |Violation(why)| why;
    let open = Open::read(&mut message).map_err(violation)?;
    let metadata = if open.metadata.is_empty() {
        Ok(Metadata::new())
    } else {
        wire::metadata(open.metadata, &names(), limit).map_err(violation)?
    };
    Ok(Opened {
        method: named(open.method),
        format: named(open.format),
        metadata: metadata
            .map(|metadata| metadata.len())
            .map_err(|status| status.code()),
        message,
    })
}

/// A block of metadata, written again without numbers; inside, the code of its refusal.
///
/// # Errors
/// How it breaks the protocol.
pub fn metadata(
    input: &[u8],
    limit: usize,
) -> std::result::Result<std::result::Result<Vec<u8>, Code>, &'static str> {
    let read = wire::metadata(Bytes::copy_from_slice(input), &names(), limit);
    let read = read.map_err(|Violation(why)| why)?;
    Ok(read.map_err(|status| status.code()).map(|metadata| {
        assert!(metadata.size() <= limit, "{} bytes", metadata.size());
        let mut out = BytesMut::new();
        wire::put_metadata(&mut out, &metadata, &Numbers::new(0));
        let block = wire::bytes(&mut out.freeze());
        block.expect("invariant: it is behind its length").to_vec()
    }))
}

/// The outcome in a stream of frames: the first END or REPLY, by the names defined before it,
/// written again; `None` when there is none.
///
/// # Errors
/// How it breaks the protocol.
pub fn outcome(input: &[u8], limit: usize) -> std::result::Result<Option<Again>, &'static str> {
    let (frames, mut why) = frames(&[input]);
    let mut names = Names::default();
    for (kind, call, body) in frames {
        let link = Link::new();
        let read = match kind {
            kind if kind == Kind::Define as u8 => define(&mut names, &body).map(|()| None),
            kind if kind == Kind::End as u8 => end::read(body, &names, limit).map(|end| {
                link.write(|writer| end::put(writer, call, &end));
                Some(code(&end))
            }),
            kind if kind == Kind::Reply as u8 => reply::read(body, &names, limit).map(|reply| {
                let code = code(&reply);
                link.write(|writer| match reply {
                    Ok(reply) => reply::put(
                        writer,
                        call,
                        reply.message,
                        reply.compressed,
                        &reply.metadata,
                        &reply.trailers,
                    ),
                    Err(status) => end::put(writer, call, &Err(status)),
                });
                Some(code)
            }),
            _ => Ok(None),
        };
        match read {
            Ok(None) => {}
            Ok(Some(code)) => {
                return Ok(Some((code, link.write(|writer| writer.out.to_vec()))));
            }
            Err(Violation(broken)) => {
                why = Some(broken);
                break;
            }
        }
    }
    why.map_or(Ok(None), Err)
}

fn code<T>(outcome: &std::result::Result<T, gufo_core::Status>) -> u8 {
    outcome
        .as_ref()
        .err()
        .map_or(0, |status| status.code().number())
}

fn define(names: &mut Names, body: &[u8]) -> std::result::Result<(), Violation> {
    match body.split_first() {
        Some((_, text)) if text.len() > LONGEST_DEFINED => {
            Err(Violation("a DEFINE is longer than allowed"))
        }
        Some((&DEFINE_NAME, name)) => names.define(name, MAX_NAMES),
        Some(_) => Ok(()),
        None => Err(Violation("a DEFINE is empty")),
    }
}

/// A number, and how many bytes it took; `None` when there is none.
#[must_use]
pub fn number(input: &[u8]) -> Option<(u64, usize)> {
    let mut rest = Bytes::copy_from_slice(input);
    let number = wire::varint(&mut rest).ok()?;
    Some((number, input.len() - rest.len()))
}

/// Writes a number.
#[must_use]
pub fn write_number(number: u64) -> Vec<u8> {
    let mut out = BytesMut::new();
    wire::put_varint(&mut out, number);
    out.to_vec()
}

/// The longest body of a frame, in bytes.
pub const MAX_FRAME: usize = frame::MAX_FRAME;

/// Where a URL leads.
///
/// # Errors
/// `InvalidArgument` for one that leads nowhere.
pub fn address(url: &BackendUrl) -> Result<String> {
    Address::parse(url, "tcp", "unix").map(|address| address.to_string())
}
