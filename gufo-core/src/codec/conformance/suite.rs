//! [`Suite`]: the format under test, and how to run the checks on it.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{
    CHECKS, Capabilities,
    bed::{Bed, panic_text},
    list::run_of,
    messages,
};
use crate::{
    Bytes, Format, Status,
    conformance::{Failure, Report, Verdict},
    random::{Random, SplitMix},
};

/// Does the work and answers how many bytes the thread held at most while it did.
pub type Meter = fn(&mut dyn FnMut()) -> u64;

/// Enough for a codec without a limit of depth to answer instead of ending the process.
const STACK: usize = 256 << 20;

/// The format under test, and what to allow it.
#[derive(Clone)]
pub struct Suite {
    pub(super) format: Format,
    pub(super) capabilities: Capabilities,
    pub(super) golden: Option<Bytes>,
    pub(super) bombs: Vec<Bytes>,
    pub(super) meter: Option<Meter>,
    pub(super) seed: u64,
    limit: Duration,
}

impl Suite {
    /// A suite on this format with its [`Capabilities::of`].
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            capabilities: Capabilities::of(&format),
            format,
            golden: None,
            bombs: Vec::new(),
            meter: None,
            seed: SplitMix::from_entropy().next_u64(),
            limit: Duration::from_secs(60),
        }
    }

    /// Declares other things than [`Capabilities::of`].
    #[must_use]
    pub fn capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// What [`sample`](Self::sample) was when the format was settled. Without it, encoding the
    /// sample is only checked to give the same bytes each time.
    #[must_use]
    pub fn golden(mut self, bytes: &[u8]) -> Self {
        self.golden = Some(Bytes::copy_from_slice(bytes));
        self
    }

    /// Adds input that nests too deep. The suite makes some with the codec itself, which may nest less
    /// deep than a hostile peer does.
    #[must_use]
    pub fn bomb(mut self, bytes: impl Into<Bytes>) -> Self {
        self.bombs.push(bytes.into());
        self
    }

    /// Counts memory; none by default, since that takes an allocator of the test's own.
    #[must_use]
    pub fn meter(mut self, meter: Meter) -> Self {
        self.meter = Some(meter);
        self
    }

    /// Repeats what a failure with this seed did; one by chance by default.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How long a check may take before it counts as hanging; 60 s by default.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The fixed message of the check `golden::golden_bytes` in this format: what to save as
    /// [`golden`](Self::golden).
    ///
    /// # Errors
    /// Those of the codec.
    pub fn sample(&self) -> Result<Bytes, Status> {
        match self.format {
            Format::Raw => Ok(messages::all_bytes().into()),
            _ => Bed::new(self.clone()).try_encode(&messages::sample()),
        }
    }

    /// Runs the check of this name on a thread of its own.
    ///
    /// # Errors
    /// The [`Failure`], also for a name that no check has, a panic, and a check that hangs, whose
    /// thread is left behind.
    pub fn run(&self, name: &str) -> Verdict {
        let run = run_of(name)?;
        let bed = Bed::new(self.clone());
        let (sender, verdict) = mpsc::sync_channel(1);
        let work = move || {
            let verdict = catch_unwind(AssertUnwindSafe(|| run(&bed)));
            // Nobody waits any longer for a check that came too late.
            let _ = sender.send(verdict);
        };
        let thread = thread::Builder::new().name(name.to_owned());
        if let Err(error) = thread.stack_size(STACK).spawn(work) {
            return Err(Failure::new(format!("cannot start a thread: {error}")));
        }
        let verdict = match verdict.recv_timeout(self.limit) {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(panic)) => Err(Failure::new(format!(
                "the codec panicked: {}",
                panic_text(&*panic)
            ))),
            Err(_) => Err(Failure::new(format!(
                "the check did not end within {:?}",
                self.limit
            ))),
        };
        verdict.map_err(|failure| failure.and(format_args!("seed {:#x}", self.seed)))
    }

    /// Runs every check, one after the other.
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
            .field("format", &self.format)
            .field("capabilities", &self.capabilities)
            .field("seed", &format_args!("{:#x}", self.seed))
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// Runs every check on a format with its [`Capabilities::of`].
#[must_use]
pub fn run(format: &Format) -> Report {
    Suite::new(format.clone()).report()
}
