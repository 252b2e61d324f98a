//! Running: one call from its admission to its last message.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context as TaskContext, Poll},
};

use gufo_core::{Cancel, Code, Context, Status, Watchdog};
use tokio::time::Instant;
use tracing::{Level, Span};

use crate::{
    calls::{Permit, stopping},
    meter::CountedCall,
    telemetry::CALL,
};

/// What a call holds while it runs.
pub(super) enum Hold {
    /// Its place among the calls of the application.
    Permit(Permit),
    /// Nothing; the flag is set when the server begins to drain.
    #[cfg(any(feature = "health", feature = "reflection"))]
    UntilDrain(Cancel),
}

/// One call from its admission to its last message.
pub(super) struct Running {
    ctx: Context,
    /// `None` once the call is over.
    hold: Option<Hold>,
    /// Made when the call first has to wait: one that is ready at once pays for no timer.
    watchdog: Option<Watchdog>,
    observed: Option<Box<Observed>>,
    counted: CountedCall,
}

struct Observed {
    span: Span,
    started: Instant,
}

impl Running {
    pub(super) fn new(ctx: Context, hold: Hold, counted: CountedCall) -> Self {
        let observed = tracing::enabled!(target: CALL, Level::DEBUG).then(|| {
            Box::new(Observed {
                span: tracing::debug_span!(
                    target: CALL,
                    "call",
                    method = ctx.method().path()
                ),
                started: Instant::now(),
            })
        });
        Self {
            ctx,
            hold: Some(hold),
            watchdog: None,
            observed,
            counted,
        }
    }

    /// Runs a part of the handler; a panic becomes `Internal` and is logged.
    pub(super) fn catch<T>(&self, part: impl FnOnce() -> T) -> Result<T, Status> {
        let _entered = self.observed.as_ref().map(|seen| seen.span.enter());
        // Whoever panicked is dropped right after: nobody sees what it left half done.
        catch_unwind(AssertUnwindSafe(part)).map_err(|panic| {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            tracing::error!(
                target: CALL,
                method = self.ctx.method().path(),
                panic = text.unwrap_or("not a text"),
                "handler panicked"
            );
            Status::internal("handler panicked")
        })
    }

    /// Polls a part of the handler. An error means that the call is to be cut: it panicked, its
    /// deadline has passed, or the server gives up.
    pub(super) fn poll<T>(
        &mut self,
        cx: &mut TaskContext<'_>,
        part: impl FnOnce(&mut TaskContext<'_>) -> Poll<T>,
    ) -> Poll<Result<T, Status>> {
        match self.catch(|| part(cx)) {
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Ok(Poll::Pending) => self.poll_watchdog(cx).map(Err),
            Err(status) => Poll::Ready(Err(status)),
        }
    }

    fn poll_watchdog(&mut self, cx: &mut TaskContext<'_>) -> Poll<Status> {
        let Some(flag) = self.flag() else {
            return Poll::Pending;
        };
        if self.watchdog.is_none() {
            self.watchdog = Some(Watchdog::new(self.ctx.deadline(), Some(flag.clone())));
        }
        match &mut self.watchdog {
            Some(watchdog) => watchdog.poll(cx).map(given_up),
            None => Poll::Pending,
        }
    }

    fn flag(&self) -> Option<&Cancel> {
        match self.hold.as_ref()? {
            Hold::Permit(permit) => Some(permit.abort_flag()),
            #[cfg(any(feature = "health", feature = "reflection"))]
            Hold::UntilDrain(draining) => Some(draining),
        }
    }

    /// True when the server gives the call up: for calls that never have to wait.
    pub(super) fn is_aborted(&self) -> bool {
        matches!(&self.hold, Some(Hold::Permit(permit)) if permit.abort_flag().is_cancelled())
    }

    /// True when the deadline has passed: for calls that never have to wait.
    pub(super) fn is_expired(&self) -> bool {
        self.ctx.deadline().is_expired()
    }

    pub(super) fn is_over(&self) -> bool {
        self.hold.is_none()
    }

    /// The handler answered, and well.
    pub(super) fn end_well(mut self) {
        self.end(Code::Ok);
    }

    /// The handler came to an end.
    pub(super) fn end(&mut self, code: Code) {
        if self.hold.take().is_none() {
            return;
        }
        self.watchdog = None;
        self.counted.end(code);
        if let Some(seen) = self.observed.take() {
            tracing::debug!(
                target: CALL,
                parent: &seen.span,
                method = self.ctx.method().path(),
                code = code.name(),
                elapsed_us = u64::try_from(seen.started.elapsed().as_micros()).unwrap_or(u64::MAX),
                "call ended"
            );
        }
    }

    /// Tells what the handler handed to other tasks that the call is over before its end.
    pub(super) fn cancel(&self) {
        self.ctx.cancel();
    }

    /// The call is over before its handler came to an end.
    pub(super) fn cut(&mut self, code: Code) {
        self.cancel();
        self.end(code);
    }
}

/// The caller did not give up here: the server did.
fn given_up(status: Status) -> Status {
    match status.code() {
        Code::Cancelled => stopping(),
        _ => status,
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over() {
            self.cut(Code::Cancelled);
        }
    }
}
