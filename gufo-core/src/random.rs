//! Randomness as a seam: code that needs chance takes a [`Random`], tests and simulations pass a seeded one.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A source of random numbers, good for jitter, balancing and ids; **not** for keys or tokens.
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// The next 64 bits.
    fn next_u64(&self) -> u64;

    /// A number below `bound`, evenly spread; 0 when `bound` is 0.
    fn below(&self, bound: u64) -> u64 {
        // The high half of a widening product: its bias is below bound / 2^64.
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from 0 (included) to 1 (excluded).
    fn unit(&self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// SplitMix64: fast, without a lock, the same sequence for the same seed.
pub struct SplitMix(AtomicU64);

impl SplitMix {
    /// Starts the sequence of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Starts at a seed that differs between processes and between calls.
    #[must_use]
    pub fn from_entropy() -> Self {
        Self::new(RandomState::new().hash_one("gufo"))
    }
}

impl Default for SplitMix {
    fn default() -> Self {
        Self::from_entropy()
    }
}

impl Random for SplitMix {
    fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl fmt::Debug for SplitMix {
    // Shows the position, so that a failure can be replayed from it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SplitMix({:#018x})", self.0.load(Ordering::Relaxed))
    }
}

/// `duration` moved by chance, by at most `fraction` of it in either direction; `fraction` is held between 0 and 1.
pub fn jitter(random: &dyn Random, duration: Duration, fraction: f64) -> Duration {
    let fraction = fraction.clamp(0.0, 1.0);
    let factor = 1.0 + fraction * (2.0 * random.unit() - 1.0);
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(duration)
}

/// A fresh id of 32 hexadecimal digits.
pub fn id(random: &dyn Random) -> String {
    format!("{:016x}{:016x}", random.next_u64(), random.next_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let draw = |seed| {
            let random = SplitMix::new(seed);
            [random.next_u64(), random.next_u64(), random.next_u64()]
        };

        // The published first outputs of SplitMix64 for seed 0.
        assert_eq!(
            draw(0),
            [
                0xe220_a839_7b1d_cdaf,
                0x6e78_9e6a_a1b9_65f4,
                0x06c4_5d18_8009_454f
            ]
        );
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn entropy_differs_between_calls() {
        assert_ne!(
            SplitMix::from_entropy().next_u64(),
            SplitMix::from_entropy().next_u64()
        );
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_every_value() {
        let random = SplitMix::new(1);
        let mut seen = [false; 6];

        for _ in 0..1_000 {
            seen[usize::try_from(random.below(6)).unwrap()] = true;
        }

        assert_eq!(seen, [true; 6]);
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn jitter_stays_within_its_fraction() {
        let random = SplitMix::new(1);
        let base = Duration::from_secs(10);

        let drawn: Vec<_> = (0..1_000).map(|_| jitter(&random, base, 0.2)).collect();

        assert!(
            drawn
                .iter()
                .all(|d| (8.0..=12.0).contains(&d.as_secs_f64()))
        );
        assert!(drawn.iter().any(|d| *d < Duration::from_secs(9)));
        assert!(drawn.iter().any(|d| *d > Duration::from_secs(11)));
        assert_eq!(jitter(&random, base, 0.0), base);
    }
}
