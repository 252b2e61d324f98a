//! Servers that stop.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use gufo_core::{Cancel, Code, Error, Kind, Retry, Streaming};
use tokio::task::JoinSet;

use crate::conformance::{
    Failure,
    Outcome::Passed,
    bed::{Bed, expect_code},
    client::Client,
    failure::{ensure, ensure_eq},
    message::Note,
    plan::Plan,
    report::Verdict,
};

/// A plan whose calls end when the flag is set.
fn gated(open: &Cancel) -> Plan {
    let (gate, stream_gate) = (open.clone(), open.clone());
    Plan::new()
        .unary(move |_, note| {
            let gate = gate.clone();
            async move {
                gate.cancelled().await;
                Ok(note)
            }
        })
        .server_stream(move |_, note: Note| {
            let (sender, replies) = Streaming::channel(1);
            let gate = stream_gate.clone();
            tokio::spawn(async move {
                sender.send(note.clone()).await?;
                gate.cancelled().await;
                sender.send(note).await
            });
            async move { Ok(replies) }
        })
}

/// Calls until a call is refused, which must happen, and gives the refusal.
async fn until_refused(bed: &Bed, client: &Client) -> Result<Error, Failure> {
    let calling = async {
        loop {
            if let Err(error) = client.echo(Note::default()).await {
                return error;
            }
        }
    };
    bed.within("a refusal", calling).await
}

pub(crate) async fn shutdown_drains(bed: Bed) -> Verdict {
    let open = Cancel::new();
    let (server, client) = bed.pair(gated(&open)).await?;
    let running = tokio::spawn(client.unary(Note::number(1)).into_future());
    let mut streaming = None;
    if bed.capabilities.kinds.contains(&Kind::ServerStream) {
        let call = client.server_stream(Note::number(2));
        let mut replies = bed.within("a stream", call).await??;
        bed.within("a message", replies.next()).await??;
        streaming = Some(replies);
    }
    let calls = 1 + usize::from(streaming.is_some());
    bed.eventually("the running calls", || {
        client.connection.in_flight() == calls
    })
    .await?;
    bed.within("a reply", client.echo(Note::default()))
        .await??;

    server.drain();
    let error = until_refused(&bed, &client).await?;
    ensure_eq!(error.code(), Code::Unavailable, "the code of a refusal");
    ensure_eq!(error.retry(), Retry::NotBegun, "the advice of a refusal");

    open.cancel();
    let reply = bed.within("the running call", running).await???;
    ensure_eq!(reply.number, 1, "the reply of a running call");
    if let Some(mut replies) = streaming {
        let next = bed.within("a message", replies.next()).await??;
        ensure_eq!(next, Some(Note::number(2)), "a message after the drain");
        let end = bed.within("the end", replies.next()).await??;
        ensure_eq!(end, None, "what follows it");
    }
    bed.within("the end of the server", server.drained())
        .await??;
    Ok(Passed)
}

pub(crate) async fn idle_connections_do_not_hold_a_drain(bed: Bed) -> Verdict {
    let (server, client) = bed.pair(Plan::new()).await?;
    let silent = server.connect().await?;
    bed.within("a reply", client.echo(Note::default()))
        .await??;

    server.drain();

    bed.within("the end of the server", server.drained())
        .await??;
    drop((client, silent));
    Ok(Passed)
}

pub(crate) async fn aborted_server_ends_calls(bed: Bed) -> Verdict {
    // They never end by themselves.
    let (server, client) = bed.pair(gated(&Cancel::new())).await?;
    let running = tokio::spawn(client.unary(Note::number(1)).into_future());
    bed.eventually("the call", || client.connection.in_flight() == 1)
        .await?;
    server.drain();
    until_refused(&bed, &client).await?;
    ensure!(!running.is_finished(), "the drain ended a running call");

    server.abort();

    let ended = bed.within("the end of the call", running).await??;
    expect_code(ended, Code::Unavailable, "a call that was cut off")?;
    bed.within("the connection's end", client.connection.closed())
        .await?;
    Ok(Passed)
}

pub(crate) async fn graceful_close_loses_no_call(bed: Bed) -> Verdict {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let plan = Plan::new().unary(move |_, note| {
        count.fetch_add(1, Ordering::AcqRel);
        async move {
            tokio::task::yield_now().await;
            Ok(note)
        }
    });
    let (server, client) = bed.pair(plan).await?;

    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let client = client.clone();
        callers.spawn(async move {
            for done in 0.. {
                if let Err(error) = client.unary(Note::number(done)).await {
                    return (done, error);
                }
            }
            unreachable!("the loop has no end")
        });
    }
    bed.eventually("some calls", || begun.load(Ordering::Acquire) > 100)
        .await?;
    server.drain();

    let mut done = 0;
    while let Some(ended) = bed.within("all callers", callers.join_next()).await? {
        let (calls, error) = ended?;
        done += calls;
        ensure!(
            error.code() == Code::Unavailable && error.retry() == Retry::NotBegun,
            "a call that raced with the close ends with {error:?} ({:?})",
            error.retry()
        );
    }
    let begun = begun.load(Ordering::Acquire) as u64;
    ensure_eq!(begun, done, "calls begun, and calls answered");
    bed.within("the end of the server", server.drained())
        .await??;
    Ok(Passed)
}

pub(crate) async fn close_lets_calls_finish(bed: Bed) -> Verdict {
    let open = Cancel::new();
    let (server, client) = bed.pair(gated(&open)).await?;
    let running = tokio::spawn(client.unary(Note::number(1)).into_future());
    bed.eventually("the call", || client.connection.in_flight() == 1)
        .await?;

    client.connection.close();
    client.connection.close();

    let refused = bed
        .within("a refusal", client.echo(Note::default()))
        .await?;
    let error = expect_code(refused, Code::Unavailable, "a call after the close")?;
    ensure_eq!(error.retry(), Retry::NotBegun, "the advice of a refusal");
    open.cancel();
    bed.within("the running call", running).await???;
    bed.eventually("no peer", || server.peers() == 0).await?;
    client.connection.close();
    Ok(Passed)
}
