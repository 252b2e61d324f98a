//! Back-off: how long to wait before the next attempt.

use std::{sync::Arc, time::Duration};

use gufo_core::random::{Random, jitter};

/// The first wait.
const FIRST: Duration = Duration::from_millis(100);
/// What each wait is longer than the one before.
const FACTOR: f64 = 1.6;
/// The longest wait, before jitter.
const LAST: Duration = Duration::from_secs(10);
/// How far chance moves a wait in either direction, so that clients do not come back together.
const JITTER: f64 = 0.2;
/// How long a success must last to start over. A peer that accepts and hangs up at once would be
/// asked in a busy loop otherwise.
const STABLE: Duration = Duration::from_secs(1);

/// Growing, jittered waits between attempts.
#[derive(Debug)]
pub(crate) struct Backoff {
    random: Arc<dyn Random>,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self {
            random,
            next: FIRST,
        }
    }

    /// Waits after a failed attempt.
    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.advance()).await;
    }

    /// Waits after a success that lasted this long; one that lasted well starts over without a
    /// wait.
    pub(crate) async fn wait_after(&mut self, lasted: Duration) {
        if lasted >= STABLE {
            self.next = FIRST;
        } else {
            self.wait().await;
        }
    }

    fn advance(&mut self) -> Duration {
        let wait = jitter(&*self.random, self.next, JITTER);
        self.next = self.next.mul_f64(FACTOR).min(LAST);
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
        assert_eq!(backoff.next, FIRST);
    }
}
