//! Peers that begin with something else, or with nothing.

use gufo_core::ListenOptions;
use gufo_testkit::{
    eventually, methods,
    raw::{
        Socket,
        native::{Frame, LONGEST, MAGIC, PREFACE, Peer, kinds, put_bytes, put_varint, settings},
    },
};

use super::bed::{Attack, Wire, encoded, goaway, lives_on, violates};
use crate::SOON;

const WIDE: [(u64, u64); 2] = [
    (settings::FRAME, LONGEST as u64),
    (settings::CREDIT, 65_536),
];

pub(super) async fn garbage_is_closed_without_a_word(wire: Wire) {
    let attack = Attack::begin(wire).await;

    for garbage in [
        &[0xff; 64][..],
        &[0; 64],
        b"GUFO\n\n\x01\x01 and more",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello",
        b"SSH-2.0-owl\r\n",
    ] {
        let mut socket = Socket::connect_to(&attack.url).await;
        socket.write(garbage).await.expect("open");
        assert_eq!(socket.read_to_end().await, "");
    }

    attack.survived().await;
}

pub(super) async fn half_a_handshake_is_closed_after_its_timeout(wire: Wire) {
    let mut options = ListenOptions::default();
    options.handshake_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    let whole = [&PREFACE[..], &encoded(&[Frame::hello(&WIDE)])].concat();

    for length in [0, 1, 6, 8, 12, whole.len() - 1] {
        let mut socket = Socket::connect_to(&attack.url).await;
        socket.write(&whole[..length]).await.expect("open");
        socket.closed().await;
    }

    attack.survived().await;
}

/// The timeout is for all of it, however often something comes.
pub(super) async fn a_handshake_that_trickles_does_not_outlast_its_timeout(wire: Wire) {
    let mut options = ListenOptions::default();
    options.handshake_timeout = SOON;
    let attack = Attack::with(wire, options).await;
    let mut socket = Socket::connect_to(&attack.url).await;
    socket.write(PREFACE).await.expect("open");
    // Frames nobody knows are skipped, here too.
    let skipped = encoded(&[Frame::new(0x7f, 0, "owl")]);
    let mut pace = tokio::time::interval(SOON / 10);

    eventually("it is closed", async || {
        pace.tick().await;
        socket.write(&skipped).await.is_err()
    })
    .await;

    attack.survived().await;
}

pub(super) async fn a_handshake_byte_by_byte_is_one(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut socket = Socket::connect_to(&attack.url).await;
    let call = Frame::unary(7, methods::ECHO.path(), b"owl");
    let whole = [&PREFACE[..], &encoded(&[Frame::hello(&WIDE), call])].concat();
    for byte in whole.chunks(1) {
        socket.write(byte).await.expect("open");
        tokio::task::yield_now().await;
    }
    assert_eq!(socket.read_up_to(PREFACE.len()).await, PREFACE[..]);
    let mut client = Peer::from(socket);
    let hello = client.next_of(kinds::HELLO).await;
    hello.expect("the server's HELLO");

    let outcome = client.outcome(7).await;

    assert_eq!(outcome.messages, ["owl"]);
    lives_on(&mut client).await;
    attack.survived().await;
}

/// What is sent to a server that speaks HTTP, and what comes back.
async fn is_refused_as_http(wire: Wire, request: &[u8], body: usize) {
    let attack = Attack::begin(wire).await;
    let mut socket = Socket::connect_to(&attack.url).await;
    socket.write(request).await.expect("open");
    // A client that sends on does not lose the answer for it.
    for _ in 0..body / 1024 {
        if socket.write(&[b'x'; 1024]).await.is_err() {
            break;
        }
    }

    let answer = socket.read_to_end().await;

    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    assert!(answer.contains("connection: close"), "{answer}");
    let (_, text) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(text.contains("gufo's own frames"), "{answer}");
    assert!(text.contains("grpc://"), "{answer}");
    attack.survived().await;
}

pub(super) async fn http1_is_refused_in_its_own_words(wire: Wire) {
    for verb in [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE",
    ] {
        let head = format!("{verb} / HTTP/1.1\r\nhost: owl\r\ncontent-length: 65536\r\n\r\n");
        is_refused_as_http(wire, head.as_bytes(), 0).await;
    }
    let head = b"POST / HTTP/1.1\r\nhost: owl\r\ncontent-length: 65536\r\n\r\n";
    is_refused_as_http(wire, head, 65_536).await;
}

pub(super) async fn http2_is_refused_in_words_people_can_read(wire: Wire) {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    is_refused_as_http(wire, preface, 0).await;
    is_refused_as_http(wire, preface, 4096).await;
}

/// `curl` shows the refusal.
pub(super) async fn curl_shows_the_refusal(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let (_, place) = attack.url.split_once("://").expect("a url");
    let mut curl = tokio::process::Command::new("curl");
    curl.args(["--silent", "--show-error", "--include"]);
    match wire {
        Wire::Tcp => curl.arg(format!("http://{place}/greeter")),
        Wire::Unix => curl.args(["--unix-socket", place, "http://owl/greeter"]),
    };

    let shown = gufo_testkit::within("curl", curl.output()).await;

    let shown = shown.expect("curl is there");
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success(), "{shown:?}");
    assert!(text.contains("400 Bad Request"), "{text}");
    assert!(
        text.contains("This port speaks gufo's own frames"),
        "{text}"
    );
    attack.survived().await;
}

/// What a peer is told that begins like this; nothing but a preface comes before.
async fn is_told(wire: Wire, beginning: &[u8]) -> String {
    let attack = Attack::begin(wire).await;
    let mut socket = Socket::connect_to(&attack.url).await;
    socket.write(beginning).await.expect("open");

    let answer = socket.read_to_end().await;

    let rest = answer.strip_prefix(&PREFACE[..]).expect("a preface");
    let (code, text) = goaway(rest).expect("a reason");
    assert_eq!(code, 1);
    attack.survived().await;
    text
}

pub(super) async fn versions_nobody_speaks_are_named(wire: Wire) {
    for (low, high) in [(2, 3), (0, 0), (255, 255)] {
        let text = is_told(wire, &[&MAGIC[..], &[low, high]].concat()).await;

        assert!(
            text.contains(&format!("versions {low} to {high}")),
            "{text}"
        );
        assert!(text.contains("this side 1"), "{text}");
    }
}

pub(super) async fn a_peer_that_speaks_more_versions_is_answered_in_this_one(wire: Wire) {
    let attack = Attack::begin(wire).await;
    for (low, high) in [(0, 1), (1, 9), (0, 255)] {
        let mut socket = Socket::connect_to(&attack.url).await;
        let begun = [&MAGIC[..], &[low, high], &encoded(&[Frame::hello(&WIDE)])].concat();
        socket.write(&begun).await.expect("open");

        assert_eq!(socket.read_up_to(PREFACE.len()).await, PREFACE[..]);
        lives_on(&mut Peer::from(socket)).await;
    }
    attack.survived().await;
}

pub(super) async fn a_hello_that_is_wrong_is_told_why(wire: Wire) {
    let hello = |body: &[u8]| Frame::new(kinds::HELLO, 0, body.to_vec());
    let many: Vec<_> = (0..65).map(|id| (1000 + id, 0)).collect();
    for (frame, why) in [
        (Frame::ping(b"owl"), "the first frame is not a HELLO"),
        (hello(b""), "limits below those of this version"),
        (Frame::hello(&[(settings::FRAME, 131_071)]), "below those"),
        (
            Frame::hello(&[(settings::FRAME, 131_072), (settings::CREDIT, 0)]),
            "below those",
        ),
        (Frame::hello(&many), "too many settings"),
        (hello(b"\x06\x05\x80"), "reaches beyond its frame"),
        (hello(b"\x06\x01\x80"), "a number breaks off"),
        (hello(&[0xff; 20]), "longer than 64 bits"),
        (hello(b"\x01\x02\xff\xfe"), "not UTF-8"),
    ] {
        let text = is_told(wire, &[&PREFACE[..], &encoded(&[frame])].concat()).await;
        assert!(text.contains(why), "{text:?} in place of {why:?}");
    }
    let text = is_told(wire, &[&PREFACE[..], &[2, 0, 1, 1, 0, 0, 0, 0]].concat()).await;
    assert!(text.contains("longer than the limit"), "{text}");
}

/// A later version may say more of itself, and send other frames first.
pub(super) async fn a_hello_with_settings_nobody_knows_is_one(wire: Wire) {
    let attack = Attack::begin(wire).await;
    let mut hello = bytes::BytesMut::from(&Frame::hello(&WIDE).body[..]);
    put_varint(&mut hello, 77);
    put_bytes(&mut hello, b"a nest");
    let mut socket = Socket::connect_to(&attack.url).await;
    let frames = [
        Frame::new(0x7f, 3, "owl"),
        Frame::new(kinds::HELLO, 0, hello),
    ];
    let begun = [&PREFACE[..], &encoded(&frames)].concat();
    socket.write(&begun).await.expect("open");

    assert_eq!(socket.read_up_to(PREFACE.len()).await, PREFACE[..]);
    lives_on(&mut Peer::from(socket)).await;
    attack.survived().await;
}

pub(super) async fn a_second_hello_ends_the_connection(wire: Wire) {
    violates(wire, &[Frame::hello(&WIDE)], "a second HELLO").await;
}

/// One more than may be in their handshake is turned away at once.
pub(super) async fn too_many_handshakes_at_once_are_turned_away(wire: Wire) {
    let mut options = ListenOptions::default();
    options.handshakes = 2;
    let attack = Attack::with(wire, options).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut socket = Socket::connect_to(&attack.url).await;
        socket.write(b"GUFO").await.expect("open");
        held.push(socket);
    }
    eventually("they are accepted", async || {
        attack.server.connections() == 3
    })
    .await;

    Socket::connect_to(&attack.url).await.closed().await;

    drop(held);
    eventually("they are gone", async || attack.server.connections() == 1).await;
    attack.survived().await;
}
