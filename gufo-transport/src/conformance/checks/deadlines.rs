//! Deadlines.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use gufo_core::{Cancel, Code, Context, Kind};
use parking_lot::Mutex;

use crate::conformance::{
    Outcome::{NotDeclared, Passed},
    Verdict,
    bed::{Bed, expect_code},
    ensure, ensure_eq,
    message::Note,
    plan::Plan,
    script::{OnDrop, Then, script},
};

/// What a handler saw of its deadline.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Option<Duration>>>);

impl Seen {
    fn look(&self, ctx: &Context) {
        *self.0.lock() = ctx.deadline().remaining();
    }

    fn check(&self, timeout: Duration) -> Result<(), crate::conformance::Failure> {
        let seen = *self.0.lock();
        ensure!(
            seen.is_some_and(|left| left <= timeout),
            "the handler sees the deadline {seen:?} of a call that may take {timeout:?}"
        );
        Ok(())
    }
}

pub(crate) async fn deadline_on_both_sides(bed: Bed) -> Verdict {
    let (seen, gone, timeout) = (Seen::default(), Cancel::new(), bed.settle() / 8);
    let (saw, held) = (seen.clone(), gone.clone());
    let plan = Plan::new().unary(move |ctx, _| {
        saw.look(&ctx);
        let held = OnDrop(held.clone());
        async move {
            let _held = held;
            pending::<()>().await;
            Ok(Note::default())
        }
    });
    let (_server, client) = bed.pair(plan).await?;

    let call = client.unary(Note::default()).timeout(timeout);
    let failed = bed.within("the deadline", call).await?;

    expect_code(failed, Code::DeadlineExceeded, "the call")?;
    seen.check(timeout)?;
    bed.within("the end of the handler", gone.cancelled())
        .await?;
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    Ok(Passed)
}

pub(crate) async fn deadline_in_mid_stream(bed: Bed) -> Verdict {
    let (seen, gone, timeout) = (Seen::default(), Cancel::new(), bed.settle() / 8);
    let (saw, held) = (seen.clone(), gone.clone());
    let plan = Plan::new().server_stream(move |ctx, _| {
        saw.look(&ctx);
        let replies = script(2, Then::Wait, &held);
        async move { Ok(replies) }
    });
    let Some((_server, client)) = bed.pair_for(Kind::ServerStream, plan).await? else {
        return Ok(NotDeclared);
    };

    let call = client.server_stream(Note::default()).timeout(timeout);
    let mut replies = bed.within("a stream", call).await??;
    for number in 0..2 {
        let next = bed.within("a message", replies.next()).await??;
        ensure_eq!(next, Some(Note::number(number)), "the next message");
    }
    let failed = bed.within("the deadline", replies.next()).await?;

    expect_code(failed, Code::DeadlineExceeded, "the stream")?;
    seen.check(timeout)?;
    bed.within("the end of the handler", gone.cancelled())
        .await?;
    Ok(Passed)
}

pub(crate) async fn idle_receive_times_out(bed: Bed) -> Verdict {
    let gone = Cancel::new();
    let plan = Plan::new().bidi(move |_, notes| {
        let replies = script(0, Then::Wait, &gone);
        async move {
            drop(notes);
            Ok(replies)
        }
    });
    let Some((_server, client)) = bed.pair_for(Kind::Bidi, plan).await? else {
        return Ok(NotDeclared);
    };

    let asks = script(1, Then::Wait, &Cancel::new());
    let call = client.bidi(asks).timeout(bed.settle() / 8);
    let received = async {
        let mut replies = call.await?;
        replies.next().await
    };
    let failed = bed.within("the deadline", received).await?;

    expect_code(failed, Code::DeadlineExceeded, "the receive")?;
    Ok(Passed)
}

pub(crate) async fn past_deadline_is_not_sent(bed: Bed) -> Verdict {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let plan = Plan::mirrors().unary(move |_, note| {
        count.fetch_add(1, Ordering::AcqRel);
        async move { Ok(note) }
    });
    let (_server, client) = bed.pair(plan).await?;

    let call = client.unary(Note::default()).timeout(Duration::ZERO);
    let failed = bed.within("a refusal", call).await?;
    expect_code(failed, Code::DeadlineExceeded, "a call that is too late")?;

    bed.within("a reply", client.echo(Note::default()))
        .await??;
    let begun = begun.load(Ordering::Acquire);
    ensure_eq!(begun, 0, "calls that reached the handler");
    Ok(Passed)
}
