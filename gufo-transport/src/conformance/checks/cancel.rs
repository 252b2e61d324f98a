//! Cancellation.

use std::future::pending;

use gufo_core::{Cancel, Kind, Status, Streaming};

use crate::conformance::{
    Outcome::{NotDeclared, Passed},
    Verdict,
    bed::Bed,
    ensure,
    message::Note,
    plan::Plan,
    script::{OnDrop, Then, script},
};

/// Flags of a handler: that it has begun, and that it is gone.
#[derive(Clone, Default)]
struct Life {
    begun: Cancel,
    gone: Cancel,
}

impl Life {
    /// A handler's future that never ends.
    fn forever<T>(&self) -> impl Future<Output = Result<T, Status>> + Send + use<T>
    where
        T: Send,
    {
        let (begun, held) = (self.begun.clone(), OnDrop(self.gone.clone()));
        async move {
            let _held = held;
            begun.cancel();
            pending().await
        }
    }
}

pub(crate) async fn cancel_reaches_peer(bed: Bed) -> Verdict {
    let life = Life::default();
    let handler = life.clone();
    let plan = Plan::new().unary(move |_, _| handler.forever::<Note>());
    let (_server, client) = bed.pair(plan).await?;

    let call = tokio::spawn(client.unary(Note::default()).into_future());
    bed.within("the handler", life.begun.cancelled()).await?;
    ensure!(!life.gone.is_cancelled(), "the handler did not wait");
    call.abort();

    bed.within("the end of the handler", life.gone.cancelled())
        .await?;
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    Ok(Passed)
}

pub(crate) async fn cancel_before_the_head(bed: Bed) -> Verdict {
    let life = Life::default();
    let handler = life.clone();
    let plan = Plan::new().server_stream(move |_, _| handler.forever::<Streaming<Note>>());
    let Some((_server, client)) = bed.pair_for(Kind::ServerStream, plan).await? else {
        return Ok(NotDeclared);
    };

    let call = tokio::spawn(client.server_stream(Note::default()).into_future());
    bed.within("the handler", life.begun.cancelled()).await?;
    call.abort();

    bed.within("the end of the handler", life.gone.cancelled())
        .await?;
    Ok(Passed)
}

pub(crate) async fn dropping_replies_cancels(bed: Bed) -> Verdict {
    let gone = Cancel::new();
    let held = gone.clone();
    let plan = Plan::new().server_stream(move |_, _| {
        let replies = script(1, Then::Wait, &held);
        async move { Ok(replies) }
    });
    let Some((_server, client)) = bed.pair_for(Kind::ServerStream, plan).await? else {
        return Ok(NotDeclared);
    };

    let mut replies = bed
        .within("a stream", client.server_stream(Note::default()))
        .await??;
    bed.within("a message", replies.next()).await??;
    ensure!(!gone.is_cancelled(), "the stream ended by itself");
    drop(replies);

    bed.within("the end of the handler", gone.cancelled())
        .await?;
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    Ok(Passed)
}

pub(crate) async fn dropping_replies_stops_requests(bed: Bed) -> Verdict {
    let Some((_server, client)) = bed.pair_for(Kind::Bidi, Plan::mirrors()).await? else {
        return Ok(NotDeclared);
    };

    let (sender, requests) = Streaming::channel(1);
    sender.send(Note::number(1)).await?;
    let mut replies = bed.within("a stream", client.bidi(requests)).await??;
    bed.within("a message", replies.next()).await??;
    drop(replies);

    bed.within("the end of the requests", sender.closed())
        .await?;
    Ok(Passed)
}
