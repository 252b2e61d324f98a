//! Checks of input that no codec wrote.

use super::{
    super::{
        EmptyBody, End,
        bed::{Bed, Sample},
        messages::{Claims, Empty, Nested, Rich, sample},
    },
    bytes::passes_unchanged,
};
use crate::{
    Bytes,
    conformance::{Failure, Outcome, Verdict},
    random::Random,
};

/// How many inputs a check makes by chance, of each kind.
const ROUNDS: usize = 2_000;

pub(in super::super) fn truncated(bed: &Bed) -> Verdict {
    if bed.is_raw() {
        return anything_passes(bed);
    }
    truncated_anywhere(bed, &sample())?;
    truncated_anywhere(bed, &Nested::deep(10))?;
    Ok(Outcome::Passed)
}

fn truncated_anywhere<T: Sample>(bed: &Bed, message: &T) -> Result<(), Failure> {
    let whole = bed.encode(message)?;
    for length in 0..whole.len() {
        let part = whole.slice(..length);
        let may_be_whole = match bed.capabilities().end {
            End::OfBytes => true,
            End::Marked => part.is_empty() && bed.capabilities().empty_body == EmptyBody::Message,
        };
        if may_be_whole {
            bed.refused_or_sound::<T>(&part)?;
        } else {
            bed.refused::<T>(&part)?;
        }
    }
    Ok(())
}

pub(in super::super) fn followed(bed: &Bed) -> Verdict {
    if bed.is_raw() {
        return anything_passes(bed);
    }
    for message in [Rich::default(), sample()] {
        let whole = bed.encode(&message)?;
        // No tag of any format: a varint without an end.
        followed_by(bed, &whole, &[0xff; 11])?;
        if bed.capabilities().end == End::Marked {
            for more in [&[0][..], b"!", b"\xc0", &whole] {
                followed_by(bed, &whole, more)?;
            }
        }
    }
    Ok(Outcome::Passed)
}

fn followed_by(bed: &Bed, whole: &Bytes, more: &[u8]) -> Result<(), Failure> {
    bed.refused::<Rich>(&[whole, more].concat().into())
}

pub(in super::super) fn mutated(bed: &Bed) -> Verdict {
    if bed.is_raw() {
        return anything_passes(bed);
    }
    let random = bed.random();
    let whole = bed.encode(&sample())?;
    let nested = bed.encode(&Nested::deep(10))?;
    for round in 0..ROUNDS {
        bed.refused_or_sound::<Rich>(&damaged(&random, &whole, 1 + round % 4))?;
        bed.refused_or_sound::<Nested>(&damaged(&random, &nested, 1 + round % 4))?;
    }
    Ok(Outcome::Passed)
}

/// The bytes with some of them changed, left out or doubled.
fn damaged(random: &dyn Random, bytes: &[u8], times: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    for _ in 0..times {
        let place = random.below(bytes.len() as u64) as usize;
        match random.below(4) {
            0 => drop(bytes.remove(place)),
            1 => bytes.insert(place, bytes[place]),
            2 => bytes[place] ^= 1 << random.below(8),
            _ => bytes[place] = random.next_u64() as u8,
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes.into()
}

pub(in super::super) fn noise(bed: &Bed) -> Verdict {
    if bed.is_raw() {
        return anything_passes(bed);
    }
    let random = bed.random();
    for _ in 0..ROUNDS {
        let bytes = some_noise(&random, 1);
        bed.refused_or_sound::<Rich>(&bytes)?;
        bed.refused_or_sound::<Claims>(&bytes)?;
        bed.refused_or_sound::<Empty>(&bytes)?;
        bed.refused_or_sound::<Nested>(&bytes)?;
    }
    Ok(Outcome::Passed)
}

fn some_noise(random: &dyn Random, least: u64) -> Bytes {
    let length = least + random.below(256);
    (0..length).map(|_| random.next_u64() as u8).collect()
}

/// The raw format has no wrong bytes.
fn anything_passes(bed: &Bed) -> Verdict {
    let random = bed.random();
    for _ in 0..100 {
        passes_unchanged(bed, &some_noise(&random, 0))?;
    }
    Ok(Outcome::Passed)
}
