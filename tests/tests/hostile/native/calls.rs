//! Calls that are refused, each by its status; the connection lives on.

use bytes::{Bytes, BytesMut};
use gufo_core::Code;
use gufo_testkit::{
    eventually, methods,
    raw::native::{Frame, block, flags, kinds, put_varint, varint},
};

use super::bed::{Attack, Wire, fails, lives_on};

/// The receive limit of the server under attack, in bytes.
const LIMIT: u64 = 4 << 20;

pub(super) async fn methods_and_formats_nobody_knows_are_unimplemented(wire: Wire) {
    let unknown = |path| Frame::unary(1, path, b"owl");
    let path = methods::ECHO.path();
    for (frame, named) in [
        (unknown("/a.B/C"), "a.B"),
        (unknown(""), "no service"),
        (unknown("/testkit.Target/"), "testkit.Target has no method"),
        (
            Frame::open_as(1, path, flags::WHOLE, 0, "owl", b"owl"),
            "\"owl\"",
        ),
        (
            Frame::open_as(1, path, flags::WHOLE, 9, "proto", b"owl"),
            "compression 9",
        ),
    ] {
        let outcome = fails(wire, &[frame], Code::Unimplemented).await;
        assert!(outcome.text.contains(named), "{outcome:?}");
    }
    let long = "x".repeat(100_000);
    for frame in [
        Frame::unary(1, &long, b"owl"),
        Frame::open_as(1, path, flags::WHOLE, 0, &long, b"owl"),
    ] {
        let outcome = fails(wire, &[frame], Code::Unimplemented).await;
        assert!(outcome.text.len() <= 8 * 1024, "{}", outcome.text.len());
    }
    let number = [
        Frame::define_method("/a.B/C"),
        Frame::new(3, 1, &b"\x03\0\x01\x01owl"[..]),
    ];
    fails(wire, &number, Code::Unimplemented).await;
}

pub(super) async fn a_message_over_the_limit_is_refused_before_it_comes(wire: Wire) {
    for path in [
        methods::ECHO.path(),
        methods::SUM.path(),
        methods::CHAT.path(),
    ] {
        for total in [LIMIT + 1, u64::MAX >> 1, u64::MAX] {
            let frames = [
                Frame::stream(1, path),
                Frame::first_part(1, total, b"owl"),
                // What is on its way comes for nothing.
                Frame::data(1, flags::MESSAGE | flags::MORE, &[7; 100_000]),
                Frame::data(1, flags::MESSAGE | flags::MORE, &[7; 100_000]),
                Frame::data(1, flags::MESSAGE | flags::MORE, &[7; 100_000]),
                Frame::data(1, flags::WHOLE, b"owl"),
            ];
            let outcome = fails(wire, &frames, Code::ResourceExhausted).await;
            assert!(outcome.text.contains("over the limit"), "{outcome:?}");
        }
    }
}

pub(super) async fn compressed_bombs_stop_at_the_limit(wire: Wire) {
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 3).expect("in memory");
    let path = methods::ECHO.path();
    let flags = flags::WHOLE | flags::COMPRESSED;
    let frame = Frame::open_as(1, path, flags, 2, "octet-stream", &bomb);
    fails(wire, &[frame], Code::ResourceExhausted).await;
    let frames = [
        Frame::open_as(1, methods::SUM.path(), 0, 2, "octet-stream", b""),
        Frame::data(1, flags, &bomb),
    ];
    fails(wire, &frames, Code::ResourceExhausted).await;
}

pub(super) async fn messages_that_are_not_compressed_as_they_say_are_refused(wire: Wire) {
    let path = methods::ECHO.path();
    let flags = flags::WHOLE | flags::COMPRESSED;
    for compression in [1, 2] {
        let frame = Frame::open_as(1, path, flags, compression, "octet-stream", b"owl");
        fails(wire, &[frame], Code::InvalidArgument).await;
    }
    let frame = Frame::open_as(1, path, flags, 0, "octet-stream", b"owl");
    let outcome = fails(wire, &[frame], Code::Internal).await;
    assert!(outcome.text.contains("names no compression"), "{outcome:?}");
}

/// Compression is a matter of each message.
pub(super) async fn a_plain_message_in_a_compressed_call_is_fine(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let path = methods::ECHO.path();
    let frame = Frame::open_as(1, path, flags::WHOLE, 2, "octet-stream", b"owl");
    client.send(&frame).await.expect("open");

    let outcome = client.outcome(1).await;

    let reply = zstd::bulk::decompress(&outcome.messages[0], 100).expect("compressed as asked");
    assert_eq!(reply, b"owl");
    attack.survived().await;
}

pub(super) async fn requests_that_are_not_one_message_are_refused(wire: Wire) {
    for path in [methods::ECHO.path(), methods::ENDLESS.path()] {
        let none = [Frame::stream(1, path), Frame::last(1)];
        fails(wire, &none, Code::InvalidArgument).await;
        let none = [Frame::open(1, path, flags::LAST, b"")];
        fails(wire, &none, Code::InvalidArgument).await;
        let two = [
            Frame::open(1, path, flags::MESSAGE, b"one"),
            Frame::data(1, flags::WHOLE, b"two"),
        ];
        fails(wire, &two, Code::InvalidArgument).await;
        let half = [
            Frame::stream(1, path),
            Frame::first_part(1, 9, b"half"),
            Frame::last(1),
        ];
        fails(wire, &half, Code::Internal).await;
    }
    let half = [
        Frame::stream(1, methods::SUM.path()),
        Frame::first_part(1, 9, b"half"),
        Frame::last(1),
    ];
    fails(wire, &half, Code::Internal).await;
}

pub(super) async fn messages_that_are_damaged_or_nest_too_deep_are_refused(wire: Wire) {
    let path = methods::COUNT.path();
    let deep = (0..200).fold(Vec::new(), |inner: Vec<u8>, _| {
        let mut outer = BytesMut::from(&[0x12][..]);
        put_varint(&mut outer, inner.len() as u64);
        outer.extend_from_slice(&inner);
        outer.to_vec()
    });
    let json = format!("{}{}", "{\"children\":[".repeat(5000), "]}".repeat(5000));
    for (format, message) in [
        ("proto", b"\x0a\x7f".to_vec()),
        ("proto", b"\x0a\x02\xff\xfe".to_vec()),
        ("proto", deep),
        ("json", b"{\"name\":".to_vec()),
        ("json", json.into_bytes()),
        ("msgpack", vec![0xdf, 0xff, 0xff, 0xff, 0xff]),
    ] {
        let frame = Frame::open_as(1, path, flags::WHOLE, 0, format, &message);
        fails(wire, &[frame], Code::InvalidArgument).await;
    }
}

fn with_metadata(entries: &[(&str, &[u8])]) -> Frame {
    let rest = [&block(entries)[..], b"owl"].concat();
    let flags = flags::WHOLE | flags::METADATA;
    Frame::open(1, methods::ECHO.path(), flags, &rest)
}

pub(super) async fn metadata_over_the_limit_is_refused(wire: Wire) {
    let large = [b'x'; 17_000];
    let frame = with_metadata(&[("x-owl", &large)]);
    fails(wire, &[frame], Code::ResourceExhausted).await;
    let many: Vec<(&str, &[u8])> = vec![("x", b""); 500];
    let frame = with_metadata(&many);
    fails(wire, &[frame], Code::ResourceExhausted).await;
    // Numbers make entries small on the wire, and no smaller here.
    let mut block = BytesMut::new();
    put_varint(&mut block, 2000);
    block.extend_from_slice(&[1, 0].repeat(2000));
    let mut rest = BytesMut::new();
    put_varint(&mut rest, block.len() as u64);
    rest.extend_from_slice(&block);
    let flags = flags::WHOLE | flags::METADATA;
    let frames = [
        Frame::define_name(&"x".repeat(256)),
        Frame::open(1, methods::ECHO.path(), flags, &rest),
    ];
    fails(wire, &frames, Code::ResourceExhausted).await;
}

pub(super) async fn metadata_that_is_no_text_is_refused(wire: Wire) {
    for value in [&b"\xff\xfe"[..], b"line\nline", b"\0"] {
        let frame = with_metadata(&[("x-owl", value)]);
        fails(wire, &[frame], Code::InvalidArgument).await;
    }
}

pub(super) async fn a_deadline_that_has_passed_ends_a_call_that_never_runs(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let flags = flags::WHOLE | flags::DEADLINE;
    let late = Frame::open(1, methods::FOREVER.path(), flags, b"\0owl");
    client.send(&late).await.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    assert_eq!(attack.seen.started(), 0);
    lives_on(&mut client).await;
    attack.survived().await;
}

pub(super) async fn a_deadline_beyond_all_time_is_none(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let mut rest = BytesMut::new();
    put_varint(&mut rest, u64::MAX);
    rest.extend_from_slice(b"owl");
    let flags = flags::WHOLE | flags::DEADLINE;
    let open = Frame::open(1, methods::ECHO.path(), flags, &rest);
    client.send(&open).await.expect("open");

    assert_eq!(client.outcome(1).await.messages, ["owl"]);
    attack.survived().await;
}

pub(super) async fn a_deadline_ends_a_request_that_does_not_come(wire: Wire) {
    let mut rest = BytesMut::new();
    put_varint(&mut rest, 50_000);
    let frame = Frame::open(1, methods::ECHO.path(), flags::DEADLINE, &rest);
    fails(wire, &[frame], Code::DeadlineExceeded).await;
}

pub(super) async fn panics_are_internal_also_in_mid_stream(wire: Wire) {
    for path in [methods::PANIC.path(), methods::PANIC_LATER.path()] {
        let frame = Frame::unary(1, path, b"owl");
        let outcome = fails(wire, &[frame], Code::Internal).await;
        assert!(!outcome.text.contains("on purpose"), "{outcome:?}");
    }
}

pub(super) async fn a_cancelled_call_drops_its_handler_and_frees_its_number(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    for path in [methods::FOREVER.path(), methods::GATED.path()] {
        let gone = attack.seen.dropped();
        let frame = Frame::open(1, path, flags::MESSAGE, b"owl");
        let frame = if path == methods::FOREVER.path() {
            Frame::unary(1, path, b"owl")
        } else {
            frame
        };
        client.send(&frame).await.expect("open");
        eventually("it runs", async || attack.seen.started() > gone).await;

        client.send(&Frame::cancel(1)).await.expect("open");

        assert_eq!(client.outcome(1).await.code, Some(1));
        eventually("it is gone", async || attack.seen.dropped() == gone + 1).await;
        let again = Frame::unary(1, methods::ECHO.path(), b"owl");
        client.send(&again).await.expect("open");
        assert_eq!(client.outcome(1).await.messages, ["owl"]);
    }
    attack.survived().await;
}

/// Messages behind the end of a client's own are nobody's.
pub(super) async fn data_after_the_last_is_ignored(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let frames = [
        Frame::stream(1, methods::GATED.path()),
        Frame::message(1, b"one"),
        Frame::last(1),
        Frame::message(1, b"two"),
        Frame::last(1),
    ];
    client.send_all(&frames).await.expect("open");
    attack.seen.open_gate();

    assert_eq!(client.outcome(1).await.messages, ["1"]);
    attack.survived().await;
}

/// A stream of replies stops where its reader stops, whatever others do.
pub(super) async fn replies_nobody_grants_credit_for_wait_and_their_neighbours_do_not(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let endless = Frame::unary(1, methods::ENDLESS.path(), b"owl");
    client.send(&endless).await.expect("open");
    eventually("it runs", async || attack.seen.produced() > 0).await;
    for _ in 0..10 {
        lives_on(&mut client).await;
    }

    let produced = attack.seen.produced();
    for _ in 0..10 {
        lives_on(&mut client).await;
    }

    // What was granted, and one message more.
    assert!(produced <= 256 * 1024 + gufo_testkit::CHUNK, "{produced}");
    assert_eq!(attack.seen.produced(), produced);
    let grant = Frame::credit(1, gufo_testkit::CHUNK as u64);
    client.send(&grant).await.expect("open");
    eventually("it goes on", async || attack.seen.produced() > produced).await;
    attack.survived().await;
}

/// Messages of any size come back whole, over and over.
pub(super) async fn echoes_of_large_messages_are_right(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let sizes = [0, 1, 114_687, 114_688, 114_689, 1 << 20, 4 << 20];
    for (call, size) in (1..).zip(sizes) {
        let message: Bytes = (0..size).map(|index: usize| (index / 251) as u8).collect();
        let mut frames = vec![Frame::stream(call, methods::ECHO.path())];
        let mut parts: Vec<_> = message.chunks(100_000).collect();
        if parts.len() < 2 {
            frames.push(Frame::message(call, &message));
        } else {
            frames.push(Frame::first_part(call, size as u64, parts.remove(0)));
            let last = parts.pop().expect("two parts at least");
            let middle = flags::MESSAGE | flags::MORE;
            frames.extend(parts.iter().map(|part| Frame::data(call, middle, part)));
            frames.push(Frame::data(call, flags::MESSAGE, last));
        }
        frames.push(Frame::last(call));
        // Whoever sends has to wait for credit in between.
        let mut credit = 256 * 1024;
        for frame in frames {
            while credit <= 0 {
                let more = client.next_of(kinds::CREDIT).await.expect("open");
                if more.call == call {
                    credit += varint(&mut more.body.clone()).expect("a number") as i64;
                }
            }
            credit -= frame.body.len() as i64 + 64;
            client.send(&frame).await.expect("open");
        }

        let outcome = client.outcome(call).await;

        assert_eq!(outcome.messages.len(), 1, "{size}: {outcome:.200?}");
        assert!(outcome.messages[0] == message, "{size}");
    }
    attack.survived().await;
}
