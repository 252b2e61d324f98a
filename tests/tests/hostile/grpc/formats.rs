//! Formats, methods, and what the decoders are fed with.

use gufo_core::Code;
use gufo_testkit::{methods, raw::message};

use super::{client, is_refused, lives_on};
use crate::Attack;

const JSON: [(&str, &str); 1] = [("content-type", "application/grpc+json")];
const MSGPACK: [(&str, &str); 1] = [("content-type", "application/grpc+msgpack")];

async fn is_invalid(format: &[(&str, &str)], body: &[u8]) {
    is_refused(
        methods::COUNT.path(),
        format,
        &message(body),
        Code::InvalidArgument,
    )
    .await;
}

#[tokio::test]
async fn a_json_bomb_of_nested_messages_is_an_invalid_argument() {
    let depth = 100_000;
    let closed = format!("{}{}", r#"{"children":["#.repeat(depth), "]}".repeat(depth));

    is_invalid(&JSON, closed.as_bytes()).await;
    is_invalid(&JSON, r#"{"children":["#.repeat(depth).as_bytes()).await;
    is_invalid(&JSON, "[".repeat(4 << 20).as_bytes()).await;
}

#[tokio::test]
async fn a_json_bomb_in_a_field_nobody_knows_takes_no_stack() {
    let depth = 1 << 20;
    let body = format!(r#"{{"owl":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));

    // Skipped without recursion.
    is_refused(
        methods::COUNT.path(),
        &JSON,
        &message(body.as_bytes()),
        Code::Ok,
    )
    .await;
}

#[tokio::test]
async fn a_msgpack_bomb_of_nested_messages_is_an_invalid_argument() {
    let nested = b"\x81\xa8children\x91".repeat(100_000);

    is_invalid(&MSGPACK, &nested).await;
    // Arrays in arrays, in a field nobody knows.
    let mut unknown = b"\x81\xa3owl".to_vec();
    unknown.extend(vec![0x91; 1 << 20]);
    is_invalid(&MSGPACK, &unknown).await;
}

#[tokio::test]
async fn lengths_that_msgpack_merely_states_reserve_nothing() {
    for body in [
        &b"\x81\xa8children\xdd\xff\xff\xff\xff"[..],
        b"\x81\xa4name\xdb\xff\xff\xff\xff",
        b"\x81\xa4name\xc6\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
    ] {
        is_invalid(&MSGPACK, body).await;
    }
}

#[tokio::test]
async fn a_protobuf_bomb_of_nested_messages_is_an_invalid_argument() {
    let mut nested = Vec::new();
    for _ in 0..3000 {
        let mut outer = vec![0x12];
        put_varint(&mut outer, nested.len());
        outer.extend_from_slice(&nested);
        nested = outer;
    }

    is_invalid(&[], &nested).await;
    // Groups in groups, in a field nobody knows.
    is_invalid(&[], &vec![0x1b; 1 << 20]).await;
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 128 {
        out.push((value % 128) as u8 | 128);
        value /= 128;
    }
    out.push(value as u8);
}

#[tokio::test]
async fn damaged_messages_are_invalid_arguments_in_every_format() {
    for body in [
        &b"\x0a\xff\xff\xff\xff\x0fowl"[..],
        b"\x0a\x02\xff\xfe",
        b"\x12\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        is_invalid(&[], body).await;
    }
    for body in [
        &b"{\"name\":\"\xff\xfe\"}"[..],
        br#"{"name":1}"#,
        br#"{"name":"\ud800"}"#,
        br#"{"name":"owl""#,
        br#"{} {}"#,
        b"\0",
    ] {
        is_invalid(&JSON, body).await;
    }
    for body in [
        &b"\x81\xa4name\xa2\xff\xfe"[..],
        b"\xc1",
        b"\x80\x80",
        b"\x81",
    ] {
        is_invalid(&MSGPACK, body).await;
    }
}

#[tokio::test]
async fn a_format_nobody_knows_is_unimplemented_and_those_known_are_named() {
    let outcome = is_refused(
        methods::ECHO.path(),
        &[("content-type", "application/grpc+owl")],
        &message(b"owl"),
        Code::Unimplemented,
    )
    .await;

    assert!(outcome.grpc_message().contains("proto, json, msgpack"));
}

#[tokio::test]
async fn a_method_or_service_nobody_knows_is_unimplemented() {
    for path in [
        "/testkit.Target/Nothing",
        "/nobody.Nothing/Echo",
        "/testkit.Target/",
        "/",
        "/a/b/c/d",
        "/%2e%2e/%00",
    ] {
        is_refused(path, &[], &message(b"owl"), Code::Unimplemented).await;
    }
    let long = format!("/testkit.Target/{}", "x".repeat(8000));
    let outcome = is_refused(&long, &[], &message(b"owl"), Code::Unimplemented).await;
    assert!(outcome.grpc_message().len() < 400, "the name is cut");
}

#[tokio::test]
async fn a_method_of_another_kind_is_refused_with_a_status() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let two = [message(b"one"), message(b"two")].concat();
    let sent = client.request(1, methods::ENDLESS.path(), &[], two).await;
    sent.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(
        outcome.grpc_status(),
        super::status(Code::InvalidArgument),
        "{outcome:?}"
    );
    lives_on(&mut client, 3).await;
    attack.survived().await;
}

#[tokio::test]
async fn a_content_type_that_is_neither_grpc_nor_known_is_http_415() {
    for content_type in [
        "text/html",
        "application/xml",
        "application/grpcowl",
        "application/grpc-web",
        "multipart/form-data; boundary=owl",
        "owl",
    ] {
        let attack = Attack::begin().await;
        let mut client = client(&attack).await;
        let more = [("content-type", content_type)];
        let sent = client.request(1, methods::ECHO.path(), &more, message(b"owl"));
        sent.await.expect("open");

        let outcome = client.outcome(1).await;

        assert_eq!(outcome.header(":status"), Some("415"), "{content_type}");
        assert_eq!(outcome.grpc_status(), None);
        lives_on(&mut client, 3).await;
        attack.survived().await;
    }
}
