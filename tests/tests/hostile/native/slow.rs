//! Peers that take their time, and peers that are many.

use std::time::Duration;

use gufo_core::ListenOptions;
use gufo_testkit::{
    Probe, eventually, methods,
    raw::{
        Socket,
        native::{Frame, Peer, flags, kinds},
    },
};

use super::bed::{Attack, Wire, encoded, lives_on};
use crate::SOON;

pub(super) async fn a_connection_without_calls_is_told_to_go_away(wire: Wire) {
    let mut options = ListenOptions::default();
    options.idle_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    let mut client = attack.client().await;
    lives_on(&mut client).await;

    let (code, _) = client.farewell().await.expect("the reason");

    assert_eq!(code, 0);
    attack.survived().await;
}

/// The probe calls all the while on a connection of its own, and must not fail.
pub(super) async fn a_connection_with_short_calls_is_not_idle(wire: Wire) {
    let mut options = ListenOptions::default();
    options.idle_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    let mut idle = attack.client().await;

    idle.farewell().await;
    let mut idle = attack.client().await;
    idle.farewell().await;

    attack.survived().await;
}

/// It says something all the time, only never what it was asked.
pub(super) async fn a_connection_without_calls_that_will_not_go_away_is_closed(wire: Wire) {
    let mut options = ListenOptions::default();
    options.idle_timeout = SOON;
    options.keep_alive_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    let mut client = attack.client().await;
    let mut pace = tokio::time::interval(SOON / 30);

    eventually("it is closed", async || {
        pace.tick().await;
        client.send(&Frame::ping(b"owl")).await.is_err()
    })
    .await;

    attack.survived().await;
}

/// The time for the handshake is not the time for what follows it.
pub(super) async fn a_connection_that_is_silent_after_its_handshake_stays(wire: Wire) {
    let mut options = ListenOptions::default();
    options.handshake_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    let mut client = attack.client().await;

    for _ in 0..4 {
        let mut other = Socket::connect_to(&attack.url).await;
        // Is closed after that time.
        other.closed().await;
    }

    lives_on(&mut client).await;
    attack.survived().await;
}

/// Half-open: the socket is there, and nobody behind it.
pub(super) async fn a_peer_that_answers_no_ping_is_closed(wire: Wire) {
    let mut options = ListenOptions::default();
    options.keep_alive_interval = SOON;
    options.keep_alive_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    let mut client = attack.client().await;
    let forever = Frame::unary(1, methods::FOREVER.path(), b"owl");
    client.send(&forever).await.expect("open");
    eventually("it runs", async || attack.seen.started() == 1).await;

    let ping = client.next_of(kinds::PING).await;

    assert!(ping.is_some(), "it is asked before");
    client.socket.closed().await;
    eventually("its handler is gone", async || attack.seen.dropped() == 1).await;
    attack.survived().await;
}

pub(super) async fn a_peer_that_answers_pings_stays(wire: Wire) {
    let mut options = ListenOptions::default();
    options.keep_alive_interval = SOON / 4;
    options.keep_alive_timeout = SOON / 4;
    let attack = Attack::with(wire, options).await;
    let mut client = attack.client().await;
    for _ in 0..8 {
        let ping = client.next_of(kinds::PING).await.expect("it is asked");
        let pong = Frame::new(kinds::PONG, 0, ping.body);
        client.send(&pong).await.expect("open");
    }

    lives_on(&mut client).await;
    attack.survived().await;
}

/// The client ends its side: nobody reads the answers.
pub(super) async fn a_half_closed_connection_is_over(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let forever = Frame::unary(1, methods::FOREVER.path(), b"owl");
    client.send(&forever).await.expect("open");
    eventually("it runs", async || attack.seen.started() == 1).await;

    client.socket.shutdown().await;

    eventually("its handler is gone", async || attack.seen.dropped() == 1).await;
    client.socket.closed().await;
    attack.survived().await;
}

pub(super) async fn a_request_that_does_not_come_ends_without_its_handler(wire: Wire) {
    let mut options = ListenOptions::default();
    options.stall_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    let mut client = attack.client().await;
    for path in [methods::FOREVER.path(), methods::ENDLESS.path()] {
        for frames in [
            vec![Frame::stream(1, path)],
            vec![Frame::stream(1, path), Frame::first_part(1, 99, b"half")],
            // The message is there, and its end is not.
            vec![Frame::open(1, path, flags::MESSAGE, b"owl")],
        ] {
            client.send_all(&frames).await.expect("open");

            let outcome = client.outcome(1).await;

            assert_eq!(outcome.code, Some(4), "{outcome:?}");
            assert!(outcome.text.contains("came for 300ms"), "{outcome:?}");
        }
    }
    assert_eq!(attack.seen.started(), 0);
    lives_on(&mut client).await;
    attack.survived().await;
}

/// What comes and says nothing is no progress.
pub(super) async fn a_request_of_empty_parts_stalls(wire: Wire) {
    let mut options = ListenOptions::default();
    options.stall_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    let mut client = attack.client().await;
    let frames = [
        Frame::stream(1, methods::ECHO.path()),
        Frame::first_part(1, 99, b"half"),
    ];
    client.send_all(&frames).await.expect("open");
    let mut pace = tokio::time::interval(SOON / 10);
    let empty = Frame::data(1, flags::MESSAGE | flags::MORE, b"");

    let ended = async {
        while client.ended(1).is_none() {
            pace.tick().await;
            client.send(&empty).await.expect("open");
            lives_on(&mut client).await;
        }
    };

    gufo_testkit::within("the end of the call", ended).await;
    assert_eq!(client.ended(1), Some(4));
    attack.survived().await;
}

/// Slow is not silent: what counts is that something comes.
pub(super) async fn a_request_that_comes_in_small_parts_is_answered(wire: Wire) {
    let mut options = ListenOptions::default();
    options.stall_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    let mut client = attack.client().await;
    let frames = [
        Frame::stream(1, methods::ECHO.path()),
        Frame::first_part(1, 10, b""),
    ];
    client.send_all(&frames).await.expect("open");
    let mut pace = tokio::time::interval(SOON / 3);
    for index in 0..10 {
        pace.tick().await;
        let more = if index < 9 { flags::MORE } else { flags::LAST };
        let part = Frame::data(1, flags::MESSAGE | more, b"o");
        client.send(&part).await.expect("open");
    }

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.messages, ["oooooooooo"], "{outcome:?}");
    attack.survived().await;
}

/// One byte at a time, through heads and messages alike.
pub(super) async fn frames_byte_by_byte_are_frames(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let frames = [
        Frame::ping(b"12345678"),
        Frame::define_method(methods::SUM.path()),
        Frame::new(kinds::OPEN, 1, &b"\0\0\x01\0\x0coctet-stream"[..]),
        Frame::first_part(1, 6, b"owl"),
        Frame::data(1, flags::MESSAGE, b"owl"),
        Frame::message(1, b""),
        Frame::last(1),
    ];
    for byte in encoded(&frames).chunks(1) {
        client.socket.write(byte).await.expect("open");
        tokio::task::yield_now().await;
    }

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.messages, ["2"], "{outcome:?}");
    lives_on(&mut client).await;
    attack.survived().await;
}

/// A peer that trickles into a frame that never ends makes no call, and is idle in the end.
pub(super) async fn a_frame_that_trickles_for_ever_does_not_keep_a_connection(wire: Wire) {
    let mut options = ListenOptions::default();
    options.idle_timeout = SOON;
    options.keep_alive_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    for head in [&[0][..], &[1, 0xff, 0xff, kinds::DATA, 0, 0, 0, 1, 2]] {
        let mut client = attack.client().await;
        client.socket.write(head).await.expect("open");
        let mut pace = tokio::time::interval(SOON / 10);
        eventually("it is closed", async || {
            pace.tick().await;
            client.socket.write(&[0]).await.is_err()
        })
        .await;
    }
    attack.survived().await;
}

/// A peer that reads nothing is cut off, and so are the handlers that write to it.
pub(super) async fn a_peer_that_reads_nothing_is_cut_off(wire: Wire) {
    let mut options = ListenOptions::default();
    options.stall_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    let socket = Socket::connect_to(&attack.url).await;
    let mut client = Peer::greet(socket, u64::from(u32::MAX)).await;
    let endless = Frame::unary(1, methods::ENDLESS.path(), b"owl");
    client.send(&endless).await.expect("open");

    eventually("it is cut off", async || attack.seen.dropped() == 1).await;

    client.socket.closed().await;
    attack.survived().await;
}

/// A peer that falls behind and reads on gets all of its answers.
pub(super) async fn a_peer_that_reads_late_gets_everything(wire: Wire) {
    let hour = Duration::from_secs(3600);
    let mut options = ListenOptions::default();
    // Nothing but what is read makes the server go on.
    options.handshake_timeout = hour;
    options.stall_timeout = hour;
    options.idle_timeout = hour;
    options.keep_alive_interval = hour;
    options.keep_alive_timeout = hour;
    let attack = Attack::with(wire, options).await;
    let mut client = attack.client().await;
    let calls: Vec<_> = (0..1000)
        .map(|call| Frame::unary(call, methods::BIG.path(), b"50000"))
        .collect();
    client.send_all(&calls).await.expect("open");
    // The server has done what it does before somebody reads.
    Probe::start(&attack.url).await.finish().await;

    for call in 0..1000 {
        let outcome = client.outcome(call).await;
        assert_eq!(outcome.code, Some(0), "{call}");
        assert_eq!(outcome.messages[0].len(), 50_000);
    }

    lives_on(&mut client).await;
    attack.survived().await;
}

pub(super) async fn a_thousand_idle_connections_keep_nobody_out(wire: Wire) {
    let mut options = ListenOptions::default();
    options.handshake_timeout = Duration::from_secs(3600);
    let attack = Attack::with(wire, options).await;
    let mut idle = Vec::new();
    for index in 0..1000 {
        let socket = Socket::connect_to(&attack.url).await;
        idle.push(if index % 2 == 0 {
            Peer::greet(socket, 65_536).await
        } else {
            Peer::from(socket)
        });
    }
    eventually("all are accepted", async || {
        attack.server.connections() > 1000
    })
    .await;

    lives_on(&mut idle[998]).await;

    drop(idle);
    eventually("all are gone", async || attack.server.connections() == 1).await;
    attack.survived().await;
}
