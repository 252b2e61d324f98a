//! Deadlines: bounded, kept for whole streams, free when nobody has to wait.

use std::time::Duration;

use gufo_core::{Caller, Code, Context, Deadline, Handler as _, Response, Streaming};
use gufo_server::{Server, ServerOptions};
use tokio::sync::mpsc;

use crate::fixture::{
    Log, LogOnDrop, UNARY, call, caller, echo, in_time, router, stream, stream_call,
    stream_service, unary, unary_service,
};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A call whose client does not watch its own deadline, so that only the server does.
async fn answered_by_server(
    caller: &Caller,
    deadline: Deadline,
) -> Result<gufo_core::Reply, gufo_core::Status> {
    let mut ctx = Context::new(&UNARY, gufo_core::Format::Raw);
    ctx.set_deadline(deadline);
    let request = gufo_core::Bytes::from("owl").into();
    caller.handler().unary(ctx, request).await
}

/// As [`answered_by_server`], for a clock that stands still.
async fn answered_in_time(
    caller: &Caller,
    deadline: Deadline,
) -> Result<gufo_core::Reply, gufo_core::Status> {
    in_time(answered_by_server(caller, deadline)).await
}

#[tokio::test(start_paused = true)]
async fn a_call_that_arrives_expired_is_not_started() {
    let log = Log::default();
    let seen = log.clone();
    let caller = caller(unary_service(unary(move |_, request| {
        seen.add("started");
        async move { Ok(request) }
    })));
    let deadline = Deadline::after(seconds(1));
    tokio::time::advance(seconds(2)).await;

    let failed = answered_in_time(&caller, deadline).await;

    assert_eq!(failed.expect_err("late").code(), Code::DeadlineExceeded);
    assert!(log.entries().is_empty());
}

#[tokio::test(start_paused = true)]
async fn deadlines_are_bounded_by_the_policy_of_the_server() {
    let (tx, mut rx) = mpsc::channel(8);
    let seen = tx.clone();
    let service = unary_service(unary(move |ctx, request| {
        let seen = seen.clone();
        async move {
            seen.send(ctx.deadline().remaining()).await.expect("room");
            Ok(request)
        }
    }));
    let service = service.route(
        &crate::fixture::STREAM,
        stream(move |ctx, _| {
            let seen = tx.clone();
            async move {
                seen.send(ctx.deadline().remaining()).await.expect("room");
                Ok(Response::new(Streaming::iter([])))
            }
        }),
    );
    let mut options = ServerOptions::default();
    options.max_deadline = Some(seconds(10));
    let caller = Caller::new(router(Server::builder().service(service).options(options)));

    call(&caller).await.expect("none stated");
    call(&caller).timeout(seconds(99)).await.expect("too far");
    call(&caller).timeout(seconds(3)).await.expect("near");
    stream_call(&caller).await.expect("no bound for streams");

    let mut remaining = Vec::new();
    rx.close();
    while let Some(deadline) = rx.recv().await {
        remaining.push(deadline);
    }
    let ten = Some(seconds(10));
    assert_eq!(remaining, [ten, ten, Some(seconds(3)), None]);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_ends_at_its_deadline_and_its_work_is_told() {
    let log = Log::default();
    let seen = log.clone();
    let caller = caller(unary_service(unary(move |ctx, _| {
        let elsewhere = seen.clone();
        tokio::spawn(async move {
            ctx.cancelled().await;
            elsewhere.add("told");
        });
        let dropped = LogOnDrop(seen.clone(), "dropped");
        async move {
            let _dropped = dropped;
            std::future::pending().await
        }
    })));

    let failed = answered_in_time(&caller, Deadline::after(seconds(1))).await;
    tokio::task::yield_now().await;

    assert_eq!(failed.expect_err("late").code(), Code::DeadlineExceeded);
    assert_eq!(log.entries(), ["dropped", "told"]);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_a_stream_that_waits() {
    let caller = caller(stream_service(stream(|_, requests| async {
        // The requests never end, and so do the replies.
        Ok(Response::new(requests))
    })));
    let (sender, requests) = Streaming::channel(1);
    let mut ctx = Context::new(&crate::fixture::STREAM, gufo_core::Format::Raw);
    ctx.set_deadline(Deadline::after(seconds(1)));
    sender.send("owl".into()).await.expect("room");
    let requests = requests
        .encode::<gufo_core::codec::Raw>(gufo_core::Format::Raw, gufo_core::Values::HandOver);

    let mut replies = caller
        .handler()
        .stream(ctx, requests)
        .await
        .expect("opened");

    assert!(replies.messages.next().await.expect("an item").is_ok());
    let failed = in_time(replies.messages.next()).await.expect("an item");
    assert_eq!(failed.expect_err("late").code(), Code::DeadlineExceeded);
    assert!(replies.messages.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_a_stream_that_never_waits() {
    let caller = caller(stream_service(stream(|_, _| async {
        let owls = std::iter::repeat_with(|| "owl".into());
        Ok(Response::new(Streaming::iter(owls)))
    })));
    let mut ctx = Context::new(&crate::fixture::STREAM, gufo_core::Format::Raw);
    ctx.set_deadline(Deadline::after(seconds(1)));
    let none = gufo_core::Messages::empty();
    let mut replies = caller.handler().stream(ctx, none).await.expect("opened");
    assert!(replies.messages.next().await.expect("an item").is_ok());

    tokio::time::advance(seconds(2)).await;
    let mut last = None;
    for _ in 0..65 {
        last = replies.messages.next().await;
        if matches!(last, Some(Err(_))) {
            break;
        }
    }

    let failed = last.expect("an item").expect_err("late");
    assert_eq!(failed.code(), Code::DeadlineExceeded);
}

/// Runs on a runtime without a clock, where making a timer panics.
fn without_timers<T>(run: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(run)
}

#[test]
fn a_call_that_is_ready_at_once_makes_no_timer() {
    let ready = caller(unary_service(echo()));

    let reply = without_timers(answered_by_server(&ready, Deadline::after(seconds(9))));

    assert!(reply.is_ok());
}

#[test]
#[should_panic(expected = "timers are disabled")]
fn a_call_that_waits_does_make_a_timer() {
    let waits = caller(unary_service(unary(|_, request| async {
        std::future::pending::<()>().await;
        Ok(request)
    })));

    let _ = without_timers(answered_by_server(&waits, Deadline::after(seconds(9))));
}
