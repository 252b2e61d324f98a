//! The check of memory.

use std::collections::BTreeMap;

use super::{
    super::{
        bed::{Bed, Shown},
        messages::Claims,
    },
    messages_only,
};
use crate::{
    Bytes,
    conformance::{Failure, Outcome, Verdict, ensure},
};

/// What reading some forty bytes may hold at once. serde's own vectors start with up to 1 MiB.
const MOST: u64 = 4 << 20;

/// What a length may look like behind its marker: as long as numbers get, and 4 GiB, whichever end
/// comes first, and as varints.
const LENGTHS: [&[u8]; 7] = [
    &[0xff; 8],
    &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
];

/// Whatever the format is, one of these states a length: every byte of a message is replaced by
/// every other and followed by lengths.
pub(in super::super) fn stated_length(bed: &Bed) -> Verdict {
    messages_only!(bed);
    let message = Claims {
        t: "t".into(),
        b: vec![7],
        n: vec![1],
        m: BTreeMap::from([("k".into(), 1)]),
    };
    let whole = bed.encode(&message)?;
    for place in 0..whole.len() {
        for marker in 0..=u8::MAX {
            for length in LENGTHS {
                let before = &whole[..place];
                modest(bed, &[before, &[marker], length].concat().into())?;
            }
        }
    }
    Ok(Outcome::Passed)
}

fn modest(bed: &Bed, bytes: &Bytes) -> Result<(), Failure> {
    let mut decoded = Ok(None);
    let mut decode = || decoded = bed.decode::<Claims>(bytes);
    let held = match bed.suite.meter {
        Some(meter) => meter(&mut decode),
        None => {
            decode();
            0
        }
    };
    decoded?;
    ensure!(held <= MOST, "decoding {} held {held} bytes", Shown(bytes));
    Ok(())
}
