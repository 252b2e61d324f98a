//! Calls: how many run, whether more may begin, and how the rest is ended.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use gufo_core::{Cancel, Retry, Status};
use tokio::sync::Notify;

use crate::ServerOptions;

/// Calls that wait are woken at an abort through one of several flags, so that waiting for it is
/// not one lock for the whole server.
const FLAGS: usize = 16;

/// The calls of one server.
#[derive(Debug)]
pub(crate) struct Calls {
    limit: usize,
    pub(crate) max_deadline: Option<Duration>,
    pub(crate) max_stream_deadline: Option<Duration>,
    running: AtomicUsize,
    finished: AtomicUsize,
    phase: AtomicU8,
    idle: Notify,
    abort: [Cancel; FLAGS],
    draining: Cancel,
}

/// What a server does with new calls, in the order it goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Takes them.
    Serving,
    /// Peers were told to go away; what they sent before they heard it is still taken.
    Draining,
    /// Refuses them.
    Refusing,
}

/// The right to run, given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    calls: Arc<Calls>,
    flag: usize,
}

impl Calls {
    pub(crate) fn new(options: &ServerOptions) -> Arc<Self> {
        Arc::new(Self {
            limit: options.max_calls,
            max_deadline: options.max_deadline,
            max_stream_deadline: options.max_stream_deadline,
            running: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
            phase: AtomicU8::new(Phase::Serving as u8),
            idle: Notify::new(),
            abort: std::array::from_fn(|_| Cancel::new()),
            draining: Cancel::new(),
        })
    }

    /// Lets one more call begin.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Permit, Status> {
        let before = self.running.fetch_add(1, SeqCst);
        let refused = if self.phase.load(SeqCst) >= Phase::Refusing as u8 {
            stopping()
        } else if before >= self.limit {
            Status::resource_exhausted(format!(
                "the server runs {} calls already, its limit",
                self.limit
            ))
        } else {
            return Ok(Permit {
                calls: Arc::clone(self),
                flag: before % FLAGS,
            });
        };
        self.leave();
        Err(refused.with_retry(Retry::NotBegun))
    }

    /// One call less.
    fn leave(&self) {
        // One total order of these accesses and those of `enter` and `idle`: whoever sets the
        // phase sees the last call gone, or the last call sees the phase.
        let before = self.running.fetch_sub(1, SeqCst);
        if before == 1 && self.drains() {
            self.idle.notify_waiters();
        }
    }

    fn drains(&self) -> bool {
        self.phase.load(SeqCst) != Phase::Serving as u8
    }

    /// Calls running now.
    pub(crate) fn running(&self) -> usize {
        self.running.load(SeqCst)
    }

    /// Calls that ended since draining began.
    pub(crate) fn finished(&self) -> usize {
        self.finished.load(SeqCst)
    }

    /// Set when draining begins.
    #[cfg(any(feature = "health", feature = "reflection"))]
    pub(crate) fn draining(&self) -> &Cancel {
        &self.draining
    }

    /// Goes to a later phase.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, SeqCst);
        self.draining.cancel();
    }

    /// Ends every call that runs.
    pub(crate) fn abort(&self) {
        self.enter(Phase::Refusing);
        for flag in &self.abort {
            flag.cancel();
        }
    }

    /// Waits until no call runs. Noticed once draining has begun.
    pub(crate) async fn idle(&self) {
        loop {
            let mut idle = std::pin::pin!(self.idle.notified());
            idle.as_mut().enable();
            if self.running() == 0 {
                return;
            }
            idle.await;
        }
    }
}

/// How a call ends that a stopping server does not take or does not finish.
pub(crate) fn stopping() -> Status {
    Status::unavailable("the server is stopping")
}

impl Permit {
    /// Set when the call is to be given up.
    pub(crate) fn abort_flag(&self) -> &Cancel {
        &self.calls.abort[self.flag]
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.calls.drains() {
            self.calls.finished.fetch_add(1, SeqCst);
        }
        self.calls.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gufo_core::Code;

    fn calls(limit: usize) -> Arc<Calls> {
        Calls::new(&ServerOptions {
            max_calls: limit,
            ..ServerOptions::default()
        })
    }

    #[test]
    fn over_the_limit_a_call_is_refused_as_not_begun_and_counts_nothing() {
        let calls = calls(1);
        let first = calls.admit().expect("within the limit");

        let refused = calls.admit().expect_err("over the limit");

        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert_eq!(refused.retry(), Retry::NotBegun);
        assert_eq!(calls.running(), 1);
        drop(first);
        assert!(calls.admit().is_ok());
    }

    #[test]
    fn a_draining_server_takes_late_calls_and_a_refusing_one_none() {
        let calls = calls(8);

        calls.enter(Phase::Draining);
        assert!(calls.admit().is_ok());
        calls.enter(Phase::Refusing);
        let refused = calls.admit().expect_err("stopping");

        assert_eq!(refused.code(), Code::Unavailable);
        assert_eq!(refused.retry(), Retry::NotBegun);
    }

    #[tokio::test]
    async fn idle_ends_with_the_last_call() {
        let calls = calls(8);
        let (one, two) = (calls.admit().expect("one"), calls.admit().expect("two"));
        calls.enter(Phase::Draining);
        let waiting = {
            let calls = Arc::clone(&calls);
            tokio::spawn(async move { calls.idle().await })
        };

        drop(one);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(two);

        waiting.await.expect("not panicked");
        assert_eq!(calls.finished(), 2);
    }
}
