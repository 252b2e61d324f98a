//! The closed loop: every caller in flight sends its next request when the answer to the last one is there.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::Result;
use crate::load::{DriveJob, Latency, Measurement};
use crate::peers::{Caller, Peer};
use crate::procfs;
use crate::scenario::Shape;

/// Waiting for the last answers, and for a stream as a whole, ends here.
const PATIENCE: Duration = Duration::from_secs(60);
/// Latencies beyond this count as this: a minute, in nanoseconds.
const SLOWEST: u64 = 60_000_000_000;
/// Messages of the short stream that warms up the long one.
const STREAM_WARM_UP: u64 = 20_000;

/// Connects as the scenario says and measures it.
pub(crate) async fn drive<P: Peer>(
    job: &DriveJob,
    address: &str,
    server: u32,
) -> Result<Measurement> {
    let mut callers = Vec::new();
    for _ in 0..job.scenario.connections {
        callers.push(P::connect(address).await?);
    }
    let measured = async {
        match job.scenario.shape {
            Shape::Unary => unary(callers, job, server).await,
            Shape::Stream { messages } => stream(callers, job, messages, server).await,
        }
    };
    tokio::time::timeout(PATIENCE + job.measured, measured).await?
}

async fn unary<C: Caller>(callers: Vec<C>, job: &DriveJob, server: u32) -> Result<Measurement> {
    let board = Arc::new(Board::new()?);
    let body = Bytes::from(vec![0x5a; job.scenario.payload]);
    let workers: Vec<_> = (0..job.scenario.concurrency)
        .map(|index| {
            let caller = callers[index % callers.len()].clone();
            tokio::spawn(repeat(caller, body.clone(), Arc::clone(&board)))
        })
        .collect();

    tokio::time::sleep(job.warm_up).await;
    let window = Window::open(server)?;
    board.enter(Phase::Measuring);
    tokio::time::sleep(job.measured).await;
    board.enter(Phase::Over);
    let mut measurement = window.close(server)?;

    for worker in workers {
        worker.await?;
    }
    let latencies = board
        .latencies
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    measurement.completed = latencies.len();
    measurement.errors = board.errors.load(Ordering::Relaxed);
    measurement.latency = Some(Latency::of(&latencies));
    Ok(measurement)
}

async fn stream<C: Caller>(
    mut callers: Vec<C>,
    job: &DriveJob,
    messages: u64,
    server: u32,
) -> Result<Measurement> {
    let caller = callers.first_mut().ok_or("a stream needs a connection")?;
    let body = Bytes::from(vec![0x5a; job.scenario.payload]);
    caller.stream(body.clone(), STREAM_WARM_UP).await?;

    let window = Window::open(server)?;
    let (mut completed, mut errors) = (0, 0);
    // At least one stream; fast peers repeat it, since a short window has no precise processor time.
    while completed == 0 || window.started.elapsed() < job.measured {
        let echoed = caller.stream(body.clone(), messages).await?;
        completed += echoed;
        errors += messages.abs_diff(echoed);
        if echoed == 0 {
            break;
        }
    }
    Ok(Measurement {
        completed,
        errors,
        ..window.close(server)?
    })
}

/// One caller in flight.
async fn repeat<C: Caller>(mut caller: C, body: Bytes, board: Arc<Board>) {
    let mut started = Instant::now();
    loop {
        // A call that never waits must not keep the clock of the measurement from running.
        tokio::task::consume_budget().await;
        let outcome = caller.unary(body.clone()).await;
        let ended = Instant::now();
        match board.phase() {
            Phase::WarmingUp => {}
            Phase::Measuring => board.record(ended - started, &outcome, body.len()),
            Phase::Over => return,
        }
        started = ended;
    }
}

/// What all callers in flight write on.
struct Board {
    phase: AtomicU8,
    errors: AtomicU64,
    /// Nanoseconds.
    latencies: Mutex<Histogram<u64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    WarmingUp,
    Measuring,
    Over,
}

impl Board {
    fn new() -> Result<Self> {
        Ok(Self {
            phase: AtomicU8::new(Phase::WarmingUp as u8),
            errors: AtomicU64::new(0),
            // Without bounds a histogram starts at two nanoseconds and cannot grow while it saturates.
            latencies: Mutex::new(Histogram::new_with_max(SLOWEST, 3)?),
        })
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::WarmingUp,
            1 => Phase::Measuring,
            _ => Phase::Over,
        }
    }

    /// Counts a right answer with its latency, anything else as an error.
    fn record(&self, latency: Duration, outcome: &Result<Bytes>, expected: usize) {
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
}

/// The clocks at the beginning of a measurement.
struct Window {
    started: Instant,
    server_cpu: Duration,
    client_cpu: Duration,
}

impl Window {
    fn open(server: u32) -> Result<Self> {
        Ok(Self {
            server_cpu: procfs::cpu_time(server)?,
            client_cpu: procfs::cpu_time(std::process::id())?,
            started: Instant::now(),
        })
    }

    /// What has passed on each clock, with the counts left to the caller.
    fn close(self, server: u32) -> Result<Measurement> {
        Ok(Measurement {
            completed: 0,
            errors: 0,
            elapsed: self.started.elapsed(),
            latency: None,
            server_cpu: procfs::cpu_time(server)?.saturating_sub(self.server_cpu),
            client_cpu: procfs::cpu_time(std::process::id())?.saturating_sub(self.client_cpu),
            server_peak_memory: procfs::peak_memory(server)?,
        })
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
