//! The check of what has been settled.

use super::super::{
    bed::{Bed, Shown},
    messages::{Rich, sample},
};
use super::bytes::passes_unchanged;
use crate::conformance::{Failure, Outcome, Verdict, ensure, ensure_eq};

pub(in super::super) fn golden_bytes(bed: &Bed) -> Verdict {
    let encode = || match bed.suite.sample() {
        Ok(bytes) => Ok(bytes),
        Err(status) => Err(Failure::new(format!("cannot encode: {status:?}"))),
    };
    let encoded = encode()?;
    ensure_eq!(encode()?, encoded, "a second encoding");
    let Some(golden) = &bed.suite.golden else {
        return Ok(Outcome::NotDeclared);
    };
    ensure!(
        encoded == *golden,
        "the sample is now {} and was {}",
        Shown(&encoded),
        Shown(golden)
    );
    if bed.is_raw() {
        passes_unchanged(bed, golden)?;
    } else {
        ensure_eq!(bed.accepted::<Rich>(golden)?, sample(), "the golden bytes");
    }
    Ok(Outcome::Passed)
}
