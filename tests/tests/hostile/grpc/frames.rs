//! Frames that are wrong, and floods of frames that are not.

use bytes::{BufMut, BytesMut};
use gufo_core::Code;
use gufo_testkit::{
    methods,
    raw::{Frame, Http2, Settings, Socket, codes, flags, grpc_head, kinds, message},
};

use super::{client, lives_on, status};
use crate::Attack;

/// Frames after which the server has to say GOAWAY with a code.
async fn closes(frames: &[Frame], code: u32) {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    // The server may close before all is sent.
    let _ = client.send_all(frames).await;

    assert_eq!(client.closed().await, Some(code), "{frames:?}");
    attack.survived().await;
}

fn open(stream: u32, path: &str) -> Frame {
    Http2::headers_frame(stream, &grpc_head(path, &[]), false)
}

#[tokio::test]
async fn garbage_after_the_preface_closes_the_connection() {
    for byte in [0_u8, 0x55, 0xff] {
        let attack = Attack::begin().await;
        let mut client = client(&attack).await;
        let _ = client.socket.write(&[byte; 4096]).await;

        let code = client.closed().await;

        assert!(code.is_some_and(|code| code != codes::NO_ERROR), "{byte}");
        attack.survived().await;
    }
}

#[tokio::test]
async fn garbage_in_place_of_the_preface_closes_the_connection() {
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\t",
        b"SSH-2.0-owl\r\n\r\n",
    ] {
        let attack = Attack::begin().await;
        let mut socket = Socket::connect(attack.target.address).await;
        socket.write(garbage).await.expect("open");

        socket.closed().await;

        attack.survived().await;
    }
}

#[tokio::test]
async fn a_frame_larger_than_agreed_closes_the_connection() {
    let mut frame = BytesMut::new();
    frame.put_uint((1 << 24) - 1, 3);
    frame.put_slice(&[kinds::DATA, 0, 0, 0, 0, 1]);
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let _ = client.socket.write(&frame).await;

    assert_eq!(client.closed().await, Some(codes::FRAME_SIZE_ERROR));
    attack.survived().await;
}

#[tokio::test]
async fn frames_on_streams_that_cannot_have_them_close_the_connection() {
    closes(&[Frame::data(1, "owl", false)], codes::PROTOCOL_ERROR).await;
    closes(&[Frame::data(0, "owl", false)], codes::PROTOCOL_ERROR).await;
    closes(&[Frame::reset(1, codes::CANCEL)], codes::PROTOCOL_ERROR).await;
    closes(&[Frame::reset(0, codes::CANCEL)], codes::PROTOCOL_ERROR).await;
    closes(&[open(2, methods::FOREVER.path())], codes::PROTOCOL_ERROR).await;
    let backwards = [
        open(5, methods::FOREVER.path()),
        open(3, methods::FOREVER.path()),
    ];
    closes(&backwards, codes::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn continuations_that_continue_nothing_close_the_connection() {
    let alone = Frame::new(kinds::CONTINUATION, flags::END_HEADERS, 1, "");
    closes(&[alone], codes::PROTOCOL_ERROR).await;

    let mut head = open(1, methods::ECHO.path());
    head.flags = flags::NONE;
    closes(&[head, Frame::ping()], codes::PROTOCOL_ERROR).await;
}

#[tokio::test]
async fn windows_that_grow_by_nothing_or_over_the_limit_are_refused() {
    closes(&[Frame::window(0, 0)], codes::PROTOCOL_ERROR).await;
    let most = (1 << 31) - 1;
    closes(&[Frame::window(0, most)], codes::FLOW_CONTROL_ERROR).await;
    let mut settings = BytesMut::new();
    settings.put_u16(4);
    settings.put_u32(1 << 31);
    let settings = Frame::new(kinds::SETTINGS, flags::NONE, 0, settings);
    // RFC 9113, 6.5.2 has FLOW_CONTROL_ERROR here; h2 says so.
    closes(&[settings], codes::PROTOCOL_ERROR).await;

    let attack = Attack::begin().await;
    for (increment, code) in [
        (0, codes::PROTOCOL_ERROR),
        (most, codes::FLOW_CONTROL_ERROR),
    ] {
        let mut client = client(&attack).await;
        let frames = [
            open(1, methods::FOREVER.path()),
            Frame::window(1, increment),
        ];
        let _ = client.send_all(&frames).await;

        let outcome = client.outcome(1).await;

        assert_eq!(outcome.reset.or(outcome.goaway), Some(code), "{increment}");
    }
    attack.survived().await;
}

#[tokio::test]
async fn a_window_that_becomes_negative_holds_the_reply_back_until_it_opens() {
    let attack = Attack::begin().await;
    let mut client = Http2::connect(attack.target.address, Settings::Closed).await;
    let window = |size: u32| {
        let mut settings = BytesMut::new();
        settings.put_u16(4);
        settings.put_u32(size);
        Frame::new(kinds::SETTINGS, flags::NONE, 0, settings)
    };
    client.send(&window(20_000)).await.expect("open");
    let path = methods::BIG.path();
    let sent = client.request(1, path, &[], message(b"50000")).await;
    sent.expect("open");
    let mut body = 0;
    while body < 20_000 {
        let frame = client.next().await.expect("open");
        if frame.kind == kinds::DATA {
            body += frame.payload.len();
        }
    }

    // 20,000 under way and none allowed: the window is at -20,000, then at -1.
    let frames = [window(0), Frame::window(1, 19_999)];
    client.send_all(&frames).await.expect("open");
    let mut early = Vec::new();
    client.send(&Frame::ping()).await.expect("open");
    loop {
        let frame = client.next().await.expect("open");
        match frame.kind {
            kinds::PING => break,
            kinds::DATA => early.push(frame),
            _ => {}
        }
    }
    client.send(&Frame::window(1, 1 << 20)).await.expect("open");
    let outcome = client.outcome(1).await;

    assert!(early.is_empty(), "data beyond the window: {early:?}");
    assert_eq!(body + outcome.body.len(), 50_005);
    assert_eq!(outcome.grpc_status(), status(Code::Ok));
    lives_on_with_window(&mut client, 3).await;
    attack.survived().await;
}

async fn lives_on_with_window(client: &mut Http2, stream: u32) {
    let payload = [0, 4, 0, 1, 0, 0].to_vec();
    let open = Frame::new(kinds::SETTINGS, flags::NONE, 0, payload);
    client.send(&open).await.expect("open");
    lives_on(client, stream).await;
}

#[tokio::test]
async fn data_beyond_the_window_is_a_flow_control_error() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let mut frames = vec![open(1, methods::GATED.path())];
    // The gate is closed, so nothing is read: 1 MiB is allowed.
    frames.extend((0..80).map(|_| Frame::data(1, message(&[0; 16_000]), false)));
    let _ = client.send_all(&frames).await;

    let outcome = client.outcome(1).await;

    let code = outcome.reset.or(outcome.goaway);
    assert_eq!(code, Some(codes::FLOW_CONTROL_ERROR), "{outcome:?}");
    attack.survived().await;
}

/// h2 counts empty frames that do not end a stream over the life of a connection.
#[tokio::test]
async fn more_than_a_hundred_empty_data_frames_close_the_connection() {
    let mut frames = vec![open(1, methods::GATED.path())];
    frames.extend((0..200).map(|_| Frame::data(1, "", false)));

    closes(&frames, codes::ENHANCE_YOUR_CALM).await;
}

/// Honest traffic: a slow handler, and a client that streams small messages meanwhile.
#[tokio::test]
async fn three_thousand_small_messages_nobody_reads_yet_are_no_attack() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let mut frames = vec![open(1, methods::GATED.path())];
    frames.extend((0..3000).map(|_| Frame::data(1, message(b"sixteen bytes ok"), false)));
    client.send_all(&frames).await.expect("open");
    assert!(client.ping().await, "the connection is open");

    attack.target.seen.open_gate();
    client.send(&Frame::data(1, "", true)).await.expect("open");
    let outcome = client.outcome(1).await;

    assert_eq!(outcome.grpc_status(), status(Code::Ok), "{outcome:?}");
    assert_eq!(outcome.body, message(b"3000"));
    lives_on(&mut client, 3).await;
    attack.survived().await;
}

#[tokio::test]
async fn frames_nobody_defined_are_ignored() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let frames: Vec<_> = (0x20..0x60)
        .map(|kind| Frame::new(kind, 0xff, u32::from(kind), "owl"))
        .collect();
    client.send_all(&frames).await.expect("open");

    lives_on(&mut client, 1).await;
    attack.survived().await;
}
