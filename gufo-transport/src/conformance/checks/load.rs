//! Many calls, large messages, slow readers.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use gufo_core::{Cancel, Kind, Status, Streaming};
use tokio::{task::JoinSet, time::Instant};

use crate::conformance::{
    Failure,
    Outcome::{NotDeclared, Passed},
    Verdict,
    bed::Bed,
    client::Client,
    ensure, ensure_eq,
    message::{Note, numbered},
    plan::Plan,
    script::{Endless, Then, script},
};

pub(crate) async fn thousand_concurrent(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(Plan::new()).await?;

    let mut calls = JoinSet::new();
    for number in 0..1000 {
        let call = client.echo(Note::number(number)).into_future();
        calls.spawn(async move { (number, call.await) });
    }
    let mut answered = 0;
    while let Some(call) = bed.within("all calls", calls.join_next()).await? {
        let (number, reply) = call?;
        ensure_eq!(reply?.number, number, "the reply of a call");
        answered += 1;
    }

    ensure_eq!(answered, 1000, "calls that were answered");
    Ok(Passed)
}

pub(crate) async fn pipelining_keeps_order(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(Plan::mirrors()).await?;

    let sent: Vec<_> = (0..101)
        .map(|number| tokio::spawn(client.unary(Note::number(number)).into_future()))
        .collect();
    for (number, call) in (0..).zip(sent) {
        let reply = bed.within("a reply", call).await???;
        ensure_eq!(reply.number, number, "the reply of a call");
    }
    Ok(Passed)
}

pub(crate) async fn large_and_empty_messages(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(Plan::mirrors()).await?;

    for size in [0, 1, 4 << 10, 16 << 10, 64 << 10, 1 << 20] {
        let note = Note::sized(size);
        let reply = bed.within("a reply", client.unary(note.clone())).await??;
        ensure!(reply == note, "a message of {size} bytes is changed");
    }
    if bed.capabilities.kinds.contains(&Kind::ClientStream) {
        let notes = Streaming::iter((0..3).map(|_| Note::sized(1 << 20)));
        let sum = bed.within("a sum", client.client_stream(notes)).await??;
        ensure_eq!(sum.text.len(), 3 << 20, "the size of all messages");
    }
    Ok(Passed)
}

pub(crate) async fn ten_thousand_in_order(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(Plan::mirrors()).await?;
    let count = 10_000;

    if bed.capabilities.kinds.contains(&Kind::ServerStream) {
        let call = client.server_stream(Note::number(count));
        let replies = bed.within("a stream", call).await??;
        let all = bed.within("all messages", replies.collect()).await??;
        ensure!(all.into_iter().eq(numbered(count)), "replies out of order");
    }
    if bed.capabilities.kinds.contains(&Kind::ClientStream) {
        let call = client.client_stream(Streaming::iter(numbered(count)));
        let sum = bed.within("a sum", call).await??;
        ensure_eq!(sum.number, count * (count - 1) / 2, "the sum");
    }
    if bed.capabilities.kinds.contains(&Kind::Bidi) {
        let call = client.bidi(Streaming::iter(numbered(count)));
        let replies = bed.within("a stream", call).await??;
        let all = bed.within("all messages", replies.collect()).await??;
        ensure!(all.into_iter().eq(numbered(count)), "an echo out of order");
    }
    Ok(Passed)
}

const SIZE: usize = 1024;

/// Calls on the same connection until a counter stands still, which it must below the bound.
async fn stands_still(bed: &Bed, client: &Client, taken: &AtomicUsize) -> Result<(), Failure> {
    // Filling every buffer on the way takes longer than one effect.
    let deadline = Instant::now() + 4 * bed.settle();
    let (mut before, mut unchanged) = (0, 0);
    while unchanged < 10 {
        for _ in 0..20 {
            let call = client.echo(Note::default());
            bed.within("a call beside it", call).await??;
        }
        // Whoever takes messages must have had the chance to.
        bed.pause().await;
        let now = taken.load(Ordering::Acquire);
        ensure!(
            now * SIZE <= bed.tolerance.buffer,
            "{now} messages of {SIZE} bytes are taken and not read"
        );
        unchanged = if now == before && now > 0 {
            unchanged + 1
        } else {
            0
        };
        before = now;
        let in_time = Instant::now() < deadline;
        ensure!(in_time, "messages that nobody reads keep being taken");
    }
    Ok(())
}

pub(crate) async fn slow_reader_of_replies(bed: Bed) -> Verdict {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let plan = Plan::new().server_stream(move |_, _| {
        let taken = Arc::clone(&count);
        async move { Ok(Streaming::new(Endless { size: SIZE, taken })) }
    });
    let Some((_server, client)) = bed.pair_for(Kind::ServerStream, plan).await? else {
        return Ok(NotDeclared);
    };

    let call = client.server_stream(Note::default());
    let mut replies = bed.within("a stream", call).await??;
    bed.within("a message", replies.next()).await??;
    stands_still(&bed, &client, &taken).await?;

    let before = taken.load(Ordering::Acquire);
    for _ in 0..2 * before {
        let next = bed.within("a message", replies.next()).await??;
        ensure!(next.is_some(), "the stream ended");
    }
    let after = taken.load(Ordering::Acquire);
    ensure!(after > before, "reading does not let the writer go on");
    Ok(Passed)
}

pub(crate) async fn slow_reader_of_requests(bed: Bed) -> Verdict {
    let open = Cancel::new();
    let gate = open.clone();
    let plan = Plan::new().client_stream(move |_, mut notes: Streaming<Note>| {
        let gate = gate.clone();
        async move {
            notes.next().await?;
            gate.cancelled().await;
            Ok(Note::default())
        }
    });
    let Some((_server, client)) = bed.pair_for(Kind::ClientStream, plan).await? else {
        return Ok(NotDeclared);
    };

    let taken = Arc::new(AtomicUsize::new(0));
    let requests = Streaming::new(Endless {
        size: SIZE,
        taken: Arc::clone(&taken),
    });
    let call = tokio::spawn(client.client_stream(requests).into_future());
    stands_still(&bed, &client, &taken).await?;

    open.cancel();
    bed.within("the reply", call).await???;
    Ok(Passed)
}

pub(crate) async fn concurrent_streams_isolated(bed: Bed) -> Verdict {
    let plan = Plan::new().bidi(|_, mut notes: Streaming<Note>| async move {
        let first = notes.next().await?.unwrap_or_default();
        if first.text == "fail" {
            return Ok(script(
                3,
                Then::Fail(Status::aborted("asked to")),
                &Cancel::new(),
            ));
        }
        Ok(notes)
    });
    let Some((_server, client)) = bed.pair_for(Kind::Bidi, plan).await? else {
        return Ok(NotDeclared);
    };

    let mut healthy = JoinSet::new();
    for _ in 0..8 {
        let call = client.bidi(Streaming::iter(numbered(501))).into_future();
        healthy.spawn(async move { call.await?.collect().await });
        // One is given up, one fails at the server, and the requests of one fail.
        let waits = script(2, Then::Wait, &Cancel::new());
        let given_up = bed.within("a stream", client.bidi(waits)).await??;
        drop(given_up);
        let fails = Streaming::iter([Note::text("fail")]);
        let failing = bed.within("a stream", client.bidi(fails)).await??;
        let broken = script(2, Then::Fail(Status::data_loss("broken")), &Cancel::new());
        let breaking = tokio::spawn(client.bidi(broken).into_future());
        let failed = bed.within("the end", failing.collect()).await?;
        ensure!(failed.is_err(), "a stream that fails ends well");
        drop(bed.within("an answer", breaking).await?);
    }

    while let Some(all) = bed.within("the other streams", healthy.join_next()).await? {
        let all = all??;
        ensure!(
            all.into_iter().eq(numbered(501).skip(1)),
            "messages of another stream are lost"
        );
    }
    Ok(Passed)
}
