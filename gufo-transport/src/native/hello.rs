//! Hello: how a connection begins, on both sides.

use std::{io, time::Duration};

use bytes::{Buf, BufMut, BytesMut};
use gufo_core::{Formats, Limits};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{
    frame::{self, Kind, MAX_FRAME, WINDOW},
    out::Out,
    wire::{self, Violation},
};
use crate::compress;

/// What both sides send first: a name, and the lowest and highest version they speak. The server
/// answers with the version chosen, twice.
pub(super) const MAGIC: &[u8; 6] = b"GUFO\r\n";

/// The only version there is.
pub(super) const VERSION: u8 = 1;

/// Magic and versions.
const PREFACE: usize = 8;

/// Most of a refusal that is shown, in bytes.
const LONGEST_REASON: usize = 200;

/// Settings a HELLO frame may have at most; more are a violation.
const SETTINGS: usize = 64;

const FORMATS: u64 = 1;
const COMPRESSIONS: u64 = 2;
const MESSAGE: u64 = 3;
const METADATA: u64 = 4;
const CALLS: u64 = 5;
const FRAME: u64 = 6;
const CREDIT: u64 = 7;
const AGENT: u64 = 8;

/// What a side says of itself in its HELLO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    /// Names of the formats this side knows; a server's are numbered from 1.
    pub(super) formats: Vec<String>,
    /// Largest message it takes.
    pub(super) message: usize,
    /// Largest metadata it takes.
    pub(super) metadata: usize,
    /// Calls it takes at once.
    pub(super) calls: u32,
    /// What a call may send it ahead of any CREDIT.
    pub(super) credit: u32,
    /// Largest frame it takes.
    pub(super) frame: usize,
}

impl Hello {
    pub(super) fn new(formats: &Formats, limits: &Limits) -> Self {
        Self {
            formats: formats.names().split(", ").map(str::to_owned).collect(),
            message: limits.receive,
            metadata: limits.metadata,
            calls: limits.calls,
            credit: WINDOW,
            frame: MAX_FRAME,
        }
    }

    /// Preface and HELLO frame.
    pub(super) fn write(&self) -> Out {
        self.write_as(concat!("gufo/", env!("CARGO_PKG_VERSION")))
    }

    /// The same, of a program of this name and version.
    pub(super) fn write_as(&self, agent: &str) -> Out {
        let mut out = Out::default();
        out.tail().put_slice(MAGIC);
        out.tail().put_slice(&[VERSION, VERSION]);
        frame::put_small(&mut out, Kind::Hello, 0, |out| {
            let mut text = |key: u64, text: &str| {
                wire::put_varint(out, key);
                wire::put_bytes(out, text.as_bytes());
            };
            text(FORMATS, &self.formats.join(","));
            text(COMPRESSIONS, &compress::ACCEPTED.replace(' ', ""));
            text(AGENT, agent);
            for (key, value) in [
                (MESSAGE, self.message as u64),
                (METADATA, self.metadata as u64),
                (CALLS, self.calls.into()),
                (FRAME, self.frame as u64),
                (CREDIT, self.credit.into()),
            ] {
                let mut number = BytesMut::new();
                wire::put_varint(&mut number, value);
                wire::put_varint(out, key);
                wire::put_bytes(out, &number);
            }
        });
        out
    }

    /// Reads the body of a HELLO frame. Settings it does not know are skipped.
    pub(super) fn read(mut body: bytes::Bytes) -> Result<Self, Violation> {
        let mut hello = Self {
            formats: Vec::new(),
            message: 4 << 20,
            metadata: 16 << 10,
            calls: 100,
            credit: 64 << 10,
            frame: 16 << 10,
        };
        let mut count = 0;
        while !body.is_empty() {
            count += 1;
            if count > SETTINGS {
                return Err(Violation("a HELLO has too many settings"));
            }
            let key = wire::varint(&mut body)?;
            let mut value = wire::bytes(&mut body)?;
            match key {
                FORMATS => {
                    let text = std::str::from_utf8(&value)
                        .map_err(|_| Violation("the formats of a HELLO are not UTF-8"))?;
                    hello.formats = text.split(',').map(str::to_owned).collect();
                }
                MESSAGE => hello.message = wire::size(&mut value)?,
                METADATA => hello.metadata = wire::size(&mut value)?,
                CALLS => hello.calls = number(&mut value)?,
                FRAME => hello.frame = wire::size(&mut value)?,
                CREDIT => hello.credit = number(&mut value)?,
                _ => {}
            }
        }
        if hello.frame < MAX_FRAME || hello.credit == 0 {
            return Err(Violation("a HELLO has limits below those of this version"));
        }
        Ok(hello)
    }
}

fn number(value: &mut bytes::Bytes) -> Result<u32, Violation> {
    Ok(u32::try_from(wire::varint(value)?).unwrap_or(u32::MAX))
}

/// Why a connection did not begin.
#[derive(Debug)]
pub(super) enum Refused {
    /// The peer went away or the socket failed.
    Io(io::Error),
    /// The peer speaks something else; these are its first bytes.
    Foreign(Vec<u8>),
    /// The peer speaks versions this side does not.
    Version(u8, u8),
    /// The peer broke the protocol.
    Violation(Violation),
    /// The peer said why it wants no connection.
    Told(bytes::Bytes),
    /// The peer said nothing in time.
    Late,
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Foreign(bytes) => write!(
                f,
                "the peer does not speak gufo's frames; it began with \"{}\"",
                bytes.escape_ascii()
            ),
            Self::Version(low, high) => write!(
                f,
                "the peer speaks versions {low} to {high} of gufo's frames, this side {VERSION}"
            ),
            Self::Violation(violation) => write!(f, "{}", violation.0),
            Self::Told(why) => {
                let why = &why[..why.len().min(LONGEST_REASON)];
                write!(f, "the peer refused: {}", why.escape_ascii())
            }
            Self::Late => f.write_str("the peer did not say hello in time"),
        }
    }
}

/// Reads the peer's preface and HELLO; what comes behind them stays in `buffer`.
pub(super) async fn read(
    socket: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    limit: Duration,
) -> Result<Hello, Refused> {
    match tokio::time::timeout(limit, read_all(socket, buffer)).await {
        Ok(read) => read,
        Err(_) => Err(Refused::Late),
    }
}

pub(super) async fn read_all(
    socket: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> Result<Hello, Refused> {
    while buffer.len() < PREFACE {
        let known = buffer.len().min(MAGIC.len());
        if buffer[..known] != MAGIC[..known] {
            return Err(Refused::Foreign(buffer.to_vec()));
        }
        more(socket, buffer).await?;
    }
    if buffer[..MAGIC.len()] != MAGIC[..] {
        return Err(Refused::Foreign(buffer.to_vec()));
    }
    let (low, high) = (buffer[MAGIC.len()], buffer[MAGIC.len() + 1]);
    if low > VERSION || high < VERSION {
        return Err(Refused::Version(low, high));
    }
    buffer.advance(PREFACE);
    loop {
        match frame::take(buffer).map_err(Refused::Violation)? {
            Ok(frame) if frame.kind == Kind::Hello => {
                return Hello::read(frame.body).map_err(Refused::Violation);
            }
            Ok(frame) if frame.kind == Kind::GoAway => {
                return Err(Refused::Told(frame.body.slice(frame.body.len().min(1)..)));
            }
            Ok(_) => {
                return Err(Refused::Violation(Violation(
                    "the first frame is not a HELLO",
                )));
            }
            Err(_) => more(socket, buffer).await?,
        }
    }
}

async fn more(socket: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut) -> io::Result<()> {
    // As much as its first read gives: a HELLO is small, and the rest of a large one is violation.
    if buffer.len() > MAX_FRAME || socket.read_buf(buffer).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Sends this side's preface and HELLO.
pub(super) async fn send(
    socket: &mut (impl AsyncWrite + Unpin),
    hello: &Hello,
) -> Result<(), Refused> {
    let mut out = hello.write();
    std::future::poll_fn(|cx| out.poll_write(socket, cx)).await?;
    socket.flush().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Hello {
        Hello::new(&Formats::builtin(), &Limits::default())
    }

    #[tokio::test]
    async fn a_hello_comes_back_with_what_follows_it() {
        let (mut here, mut there) = tokio::io::duplex(1024);
        send(&mut here, &hello()).await.expect("open");
        here.write_all(b"rest").await.expect("open");
        drop(here);
        let mut buffer = BytesMut::new();

        let read_hello = read(&mut there, &mut buffer, Duration::from_secs(1))
            .await
            .expect("a hello");

        assert_eq!(read_hello, hello());
        there.read_buf(&mut buffer).await.expect("open");
        assert_eq!(&buffer[..], b"rest");
    }

    #[tokio::test]
    async fn other_protocols_and_versions_are_told_apart() {
        for (bytes, foreign) in [
            (&b"GET / HTTP/1.1\r\n"[..], true),
            (b"GUFO\r\n\x02\x03", false),
        ] {
            let (mut here, mut there) = tokio::io::duplex(1024);
            here.write_all(bytes).await.expect("open");
            let refused = read(&mut there, &mut BytesMut::new(), Duration::from_secs(1)).await;
            match refused {
                Err(Refused::Foreign(_)) => assert!(foreign),
                Err(Refused::Version(2, 3)) => assert!(!foreign),
                other => panic!("{other:?}"),
            }
        }
    }
}
