//! The check of what has been settled.

use super::super::{
    Failure, Outcome,
    bed::{Bed, Shown},
    failure::{ensure, ensure_eq},
    messages::{Rich, sample},
    report::Verdict,
};
use super::bytes::passes_unchanged;

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
