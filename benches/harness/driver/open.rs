//! The open loop: calls begin by the clock, whether or not earlier ones were answered.
//!
//! Latency counts from the moment a call was due, not from the moment it was sent: a load generator or a server that
//! falls behind makes every call it delays slow, and hides nothing. The pacer never sleeps, since timers of the
//! runtime are a thousand times coarser than the gaps; it needs a core of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use bytes::Bytes;

use super::Window;
use super::board::{Board, Phase};
use crate::Result;
use crate::load::{DriveJob, Measurement};
use crate::peer::Caller;

/// Beyond so many unanswered calls the pacer waits, which the latencies of the delayed calls show.
const MOST_IN_FLIGHT: usize = 20_000;
/// Calls that are not answered so long after the last one was due are errors.
const LATEST: Duration = Duration::from_secs(2);

pub(super) async fn measure<C: Caller>(
    callers: &[C],
    job: &DriveJob,
    rate: f64,
    server: &[u32],
) -> Result<Measurement> {
    let board = Arc::new(Board::new()?);
    let in_flight = Arc::new(AtomicUsize::new(0));
    let body = Bytes::from(vec![0x5a; job.scenario.payload]);
    let schedule = Schedule {
        started: Instant::now(),
        rate,
    };

    let mut begun = 0;
    let mut window = None;
    let ends = job.warm_up + job.measured;
    loop {
        let now = schedule.started.elapsed();
        if window.is_none() && now >= job.warm_up {
            window = Some(Window::open(server)?);
            board.enter(Phase::Measuring);
        }
        while begun < schedule.due(now.min(ends))
            && in_flight.load(Ordering::Relaxed) < MOST_IN_FLIGHT
        {
            let call = Call {
                due: schedule.of(begun),
                counts: board.phase() == Phase::Measuring,
                board: Arc::clone(&board),
                in_flight: Arc::clone(&in_flight),
            };
            in_flight.fetch_add(1, Ordering::Relaxed);
            let caller = callers[begun as usize % callers.len()].clone();
            tokio::spawn(call.run(caller, body.clone()));
            begun += 1;
        }
        if now >= ends {
            break;
        }
        tokio::task::yield_now().await;
    }
    let mut measurement = window
        .ok_or("the measured time was over before it began")?
        .close(server)?;
    if measurement.elapsed < job.measured.mul_f64(0.9) {
        return Err(format!(
            "the load generator stood still: {:?} are left of the measured time",
            measurement.elapsed
        )
        .into());
    }

    let gave_up = Instant::now() + LATEST;
    while in_flight.load(Ordering::Relaxed) > 0 && Instant::now() < gave_up {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    board.enter(Phase::Over);
    board.fill(&mut measurement);
    measurement.offered = Some(rate);
    let unanswered = in_flight.load(Ordering::Relaxed) as u64;
    measurement.errors += unanswered + schedule.due(ends).saturating_sub(begun);
    Ok(measurement)
}

/// One call with what it writes its end on.
struct Call {
    due: Instant,
    /// Whether it was due in the measured window.
    counts: bool,
    board: Arc<Board>,
    in_flight: Arc<AtomicUsize>,
}

impl Call {
    async fn run(self, mut caller: impl Caller, body: Bytes) {
        let expected = body.len();
        let outcome = caller.unary(body).await;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        if self.counts && self.board.phase() == Phase::Measuring {
            self.board.record(self.due.elapsed(), &outcome, expected);
        }
    }
}

/// Equal gaps from the start on.
struct Schedule {
    started: Instant,
    /// Per second.
    rate: f64,
}

impl Schedule {
    /// How many calls are due by now.
    fn due(&self, now: Duration) -> u64 {
        (now.as_secs_f64() * self.rate) as u64
    }

    /// When the call of this number, from zero, is due.
    fn of(&self, number: u64) -> Instant {
        self.started + Duration::from_secs_f64((number + 1) as f64 / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_due_when_its_time_has_come_and_not_before() {
        let schedule = Schedule {
            started: Instant::now(),
            rate: 1000.0,
        };

        assert_eq!(schedule.due(Duration::from_micros(999)), 0);
        assert_eq!(schedule.due(Duration::from_micros(2500)), 2);
        assert_eq!(schedule.of(0) - schedule.started, Duration::from_millis(1));
        assert_eq!(schedule.of(9) - schedule.started, Duration::from_millis(10));
    }
}
