//! What attacks may cost: memory of a server in a process of its own.

use bytes::BytesMut;
use gufo_testkit::{
    Child, Probe, methods,
    raw::{
        Socket,
        native::{Frame, LONGEST, Peer, flags, kinds, varint},
    },
};

use super::bed::{encoded, lives_on};
use crate::MEMORY;

struct Bounded {
    child: Child,
    probe: Probe,
    before: usize,
}

impl Bounded {
    async fn begin() -> Self {
        let program = env!("CARGO_BIN_EXE_hostile-target");
        let child = Child::start_at(program, "tcp://127.0.0.1:0").await;
        let probe = child.probe().await;
        lives_on(&mut Peer::connect(child.url()).await).await;
        let before = child.peak_memory();
        Self {
            child,
            probe,
            before,
        }
    }

    async fn client(&self) -> Peer {
        Peer::connect(self.child.url()).await
    }

    /// A client that takes as much as it may of every call, and whose socket holds little of it.
    async fn client_that_wants_everything(&self) -> Peer {
        let socket = Socket::connect_small(self.child.address).await;
        Peer::greet(socket, u64::from(u32::MAX)).await
    }

    async fn survived(self) {
        self.survived_within(MEMORY).await;
    }

    async fn survived_within(self, memory: usize) {
        self.probe.finish().await;
        self.child.probe().await.finish().await;
        let more = self.child.peak_memory() - self.before;
        assert!(more <= memory, "{} MiB more at the peak", more >> 20);
    }

    /// Waits until the memory of the server has stopped to grow.
    async fn settle(&self) {
        let mut before = 0;
        while before < self.child.peak_memory() {
            before = self.child.peak_memory();
            self.child.probe().await.finish().await;
        }
    }
}

/// Frames sent over and over, to a server whose answers nobody reads.
async fn survives_a_flood_of(frames: &[Frame]) {
    let attack = Bounded::begin().await;
    let count = (256 * 1024 / encoded(frames).len()).max(1) * frames.len();
    let batch: Vec<_> = frames.iter().cycle().take(count).cloned().collect();
    let mut client = attack.client().await;

    client.socket.flood(&encoded(&batch), 200).await;

    attack.settle().await;
    attack.survived().await;
}

#[tokio::test]
async fn a_flood_of_pings_is_bounded() {
    survives_a_flood_of(&[Frame::ping(b"12345678")]).await;
}

#[tokio::test]
async fn a_flood_of_large_pings_is_bounded() {
    survives_a_flood_of(&[Frame::ping(&[7; LONGEST])]).await;
}

#[tokio::test]
async fn a_flood_of_frames_without_effect_is_bounded() {
    let unknown = Frame::new(0x7f, 0, "owl");
    let pong = Frame::new(kinds::PONG, 0, "owl");
    let frames = [
        unknown,
        pong,
        Frame::credit(1, 1),
        Frame::cancel(1),
        Frame::message(1, b"owl"),
        Frame::new(kinds::DEFINE, 0, &b"\x63owl"[..]),
    ];
    survives_a_flood_of(&frames).await;
}

#[tokio::test]
async fn a_flood_of_definitions_is_bounded() {
    let long = "x".repeat(256);
    survives_a_flood_of(&[Frame::define_method(&long), Frame::define_name(&long)]).await;
}

#[tokio::test]
async fn a_flood_of_calls_is_bounded() {
    survives_a_flood_of(&[Frame::unary(1, methods::ECHO.path(), b"owl")]).await;
}

#[tokio::test]
async fn a_flood_of_calls_with_large_answers_is_bounded() {
    survives_a_flood_of(&[Frame::unary(1, methods::BIG.path(), b"110000")]).await;
}

#[tokio::test]
async fn a_flood_of_calls_nobody_knows_is_bounded() {
    let path = "x".repeat(4000);
    survives_a_flood_of(&[Frame::unary(1, &path, b"owl")]).await;
}

#[tokio::test]
async fn a_flood_of_calls_and_cancels_is_bounded() {
    let frames = [
        Frame::unary(1, methods::FOREVER.path(), b"owl"),
        Frame::cancel(1),
        Frame::stream(2, methods::GATED.path()),
        Frame::message(2, b"owl"),
        Frame::cancel(2),
    ];
    survives_a_flood_of(&frames).await;
}

/// The same from somebody who reads what comes of it.
#[tokio::test]
async fn calls_and_cancels_without_end_are_bounded() {
    let attack = Bounded::begin().await;
    let frames = [
        Frame::unary(1, methods::FOREVER.path(), b"owl"),
        Frame::cancel(1),
    ];
    let batch: Vec<_> = frames.iter().cycle().take(40_000).cloned().collect();
    let batch = encoded(&batch);
    for _ in 0..4 {
        let mut client = attack.client().await;
        for _ in 0..5 {
            client.socket.write(&batch).await.expect("open");
            assert!(client.ping().await, "the connection is open");
        }
    }
    attack.survived().await;
}

#[tokio::test]
async fn empty_messages_nobody_reads_are_bounded() {
    let attack = Bounded::begin().await;
    let mut client = attack.client().await;
    // As many as may be sent before anything is granted; memory of 32 calls.
    for call in 0..32 {
        let open = Frame::stream(call, methods::GATED.path());
        client.send(&open).await.expect("open");
        let mut batch = BytesMut::new();
        for _ in 0..256 * 1024 / 64 {
            Frame::message(call, b"").encode_into(&mut batch);
        }
        client.socket.write(&batch).await.expect("open");
    }
    assert!(client.ping().await, "the connection is open");
    attack.survived_within(32 * 768 * 1024).await;
}

/// Each message would keep what was read together with it.
#[tokio::test]
async fn small_messages_among_much_that_is_skipped_are_bounded() {
    let attack = Bounded::begin().await;
    let mut client = attack.client().await;
    let open = Frame::stream(1, methods::GATED.path());
    client.send(&open).await.expect("open");
    let skipped = Frame::new(0x7f, 0, vec![0; LONGEST]);
    let batch = encoded(&[Frame::message(1, b"owl"), skipped]);
    for _ in 0..2000 {
        client.socket.write(&batch).await.expect("open");
    }
    assert!(client.ping().await, "the connection is open");
    attack.survived().await;
}

#[tokio::test]
async fn empty_parts_of_a_message_are_bounded() {
    let attack = Bounded::begin().await;
    let mut client = attack.client().await;
    let frames = [
        Frame::stream(1, methods::SUM.path()),
        Frame::first_part(1, 99, b""),
    ];
    client.send_all(&frames).await.expect("open");
    let part = Frame::data(1, flags::MESSAGE | flags::MORE, b"");
    let parts = encoded(&vec![part; 1000]);
    let mut credit = 256 * 1024 - 64;
    for _ in 0..2000 {
        while credit < 1000 * 64 {
            let more = client.next_of(kinds::CREDIT).await.expect("open");
            credit += varint(&mut more.body.clone()).expect("a number");
        }
        credit -= 1000 * 64;
        client.socket.write(&parts).await.expect("open");
    }
    assert!(client.ping().await, "the connection is open");
    attack.survived().await;
}

#[tokio::test]
async fn compressed_bombs_side_by_side_are_bounded() {
    let attack = Bounded::begin().await;
    let bomb = zstd::bulk::compress(&vec![0; 512 << 20], 3).expect("in memory");
    let mut client = attack.client().await;
    let flags = flags::WHOLE | flags::COMPRESSED;
    for call in 0..50 {
        let path = methods::ECHO.path();
        let frame = Frame::open_as(call, path, flags, 2, "octet-stream", &bomb);
        client.send(&frame).await.expect("open");
    }

    let outcome = client.outcome(49).await;

    assert_eq!(outcome.code, Some(8), "{outcome:?}");
    attack.survived().await;
}

#[tokio::test]
async fn messages_that_only_state_their_length_are_bounded() {
    let attack = Bounded::begin().await;
    let mut client = attack.client().await;
    for call in 0..900 {
        let frames = [
            Frame::stream(call, methods::ECHO.path()),
            Frame::first_part(call, 4 << 20, b"owl"),
        ];
        client.send_all(&frames).await.expect("open");
    }
    lives_on(&mut client).await;
    attack.survived().await;
}

/// Frames that state their length, on as many connections.
#[tokio::test]
async fn frames_that_only_state_their_length_are_bounded() {
    let attack = Bounded::begin().await;
    let mut held = Vec::new();
    let mut lie = BytesMut::new();
    Frame::new(kinds::DATA, 1, "").encode_lying(&mut lie, LONGEST as u32);
    for _ in 0..400 {
        let mut client = attack.client().await;
        client.socket.write(&lie).await.expect("open");
        held.push(client);
    }
    lives_on(&mut attack.client().await).await;
    attack.survived().await;
}

/// Sends nearly all of a large message in each of so many calls, as far as it is let.
async fn large_messages_that_never_end(path: &str, calls: u32) {
    let attack = Bounded::begin().await;
    let mut client = attack.client().await;
    let part = [7; 100_000];
    for call in 0..calls {
        let open = Frame::stream(call, path);
        client.send(&open).await.expect("open");
    }
    // Whoever is granted more sends more.
    let mut credit = vec![256 * 1024_i64; calls as usize];
    let mut sent = vec![0; calls as usize];
    loop {
        for call in 0..calls {
            let at = call as usize;
            while credit[at] > 0 && sent[at] < 4_000_000 {
                let frame = if sent[at] == 0 {
                    Frame::first_part(call, 4 << 20, &part)
                } else {
                    Frame::data(call, flags::MESSAGE | flags::MORE, &part)
                };
                credit[at] -= frame.body.len() as i64 + 64;
                sent[at] += part.len();
                client.send(&frame).await.expect("open");
            }
        }
        assert!(client.ping().await, "the connection is open");
        let granted = client.grants();
        if granted.is_empty() {
            break;
        }
        for (call, more) in granted {
            credit[call as usize] += i64::try_from(more).expect("a credit");
        }
    }
    lives_on(&mut client).await;
    // What was granted at first for each call, and a bound for the rest, which may lie in memory
    // twice as buffers grow.
    let bound = calls as usize * 400 * 1024 + 2 * (64 << 20);
    attack.survived_within(bound).await;
}

#[tokio::test]
async fn requests_that_never_end_are_bounded() {
    large_messages_that_never_end(methods::ECHO.path(), 200).await;
}

#[tokio::test]
async fn messages_of_streams_that_never_end_are_bounded() {
    large_messages_that_never_end(methods::SUM.path(), 200).await;
}

/// The handlers of these read nothing.
#[tokio::test]
async fn messages_of_streams_nobody_reads_are_bounded() {
    large_messages_that_never_end(methods::GATED.path(), 200).await;
}

#[tokio::test]
async fn streams_nobody_reads_are_bounded() {
    let attack = Bounded::begin().await;
    let mut client = attack.client_that_wants_everything().await;
    for call in 0..900 {
        let open = Frame::unary(call, methods::ENDLESS.path(), b"owl");
        client.send(&open).await.expect("open");
    }
    attack.settle().await;
    attack.survived_within(900 * 100 * 1024).await;
}

/// Replies too large for one frame, of which no further part is granted.
#[tokio::test]
async fn large_replies_nobody_grants_credit_for_are_bounded() {
    let attack = Bounded::begin().await;
    let mut client = Peer::greet(Socket::connect_to(attack.child.url()).await, 1).await;
    for call in 0..200 {
        let open = Frame::unary(call, methods::BIG.path(), b"4000000");
        client.send(&open).await.expect("open");
    }
    for _ in 0..10 {
        assert!(client.ping().await, "the connection is open");
    }
    attack.settle().await;
    attack.survived().await;
}

#[tokio::test]
async fn large_replies_nobody_reads_are_bounded() {
    let attack = Bounded::begin().await;
    let mut client = attack.client_that_wants_everything().await;
    for call in 0..200 {
        let open = Frame::unary(call, methods::BIG.path(), b"4000000");
        client.send(&open).await.expect("open");
    }
    attack.settle().await;
    attack.survived().await;
}

/// The calls that waited go on once the peer reads.
#[tokio::test]
async fn large_replies_that_waited_come_once_they_are_read() {
    let attack = Bounded::begin().await;
    let mut client = attack.client().await;
    let calls: Vec<_> = (0..50)
        .map(|call| Frame::unary(call, methods::BIG.path(), b"4000000"))
        .collect();
    client.send_all(&calls).await.expect("open");

    let mut bytes = 0;
    let mut ended = 0;
    while ended < 50 {
        let frame = client.next().await.expect("open");
        if frame.kind == kinds::DATA {
            bytes += frame.body.len();
            let credit = Frame::credit(frame.call, frame.body.len() as u64 + 15);
            client.send(&credit).await.expect("open");
        }
        ended += usize::from(frame.kind == kinds::END);
    }

    assert!(bytes >= 50 * 4_000_000, "{bytes}");
    attack.survived().await;
}

/// A call that waits for others to be read can be given up.
#[tokio::test]
async fn calls_that_wait_for_others_to_be_read_can_be_cancelled() {
    let attack = Bounded::begin().await;
    let mut client = Peer::greet(Socket::connect_to(attack.child.url()).await, 1).await;
    for call in 0..50 {
        let open = Frame::unary(call, methods::BIG.path(), b"4000000");
        client.send(&open).await.expect("open");
    }
    for call in (0..50).rev() {
        client.send(&Frame::cancel(call)).await.expect("open");
    }

    for call in 0..50 {
        assert_eq!(client.outcome(call).await.code, Some(1), "{call}");
    }

    lives_on(&mut client).await;
    attack.survived().await;
}

/// A thousand connections that have shaken hands and do nothing.
#[tokio::test]
async fn idle_connections_cost_little() {
    let attack = Bounded::begin().await;
    let mut held = Vec::new();
    for _ in 0..1000 {
        held.push(attack.client().await);
    }
    attack.survived_within(1000 * 16 * 1024).await;
}
