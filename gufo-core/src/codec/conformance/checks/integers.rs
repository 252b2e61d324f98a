//! Checks of integers.

use super::{
    super::{
        Fields,
        bed::{Bed, Sample},
        messages::{Fraction, Rich, Signed, Small, Unsigned},
    },
    messages_only,
};
use crate::{
    Bytes,
    conformance::{Outcome, Verdict},
};

pub(in super::super) fn extremes(bed: &Bed) -> Verdict {
    messages_only!(bed);
    const ODD: i64 = (1 << 53) + 1;
    for signed in [i64::MIN, -ODD, -1, 0, 1, ODD, i64::MAX] {
        bed.comes_back(&Rich {
            signed,
            zigzag: signed,
            ..Rich::default()
        })?;
    }
    for unsigned in [0, ODD as u64, 1 << 63, u64::MAX - 1, u64::MAX] {
        bed.comes_back(&Rich {
            unsigned,
            fixed: unsigned,
            numbers: vec![unsigned; 3],
            ..Rich::default()
        })?;
    }
    for small in [i32::MIN, -1, 0, i32::MAX] {
        bed.comes_back(&Rich {
            small,
            ..Rich::default()
        })?;
    }
    Ok(Outcome::Passed)
}

pub(in super::super) fn too_large(bed: &Bed) -> Verdict {
    messages_only!(bed);
    let largest = bed.encode(&Unsigned { number: u64::MAX })?;
    let negative = bed.encode(&Signed { number: -1 })?;
    let long = bed.encode(&Signed { number: 1 << 32 })?;
    let fraction = bed.encode(&Fraction { number: 1.5 })?;
    let verdicts = [
        refused::<Signed>(bed, &largest)?,
        refused::<Small>(bed, &largest)?,
        refused::<Unsigned>(bed, &negative)?,
        refused::<Small>(bed, &long)?,
        refused::<Signed>(bed, &fraction)?,
    ];
    let all = verdicts.iter().all(|outcome| *outcome == Outcome::Passed);
    Ok(if all {
        Outcome::Passed
    } else {
        Outcome::NotDeclared
    })
}

fn refused<T: Sample>(bed: &Bed, bytes: &Bytes) -> Verdict {
    if bed.capabilities().fields == Fields::Named {
        bed.refused::<T>(bytes)?;
        return Ok(Outcome::Passed);
    }
    bed.refused_or_sound::<T>(bytes)?;
    Ok(Outcome::NotDeclared)
}
