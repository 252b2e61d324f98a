//! Back-off: how long to wait before the next attempt.

use std::{sync::Arc, time::Duration};

use gufo_core::random::{Random, jitter};

/// The first wait and the longest, before jitter, where calls wait for the outcome.
const EAGER: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// The same where calls go on meanwhile, over something less good.
const PATIENT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// What each wait is longer than the one before.
const FACTOR: f64 = 1.6;
/// How far chance moves a wait in either direction, so that clients do not come back together.
const JITTER: f64 = 0.2;
/// How long a success must last to start over. A peer that accepts and hangs up at once would be
/// asked in a busy loop otherwise.
const STABLE: Duration = Duration::from_secs(1);

/// Growing, jittered waits between attempts.
#[derive(Debug)]
pub(crate) struct Backoff {
    random: Arc<dyn Random>,
    first: Duration,
    last: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits from 100 ms to 10 s.
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self::between(EAGER, random)
    }

    /// Waits from 1 s to 1 min.
    pub(crate) fn patient(random: Arc<dyn Random>) -> Self {
        Self::between(PATIENT, random)
    }

    fn between((first, last): (Duration, Duration), random: Arc<dyn Random>) -> Self {
        Self {
            random,
            first,
            last,
            next: first,
        }
    }

    /// Whether a success that lasted this long counts as one.
    pub(crate) fn is_stable(lasted: Duration) -> bool {
        lasted >= STABLE
    }

    /// Forgets the failures.
    pub(crate) const fn start_over(&mut self) {
        self.next = self.first;
    }

    /// Waits after a failed attempt.
    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.advance()).await;
    }

    /// Waits after a success that lasted this long; one that lasted well starts over without a
    /// wait.
    pub(crate) async fn wait_after(&mut self, lasted: Duration) {
        if Self::is_stable(lasted) {
            self.start_over();
        } else {
            self.wait().await;
        }
    }

    fn advance(&mut self) -> Duration {
        let wait = jitter(&*self.random, self.next, JITTER);
        self.next = self.next.mul_f64(FACTOR).min(self.last);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gufo_core::random::SplitMix;

    /// Chance that changes nothing.
    #[derive(Debug)]
    struct Middle;

    impl Random for Middle {
        fn next_u64(&self) -> u64 {
            1 << 63
        }
    }

    #[test]
    fn waits_follow_their_table() {
        let mut backoff = Backoff::new(Arc::new(Middle));

        let waits: Vec<_> = (0..12).map(|_| backoff.advance().as_millis()).collect();

        assert_eq!(
            waits,
            [
                100, 160, 256, 409, 655, 1048, 1677, 2684, 4294, 6871, 10_000, 10_000
            ]
        );
    }

    #[test]
    fn jitter_stays_within_a_fifth_and_uses_it() {
        let seed = 7;
        let waits = |seed| {
            let mut backoff = Backoff::new(Arc::new(SplitMix::new(seed)));
            (0..500)
                .map(|_| backoff.advance().as_secs_f64())
                .skip(10)
                .collect::<Vec<_>>()
        };

        let drawn = waits(seed);

        assert!(drawn.iter().all(|wait| (8.0..=12.0).contains(wait)));
        assert!(drawn.iter().any(|wait| *wait < 8.5), "seed {seed}");
        assert!(drawn.iter().any(|wait| *wait > 11.5), "seed {seed}");
        assert_eq!(drawn, waits(seed));
        assert_ne!(drawn, waits(seed + 1));
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_success_that_lasts_starts_over() {
        let mut backoff = Backoff::new(Arc::new(Middle));
        backoff.wait().await;

        backoff.wait_after(Duration::from_millis(999)).await;
        assert_eq!(backoff.next.as_millis(), 256);
        let before = tokio::time::Instant::now();
        backoff.wait_after(Duration::from_secs(1)).await;

        assert_eq!(before.elapsed(), Duration::ZERO);
        assert_eq!(backoff.next, EAGER.0);
    }
}
