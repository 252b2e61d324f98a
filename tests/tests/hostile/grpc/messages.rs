//! Messages and their framing.

use bytes::Bytes;
use gufo_core::{Call, Code, ConnectOptions, ConnectionState, One, codec::Raw};
use gufo_testkit::{
    caller, connect, methods,
    raw::{Frame, Http2, grpc_head, message, message_head},
};

use super::{client, is_refused, lives_on, status};
use crate::Attack;

const LIMIT: usize = 4 << 20;

async fn is_refused_at_its_head(length: u32) {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let head = Http2::headers_frame(1, &grpc_head(methods::ECHO.path(), &[]), false);
    let data = Frame::data(1, message_head(0, length).to_vec(), false);
    client.send_all(&[head, data]).await.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.grpc_status(), status(Code::ResourceExhausted));
    assert!(outcome.grpc_message().contains("over the limit of 4194304"));
    lives_on(&mut client, 3).await;
    attack.survived().await;
}

#[tokio::test]
async fn a_stated_length_over_the_limit_is_refused_before_its_body_comes() {
    is_refused_at_its_head(4 * 1024 * 1024 + 1).await;
}

#[tokio::test]
async fn a_stated_length_of_4_gib_is_refused_before_its_body_comes() {
    is_refused_at_its_head(u32::MAX).await;
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_while_its_body_comes() {
    let mut body = message_head(0, LIMIT as u32 + 1).to_vec();
    body.resize(200_000, 0);

    let outcome = is_refused(methods::ECHO.path(), &[], &body, Code::ResourceExhausted).await;

    assert!(outcome.grpc_message().contains("4194305"));
}

#[tokio::test]
async fn a_message_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    let attack = Attack::begin().await;
    let mut options = ConnectOptions::default();
    options.limits.send = 2 * LIMIT;
    let connection = connect(&attack.target.url(), options).await.expect("there");
    let caller = caller(&connection);
    let echo = |size: usize| {
        let message = Bytes::from(vec![b'o'; size]);
        Call::<Raw, One<Bytes>, One<Bytes>>::new(&caller, &methods::ECHO, One(message))
    };

    let exact = echo(LIMIT).await.expect("within the limit");
    let over = echo(LIMIT + 1).await.expect_err("over the limit");

    assert_eq!(exact.len(), LIMIT);
    assert_eq!(over.code(), Code::ResourceExhausted);
    assert_eq!(connection.state(), ConnectionState::Ready);
    assert!(echo(1).await.is_ok());
    attack.survived().await;
}

#[tokio::test]
async fn a_reply_over_the_limit_is_resource_exhausted() {
    is_refused(
        methods::BIG.path(),
        &[],
        &message(b"4194305"),
        Code::ResourceExhausted,
    )
    .await;
}

#[tokio::test]
async fn a_compressed_message_without_an_encoding_is_internal() {
    let mut body = message(b"owl").to_vec();
    body[0] = 1;

    is_refused(methods::ECHO.path(), &[], &body, Code::Internal).await;
}

#[tokio::test]
async fn an_encoding_nobody_knows_is_unimplemented_and_those_known_are_named() {
    let outcome = is_refused(
        methods::ECHO.path(),
        &[("grpc-encoding", "owlzip")],
        &message(b"owl"),
        Code::Unimplemented,
    )
    .await;

    assert_eq!(outcome.header("grpc-accept-encoding"), Some("gzip, zstd"));
}

#[tokio::test]
async fn a_flag_grpc_does_not_define_is_internal() {
    for flag in [2, 128, 255] {
        let mut body = message(b"owl").to_vec();
        body[0] = flag;
        is_refused(methods::ECHO.path(), &[], &body, Code::Internal).await;
    }
}

#[tokio::test]
async fn a_stream_that_ends_in_the_middle_of_a_message_is_internal() {
    let whole = message(b"a whole owl");

    for cut in [1, 4, 5, whole.len() - 1] {
        is_refused(methods::ECHO.path(), &[], &whole[..cut], Code::Internal).await;
    }
}

#[tokio::test]
async fn a_unary_call_with_two_messages_or_none_is_refused() {
    let two = [message(b"one"), message(b"two")].concat();

    is_refused(methods::ECHO.path(), &[], &two, Code::InvalidArgument).await;
    is_refused(methods::ECHO.path(), &[], &[], Code::InvalidArgument).await;
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).expect("in memory");
    encoder.finish().expect("in memory")
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(plain, 19).expect("in memory")
}

fn compressed(body: &[u8]) -> Vec<u8> {
    let mut body = message(body).to_vec();
    body[0] = 1;
    body
}

#[tokio::test]
async fn a_compressed_bomb_stops_at_the_limit() {
    let plain = vec![0; 64 << 20];

    for (encoding, bomb) in [("gzip", gzip(&plain)), ("zstd", zstd(&plain))] {
        assert!(bomb.len() < 100_000, "{encoding} makes a bomb of it");
        for path in [methods::ECHO.path(), methods::SUM.path()] {
            let encoding = [("grpc-encoding", encoding)];
            is_refused(path, &encoding, &compressed(&bomb), Code::ResourceExhausted).await;
        }
    }
}

#[tokio::test]
async fn a_compressed_message_of_exactly_the_limit_passes() {
    let plain = vec![0; LIMIT];

    for (encoding, body) in [("gzip", gzip(&plain)), ("zstd", zstd(&plain))] {
        let encoding = [("grpc-encoding", encoding)];
        is_refused(
            methods::ECHO.path(),
            &encoding,
            &compressed(&body),
            Code::Ok,
        )
        .await;
    }
}

#[tokio::test]
async fn a_damaged_compressed_message_is_an_invalid_argument() {
    for encoding in ["gzip", "zstd"] {
        let body = compressed(b"not compressed at all");
        let encoding = [("grpc-encoding", encoding)];
        is_refused(
            methods::ECHO.path(),
            &encoding,
            &body,
            Code::InvalidArgument,
        )
        .await;
    }
}

#[tokio::test]
async fn a_bad_message_in_the_middle_of_a_stream_ends_that_stream_only() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let mut body = [message(b"one"), message(b"two")].concat();
    body.extend_from_slice(&message_head(0, u32::MAX));
    let sent = client.request(1, methods::CHAT.path(), &[], body).await;
    sent.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.grpc_status(), status(Code::ResourceExhausted));
    assert_eq!(outcome.body, [message(b"one"), message(b"two")].concat());
    lives_on(&mut client, 3).await;
    attack.survived().await;
}
