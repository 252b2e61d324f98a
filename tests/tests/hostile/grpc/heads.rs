//! Heads of calls: metadata, timeouts, header lists, HPACK.

use bytes::BytesMut;
use gufo_core::Code;
use gufo_testkit::{
    methods,
    raw::{Frame, Http2, Outcome, codes, flags, grpc_head, hpack, kinds, message},
};

use super::{client, is_refused, lives_on, status};
use crate::Attack;

async fn echo_with(header: (&str, &str), code: Code) -> Outcome {
    is_refused(methods::ECHO.path(), &[header], &message(b"owl"), code).await
}

/// Sends a header block as it is, in as many frames as it needs.
async fn send_block(client: &mut Http2, stream: u32, block: &[u8]) {
    let mut parts = block.chunks(16_384).peekable();
    let mut kind = kinds::HEADERS;
    while let Some(part) = parts.next() {
        let mut flag = if kind == kinds::HEADERS {
            flags::END_STREAM
        } else {
            flags::NONE
        };
        if parts.peek().is_none() {
            flag |= flags::END_HEADERS;
        }
        // The server may have closed already.
        let _ = client
            .send(&Frame::new(kind, flag, stream, part.to_vec()))
            .await;
        kind = kinds::CONTINUATION;
    }
}

fn echo_block(more: &[(&[u8], &[u8])]) -> BytesMut {
    let mut block = hpack::encode(&grpc_head(methods::ECHO.path(), &[]));
    for (name, value) in more {
        hpack::put_literal(&mut block, name, value);
    }
    block
}

#[tokio::test]
async fn metadata_that_is_not_base64_is_an_invalid_argument() {
    for value in ["!", "Z", "Zm9v Zm9v", "====", "Zg,!"] {
        let outcome = echo_with(("x-owl-bin", value), Code::InvalidArgument).await;
        assert!(outcome.grpc_message().contains("x-owl-bin"), "{value}");
    }
}

#[tokio::test]
async fn metadata_that_is_not_ascii_is_an_invalid_argument() {
    for value in [&b"\xff\xfe"[..], "owl \u{1f989}".as_bytes(), b"a\tb"] {
        let attack = Attack::begin().await;
        let mut client = client(&attack).await;
        send_block(&mut client, 1, &echo_block(&[(b"x-owl", value)])).await;

        let outcome = client.outcome(1).await;

        assert_eq!(outcome.grpc_status(), status(Code::InvalidArgument));
        assert!(outcome.grpc_message().contains("x-owl"));
        lives_on(&mut client, 3).await;
        attack.survived().await;
    }
}

/// What h2 finds in a head costs the call; what it finds while it undoes HPACK, the connection.
#[tokio::test]
async fn metadata_that_is_not_http_is_a_protocol_error() {
    let of_the_call: [(&[u8], &[u8]); 3] = [
        (b"connection", b"keep-alive"),
        (b"te", b"gzip"),
        (b":path", b"/another"),
    ];
    let of_the_connection: [(&[u8], &[u8]); 5] = [
        (b"x-owl", b"a\0b"),
        (b"x-owl", b"a\r\nb: c"),
        (b"X-Owl", b"upper"),
        (b"x owl", b"blank"),
        (b"", b"no name"),
    ];
    let (reset, goaway) = (Some(codes::PROTOCOL_ERROR), None);
    let cases = of_the_call.map(|header| (header, (reset, goaway)));
    let closing = of_the_connection.map(|header| (header, (goaway, reset)));

    for ((name, value), expected) in cases.into_iter().chain(closing) {
        let attack = Attack::begin().await;
        let mut client = client(&attack).await;
        send_block(&mut client, 1, &echo_block(&[(name, value)])).await;

        let outcome = client.outcome(1).await;

        let name = name.escape_ascii();
        assert_eq!((outcome.reset, outcome.goaway), expected, "{name}");
        if outcome.goaway.is_none() {
            lives_on(&mut client, 3).await;
        }
        attack.survived().await;
    }
}

#[tokio::test]
async fn a_verb_that_is_not_post_is_internal() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let mut head = grpc_head(methods::ECHO.path(), &[]);
    head[0] = (":method", "GET");
    client.headers(1, &head, true).await.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.grpc_status(), status(Code::Internal), "{outcome:?}");
    lives_on(&mut client, 3).await;
    attack.survived().await;
}

/// h2 lets it pass.
#[tokio::test]
async fn a_head_without_a_path_is_http_404() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let head = [(":method", "POST"), (":scheme", "http")];
    client.headers(1, &head, true).await.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.header(":status"), Some("404"), "{outcome:?}");
    lives_on(&mut client, 3).await;
    attack.survived().await;
}

#[tokio::test]
async fn metadata_over_the_limit_is_resource_exhausted() {
    let value = "x".repeat(16 * 1024);

    let outcome = echo_with(("x-owl", &value), Code::ResourceExhausted).await;

    assert!(outcome.grpc_message().contains("over the limit of 16384"));
}

/// Above what HTTP needs beside metadata, h2 answers before gufo sees the call.
#[tokio::test]
async fn a_header_list_over_the_limit_is_http_431() {
    let large = vec![b'x'; 30_000];
    let one: &[(&[u8], &[u8])] = &[(b"x-owl", &large)];
    let many: Vec<(&[u8], &[u8])> = vec![(b"a", b""); 2000];

    for more in [one, &many[..]] {
        let attack = Attack::begin().await;
        let mut client = client(&attack).await;
        send_block(&mut client, 1, &echo_block(more)).await;

        let outcome = client.outcome(1).await;

        assert_eq!(outcome.header(":status"), Some("431"), "{outcome:?}");
        lives_on(&mut client, 3).await;
        attack.survived().await;
    }
}

/// So does it for frames of a head that never ends.
#[tokio::test]
async fn a_flood_of_continuations_closes_the_connection() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let mut head = Http2::headers_frame(1, &grpc_head(methods::ECHO.path(), &[]), true);
    head.flags = flags::END_STREAM;
    client.send(&head).await.expect("open");
    let more = hpack::encode(&[("x-owl", "hoot")]);
    for _ in 0..10_000 {
        let more = Frame::new(kinds::CONTINUATION, flags::NONE, 1, more.clone());
        if client.send(&more).await.is_err() {
            break;
        }
    }

    let code = client.closed().await;

    assert!(
        code.is_none_or(|code| code == codes::ENHANCE_YOUR_CALM),
        "{code:?}"
    );
    attack.survived().await;
}

#[tokio::test]
async fn names_of_the_protocol_never_become_metadata() {
    echo_with(("grpc-owl", "a\tb"), Code::Ok).await;
    echo_with(("grpc-tags-bin", "not base64!"), Code::Ok).await;
}

#[tokio::test]
async fn a_timeout_grpc_does_not_define_is_an_invalid_argument() {
    for timeout in ["owl", "", "-1S", "1.5S", "123456789S", "1s", "S", "1 S"] {
        let outcome = echo_with(("grpc-timeout", timeout), Code::InvalidArgument).await;
        assert!(outcome.grpc_message().contains("timeout"), "{timeout}");
    }
    echo_with(("grpc-timeout", "99999999H"), Code::Ok).await;
}

#[tokio::test]
async fn a_deadline_in_the_past_is_exceeded_and_the_handler_never_runs() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    for (stream, path) in [(1, methods::FOREVER.path()), (3, methods::GATED.path())] {
        let past = [("grpc-timeout", "0n")];
        let sent = client.request(stream, path, &past, message(b"owl")).await;
        sent.expect("open");

        let outcome = client.outcome(stream).await;

        assert_eq!(outcome.grpc_status(), status(Code::DeadlineExceeded));
    }
    assert_eq!(attack.target.seen.started(), 0);
    lives_on(&mut client, 5).await;
    attack.survived().await;
}

#[tokio::test]
async fn damaged_hpack_closes_the_connection() {
    for block in [
        // An index of the dynamic table, which is empty.
        &b"\xff\x80\x01"[..],
        // Index 0.
        b"\x80",
        // A length without an end.
        b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        // Huffman filled up with more than seven bits.
        b"\x00\x82\xff\xff\x01a",
    ] {
        let attack = Attack::begin().await;
        let mut client = client(&attack).await;
        send_block(&mut client, 1, block).await;

        let code = client.closed().await;

        // RFC 9113, 4.3 has COMPRESSION_ERROR here; h2 says so.
        assert_eq!(code, Some(codes::PROTOCOL_ERROR), "{block:?}");
        attack.survived().await;
    }
}
