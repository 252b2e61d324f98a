//! Checks of bodies that are empty, or bytes.

use super::super::{
    EmptyBody,
    bed::Bed,
    messages::{Empty, Older, Rich, all_bytes},
};
use crate::{
    Bytes, Wire,
    codec::Raw,
    conformance::{Failure, Outcome, Verdict, ensure_eq},
    random::Random,
};

pub(in super::super) fn empty_body(bed: &Bed) -> Verdict {
    let nothing = Bytes::new();
    if bed.is_raw() {
        passes_unchanged(bed, &nothing)?;
        return Ok(Outcome::Passed);
    }
    match bed.capabilities().empty_body {
        EmptyBody::Message => {
            ensure_eq!(bed.accepted::<Empty>(&nothing)?, Empty {}, "nothing");
            ensure_eq!(bed.accepted::<Rich>(&nothing)?, Rich::default(), "nothing");
            Ok(Outcome::Passed)
        }
        EmptyBody::Refused => {
            bed.refused::<Rich>(&nothing)?;
            bed.refused::<Older>(&nothing)?;
            Ok(Outcome::NotDeclared)
        }
    }
}

pub(in super::super) fn bytes_survive(bed: &Bed) -> Verdict {
    let random = bed.random();
    let noise: Vec<u8> = (0..100_000).map(|_| random.next_u64() as u8).collect();
    for blob in [
        vec![],
        vec![0],
        vec![0; 300],
        all_bytes(),
        b"{}".to_vec(),
        noise,
    ] {
        passes_unchanged(bed, &blob.clone().into())?;
        if !bed.is_raw() {
            bed.comes_back(&Rich {
                blob,
                ..Rich::default()
            })?;
        }
    }
    Ok(Outcome::Passed)
}

/// Bytes that are not to be understood pass in every format.
pub(super) fn passes_unchanged(bed: &Bed, bytes: &Bytes) -> Result<(), Failure> {
    let passed = Raw::encode(bytes, bed.format()).and_then(|out| Raw::decode(out, bed.format()));
    match passed {
        Ok(passed) => ensure_eq!(passed, *bytes, "raw bytes that passed"),
        Err(status) => return Err(Failure::new(format!("raw bytes are refused: {status:?}"))),
    }
    Ok(())
}
