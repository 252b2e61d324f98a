//! Guard: what stands around every handler, interceptors included.
//!
//! Admits the call or refuses it, bounds its deadline, turns panics into `Internal`, ends it at
//! its deadline or when the server gives up, and counts it until its last message.

mod call;
mod messages;
mod running;

use std::{sync::Arc, time::Duration};

use gufo_core::{
    Answer, Context, Deadline, Handler, Messages, Payload, Replies, Reply, Status, Values,
};
use tokio::time::Instant;

use crate::{calls::Calls, meter::CallMeter, telemetry::CALL};
use call::GuardedCall;
use messages::GuardedMessages;
use running::{Hold, Running};

/// Puts a guard around the handler of a path.
pub(crate) fn guard(
    handler: Arc<dyn Handler>,
    path: &str,
    calls: &Arc<Calls>,
    class: Class,
) -> Arc<dyn Handler> {
    Arc::new(Guard {
        handler,
        calls: Arc::clone(calls),
        class,
        meter: CallMeter::new(path),
    })
}

/// Whose calls a guard stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The application's: counted, limited, waited for.
    Application,
    /// The server's own, such as health: answered under overload, ended when draining begins.
    #[cfg(any(feature = "health", feature = "reflection"))]
    System,
}

struct Guard {
    handler: Arc<dyn Handler>,
    calls: Arc<Calls>,
    class: Class,
    meter: CallMeter,
}

impl Guard {
    fn begin(&self, ctx: &mut Context, longest: Option<Duration>) -> Result<Running, Status> {
        self.admit(ctx, longest).inspect_err(|status| {
            self.meter.refused(status.code());
            tracing::debug!(
                target: CALL,
                method = ctx.method().path(),
                code = status.code().name(),
                "call refused"
            );
        })
    }

    fn admit(&self, ctx: &mut Context, longest: Option<Duration>) -> Result<Running, Status> {
        let hold = match self.class {
            Class::Application => Hold::Permit(self.calls.admit()?),
            #[cfg(any(feature = "health", feature = "reflection"))]
            Class::System => Hold::UntilDrain(self.calls.draining().clone()),
        };
        bound_deadline(ctx, longest)?;
        Ok(Running::new(ctx.clone(), hold, self.meter.begin()))
    }

    fn call<T: Send + 'static>(
        &self,
        begun: Result<Running, Status>,
        call: impl FnOnce(&dyn Handler) -> Answer<T>,
        finish: fn(T, Running) -> T,
    ) -> Answer<T> {
        let mut running = match begun {
            Ok(running) => running,
            Err(status) => return status.into(),
        };
        // A handler does work, and may panic and come to its end, before it gives its answer.
        match running.catch(|| call(&*self.handler).now()) {
            Ok(Ok(Ok(value))) => Answer::ready(Ok(finish(value, running))),
            Ok(Ok(Err(status))) => {
                running.end(status.code());
                status.into()
            }
            Ok(Err(later)) => Answer::later(GuardedCall::new(later, running, finish)),
            Err(status) => {
                running.cut(status.code());
                status.into()
            }
        }
    }
}

impl Handler for Guard {
    fn unary(&self, mut ctx: Context, request: Payload) -> Answer<Reply> {
        let begun = self.begin(&mut ctx, self.calls.max_deadline);
        self.call(
            begun,
            |handler| handler.unary(ctx, request),
            |reply, running| {
                running.end_well();
                reply
            },
        )
    }

    fn stream(&self, mut ctx: Context, requests: Messages) -> Answer<Replies> {
        let begun = self.begin(&mut ctx, self.calls.max_stream_deadline);
        self.call(
            begun,
            |handler| handler.stream(ctx, requests),
            |replies, running| Replies {
                metadata: replies.metadata,
                messages: Messages::new(GuardedMessages::new(replies.messages, running)),
            },
        )
    }

    fn values(&self) -> Values {
        self.handler.values()
    }
}

/// Refuses a call whose deadline has passed and moves one that is too far away.
fn bound_deadline(ctx: &mut Context, longest: Option<Duration>) -> Result<(), Status> {
    let asked = ctx.deadline().instant();
    if asked.is_none() && longest.is_none() {
        return Ok(());
    }
    let now = Instant::now();
    if asked.is_some_and(|asked| asked <= now) {
        return Err(Status::deadline_exceeded(
            "the deadline of the call had passed before it was begun",
        ));
    }
    if let Some(latest) = longest.and_then(|longest| now.checked_add(longest))
        && asked.is_none_or(|asked| asked > latest)
    {
        ctx.set_deadline(Deadline::at(latest));
    }
    Ok(())
}
