//! Servers that stop.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use gufo_core::{Cancel, Code, Error, Kind, Retry, Streaming};
use tokio::task::JoinSet;

use crate::conformance::{
    Failure,
    Outcome::Passed,
    Sockets, Verdict,
    bed::{Bed, expect_code},
    client::Client,
    ensure, ensure_eq,
    message::Note,
    plan::Plan,
};

/// Calls that have begun, and what they wait for.
#[derive(Clone, Default)]
struct Gate {
    begun: Cancel,
    open: Cancel,
}

/// A plan whose calls end when the gate is opened.
fn gated(gate: &Gate) -> Plan {
    let (begun, gate, stream_gate) = (gate.begun.clone(), gate.open.clone(), gate.open.clone());
    Plan::new()
        .unary(move |_, note| {
            begun.cancel();
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

/// True when an error is the refusal of a call by a server that goes away.
fn is_refusal(bed: &Bed, error: &Error) -> bool {
    let told = error.retry() == Retry::NotBegun || bed.capabilities.sockets == Sockets::PerCall;
    error.code() == Code::Unavailable && told
}

/// Calls until a call is refused, which must happen.
async fn until_refused(bed: &Bed, client: &Client) -> Result<(), Failure> {
    let calling = async {
        loop {
            if let Err(error) = client.echo(Note::default()).await {
                return error;
            }
            tokio::task::yield_now().await;
        }
    };
    let error = bed.within("a refusal", calling).await?;
    let advice = error.retry();
    ensure!(
        is_refusal(bed, &error),
        "a refusal is {error:?} ({advice:?})"
    );
    Ok(())
}

pub(crate) async fn shutdown_drains(bed: Bed) -> Verdict {
    let gate = Gate::default();
    let (server, client) = bed.pair(gated(&gate)).await?;
    let running = tokio::spawn(client.unary(Note::number(1)).into_future());
    bed.within("the running call", gate.begun.cancelled())
        .await?;
    let mut streaming = None;
    if bed.capabilities.kinds.contains(&Kind::ServerStream) {
        let call = client.server_stream(Note::number(2));
        let mut replies = bed.within("a stream", call).await??;
        bed.within("a message", replies.next()).await??;
        streaming = Some(replies);
    }
    server.drain();
    until_refused(&bed, &client).await?;
    bed.pause().await;
    ensure!(!running.is_finished(), "the drain ended a running call");

    gate.open.cancel();
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
    let gate = Gate::default();
    let (server, client) = bed.pair(gated(&gate)).await?;
    let running = tokio::spawn(client.unary(Note::number(1)).into_future());
    bed.within("the running call", gate.begun.cancelled())
        .await?;
    server.drain();
    until_refused(&bed, &client).await?;
    bed.pause().await;
    ensure!(!running.is_finished(), "the drain ended a running call");

    server.abort();

    let ended = bed.within("the end of the call", running).await??;
    expect_code(ended, Code::Unavailable, "a call that was cut off")?;
    if bed.capabilities.sockets == Sockets::Shared {
        bed.within("the connection's end", client.connection.closed())
            .await?;
    }
    Ok(Passed)
}

/// Calls until a call fails, and tells how many did not.
async fn call_until_error(client: Client) -> (u64, Error) {
    let mut done = 0;
    loop {
        match client.unary(Note::default()).await {
            Ok(_) => done += 1,
            Err(error) => return (done, error),
        }
    }
}

pub(crate) async fn graceful_close_loses_no_call(bed: Bed) -> Verdict {
    let begun = Arc::new(AtomicU64::new(0));
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
        callers.spawn(call_until_error(client.clone()));
    }
    let some = || begun.load(Ordering::Acquire) > 100;
    bed.eventually("some calls", some).await?;
    server.drain();

    let (mut done, mut unsure) = (0, 0);
    while let Some(ended) = bed.within("all callers", callers.join_next()).await? {
        let (calls, error) = ended?;
        let advice = error.retry();
        let refusal = is_refusal(&bed, &error);
        ensure!(
            refusal,
            "a call that raced ends with {error:?} ({advice:?})"
        );
        done += calls;
        unsure += u64::from(advice != Retry::NotBegun);
    }
    let begun = begun.load(Ordering::Acquire);
    ensure!(
        (done..=done + unsure).contains(&begun),
        "{begun} calls begun, {done} answered, {unsure} with an end that may be either"
    );
    bed.within("the end of the server", server.drained())
        .await??;
    Ok(Passed)
}

pub(crate) async fn close_lets_calls_finish(bed: Bed) -> Verdict {
    let gate = Gate::default();
    let (server, client) = bed.pair(gated(&gate)).await?;
    let running = tokio::spawn(client.unary(Note::number(1)).into_future());
    bed.within("the running call", gate.begun.cancelled())
        .await?;

    client.connection.close();
    client.connection.close();

    let refused = bed
        .within("a refusal", client.echo(Note::default()))
        .await?;
    let error = expect_code(refused, Code::Unavailable, "a call after the close")?;
    ensure_eq!(error.retry(), Retry::NotBegun, "the advice of a refusal");
    bed.pause().await;
    ensure!(!running.is_finished(), "the close ended a running call");
    gate.open.cancel();
    bed.within("the running call", running).await???;
    bed.eventually("no peer", || server.peers() == 0).await?;
    client.connection.close();
    Ok(Passed)
}
