//! The load generator: closed loop, open loop and stream, with the clocks of both sides around them.

mod board;
mod closed;
mod open;
mod stream;

use std::time::Duration;

use tokio::time::Instant;

use crate::load::{DriveJob, Measurement, ServerAt};
use crate::peer::{Caller, Peer};
use crate::scenario::Shape;
use crate::{Result, procfs};

/// Waiting for the last answers, and for a stream as a whole, ends here.
const PATIENCE: Duration = Duration::from_secs(20);

/// Connects as the scenario says and measures it.
pub(crate) async fn drive<P: Peer>(
    peer: &P,
    job: &DriveJob,
    server: &ServerAt,
) -> Result<Measurement> {
    let mut callers = Vec::new();
    for _ in 0..job.scenario.connections {
        callers.push(peer.connect(&server.address).await?);
    }
    let measured = load(callers, job, &server.pids);
    tokio::time::timeout(PATIENCE + job.measured, measured)
        .await
        .map_err(|_| format!("not over {PATIENCE:?} after the measured time"))?
}

async fn load<C: Caller>(callers: Vec<C>, job: &DriveJob, server: &[u32]) -> Result<Measurement> {
    match (job.scenario.shape, job.per_second) {
        (Shape::Stream { messages }, _) => stream::measure(callers, job, messages, server).await,
        (Shape::Unary, None) => closed::measure(&callers, job, server).await,
        (Shape::Unary, Some(rate)) => open::measure(&callers, job, rate, server).await,
    }
}

/// The clocks at the beginning of a measurement.
struct Window {
    started: Instant,
    server_cpu: Duration,
    client_cpu: Duration,
}

impl Window {
    fn open(server: &[u32]) -> Result<Self> {
        Ok(Self {
            server_cpu: procfs::sum(server, procfs::cpu_time)?,
            client_cpu: procfs::cpu_time(std::process::id())?,
            started: Instant::now(),
        })
    }

    /// What has passed on each clock, with the counts left to the caller.
    fn close(self, server: &[u32]) -> Result<Measurement> {
        let elapsed = self.started.elapsed();
        Ok(Measurement {
            completed: 0,
            errors: 0,
            elapsed,
            offered: None,
            latency: None,
            server_cpu: procfs::sum(server, procfs::cpu_time)?.saturating_sub(self.server_cpu),
            client_cpu: procfs::cpu_time(std::process::id())?.saturating_sub(self.client_cpu),
            server_peak_memory: procfs::sum(server, procfs::peak_memory)?,
        })
    }
}
