//! [`Suite`]: how to open the registry under test, and how to run the checks on it.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use gufo_core::conformance::{Failure, Report, Verdict};
use gufo_core::{BoxFuture, Registry, Result};
use tokio::time::timeout;

use super::checks::run_of;
use super::{CHECKS, Harness, Tolerance};

/// No check takes longer; one that does hangs.
const CHECK_LIMIT: Duration = Duration::from_secs(300);

pub(super) type Open =
    Arc<dyn Fn(String) -> BoxFuture<'static, Result<Arc<dyn Registry>>> + Send + Sync>;

/// How to open the registry under test, and what to allow it.
#[derive(Clone)]
pub struct Suite {
    pub(super) open: Open,
    pub(super) tolerance: Tolerance,
    paused: bool,
}

impl Suite {
    /// A suite on the registry that `open` opens on the namespace it is given.
    ///
    /// Two opens of one namespace must be two handles on the same data; a read-only registry may ignore the namespace.
    pub fn new<F, Fut, R>(open: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R>> + Send + 'static,
        R: Registry,
    {
        let open = move |namespace| {
            let opening = open(namespace);
            let erased = async move { Ok(Arc::new(opening.await?) as Arc<dyn Registry>) };
            Box::pin(erased) as BoxFuture<'static, _>
        };
        Self {
            open: Arc::new(open),
            tolerance: Tolerance::default(),
            paused: false,
        }
    }

    /// Allows other times than the default.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Runs on tokio's paused clock, which jumps over waits: for registries without I/O.
    #[must_use]
    pub fn paused(mut self) -> Self {
        self.paused = true;
        self
    }

    /// Runs the check of this name on a runtime of its own.
    ///
    /// # Errors
    ///
    /// The [`Failure`], also for a name that no check has, a panic, and a check that hangs.
    ///
    /// # Panics
    ///
    /// When a runtime cannot be started, or inside of one.
    pub fn run(&self, name: &str) -> Verdict {
        let check = run_of(name)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(self.paused)
            .build()
            .expect("a test needs a runtime");
        let harness = Harness::new(self.clone());
        let run = || runtime.block_on(async { timeout(CHECK_LIMIT, check(&harness)).await });
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) => Err(Failure::new(format!(
                "the check did not end within {CHECK_LIMIT:?}"
            ))),
            Err(_) => Err(Failure::new("the registry panicked")),
        }
    }

    /// Runs every check.
    ///
    /// # Panics
    ///
    /// See [`run`](Self::run).
    #[must_use]
    pub fn report(&self) -> Report {
        CHECKS
            .iter()
            .map(|check| (*check, self.run(check.name)))
            .collect()
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("tolerance", &self.tolerance)
            .field("paused", &self.paused)
            .finish_non_exhaustive()
    }
}
