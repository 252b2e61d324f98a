//! How calls end: regularly, by a failure, or by an abort.

use gufo_core::{Cancel, Code, Kind, Status, Streaming};
use tokio::sync::mpsc;

use crate::conformance::{
    Outcome::{NotDeclared, Passed},
    Verdict,
    bed::{Bed, expect_code},
    ensure, ensure_eq,
    message::{Note, UNARY},
    plan::Plan,
    script::{Ended, Then, read_to_end, script},
};

/// A plan whose client-streaming method reads its requests in a task of its own, and tells that
/// it has begun and how they ended.
fn tells_the_end() -> (Plan, Cancel, mpsc::Receiver<Ended>) {
    let (tell, ended) = mpsc::channel(8);
    let begun = Cancel::new();
    let begins = begun.clone();
    let plan = Plan::new().client_stream(move |_, notes| {
        begins.cancel();
        let tell = tell.clone();
        let (done, read) = tokio::sync::oneshot::channel::<()>();
        read_to_end(notes, move |ended| {
            // The check has failed already when nobody listens, or more calls end than it makes.
            let _ = tell.try_send(ended);
            drop(done);
        });
        async move {
            let _ = read.await; // An error is what tells that all is read.
            Err::<Note, _>(Status::aborted("the requests have ended"))
        }
    });
    (plan, begun, ended)
}

pub(crate) async fn failed_requests_are_not_an_end(bed: Bed) -> Verdict {
    let (plan, begun, mut ended) = tells_the_end();
    let Some((_server, client)) = bed.pair_for(Kind::ClientStream, plan).await? else {
        return Ok(NotDeclared);
    };

    let (sender, requests) = Streaming::channel(1);
    let call = tokio::spawn(client.client_stream(requests).into_future());
    bed.within("room", sender.send(Note::default())).await??;
    bed.within("the handler", begun.cancelled()).await?;
    sender.fail(Status::data_loss("broken")).await;

    let failed = bed.within("the end", call).await??;
    ensure!(failed.is_err(), "a call without its requests succeeds");

    let ended = bed.within("the end at the server", ended.recv()).await?;
    ensure!(
        matches!(ended, Some(Ended::InError)),
        "requests that failed end {ended:?}"
    );
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    Ok(Passed)
}

pub(crate) async fn dropped_call_is_not_an_end(bed: Bed) -> Verdict {
    let (plan, begun, mut ended) = tells_the_end();
    let Some((_server, client)) = bed.pair_for(Kind::ClientStream, plan).await? else {
        return Ok(NotDeclared);
    };

    let (sender, requests) = Streaming::channel(1);
    let call = tokio::spawn(client.client_stream(requests).into_future());
    bed.within("room", sender.send(Note::default())).await??;
    bed.within("the handler", begun.cancelled()).await?;
    call.abort();
    let _ = call.await; // It was aborted.
    drop(sender);

    let ended = bed.within("the end at the server", ended.recv()).await?;
    ensure!(
        matches!(ended, Some(Ended::InError)),
        "requests of a call that was given up end {ended:?}"
    );
    Ok(Passed)
}

pub(crate) async fn failed_replies_are_not_an_end(bed: Bed) -> Verdict {
    let plan = Plan::new().server_stream(|_, _| async {
        let failure = Status::data_loss("broken").with_detail("owl", vec![1_u8]);
        Ok(script(3, Then::Fail(failure), &Cancel::new()))
    });
    let Some((_server, client)) = bed.pair_for(Kind::ServerStream, plan).await? else {
        return Ok(NotDeclared);
    };

    let call = client.server_stream(Note::default());
    let mut replies = bed.within("a stream", call).await??;
    for number in 0..3 {
        let next = bed.within("a message", replies.next()).await??;
        ensure_eq!(next, Some(Note::number(number)), "the next message");
    }
    let failed = bed.within("the end", replies.next()).await?;

    let error = expect_code(failed, Code::DataLoss, "a stream that failed")?;
    ensure_eq!(error.message(), "broken", "its message");
    let details = error.status().map_or(0, |status| status.details().len());
    ensure_eq!(details, 1, "its details");
    Ok(Passed)
}

pub(crate) async fn lost_server_is_not_an_end(bed: Bed) -> Verdict {
    let plan = Plan::new()
        .server_stream(|_, _| async { Ok(script(1, Then::Wait, &Cancel::new())) })
        .unary(|_, _| async {
            std::future::pending::<()>().await;
            Ok(Note::default())
        });
    let Some((server, client)) = bed.pair_for(Kind::ServerStream, plan).await? else {
        return Ok(NotDeclared);
    };
    let call = client.server_stream(Note::default());
    let mut replies = bed.within("a stream", call).await??;
    bed.within("a message", replies.next()).await??;
    let waiting = tokio::spawn(client.unary(Note::default()).into_future());
    bed.eventually("two calls", || client.connection.in_flight() >= 2)
        .await?;

    server.abort();

    let lost = bed.within("the end of the stream", replies.next()).await?;
    expect_code(lost, Code::Unavailable, "a stream whose server is gone")?;
    let lost = bed.within("the end of the call", waiting).await??;
    expect_code(lost, Code::Unavailable, "a call whose server is gone")?;
    Ok(Passed)
}

pub(crate) async fn panic_is_internal(bed: Bed) -> Verdict {
    let open = Cancel::new();
    let gate = open.clone();
    let plan = Plan::new()
        .server_stream(|_, _| async { Ok(script(2, Then::Panic, &Cancel::new())) })
        .unary(move |_, note| {
            let gate = gate.clone();
            async move {
                assert!(note.number == 0, "on purpose");
                gate.cancelled().await;
                Ok(note)
            }
        });
    let (_server, client) = bed.pair(plan).await?;
    let other = tokio::spawn(client.unary(Note::default()).into_future());

    let failed = bed
        .within("a status", client.unary(Note::number(1)))
        .await?;
    expect_code(failed, Code::Internal, "a handler that panics")?;
    if bed.capabilities.kinds.contains(&Kind::ServerStream) {
        let call = client.server_stream(Note::default());
        let mut replies = bed.within("a stream", call).await??;
        for _ in 0..2 {
            let next = bed.within("a message", replies.next()).await??;
            ensure!(next.is_some(), "the stream ends before its panic");
        }
        let failed = bed.within("the end", replies.next()).await?;
        expect_code(failed, Code::Internal, "a panic in mid-stream")?;
    }

    open.cancel();
    bed.within("the other call", other).await???;
    Ok(Passed)
}

pub(crate) async fn uncaught_panic_hangs_nobody(bed: Bed) -> Verdict {
    struct Panics;
    impl gufo_core::Handler for Panics {
        fn unary(
            &self,
            _: gufo_core::Context,
            _: gufo_core::Payload,
        ) -> gufo_core::Answer<gufo_core::Reply> {
            gufo_core::Answer::later(async { panic!("on purpose, and not caught") })
        }

        fn stream(
            &self,
            _: gufo_core::Context,
            _: gufo_core::Messages,
        ) -> gufo_core::Answer<gufo_core::Replies> {
            gufo_core::Answer::later(async { panic!("on purpose, and not caught") })
        }
    }
    let plan = Plan::new().unguarded(&UNARY, std::sync::Arc::new(Panics));
    let (server, client) = bed.pair(plan).await?;

    let call = tokio::spawn(client.unary(Note::default()).into_future());
    let ended = bed.within("the end of the call", call).await?;

    // Inside a process the panic may reach the caller's task.
    let failed = ended.map_or(true, |reply| reply.is_err());
    ensure!(failed, "a call whose handler panics succeeds");
    let another = server.connect().await?;
    bed.within("a reply", another.echo(Note::default()))
        .await??;
    Ok(Passed)
}

pub(crate) async fn close_unblocks_receive(bed: Bed) -> Verdict {
    let (plan, begun, mut ended) = tells_the_end();
    let Some((server, client)) = bed.pair_for(Kind::ClientStream, plan).await? else {
        return Ok(NotDeclared);
    };
    let (sender, requests) = Streaming::channel(1);
    let call = tokio::spawn(client.client_stream(requests).into_future());
    bed.within("room", sender.send(Note::default())).await??;
    bed.within("the handler", begun.cancelled()).await?;

    server.abort();

    let woken = bed.within("the end of the call", call).await??;
    expect_code(woken, Code::Unavailable, "the call")?;
    let ended = bed.within("the end at the server", ended.recv()).await?;
    ensure!(
        matches!(ended, Some(Ended::InError) | None),
        "requests that were cut off end {ended:?}"
    );
    Ok(Passed)
}

pub(crate) async fn write_error_returned(bed: Bed) -> Verdict {
    let plan = Plan::new().client_stream(|_, notes| async move {
        drop(notes);
        Err::<Note, _>(Status::permission_denied("no notes here"))
    });
    let Some((_server, client)) = bed.pair_for(Kind::ClientStream, plan).await? else {
        return Ok(NotDeclared);
    };

    let (sender, requests) = Streaming::channel(1);
    let call = tokio::spawn(client.client_stream(requests).into_future());
    let sending = async {
        while sender.send(Note::sized(1024)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    bed.within("a failed send", sending).await?;

    let refused = bed.within("the status", call).await??;
    expect_code(refused, Code::PermissionDenied, "the call")?;
    Ok(Passed)
}
