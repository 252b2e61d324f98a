//! Running checks, and what came out.

use std::{fmt, sync::Arc};

use gufo_core::BoxFuture;
use tokio::{task::JoinSet, time::timeout};

use super::{CHECKS, Failure, Harness, bed::Bed};

/// What a check says.
pub(super) type Verdict = Result<Outcome, Failure>;

/// One promise of the contract and the test of it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// The number of the statement, such as `T9`; never reused.
    pub id: &'static str,
    /// `module::name`.
    pub name: &'static str,
    /// The promise in one sentence.
    pub promise: &'static str,
    pub(super) run: fn(Bed) -> BoxFuture<'static, Verdict>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({} {})", self.id, self.name)
    }
}

/// How a check ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The promise held.
    Passed,
    /// The transport does not declare what the promise is about, and refused it as it must.
    NotDeclared,
}

/// How every check ended; `Display` is a table.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// The checks in the order of the suite.
    pub results: Vec<(Check, Result<Outcome, Failure>)>,
}

impl Report {
    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.results
            .iter()
            .filter(|(_, result)| result.is_err())
            .map(|(check, _)| check)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, result) in &self.results {
            let (id, name) = (check.id, check.name);
            match result {
                Ok(Outcome::Passed) => writeln!(f, "{id:4} {name:45} passed")?,
                Ok(Outcome::NotDeclared) => writeln!(f, "{id:4} {name:45} not declared")?,
                Err(failure) => writeln!(f, "{id:4} {name:45} FAILED: {failure}")?,
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
    let mut results = Vec::with_capacity(CHECKS.len());
    for check in CHECKS {
        results.push((*check, run_check(*check, Arc::clone(&harness)).await));
    }
    Report { results }
}

/// Runs one check.
///
/// # Errors
/// Why it failed, also when it panics or hangs.
///
/// # Cancel safety
/// Dropping the future stops the check.
pub async fn run_check(check: Check, harness: Arc<dyn Harness>) -> Result<Outcome, Failure> {
    let limit = harness.tolerance().check;
    let mut running = JoinSet::new();
    running.spawn((check.run)(Bed::new(harness)));
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
/// # Panics
/// When the check fails, or there is none of this name.
#[track_caller]
pub fn test(name: &str, harness: impl Harness) {
    let Some(check) = CHECKS.iter().find(|check| check.name == name) else {
        panic!("there is no check {name}");
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a test needs a runtime");
    let verdict = runtime.block_on(run_check(*check, Arc::new(harness)));
    // What a failed check left behind must not hold the test up.
    runtime.shutdown_background();
    if let Err(failure) = verdict {
        panic!("{} {}: {failure}", check.id, check.promise);
    }
}
