//! Checks of messages that nest too deep.

use super::{
    super::{
        Failure, Outcome,
        bed::{Bed, Shown},
        failure::ensure,
        messages::{Nested, Skipping},
        report::Verdict,
    },
    messages_only,
};
use crate::{Bytes, Format};

/// How deep a bomb is.
const DEPTH: usize = 10_000;
/// Half of what a thread has by default.
const MOST_STACK: usize = 1 << 20;

pub(in super::super) fn bombs(bed: &Bed) -> Verdict {
    messages_only!(bed);
    for bomb in made(bed)? {
        let (read, used) = bed.stack_of::<Nested>(&bomb.bytes)?;
        bounded(&bomb.bytes, used)?;
        ensure!(
            read.is_none() || !bomb.too_deep,
            "a message nested {DEPTH} deep is read: {}",
            Shown(&bomb.bytes)
        );
    }
    Ok(Outcome::Passed)
}

pub(in super::super) fn skipped_bombs(bed: &Bed) -> Verdict {
    messages_only!(bed);
    for bomb in made(bed)? {
        let (_, used) = bed.stack_of::<Skipping>(&bomb.bytes)?;
        bounded(&bomb.bytes, used)?;
    }
    Ok(Outcome::Passed)
}

fn bounded(bytes: &Bytes, used: usize) -> Result<(), Failure> {
    ensure!(
        used <= MOST_STACK,
        "reading {} takes {used} bytes of stack",
        Shown(bytes)
    );
    Ok(())
}

struct Bomb {
    bytes: Bytes,
    /// Nested as deep as no format allows; a codec that cannot write so deep is given less.
    too_deep: bool,
}

fn made(bed: &Bed) -> Result<Vec<Bomb>, Failure> {
    let given = bed.suite.bombs.iter().cloned();
    let known: Vec<Vec<u8>> = match bed.format() {
        Format::Json => vec![repeated(br#"{"children":["#, b"]}")],
        Format::MessagePack => vec![
            repeated(b"\x81\xa8children\x91", b""),
            [b"\x81\xa8children".to_vec(), repeated(b"\x91", b"")].concat(),
        ],
        // Messages with a length, and groups, which have none.
        Format::Protobuf => vec![
            lengths(),
            repeated(b"\x0b", b"\x0c"),
            repeated(b"\x13", b"\x14"),
        ],
        _ => Vec::new(),
    };
    let mut bombs: Vec<_> = known
        .into_iter()
        .map(Bytes::from)
        .chain(given)
        .map(|bytes| Bomb {
            bytes,
            too_deep: true,
        })
        .collect();
    if let Format::Custom(_) = bed.format() {
        bombs.push(written(bed)?);
    }
    Ok(bombs)
}

/// The deepest message of some that the codec writes.
fn written(bed: &Bed) -> Result<Bomb, Failure> {
    for depth in [DEPTH, 1_000, 300, 100, 30] {
        if let Ok(bytes) = bed.try_encode(&Nested::deep(depth)) {
            return Ok(Bomb {
                bytes,
                too_deep: depth == DEPTH,
            });
        }
    }
    Err(Failure::new("the codec writes no message nested 30 deep"))
}

fn repeated(open: &[u8], close: &[u8]) -> Vec<u8> {
    [open.repeat(DEPTH), close.repeat(DEPTH)].concat()
}

/// Protobuf: field 1 with the length of what is inside, inside out.
fn lengths() -> Vec<u8> {
    let mut reversed = Vec::new();
    for _ in 0..DEPTH {
        let mut field = vec![0x0a];
        let mut length = reversed.len();
        while length > 0x7f {
            field.push(length as u8 | 0x80);
            length >>= 7;
        }
        field.push(length as u8);
        reversed.extend(field.into_iter().rev());
    }
    reversed.reverse();
    reversed
}
