//! Where all calls in flight write what became of them.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hdrhistogram::Histogram;

use crate::Result;
use crate::load::{Latency, Measurement};

/// Latencies beyond this count as this: a minute, in nanoseconds.
const SLOWEST: u64 = 60_000_000_000;

/// Counts and latencies of one measurement.
pub(super) struct Board {
    phase: AtomicU8,
    errors: AtomicU64,
    /// Nanoseconds.
    latencies: Mutex<Histogram<u64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    WarmingUp,
    Measuring,
    Over,
}

impl Board {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            phase: AtomicU8::new(Phase::WarmingUp as u8),
            errors: AtomicU64::new(0),
            // Without bounds a histogram starts at two nanoseconds and cannot grow while it saturates.
            latencies: Mutex::new(Histogram::new_with_max(SLOWEST, 3)?),
        })
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::WarmingUp,
            1 => Phase::Measuring,
            _ => Phase::Over,
        }
    }

    /// Counts a right answer with its latency, anything else as an error.
    pub(super) fn record(&self, latency: Duration, outcome: &Result<Bytes>, expected: usize) {
        if !outcome.as_ref().is_ok_and(|reply| reply.len() == expected) {
            self.errors.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .saturating_record(nanos);
    }

    /// Writes the counts into a measurement.
    pub(super) fn fill(&self, measurement: &mut Measurement) {
        let latencies = self
            .latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        measurement.completed = latencies.len();
        measurement.errors = self.errors.load(Ordering::Relaxed);
        measurement.latency = Some(Latency::of(&latencies));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_and_a_failure_are_errors_without_a_latency() {
        let board = Board::new().unwrap();
        let latency = Duration::from_micros(5);

        board.record(latency, &Ok(Bytes::from_static(b"owl")), 3);
        board.record(latency, &Ok(Bytes::from_static(b"owls")), 3);
        board.record(latency, &Err("gone".into()), 3);

        assert_eq!(board.errors.load(Ordering::Relaxed), 2);
        let latencies = board.latencies.lock().unwrap();
        assert_eq!(latencies.len(), 1);
        assert!(latencies.max().abs_diff(5000) < 10, "{}", latencies.max());
    }

    #[test]
    fn a_board_is_in_the_phase_it_entered() {
        let board = Board::new().unwrap();

        assert_eq!(board.phase(), Phase::WarmingUp);
        for phase in [Phase::Measuring, Phase::Over] {
            board.enter(phase);
            assert_eq!(board.phase(), phase);
        }
    }
}
