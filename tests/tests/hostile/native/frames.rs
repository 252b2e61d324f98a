//! Frames that lie, break off, come at the wrong time, or from the wrong side.

use bytes::BytesMut;
use gufo_testkit::{
    eventually, methods,
    raw::native::{Frame, LONGEST, Peer, block, flags, kinds, put_bytes, put_varint},
};

use super::bed::{Attack, Wire, bytes_violate, encoded, lives_on, violates};

fn open(body: &[u8]) -> Frame {
    Frame::new(kinds::OPEN, 1, body.to_vec())
}

pub(super) async fn a_frame_over_the_limit_ends_the_connection_before_it_comes(wire: Wire) {
    for length in [LONGEST as u32 + 1, 0xff_ffff] {
        for kind in [kinds::DATA, 0x7f] {
            let mut lie = BytesMut::new();
            Frame::new(kind, 0, "").encode_lying(&mut lie, length);
            bytes_violate(wire, &lie, "a frame is longer than the limit").await;
        }
    }
}

pub(super) async fn an_open_that_lies_ends_the_connection(wire: Wire) {
    let path = methods::ECHO.path().as_bytes();
    let named = |rest: &[u8]| {
        let mut body = BytesMut::from(&[flags::WHOLE | flags::METADATA, 0, 0][..]);
        put_bytes(&mut body, path);
        body.extend_from_slice(b"\0\x05proto");
        body.extend_from_slice(rest);
        open(&body)
    };
    for (frame, why) in [
        (open(b""), "an OPEN breaks off"),
        (open(b"\x03"), "an OPEN breaks off"),
        (open(b"\x03\0"), "a number breaks off"),
        (open(b"\x03\0\0\x7f/a"), "reaches beyond its frame"),
        (open(b"\x03\0\0\x02\xff\xff"), "not UTF-8"),
        (open(b"\x03\0\x01\x01"), "not defined"),
        (open(b"\x03\0\0\x02/a\x7f"), "not defined"),
        (open(b"\x23\0\0\x02/a\0\x05proto\x80"), "breaks off"),
        (open(&[&[3, 0][..], &[0xff; 11]].concat()), "64 bits"),
        // Metadata: longer than the frame, more and fewer entries than stated, names that are none.
        (named(b"\x7f\x00"), "reaches beyond its frame"),
        (named(b""), "a number breaks off"),
        (named(b"\x05\xff\xff\xff\xff\x0f"), "fewer entries"),
        (named(b"\x04\x01\0\x01a"), "breaks off"),
        (named(b"\x06\x00\0\x01a\x01b"), "more entries"),
        (named(b"\x04\x01\x05\x01b"), "not defined"),
        (named(b"\x06\x01\0\x01 \x01b"), "illegal characters"),
        (named(b"\x07\x01\0\x02\xc3\xbc\x01b"), "illegal characters"),
        (named(b"\x04\x01\0\0\x01b"), "illegal characters"),
        (named(b"\x06\x01\0\x7fa\x01b"), "reaches beyond its frame"),
    ] {
        violates(wire, &[frame], why).await;
    }
}

pub(super) async fn frames_without_what_they_must_have_end_the_connection(wire: Wire) {
    for (kind, why) in [
        (kinds::DATA, "a DATA is empty"),
        (kinds::DEFINE, "a DEFINE is empty"),
        (kinds::CREDIT, "a number breaks off"),
    ] {
        violates(wire, &[Frame::new(kind, 1, "")], why).await;
    }
}

pub(super) async fn definitions_over_their_limits_end_the_connection(wire: Wire) {
    let methods: Vec<_> = (0..1025)
        .map(|index| Frame::define_method(&format!("/a.B/{index}")))
        .collect();
    violates(wire, &methods, "more methods are defined than allowed").await;
    let names: Vec<_> = (0..257)
        .map(|index| Frame::define_name(&format!("x-{index}")))
        .collect();
    violates(wire, &names, "more metadata names are defined").await;
    for long in [
        Frame::define_method(&"x".repeat(257)),
        Frame::define_name(&"x".repeat(257)),
    ] {
        violates(wire, &[long], "a DEFINE is longer than allowed").await;
    }
    violates(wire, &[Frame::define_name("x y")], "illegal characters").await;
    let method = Frame::new(kinds::DEFINE, 0, &b"\x01\xff\xff"[..]);
    violates(wire, &[method], "not UTF-8").await;
}

pub(super) async fn definitions_up_to_their_limits_are_used(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let mut frames: Vec<_> = (0..1023)
        .map(|index| Frame::define_method(&format!("/a.B/{index}")))
        .chain((0..256).map(|index| Frame::define_name(&format!("x-{index}"))))
        .collect();
    frames.push(Frame::define_method(methods::ECHO.path()));
    // What a later version numbers.
    frames.push(Frame::new(kinds::DEFINE, 0, &b"\x63owl"[..]));
    let mut body = BytesMut::from(&[flags::WHOLE | flags::METADATA, 0][..]);
    put_varint(&mut body, 1024);
    put_varint(&mut body, 1);
    let mut metadata = BytesMut::from(&[1][..]);
    put_varint(&mut metadata, 256);
    put_bytes(&mut metadata, b"barn");
    put_bytes(&mut body, &metadata);
    body.extend_from_slice(b"owl");
    frames.push(open(&body));
    client.send_all(&frames).await.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.messages, ["owl"], "{outcome:?}");
    lives_on(&mut client).await;
    attack.survived().await;
}

pub(super) async fn what_only_servers_send_ends_the_connection(wire: Wire) {
    for frame in [
        Frame::head(1),
        Frame::reply(1, b"owl"),
        Frame::end(1, 0, ""),
    ] {
        violates(wire, &[frame], "what only servers send").await;
    }
}

pub(super) async fn the_number_of_a_running_call_used_again_ends_the_connection(wire: Wire) {
    let forever = Frame::unary(1, methods::FOREVER.path(), b"owl");
    violates(wire, &[forever.clone(), forever], "was used again").await;
    let chat = Frame::stream(1, methods::CHAT.path());
    violates(wire, &[chat.clone(), chat], "was used again").await;
}

/// It also ends what runs on it.
pub(super) async fn a_violation_ends_the_calls_of_its_connection_and_no_others(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let (mut broken, mut fine) = (attack.client().await, attack.client().await);
    let chat = Frame::stream(1, methods::CHAT.path());
    fine.send(&chat).await.expect("open");
    let forever = Frame::unary(1, methods::FOREVER.path(), b"owl");
    broken.send(&forever).await.expect("open");
    eventually("it runs", async || attack.seen.started() == 1).await;

    broken.send(&forever).await.expect("open");

    broken.farewell().await.expect("the reason");
    eventually("it is gone", async || attack.seen.dropped() == 1).await;
    let more = [Frame::message(1, b"owl"), Frame::last(1)];
    fine.send_all(&more).await.expect("open");
    assert_eq!(fine.outcome(1).await.messages, ["owl"]);
    attack.survived().await;
}

pub(super) async fn the_reason_arrives_though_the_peer_sends_on(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let mut bytes = encoded(&[Frame::end(1, 0, "")]);
    for _ in 0..100 {
        Frame::new(0x7f, 0, vec![0; 16 * 1024]).encode_into(&mut bytes);
    }
    // The server may be gone before all of it is written.
    let _ = client.socket.write(&bytes).await;

    let (code, text) = client.farewell().await.expect("the reason");

    assert_eq!(code, 1);
    assert!(text.contains("what only servers send"), "{text}");
    attack.survived().await;
}

pub(super) async fn the_number_of_a_call_over_the_limit_ends_the_connection(wire: Wire) {
    for call in [1000, u32::MAX] {
        let frame = Frame::unary(call, methods::ECHO.path(), b"owl");
        violates(wire, &[frame], "over the limit of calls").await;
    }
}

pub(super) async fn a_call_after_goaway_ends_the_connection(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    // Something runs, so that the connection is not closed at once.
    let frames = [
        Frame::unary(1, methods::FOREVER.path(), b"owl"),
        Frame::goaway(0, "bye"),
    ];
    client.send_all(&frames).await.expect("open");
    assert!(client.ping().await, "it is open as long as calls run");
    let more = Frame::unary(2, methods::ECHO.path(), b"owl");
    client.send(&more).await.expect("open");

    let (code, text) = client.farewell().await.expect("the reason");

    assert_eq!((code, &*text), (1, "a call was opened after GOAWAY"));
    attack.survived().await;
}

pub(super) async fn a_client_that_leaves_gets_its_answers_and_is_closed(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let frames = [
        Frame::stream(1, methods::CHAT.path()),
        Frame::goaway(0, "bye"),
        Frame::message(1, b"owl"),
        Frame::last(1),
    ];
    client.send_all(&frames).await.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!((outcome.code, outcome.messages.len()), (Some(0), 1));
    assert_eq!(client.next().await, None);
    attack.survived().await;
}

/// They may have crossed the end of their call on the way.
pub(super) async fn frames_for_calls_that_do_not_run_are_ignored(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    lives_on(&mut client).await;
    for call in [900, 3, 999_999, u32::MAX] {
        let frames = [
            Frame::message(call, b"owl"),
            Frame::last(call),
            Frame::cancel(call),
            Frame::credit(call, u64::MAX),
        ];
        client.send_all(&frames).await.expect("open");
    }

    lives_on(&mut client).await;
    attack.survived().await;
}

pub(super) async fn frames_and_flags_nobody_knows_are_skipped(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    for kind in [0, 13, 0x7f, 0xff] {
        for length in [0, 1, LONGEST] {
            let frame = Frame::new(kind, 7, vec![0xaa; length]);
            client.send(&frame).await.expect("open");
        }
    }
    let odd = Frame::open(1, methods::ECHO.path(), flags::WHOLE | 0x80, b"owl");
    client.send(&odd).await.expect("open");

    assert_eq!(client.outcome(1).await.messages, ["owl"]);
    lives_on(&mut client).await;
    attack.survived().await;
}

pub(super) async fn a_ping_comes_back_with_what_it_carries(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    for body in [&b""[..], b"12345678", &[7; LONGEST]] {
        client.send(&Frame::ping(body)).await.expect("open");

        let pong = client.next_of(kinds::PONG).await.expect("an answer");

        assert!(pong.body == body, "{} bytes came back", pong.body.len());
    }
    // One that nobody asked for is no harm.
    let pong = Frame::new(kinds::PONG, 0, "12345678");
    client.send(&pong).await.expect("open");
    lives_on(&mut client).await;
    attack.survived().await;
}

/// A call that reads nothing, after these frames of it.
async fn gated_violates(wire: Wire, frames: Vec<Frame>, why: &str) {
    let mut all = vec![Frame::stream(1, methods::GATED.path())];
    all.extend(frames);
    violates(wire, &all, why).await;
}

pub(super) async fn sending_more_than_was_granted_ends_the_connection(wire: Wire) {
    let why = "more was sent than credit was given for";
    let large = Frame::message(1, &[7; 100_000]);
    gated_violates(wire, vec![large; 4], why).await;
    // Messages cost something even when they are empty.
    let empty = Frame::message(1, b"");
    gated_violates(wire, vec![empty; 256 * 1024], why).await;
    // So do parts of one message.
    let part = Frame::data(1, flags::MESSAGE | flags::MORE, &[7; 100_000]);
    let first = Frame::first_part(1, 4 << 20, b"");
    gated_violates(wire, [vec![first], vec![part; 4]].concat(), why).await;
}

/// The last frame may go beyond it, as long as something was left.
pub(super) async fn what_was_granted_may_be_used_to_its_end(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let large = Frame::message(1, &[7; 100_000]);
    let mut frames = vec![Frame::stream(1, methods::GATED.path())];
    frames.extend(vec![large; 3]);
    frames.push(Frame::last(1));
    client.send_all(&frames).await.expect("open");
    assert!(client.ping().await, "the connection is open");

    attack.seen.open_gate();

    assert_eq!(client.outcome(1).await.messages, ["3"]);
    attack.survived().await;
}

pub(super) async fn more_credit_than_a_call_can_have_ends_the_connection(wire: Wire) {
    let path = methods::FOREVER.path();
    let why = "more credit is given than a call can have";
    for grants in [
        vec![u64::MAX],
        vec![u64::from(u32::MAX)],
        vec![1 << 31, 1 << 31],
        vec![i64::MAX as u64, 1],
    ] {
        let mut frames = vec![Frame::unary(1, path, b"owl")];
        frames.extend(grants.iter().map(|credit| Frame::credit(1, *credit)));
        violates(wire, &frames, why).await;
    }
}

pub(super) async fn messages_that_lie_about_their_length_end_the_connection(wire: Wire) {
    let rest = |part: &[u8]| Frame::data(1, flags::MESSAGE, part);
    let more = |part: &[u8]| Frame::data(1, flags::MESSAGE | flags::MORE, part);
    for path in [methods::GATED.path(), methods::CHAT.path()] {
        let begin = Frame::stream(1, path);
        for (frames, why) in [
            (
                vec![Frame::first_part(1, 5, b"owl"), rest(b"owl")],
                "longer",
            ),
            (
                vec![Frame::first_part(1, 5, b"owl"), more(b"owl")],
                "longer",
            ),
            (vec![Frame::first_part(1, 2, b"owl"), rest(b"")], "longer"),
            (
                vec![Frame::first_part(1, 9, b"owl"), rest(b"owl")],
                "shorter",
            ),
            (vec![Frame::first_part(1, 9, b"owl"), rest(b"")], "shorter"),
            (
                vec![Frame::data(1, flags::MESSAGE | flags::MORE, b"\x80")],
                "breaks off",
            ),
        ] {
            let why = match why {
                "breaks off" => "a number breaks off".to_owned(),
                why => format!("a message is {why} than it said"),
            };
            violates(wire, &[vec![begin.clone()], frames].concat(), &why).await;
        }
    }
}

/// The first part may be in the OPEN.
pub(super) async fn a_message_in_parts_is_put_together(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let open = Frame::open(
        1,
        methods::ECHO.path(),
        flags::MESSAGE | flags::MORE,
        b"\x0ahalf ",
    );
    let frames = [
        open,
        Frame::data(1, flags::MESSAGE | flags::MORE, b""),
        Frame::data(1, flags::MESSAGE | flags::MORE, b"an "),
        Frame::data(1, flags::WHOLE, b"ow"),
    ];
    client.send_all(&frames).await.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.messages, ["half an ow"], "{outcome:?}");
    lives_on(&mut client).await;
    attack.survived().await;
}

/// Two calls send parts in turn, and a third overtakes both.
pub(super) async fn parts_of_calls_mix(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let part = [7; 50_000];
    let mut frames = Vec::new();
    for call in [1, 2] {
        frames.push(Frame::stream(call, methods::ECHO.path()));
        frames.push(Frame::first_part(call, 100_000, &part));
    }
    client.send_all(&frames).await.expect("open");
    lives_on(&mut client).await;
    for call in [2, 1] {
        let rest = Frame::data(call, flags::WHOLE, &part);
        client.send(&rest).await.expect("open");
    }

    for call in [1, 2] {
        assert_eq!(client.outcome(call).await.messages[0].len(), 100_000);
    }
    attack.survived().await;
}

/// Metadata may hold whatever its names and limits allow, by text and by number.
pub(super) async fn metadata_by_text_and_by_number_is_read(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut client: Peer = attack.client().await;
    let metadata = block(&[("x-owl", b"barn"), ("X-Upper", b"folded"), ("x-bin", b"\0")]);
    let open = Frame::open(
        1,
        methods::ECHO.path(),
        flags::WHOLE | flags::METADATA,
        &[&metadata[..], b"owl"].concat(),
    );
    client.send(&open).await.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.messages, ["owl"], "{outcome:?}");
    lives_on(&mut client).await;
    attack.survived().await;
}
