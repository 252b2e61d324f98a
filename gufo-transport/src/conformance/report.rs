//! Running checks.

use std::{fmt, sync::Arc};

use gufo_core::BoxFuture;

use super::{CHECKS, Failure, Harness, Verdict, bed::Bed};

/// One check of the suite.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// Number of the behaviour, e.g. `T1`.
    pub id: &'static str,
    /// Name of the check and of its test.
    pub name: &'static str,
    pub(super) run: fn(Bed) -> BoxFuture<'static, Verdict>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.name)
    }
}

/// How one check went.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The check.
    pub check: Check,
    /// Nothing, or why it failed.
    pub verdict: Verdict,
}

/// How a transport did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// One outcome per check, in the order of the suite.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// The names of the checks that failed.
    #[must_use]
    pub fn failed(&self) -> Vec<&'static str> {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.verdict.is_err())
            .map(|outcome| outcome.check.name)
            .collect()
    }
}

/// One line per check.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Outcome { check, verdict } in &self.outcomes {
            match verdict {
                Ok(()) => writeln!(f, "{:4} {}: passed", check.id, check.name)?,
                Err(failure) => writeln!(f, "{:4} {}: FAILED: {failure}", check.id, check.name)?,
            }
        }
        Ok(())
    }
}

/// Runs every check, one after the other.
///
/// # Cancel safety
/// Dropping the future stops the check that runs.
pub async fn run(harness: Arc<dyn Harness>) -> Report {
    let mut outcomes = Vec::with_capacity(CHECKS.len());
    for check in CHECKS {
        outcomes.push(run_check(*check, Arc::clone(&harness)).await);
    }
    Report { outcomes }
}

/// Runs one check; one that hangs or panics has failed.
///
/// # Cancel safety
/// Dropping the future stops the check.
pub async fn run_check(check: Check, harness: Arc<dyn Harness>) -> Outcome {
    let limit = harness.tolerance().check;
    let mut running = tokio::task::JoinSet::new();
    running.spawn((check.run)(Bed::new(harness)));
    let verdict = match tokio::time::timeout(limit, running.join_next()).await {
        Ok(Some(Ok(verdict))) => verdict,
        Ok(Some(Err(error))) => Err(Failure::new(format!("the check panicked: {error}"))),
        Ok(None) => Err(Failure::new("the check did not run")),
        Err(_) => Err(Failure::new(format!("not done after {limit:?}"))),
    };
    Outcome { check, verdict }
}

/// Runs one check by its name on a runtime of its own: what a test made by
/// [`suite!`](super::suite) does.
///
/// # Panics
/// When the check fails, or there is none of this name.
#[track_caller]
pub fn test(name: &str, harness: impl Harness) {
    let check = CHECKS
        .iter()
        .find(|check| check.name == name)
        .unwrap_or_else(|| panic!("there is no check {name}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("no runtime for the check: {error}"));
    let outcome = runtime.block_on(run_check(*check, Arc::new(harness)));
    runtime.shutdown_background();
    if let Err(failure) = outcome.verdict {
        panic!("{} {}: {failure}", check.id, check.name);
    }
}
