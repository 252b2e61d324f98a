//! Heads of HTTP/1.1: metadata, sizes, and two opinions about where a request ends.

use gufo_core::Code;
use gufo_testkit::{
    methods,
    raw::{Http1, Socket},
};

use super::{closes, is_refused};
use crate::Attack;

fn echo_with(name: &str, value: &str) -> Vec<u8> {
    Http1::post(methods::ECHO.path(), &[(name, value)], b"owl").to_vec()
}

#[tokio::test]
async fn metadata_that_is_not_legal_is_an_invalid_argument() {
    for (name, value) in [
        ("x-owl-bin", "not base64!"),
        ("x-owl", "owl \u{1f989}"),
        ("x!owl", "a name for HTTP only"),
        ("grpc-timeout", "soon"),
    ] {
        is_refused(&echo_with(name, value), 400, Code::InvalidArgument).await;
    }
}

#[tokio::test]
async fn metadata_over_the_limit_is_http_429() {
    let value = "x".repeat(17_000);

    is_refused(&echo_with("x-owl", &value), 429, Code::ResourceExhausted).await;
}

/// What does not even fit into the buffer never becomes a call.
#[tokio::test]
async fn a_head_that_is_far_too_large_is_http_431_and_the_connection_closes() {
    let one = echo_with("x-owl", &"x".repeat(200_000));
    let many: Vec<_> = (0..1000).map(|index| format!("x-{index}")).collect();
    let many: Vec<_> = many.iter().map(|name| (&**name, "1")).collect();
    let many = Http1::post(methods::ECHO.path(), &many, b"owl").to_vec();
    let line = Http1::post(&format!("/{}", "x".repeat(200_000)), &[], b"").to_vec();

    for head in [one, many, line] {
        let said = closes(&head).await;

        let said = String::from_utf8_lossy(&said);
        assert!(said.starts_with("HTTP/1.1 431"), "{said}");
    }
}

#[tokio::test]
async fn a_head_without_end_is_cut() {
    let attack = Attack::begin().await;
    let mut socket = Socket::connect(attack.target.address).await;
    let head = Http1::head("POST", methods::ECHO.path(), &[("host", "owl")]);
    socket.write(&head[..head.len() - 2]).await.expect("open");

    socket.flood(&b"x-owl: hoot\r\n".repeat(1000), 100).await;

    socket.closed().await;
    attack.survived().await;
}

/// A request must not hide in another one: either it is refused, or it is read as one.
#[tokio::test]
async fn no_request_is_smuggled_in_another_one() {
    let echo = methods::ECHO.path();
    let inner = format!("POST {echo} HTTP/1.1\r\nhost: b\r\ncontent-length: 3\r\n\r\nsmg");
    let length = inner.len();
    for headers in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}"),
        format!("transfer-encoding: chunked, identity\r\ncontent-length: {length}"),
        format!("transfer-encoding: xchunked\r\ncontent-length: {length}"),
        format!("transfer-encoding : chunked\r\ncontent-length: {length}"),
        format!("content-length: {length}\r\ncontent-length: 0"),
        format!("content-length: {length}, 0"),
        format!("content-length: +{length}"),
    ] {
        let request =
            format!("POST {echo} HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\n0\r\n\r\n{inner}");
        let attack = Attack::begin().await;
        let mut client = Http1::connect(attack.target.address).await;
        client.socket.write(request.as_bytes()).await.expect("open");
        client.socket.shutdown().await;

        let said = client.socket.read_to_end().await;

        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains("smg"), "{headers:?}: {said}");
        attack.survived().await;
    }
}
