//! The closed loop: every caller in flight sends its next request when the answer to the last one is there.

use std::sync::Arc;

use tokio::time::Instant;

use bytes::Bytes;

use super::Window;
use super::board::{Board, Phase};
use crate::Result;
use crate::load::{DriveJob, Measurement};
use crate::peer::Caller;

pub(super) async fn measure<C: Caller>(
    callers: &[C],
    job: &DriveJob,
    server: &[u32],
) -> Result<Measurement> {
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
    board.fill(&mut measurement);
    Ok(measurement)
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
