//! Running checks.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::timeout};

use super::{CHECKS, Check, Failure, Harness, Report, Verdict, bed::Bed, list::run_of};

/// Runs every check, one after the other.
///
/// # Cancel safety
/// Dropping the future stops the check that runs.
pub async fn run(harness: Arc<dyn Harness>) -> Report {
    let mut results = Vec::with_capacity(CHECKS.len());
    for check in CHECKS {
        results.push((*check, run_check(*check, Arc::clone(&harness)).await));
    }
    results.into_iter().collect()
}

/// Runs one check.
///
/// # Errors
/// Why it failed, also when it panics or hangs.
///
/// # Cancel safety
/// Dropping the future stops the check.
pub async fn run_check(check: Check, harness: Arc<dyn Harness>) -> Verdict {
    let run = run_of(check.name)?;
    let limit = harness.tolerance().check;
    let mut running = JoinSet::new();
    running.spawn(run(Bed::new(harness)));
    match timeout(limit, running.join_next()).await {
        Ok(Some(Ok(verdict))) => verdict,
        Ok(Some(Err(error))) => Err(Failure::new(format!("the check panicked: {error}"))),
        Ok(None) => Err(Failure::new("the check did not run")),
        Err(_) => Err(Failure::new(format!(
            "the check did not end within {limit:?}"
        ))),
    }
}

/// Runs the check of this name on a runtime of its own: what each test of [`suite!`](super::suite)
/// does.
///
/// # Errors
/// Why it failed, also when there is none of this name.
///
/// # Panics
/// When no runtime can be started.
pub fn verdict(name: &str, harness: impl Harness) -> Verdict {
    let Some(check) = CHECKS.iter().find(|check| check.name == name) else {
        return Err(Failure::new(format!("there is no check `{name}`")));
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a test needs a runtime");
    let verdict = runtime.block_on(run_check(*check, Arc::new(harness)));
    // Listeners go before the process does, and their files with them; what a failed check left
    // behind must not hold the test up.
    runtime.shutdown_timeout(Duration::from_secs(1));
    verdict
}
