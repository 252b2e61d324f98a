//! Pulse: whether a peer is alive, reads what it asked for, and still has calls.

use std::{
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use gufo_core::ListenOptions;
use tokio::time::{Interval, MissedTickBehavior};

/// What a look at a peer finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Alive,
    /// It was silent for long: ask whether it is there, and say so by [`Pulse::asked`].
    Ask,
    /// Nobody has called for a long time.
    Idle,
    /// The peer does not answer, or does not read.
    Dead,
}

/// Watches a peer by looking at it now and then.
#[derive(Debug)]
pub(crate) struct Pulse {
    tick: Interval,
    options: Arc<ListenOptions>,
    /// How long nothing was heard.
    silent: Duration,
    /// The peer has said anything at all.
    begun: bool,
    asked: bool,
    /// How long there was no call.
    unused: Duration,
    /// What waited for the peer at the last look, and for how long it has not become less.
    waiting: usize,
    stalled: Duration,
}

impl Pulse {
    pub(crate) fn new(options: &Arc<ListenOptions>) -> Self {
        let shortest = options
            .keep_alive_interval
            .min(options.keep_alive_timeout)
            .min(options.idle_timeout)
            .min(options.stall_timeout)
            .min(options.handshake_timeout)
            .max(Duration::from_millis(2));
        let mut tick = tokio::time::interval(shortest / 2);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            tick,
            options: Arc::clone(options),
            silent: Duration::ZERO,
            begun: false,
            asked: false,
            unused: Duration::ZERO,
            waiting: 0,
            stalled: Duration::ZERO,
        }
    }

    /// Ready when it is time to look.
    pub(crate) fn poll_tick(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let ticked = self.tick.poll_tick(cx).map(|_| ());
        if ticked.is_ready() {
            // Make sure that the next tick wakes this task.
            let _ = self.tick.poll_tick(cx);
        }
        ticked
    }

    /// The peer was asked whether it is there.
    pub(crate) const fn asked(&mut self) {
        self.asked = true;
    }

    /// Whether the peer was asked and has not answered yet.
    #[cfg(feature = "grpc")]
    pub(crate) const fn is_asked(&self) -> bool {
        self.asked
    }

    /// The peer answered.
    pub(crate) const fn answered(&mut self) {
        (self.asked, self.silent) = (false, Duration::ZERO);
    }

    /// Looks at the peer: whether anything was heard since the last look, what waits for it to
    /// read, and whether it had calls.
    pub(crate) fn look(&mut self, heard: bool, waiting: usize, used: bool) -> Verdict {
        let period = self.tick.period();
        self.silent = if heard {
            Duration::ZERO
        } else {
            self.silent + period
        };
        self.begun |= heard;
        self.unused = if used {
            Duration::ZERO
        } else {
            self.unused + period
        };
        let stuck = waiting > 0 && waiting >= self.waiting;
        self.stalled = if stuck {
            self.stalled + period
        } else {
            Duration::ZERO
        };
        self.waiting = waiting;

        let alive = self.options.keep_alive_interval;
        if self.stalled > self.options.stall_timeout
            || self.silent > alive + self.options.keep_alive_timeout
            || (!self.begun && self.silent > self.options.handshake_timeout)
            // It was told to go away and says things of no use instead.
            || self.unused > self.options.idle_timeout + self.options.keep_alive_timeout
        {
            return Verdict::Dead;
        }
        if self.unused > self.options.idle_timeout {
            Verdict::Idle
        } else if self.silent >= alive && !self.asked {
            Verdict::Ask
        } else {
            Verdict::Alive
        }
    }
}
