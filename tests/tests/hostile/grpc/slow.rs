//! Peers that take their time, and peers that are many.

use gufo_core::{Code, ListenOptions};
use gufo_server::ServerOptions;
use gufo_testkit::{
    eventually, methods,
    raw::{Frame, Http2, Settings, Socket, codes, grpc_head, message},
};

use super::{client, lives_on, status};
use crate::{Attack, SOON};

#[tokio::test]
async fn a_peer_that_says_nothing_or_half_a_preface_is_closed() {
    let mut options = ListenOptions::default();
    options.handshake_timeout = SOON;
    let attack = Attack::with(options).await;

    for preface in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
        let mut socket = Socket::connect(attack.target.address).await;
        socket.write(preface.as_bytes()).await.expect("open");
        socket.closed().await;
    }

    attack.survived().await;
}

#[tokio::test]
async fn a_connection_without_calls_is_told_to_go_away() {
    let mut options = ListenOptions::default();
    options.idle_timeout = SOON;
    let attack = Attack::with(options).await;
    let mut client = client(&attack).await;
    lives_on(&mut client, 1).await;

    assert_eq!(client.leave().await, Some(codes::NO_ERROR));
    attack.survived().await;
}

/// A connection is not idle because nobody calls at the moments somebody looks.
#[tokio::test]
async fn a_connection_with_short_calls_is_not_idle() {
    let mut options = ListenOptions::default();
    options.idle_timeout = SOON;
    let attack = Attack::with(options).await;
    let mut idle = client(&attack).await;
    lives_on(&mut idle, 1).await;

    // The probe calls all the while, and must not fail.
    idle.leave().await;
    let mut idle = client(&attack).await;
    idle.leave().await;

    attack.survived().await;
}

/// It says something all the time, only never what it was asked.
#[tokio::test]
async fn a_connection_without_calls_that_will_not_go_away_is_closed() {
    let mut options = ListenOptions::default();
    options.idle_timeout = SOON;
    options.keep_alive_timeout = SOON;
    let attack = Attack::with(options).await;
    let mut client = client(&attack).await;

    eventually("it is closed", async || {
        client.send(&Frame::ping()).await.is_err()
    })
    .await;

    attack.survived().await;
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_is_closed() {
    let mut options = ListenOptions::default();
    options.keep_alive_interval = SOON;
    options.keep_alive_timeout = SOON;
    let attack = Attack::with(options).await;
    let seen = &attack.target.seen;
    let mut client = client(&attack).await;
    let path = methods::FOREVER.path();
    let sent = client.request(1, path, &[], message(b"owl")).await;
    sent.expect("open");

    client.socket.closed().await;

    eventually("its handler is gone", async || seen.dropped() == 1).await;
    attack.survived().await;
}

#[tokio::test]
async fn a_request_whose_body_does_not_come_ends_without_its_handler() {
    let mut options = ListenOptions::default();
    options.stall_timeout = SOON;
    let attack = Attack::with(options).await;
    let mut client = client(&attack).await;
    for (stream, path) in [(1, methods::FOREVER.path()), (3, methods::ENDLESS.path())] {
        let head = Http2::headers_frame(stream, &grpc_head(path, &[]), false);
        let half = Frame::data(stream, message(b"half an owl").slice(..8), false);
        client.send_all(&[head, half]).await.expect("open");

        let outcome = client.outcome(stream).await;

        assert_eq!(outcome.grpc_status(), status(Code::DeadlineExceeded));
        assert!(outcome.grpc_message().contains("came for 300ms"));
    }
    assert_eq!(attack.target.seen.started(), 0);
    lives_on(&mut client, 5).await;
    attack.survived().await;
}

/// Slow is not silent: what counts is that something comes.
#[tokio::test]
async fn a_request_whose_body_comes_in_small_parts_is_answered() {
    let mut options = ListenOptions::default();
    options.stall_timeout = SOON;
    let attack = Attack::with(options).await;
    let mut client = client(&attack).await;
    let head = grpc_head(methods::ECHO.path(), &[]);
    client.headers(1, &head, false).await.expect("open");
    let body = message(b"owl");
    let mut pace = tokio::time::interval(SOON / 3);
    for index in 0..body.len() {
        pace.tick().await;
        let part = Frame::data(1, body.slice(index..=index), index + 1 == body.len());
        client.send(&part).await.expect("open");
    }

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.grpc_status(), status(Code::Ok), "{outcome:?}");
    assert_eq!(outcome.body, body);
    attack.survived().await;
}

#[tokio::test]
async fn the_deadline_ends_a_request_whose_body_does_not_come() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let head = grpc_head(methods::FOREVER.path(), &[("grpc-timeout", "50m")]);
    client.headers(1, &head, false).await.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.grpc_status(), status(Code::DeadlineExceeded));
    lives_on(&mut client, 3).await;
    attack.survived().await;
}

#[tokio::test]
async fn nobody_is_served_over_the_cap_until_somebody_leaves() {
    let mut options = ServerOptions::default();
    options.max_connections = 4;
    // One of them is the probe's.
    let attack = Attack::with_both(ListenOptions::default(), options).await;
    let server = &attack.target.server;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut client = client(&attack).await;
        lives_on(&mut client, 1).await;
        held.push(client);
    }
    let socket = Socket::connect(attack.target.address).await;
    let mut waiting = Http2::greet(socket, Settings::Wide).await;
    let path = methods::ECHO.path();
    let sent = waiting.request(1, path, &[], message(b"owl")).await;
    sent.expect("the kernel takes it");
    lives_on(&mut held[0], 3).await;
    assert_eq!(server.connections(), 4);

    drop(held.pop());
    let outcome = waiting.outcome(1).await;

    assert_eq!(outcome.grpc_status(), status(Code::Ok));
    drop((held, waiting));
    attack.survived().await;
}

#[tokio::test]
async fn a_thousand_idle_connections_keep_nobody_out() {
    let attack = Attack::begin().await;
    let server = &attack.target.server;
    let mut idle = Vec::new();
    for index in 0..1000 {
        let socket = Socket::connect(attack.target.address).await;
        if index % 2 == 0 {
            idle.push(Http2::greet(socket, Settings::Wide).await);
        } else {
            idle.push(Http2::from(socket));
        }
    }
    eventually("all are accepted", async || server.connections() > 1000).await;

    lives_on(&mut idle[998], 1).await;

    drop(idle);
    eventually("all are gone", async || server.connections() == 1).await;
    attack.survived().await;
}
