//! Checks of messages that nest too deep.

use std::thread;

use super::{
    super::{
        bed::{Bed, Sample, Shown, panic_text},
        messages::{Nested, Skipping},
    },
    messages_only,
};
use crate::{
    Bytes, Format,
    conformance::{Failure, Outcome, Verdict, ensure},
};

/// How deep a bomb is.
const DEPTH: usize = 10_000;
/// What a thread has by default.
const STACK: usize = 2 << 20;
/// What reading may take of it.
const MOST_STACK: usize = STACK / 2;

pub(in super::super) fn bombs(bed: &Bed) -> Verdict {
    messages_only!(bed);
    for bomb in made(bed)? {
        let read = read_within_bounds::<Nested>(bed, &bomb.bytes)?;
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
        read_within_bounds::<Skipping>(bed, &bomb.bytes)?;
    }
    Ok(Outcome::Passed)
}

/// Reads on the large stack of the check first, which measures what is needed, and then on an
/// ordinary one, for codecs whose recursion does not pass through messages.
fn read_within_bounds<T: Sample + Send>(bed: &Bed, bytes: &Bytes) -> Result<Option<T>, Failure> {
    let (_, used) = bed.stack_of::<T>(bytes)?;
    ensure!(
        used <= MOST_STACK,
        "reading {} takes {used} bytes of stack",
        Shown(bytes)
    );
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK);
        match thread.spawn_scoped(scope, || bed.decode::<T>(bytes)) {
            Ok(reading) => reading
                .join()
                .unwrap_or_else(|panic| Err(Failure::new(panic_text(&*panic)))),
            Err(error) => Err(Failure::new(format!("cannot start a thread: {error}"))),
        }
    })
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
