//! Peers that are there and say nothing.

use std::future::IntoFuture;

use gufo_core::{Code, ConnectionState, Deadline, ListenOptions, Retry};
use gufo_testkit::{eventually, methods, proxy::Flow, within};
use tokio::time::Instant;

use crate::bed::{Bed, SOON, Wire, echo, endless, patient, unary};

pub(crate) async fn a_black_hole_ends_at_the_deadline_of_a_call(wire: Wire) {
    let bed = Bed::new(wire).await;
    let connection = bed.connect().await;
    echo(&connection, "before").await.expect("an echo");
    bed.proxy.down(|faults| faults.flow = Flow::Swallow);

    let began = Instant::now();
    let error = within(
        "the call",
        echo(&connection, "owl").timeout(SOON).into_future(),
    )
    .await
    .expect_err("no answer");

    assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
    assert!(began.elapsed() >= SOON);
    assert!(bed.proxy.counts().down.swallowed > 0);
    eventually("it is given up", async || connection.in_flight() == 0).await;
    bed.survived().await;
}

pub(crate) async fn a_black_hole_is_found_by_the_keep_alive_of_the_client(wire: Wire) {
    let bed = Bed::new(wire).await;
    let mut options = patient();
    options.keep_alive_interval = SOON / 3;
    options.keep_alive_timeout = SOON / 3;
    let connection = bed.connect_with(options).await.expect("it is there");
    let call = tokio::spawn(unary(&connection, &methods::FOREVER, "owl").into_future());
    eventually("it has begun", async || bed.seen.started() == 1).await;

    bed.proxy.both(|faults| faults.flow = Flow::Swallow);

    let ended = within("the call", call).await.expect("no panic");
    let error = ended.expect_err("nobody answers");
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert_eq!(error.retry(), Retry::Maybe, "{error}");
    within("the connection", connection.closed()).await;
    assert_eq!(connection.state(), ConnectionState::Closed);
    assert!(bed.proxy.counts().up.swallowed > 0);
    bed.survived().await;
}

/// The client is gone, and nothing that would say so comes through.
pub(crate) async fn a_black_hole_is_found_by_the_keep_alive_of_the_server(wire: Wire) {
    let mut listen = ListenOptions::default();
    listen.keep_alive_interval = SOON;
    listen.keep_alive_timeout = SOON;
    let bed = Bed::with(wire, listen).await;
    let connection = bed.connect().await;
    let call = tokio::spawn(unary(&connection, &methods::FOREVER, "owl").into_future());
    eventually("it has begun", async || bed.seen.started() == 1).await;
    bed.proxy.both(|faults| faults.flow = Flow::Swallow);

    call.abort();
    drop(connection);

    eventually("its handler is gone", async || bed.seen.dropped() == 1).await;
    // Only the probe is left.
    eventually("so is the connection", async || {
        bed.server.connections() == 1
    })
    .await;
    bed.survived().await;
}

pub(crate) async fn a_black_hole_that_answers_no_greeting_is_not_connected_to(wire: Wire) {
    let bed = Bed::new(wire).await;
    bed.proxy.down(|faults| faults.flow = Flow::Swallow);
    let mut options = patient();
    options.deadline = Deadline::after(SOON);

    let error = bed
        .connect_with(options)
        .await
        .expect_err("it says nothing");

    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert_eq!(error.retry(), Retry::NotBegun, "{error}");
    assert_eq!(bed.proxy.counts().connections, 1);
    bed.survived().await;
}

pub(crate) async fn a_pause_that_ends_loses_nothing(wire: Wire) {
    let bed = Bed::new(wire).await;
    let connection = bed.connect().await;
    bed.proxy.pause();
    let calls: Vec<_> = (0..10)
        .map(|number| echo(&connection, format!("owl {number}")).into_future())
        .map(tokio::spawn)
        .collect();
    eventually("something is held", async || bed.proxy.counts().up.held > 0).await;

    bed.proxy.resume();

    for (number, call) in calls.into_iter().enumerate() {
        let reply = within("the call", call).await.expect("no panic");
        assert_eq!(reply.expect("an echo"), format!("owl {number}"));
    }
    assert_eq!(bed.proxy.counts().connections, 1);
    bed.survived().await;
}

/// What a server makes is bounded by what it is told that the client takes.
pub(crate) async fn a_sender_does_not_run_ahead_of_a_pause(wire: Wire) {
    /// Windows of the transport, buffers of the kernel and of the proxy, and as much again.
    const AHEAD: usize = 32 << 20;
    let bed = Bed::new(wire).await;
    let connection = bed.connect().await;
    let mut replies = endless(&connection).await.expect("it begins");
    replies.next().await.expect("no error").expect("no end");
    bed.proxy.down(|faults| faults.flow = Flow::Hold);
    let reads = async { while let Ok(Some(_)) = replies.next().await {} };
    tokio::select! {
        () = reads => panic!("it has no end"),
        () = eventually("something is held", async || bed.proxy.counts().down.held > 0) => {}
    }

    // It has come to rest when it makes nothing more while the probe is answered many times.
    let mut made = bed.seen.produced();
    eventually("it rests", async || {
        bed.answers(10).await;
        std::mem::replace(&mut made, bed.seen.produced()) == made
    })
    .await;

    assert!(made < AHEAD, "{made} bytes");
    bed.proxy.resume();
    replies.next().await.expect("no error").expect("no end");
    drop(replies);
    bed.survived().await;
}
