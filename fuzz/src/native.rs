//! The native transport: its frames, and whole connections of it.

use gufo_core::Code;
use gufo_transport::fuzzing::native;

use crate::wire::chunks;

const LIMIT: usize = 1024;

const DEFINE: u8 = 2;
const REPLY: u8 = 6;
const END: u8 = 7;

/// The first bytes choose how the rest is split; the frames are the same as in one piece.
pub(crate) fn frames(input: &[u8]) {
    let (stream, chunks) = chunks(input);
    let (whole, why) = native::frames(&[stream]);
    let (split, split_why) = native::frames(&chunks);
    assert_eq!(split, whole);
    assert_eq!(split_why, why);
    // What was cut is what lies there, of the kinds there are.
    let mut rest = stream;
    for (kind, call, body) in &whole {
        let (found, length, after) = loop {
            let (found, length, after) = head(rest).expect("a head");
            rest = &after[length..];
            if (1..=12).contains(&found.0) {
                break (found, length, after);
            }
        };
        assert_eq!(found, (*kind, *call));
        assert_eq!(after[..length], body[..]);
        assert!(length <= native::MAX_FRAME);
    }
    // What is left is one that is not whole or too long, behind some of unknown kinds.
    while let Some((found, length, after)) = head(rest) {
        if length > native::MAX_FRAME {
            assert!(why.is_some());
            return;
        }
        if length > after.len() {
            break;
        }
        assert!(!(1..=12).contains(&found.0), "a frame was left out");
        rest = &after[length..];
    }
    assert_eq!(why, None);
}

type Head<'a> = ((u8, u32), usize, &'a [u8]);

/// Kind and call, the length and what follows.
fn head(bytes: &[u8]) -> Option<Head<'_>> {
    let (head, after) = bytes.split_first_chunk::<8>()?;
    let [a, b, c, kind, d, e, f, g] = *head;
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    Some(((kind, u32::from_be_bytes([d, e, f, g])), length, after))
}

/// A preface and a HELLO: what is legal is written again the same, and nothing behind it is read.
pub(crate) fn hello(input: &[u8]) {
    let Ok((written, rest)) = native::hello(input) else {
        return;
    };
    assert!(rest <= input.len() - 8);
    let again = native::hello(&written).expect("it was legal");
    assert_eq!(again, (written, 0));
    let shorter = native::hello(&input[..input.len() - rest]);
    assert_eq!(shorter.map(|(_, rest)| rest), Ok(0));
}

/// The body of an OPEN: the message is what stands at its end, and any other comes out as well.
pub(crate) fn open(input: &[u8]) {
    let Ok(opened) = native::open(input, LIMIT) else {
        return;
    };
    assert!(input.ends_with(&opened.message));
    if let Err(code) = opened.metadata {
        assert!([Code::InvalidArgument, Code::ResourceExhausted].contains(&code));
    }
    let head = &input[..input.len() - opened.message.len()];
    let other = native::open(&[head, b"owl"].concat(), LIMIT).expect("the head is legal");
    assert_eq!(other.message, "owl");
    assert_eq!(
        (other.method, other.format, other.metadata),
        (opened.method, opened.format, opened.metadata)
    );
    // A head is no head without its last byte.
    if let Some((_, shorter)) = head.split_last() {
        assert!(native::open(shorter, LIMIT).is_err());
    }
}

/// Definitions and the body of an END behind them.
pub(crate) fn end(input: &[u8]) {
    outcome(END, input);
}

/// Definitions and the body of a REPLY behind them.
pub(crate) fn reply(input: &[u8]) {
    outcome(REPLY, input);
}

/// The first byte says how many names of metadata are defined by the lines that follow it. What
/// comes out and is written reads the same once more.
fn outcome(kind: u8, input: &[u8]) {
    let Some((count, mut rest)) = input.split_first() else {
        return;
    };
    let mut frames = Vec::new();
    for _ in 0..count % 8 {
        let line = rest.iter().position(|byte| *byte == b'\n');
        let (name, after) = rest.split_at(line.unwrap_or(rest.len()));
        put(&mut frames, DEFINE, &[&[2], name].concat());
        rest = after.get(1..).unwrap_or_default();
    }
    put(&mut frames, kind, rest);
    let Ok(Some((code, written))) = native::outcome(&frames, LIMIT) else {
        return;
    };
    assert!(code <= 16);
    let again = native::outcome(&written, LIMIT).expect("it was legal");
    assert_eq!(again, Some((code, written)));
}

fn put(frames: &mut Vec<u8>, kind: u8, body: &[u8]) {
    let length = u32::try_from(body.len()).expect("inputs are small");
    frames.extend_from_slice(&(length << 8 | u32::from(kind)).to_be_bytes());
    frames.extend_from_slice(&7_u32.to_be_bytes());
    frames.extend_from_slice(body);
}

/// A block of metadata: what is legal is written again the same, under the limit.
pub(crate) fn metadata(input: &[u8]) {
    match native::metadata(input, LIMIT) {
        Ok(Ok(written)) => {
            let again = native::metadata(&written, LIMIT);
            assert_eq!(again, Ok(Ok(written)));
        }
        Ok(Err(code)) => {
            assert!([Code::InvalidArgument, Code::ResourceExhausted].contains(&code));
        }
        Err(_) => {}
    }
}

/// Definitions and credit: frames of these two kinds, whatever they say.
pub(crate) fn numbers(input: &[u8]) {
    if let Some((number, used)) = native::number(input) {
        let written = native::write_number(number);
        assert!(written.len() <= used && used <= 10);
        assert_eq!(native::number(&written), Some((number, written.len())));
    }
    let mut frames = Vec::new();
    for line in input.split(|byte| *byte == b'\n') {
        put(&mut frames, DEFINE, line);
    }
    // The last name defined has the last number, and one more has none.
    let defined = input.split(|byte| *byte == b'\n');
    let names = defined.filter(|line| line.first() == Some(&2)).count() as u64;
    for (number, legal) in [(names, names > 0), (names + 1, false)] {
        let mut body = vec![0x40];
        let block = [&[1][..], &native::write_number(number), b"\x01x"].concat();
        body.extend(native::write_number(block.len() as u64));
        body.extend(block);
        body.push(0);
        let mut all = frames.clone();
        put(&mut all, END, &body);
        let read = native::outcome(&all, 1 << 20);
        if read.is_ok() {
            assert!(legal, "number {number} of {names}");
        } else if legal {
            // Some definition is illegal, or the zero that texts have.
            assert!(native::outcome(&frames, 1 << 20).is_err(), "{read:?}");
        }
    }
}
