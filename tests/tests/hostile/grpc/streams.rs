//! Streams that are reset, half-closed, or never read.

use gufo_core::{Code, ListenOptions};
use gufo_testkit::{
    CHUNK, eventually, methods,
    raw::{Frame, Http2, Settings, Socket, codes, grpc_head, message},
};

use super::{client, lives_on, status};
use crate::{Attack, SOON};

#[tokio::test]
async fn a_reset_stream_drops_its_handler_and_no_other() {
    let attack = Attack::begin().await;
    let seen = &attack.target.seen;
    let mut client = client(&attack).await;
    for stream in [1, 3] {
        let path = methods::FOREVER.path();
        let sent = client.request(stream, path, &[], message(b"owl")).await;
        sent.expect("open");
    }
    eventually("both handlers run", async || seen.started() == 2).await;

    let reset = Frame::reset(1, codes::CANCEL);
    client.send(&reset).await.expect("open");

    eventually("its handler is gone", async || seen.dropped() == 1).await;
    lives_on(&mut client, 5).await;
    assert_eq!(seen.dropped(), 1);
    attack.survived().await;
}

#[tokio::test]
async fn a_reset_in_the_middle_of_a_request_starts_no_handler() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let head = Http2::headers_frame(1, &grpc_head(methods::FOREVER.path(), &[]), false);
    let half = Frame::data(1, message(b"half an owl").slice(..8), false);
    let reset = Frame::reset(1, codes::CANCEL);
    client.send_all(&[head, half, reset]).await.expect("open");

    lives_on(&mut client, 3).await;

    assert_eq!(attack.target.seen.started(), 0);
    attack.survived().await;
}

#[tokio::test]
async fn a_connection_that_breaks_off_drops_its_handlers() {
    for orderly in [true, false] {
        let attack = Attack::begin().await;
        let seen = &attack.target.seen;
        let mut client = client(&attack).await;
        for (stream, path) in [
            (1, methods::FOREVER.path()),
            (3, methods::ENDLESS.path()),
            (5, methods::GATED.path()),
        ] {
            let sent = client.request(stream, path, &[], message(b"owl")).await;
            sent.expect("open");
        }
        eventually("the handlers run", async || seen.started() == 3).await;

        if orderly {
            drop(client);
        } else {
            client.socket.abort();
        }

        eventually("they are gone", async || seen.dropped() == 3).await;
        attack.survived().await;
    }
}

#[tokio::test]
async fn a_stream_that_is_half_closed_is_answered_all_the_same() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let body = [message(b"one"), message(b"two")].concat();
    let sent = client.request(1, methods::CHAT.path(), &[], body.clone());
    sent.await.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.body, body, "{outcome:?}");
    assert_eq!(outcome.grpc_status(), status(Code::Ok));
    attack.survived().await;
}

#[tokio::test]
async fn data_after_the_end_of_a_stream_resets_it_and_drops_its_handler() {
    let attack = Attack::begin().await;
    let seen = &attack.target.seen;
    let mut client = client(&attack).await;
    let path = methods::FOREVER.path();
    let sent = client.request(1, path, &[], message(b"owl")).await;
    sent.expect("open");
    eventually("the handler runs", async || seen.started() == 1).await;

    let more = Frame::data(1, "more", false);
    client.send(&more).await.expect("open");

    eventually("it is gone", async || seen.dropped() == 1).await;
    attack.survived().await;
}

#[tokio::test]
async fn a_window_that_never_opens_stops_the_handler_at_a_bound() {
    let attack = Attack::begin().await;
    let seen = &attack.target.seen;
    let mut client = Http2::connect(attack.target.address, Settings::Closed).await;
    let sent = client.request(1, methods::ENDLESS.path(), &[], message(b"owl"));
    sent.await.expect("open");
    eventually("the handler runs", async || seen.produced() > 0).await;

    // Whatever the server does before it answers is done by then.
    for _ in 0..10 {
        assert!(client.ping().await, "the connection is open");
    }

    assert!(seen.produced() <= 16 * CHUNK, "{} bytes", seen.produced());
    client.send(&Frame::reset(1, 8)).await.expect("open");
    eventually("it is gone", async || seen.dropped() == 1).await;
    attack.survived().await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_from_its_socket_is_cut() {
    let mut options = ListenOptions::default();
    options.stall_timeout = SOON;
    let attack = Attack::with(options).await;
    let seen = &attack.target.seen;
    let socket = Socket::connect_small(attack.target.address).await;
    let mut client = Http2::greet(socket, Settings::Wide).await;
    let sent = client.request(1, methods::ENDLESS.path(), &[], message(b"owl"));
    sent.await.expect("open");

    eventually("its handler is gone", async || seen.dropped() == 1).await;

    // What the kernel takes, and what waits before it.
    assert!(seen.produced() <= 16 << 20, "{} bytes", seen.produced());
    attack.survived().await;
}

#[tokio::test]
async fn a_client_that_never_reads_a_large_reply_is_cut() {
    let mut options = ListenOptions::default();
    options.stall_timeout = SOON;
    let attack = Attack::with(options).await;
    let mut client = Http2::connect(attack.target.address, Settings::Closed).await;
    let sent = client.request(1, methods::BIG.path(), &[], message(b"1000000"));
    sent.await.expect("open");

    client.socket.closed().await;

    attack.survived().await;
}

#[tokio::test]
async fn a_slow_reader_stops_nobody_else_on_its_connection() {
    let attack = Attack::begin().await;
    let seen = &attack.target.seen;
    let mut client = Http2::connect(attack.target.address, Settings::Closed).await;
    let sent = client.request(1, methods::ENDLESS.path(), &[], message(b"owl"));
    sent.await.expect("open");
    eventually("the handler runs", async || seen.produced() > 0).await;
    let head = Http2::headers_frame(3, &grpc_head(methods::ECHO.path(), &[]), false);
    let body = Frame::data(3, message(b"owl"), true);
    let window = Frame::window(3, 1000);
    client.send_all(&[head, body, window]).await.expect("open");

    let outcome = client.outcome(3).await;

    assert_eq!(outcome.body, message(b"owl"));
    assert_eq!(outcome.grpc_status(), status(Code::Ok));
    attack.survived().await;
}

/// The twenty resets h2 lets wait are above what a connection sends honestly at once, and each of
/// these was sent before the one before could be looked at.
#[tokio::test]
async fn a_flood_of_resets_closes_the_connection_and_leaves_no_handler() {
    let attack = Attack::begin().await;
    let seen = &attack.target.seen;
    let mut client = client(&attack).await;
    let head = grpc_head(methods::FOREVER.path(), &[]);
    let mut sent = 0;
    for batch in 0..100_u32 {
        let mut frames = Vec::new();
        for index in 0..100 {
            let stream = (batch * 100 + index) * 2 + 1;
            frames.push(Http2::headers_frame(stream, &head, false));
            frames.push(Frame::data(stream, message(b"owl"), true));
            frames.push(Frame::reset(stream, codes::CANCEL));
        }
        if client.send_all(&frames).await.is_err() {
            break;
        }
        sent += 100;
    }

    let code = client.closed_unless_idle().await;

    assert!(
        code.is_none_or(|code| code == codes::ENHANCE_YOUR_CALM),
        "{code:?}"
    );
    eventually("no handler is left", async || {
        seen.dropped() == seen.started()
    })
    .await;
    assert!(seen.started() <= sent + 100);
    attack.survived().await;
}

/// CVE-2025-8671: frames that make the server reset its own streams.
#[tokio::test]
async fn a_flood_that_makes_the_server_reset_is_cut() {
    let attack = Attack::begin().await;
    let seen = &attack.target.seen;
    let mut client = client(&attack).await;
    let head = grpc_head(methods::FOREVER.path(), &[]);
    for batch in 0..100_u32 {
        let mut frames = Vec::new();
        for index in 0..50 {
            let stream = (batch * 50 + index) * 2 + 1;
            frames.push(Http2::headers_frame(stream, &head, false));
            frames.push(Frame::data(stream, message(b"owl"), true));
            frames.push(Frame::data(stream, "more", false));
        }
        if client.send_all(&frames).await.is_err() {
            break;
        }
    }

    let code = client.closed().await;

    assert!(code.is_some_and(|code| code != codes::NO_ERROR), "{code:?}");
    eventually("no handler is left", async || {
        seen.dropped() == seen.started()
    })
    .await;
    attack.survived().await;
}

#[tokio::test]
async fn calls_over_the_limit_of_a_connection_are_refused_as_not_begun() {
    let mut options = ListenOptions::default();
    options.limits.calls = 10;
    let attack = Attack::with(options).await;
    let seen = &attack.target.seen;
    let mut client = client(&attack).await;
    let path = methods::FOREVER.path();
    for index in 0..11 {
        let sent = client.request(index * 2 + 1, path, &[], message(b"owl"));
        sent.await.expect("open");
    }

    let outcome = client.outcome(21).await;

    let refused_stream = 7;
    assert_eq!(outcome.reset, Some(refused_stream), "{outcome:?}");
    eventually("the others run", async || seen.started() == 10).await;
    attack.survived().await;
}
