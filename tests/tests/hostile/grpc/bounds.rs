//! What attacks may cost: memory, descriptors and processor time of a server in a process of its
//! own.

use bytes::{BufMut, Bytes, BytesMut};
use gufo_testkit::{
    Child, Probe, eventually, methods,
    raw::{
        Frame, Http2, Settings, Socket, codes, flags, grpc_head, hpack, kinds, message,
        message_head,
    },
};

use super::lives_on;
use crate::MEMORY;

struct Bounded {
    child: Child,
    probe: Probe,
    before: usize,
}

impl Bounded {
    async fn begin() -> Self {
        let child = Child::start(env!("CARGO_BIN_EXE_hostile-target"), None).await;
        let probe = child.probe().await;
        lives_on(&mut Http2::connect(child.address, Settings::Wide).await, 1).await;
        let before = child.peak_memory();
        Self {
            child,
            probe,
            before,
        }
    }

    async fn client(&self, settings: Settings) -> Http2 {
        Http2::connect(self.child.address, settings).await
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
}

/// Frames sent over and over, to a server whose answers nobody reads.
async fn survives_a_flood_of(frames: &[Frame]) {
    let attack = Bounded::begin().await;
    let mut batch = BytesMut::new();
    for frame in frames.iter().cycle().take(1000) {
        frame.encode_into(&mut batch);
    }
    let mut client = attack.client(Settings::Wide).await;

    client.socket.flood(&batch, 200).await;

    attack.survived().await;
}

#[tokio::test]
async fn a_flood_of_pings_or_settings_is_bounded() {
    let settings = Frame::new(kinds::SETTINGS, flags::NONE, 0, [0, 4, 0, 1, 0, 0].to_vec());
    survives_a_flood_of(&[Frame::ping(), settings]).await;
}

#[tokio::test]
async fn a_flood_of_frames_without_effect_is_bounded() {
    let priority = Frame::new(kinds::PRIORITY, flags::NONE, 1, [0, 0, 0, 0, 7].to_vec());
    let unknown = Frame::new(0x7f, flags::NONE, 0, "owl");
    survives_a_flood_of(&[priority, unknown]).await;
}

#[tokio::test]
async fn a_flood_of_window_updates_is_bounded() {
    survives_a_flood_of(&[Frame::window(0, 1)]).await;
}

#[tokio::test]
async fn a_flood_of_resets_is_bounded() {
    let attack = Bounded::begin().await;
    let head = grpc_head(methods::FOREVER.path(), &[]);
    for _ in 0..4 {
        let mut client = attack.client(Settings::Wide).await;
        for batch in 0..50_u32 {
            let mut out = BytesMut::new();
            for index in 0..200 {
                let stream = (batch * 200 + index) * 2 + 1;
                Http2::headers_frame(stream, &head, true).encode_into(&mut out);
                Frame::reset(stream, codes::CANCEL).encode_into(&mut out);
            }
            client.socket.flood(&out, 1).await;
        }
    }
    attack.survived().await;
}

/// One entry of 4,000 bytes in the dynamic table, named again and again.
#[tokio::test]
async fn an_hpack_bomb_is_bounded() {
    let attack = Bounded::begin().await;
    let mut client = attack.client(Settings::Wide).await;
    for stream in 0..100 {
        let mut block = hpack::encode(&grpc_head(methods::ECHO.path(), &[]));
        let mut entry = BytesMut::new();
        hpack::put_literal(&mut entry, b"a", &[b'x'; 4000]);
        // With incremental indexing.
        entry[0] = 0x40;
        block.extend_from_slice(&entry);
        block.put_bytes(0xbe, 12_000);
        let flags = flags::END_HEADERS | flags::END_STREAM;
        let head = Frame::new(kinds::HEADERS, flags, stream * 2 + 1, block);
        if client.send(&head).await.is_err() {
            break;
        }
    }
    attack.survived().await;
}

#[tokio::test]
async fn compressed_bombs_side_by_side_are_bounded() {
    let attack = Bounded::begin().await;
    let bomb = zstd::bulk::compress(&vec![0; 512 << 20], 3).expect("in memory");
    let mut body = message(&bomb).to_vec();
    body[0] = 1;
    let body = Bytes::from(body);
    let mut client = attack.client(Settings::Wide).await;
    let encoding = [("grpc-encoding", "zstd")];
    for index in 0..50 {
        let stream = index * 2 + 1;
        let sent = client.request(stream, methods::ECHO.path(), &encoding, body.clone());
        sent.await.expect("open");
    }

    let outcome = client.outcome(99).await;

    assert_eq!(outcome.grpc_status(), Some(8), "{outcome:?}");
    attack.survived().await;
}

#[tokio::test]
async fn messages_that_only_state_their_length_are_bounded() {
    let attack = Bounded::begin().await;
    let mut client = attack.client(Settings::Wide).await;
    let head = grpc_head(methods::ECHO.path(), &[]);
    for index in 0..900 {
        let stream = index * 2 + 1;
        let half = message_head(0, 4 << 20).to_vec();
        let frames = [
            Http2::headers_frame(stream, &head, false),
            Frame::data(stream, half, false),
        ];
        client.send_all(&frames).await.expect("open");
    }
    lives_on(&mut client, 2001).await;
    attack.survived().await;
}

/// Twice at most, as buffers grow.
#[tokio::test]
async fn messages_that_never_end_cost_no_more_than_their_bytes() {
    let attack = Bounded::begin().await;
    let mut client = attack.client(Settings::Wide).await;
    let head = grpc_head(methods::ECHO.path(), &[]);
    let mut half = message_head(0, 4 << 20).to_vec();
    half.resize(4 << 20, 0);
    let half = Bytes::from(half);
    for index in 0..7 {
        let stream = index * 2 + 1;
        client.headers(stream, &head, false).await.expect("open");
        let sent = client.body(stream, half.clone(), false).await;
        sent.expect("open");
    }
    assert!(client.ping().await, "the connection is open");
    attack.survived().await;
}

#[tokio::test]
async fn streams_nobody_reads_are_bounded() {
    let attack = Bounded::begin().await;
    let socket = Socket::connect_small(attack.child.address).await;
    let mut client = Http2::greet(socket, Settings::Wide).await;
    for index in 0..900 {
        let path = methods::ENDLESS.path();
        let sent = client.request(index * 2 + 1, path, &[], message(b"owl"));
        sent.await.expect("open");
    }
    // Nothing is read meanwhile, so this only ends because the server writes as far as it will.
    let mut before = 0;
    while before < attack.child.peak_memory() {
        before = attack.child.peak_memory();
        attack.child.probe().await.finish().await;
    }
    attack.survived_within(900 * 100 * 1024).await;
}

async fn large_replies_are_bounded(content_type: &str, body: Bytes) {
    let attack = Bounded::begin().await;
    let mut client = attack.client(Settings::Closed).await;
    let head = grpc_head(methods::BIG.path(), &[("content-type", content_type)]);
    let mut frames = Vec::new();
    for index in 0..200 {
        let stream = index * 2 + 1;
        frames.push(Http2::headers_frame(stream, &head, false));
        frames.push(Frame::data(stream, body.clone(), true));
    }
    client.send_all(&frames).await.expect("open");
    for _ in 0..10 {
        assert!(client.ping().await, "the connection is open");
    }
    attack.survived().await;
}

#[tokio::test]
async fn large_replies_nobody_reads_are_bounded() {
    large_replies_are_bounded("application/grpc", message(b"4000000")).await;
}

#[tokio::test]
async fn large_replies_over_plain_http_that_nobody_reads_are_bounded() {
    large_replies_are_bounded("application/json", Bytes::from_static(b"4000000")).await;
}

/// The calls that waited go on once the peer reads.
#[tokio::test]
async fn large_replies_that_waited_come_once_they_are_read() {
    let attack = Bounded::begin().await;
    let mut client = attack.client(Settings::Wide).await;
    let head = grpc_head(methods::BIG.path(), &[]);
    let mut frames = Vec::new();
    for index in 0..50 {
        let stream = index * 2 + 1;
        frames.push(Http2::headers_frame(stream, &head, false));
        frames.push(Frame::data(stream, message(b"4000000"), true));
    }
    client.send_all(&frames).await.expect("open");

    let (mut ended, mut bytes) = (0, 0);
    while ended < 50 {
        let frame = client.next().await.expect("open");
        if frame.kind == kinds::DATA {
            bytes += frame.payload.len();
        }
        ended += usize::from(frame.kind == kinds::HEADERS && frame.flags & flags::END_STREAM != 0);
    }

    assert_eq!(bytes, 50 * 4_000_005);
    attack.survived().await;
}

/// With all descriptors in use, who is there is served, nobody spins, and newcomers are served as
/// soon as somebody leaves.
#[tokio::test]
async fn a_server_without_descriptors_goes_on() {
    const FILES: u32 = 64;
    let child = Child::start(env!("CARGO_BIN_EXE_hostile-target"), Some(FILES)).await;
    let probe = child.probe().await;
    let mut held = Vec::new();
    for _ in 0..2 * FILES {
        held.push(Socket::connect(child.address).await);
    }
    eventually("no descriptor is left", async || {
        child.open_files() >= FILES as usize
    })
    .await;

    let (ticks, since) = (child.ticks(), tokio::time::Instant::now());
    let calls = probe.calls();
    eventually("the probe goes on", async || probe.calls() >= calls + 25).await;
    let used = (child.ticks() - ticks) * 10;
    let elapsed = since.elapsed().as_millis();

    assert!(
        u128::from(used) <= elapsed / 2 + 50,
        "{used} ms of processor time in {elapsed} ms"
    );
    drop(held);
    child.probe().await.finish().await;
    probe.finish().await;
}
