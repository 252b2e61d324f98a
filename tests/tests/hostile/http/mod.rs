//! Attacks over HTTP/1.1 on the port of `grpc://`, and on the client behind `http://`.

mod client;
mod heads;
mod slow;

use gufo_core::{Code, ListenOptions};
use gufo_testkit::{
    methods,
    raw::{Answer, Http1},
};

use crate::Attack;

/// A call that has to be answered with a status of HTTP and a code; the connection lives on, unless
/// the answer says that the rest of the request was not read.
async fn is_refused(request: &[u8], http: u16, code: Code) -> Answer {
    let attack = Attack::begin().await;
    let mut client = Http1::connect(attack.target.address).await;

    let answer = client.call(request).await.expect("an answer");

    assert_eq!(answer.status, http, "{}", answer.text());
    let says = format!("\"code\":\"{}\"", code.name());
    assert!(answer.text().contains(&says), "{}", answer.text());
    if answer.header("connection") == Some("close") {
        client.socket.closed().await;
    } else {
        lives_on(&mut client).await;
    }
    attack.survived().await;
    answer
}

/// An ordinary call on a connection that was attacked before still succeeds.
async fn lives_on(client: &mut Http1) {
    let request = Http1::post(methods::ECHO.path(), &[], b"still here");

    let answer = client.call(&request).await.expect("an answer");

    assert_eq!((answer.status, answer.text()), (200, "still here".into()));
}

/// Bytes after which the connection closes, whatever was answered before.
async fn closes(bytes: &[u8]) -> Vec<u8> {
    let attack = Attack::begin().await;
    let mut client = Http1::connect(attack.target.address).await;
    // The server may close before all is sent.
    let _ = client.socket.write(bytes).await;

    let said = client.socket.read_to_end().await;

    attack.survived().await;
    said.to_vec()
}

fn count(body: &[u8]) -> Vec<u8> {
    let json = [("content-type", "application/json")];
    Http1::post(methods::COUNT.path(), &json, body).to_vec()
}

#[tokio::test]
async fn garbage_is_answered_with_400_and_the_connection_closes() {
    for garbage in [
        &b"\0\0\0\0\0\0\0\0\r\n\r\n"[..],
        b"hoot hoot\r\n\r\n",
        b"POST\r\n\r\n",
        b"POST /a HTTP/9.9\r\n\r\n",
        b"POST /a HTTP/1.1\r\nhoot\r\n\r\n",
        b"POST /a HTTP/1.1\r\nx owl: 1\r\n\r\n",
        b"POST /a HTTP/1.1\r\nx-owl: a\0b\r\n\r\n",
        b"POST /a HTTP/1.1\r\ncontent-length: owl\r\n\r\n",
        b"POST /a HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /a HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST /a HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n",
    ] {
        let said = closes(garbage).await;

        let shown = garbage.escape_ascii();
        assert!(
            said.starts_with(b"HTTP/1.1 400"),
            "{shown}: {}",
            said.escape_ascii()
        );
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_http_429_whatever_its_length_says() {
    let limit = 4 << 20;
    let attack = Attack::begin().await;

    // Stated: the answer comes, and the body is not waited for.
    let mut client = Http1::connect(attack.target.address).await;
    let length = (limit + 1).to_string();
    let headers = [("host", "owl"), ("content-length", &*length)];
    let mut request = Http1::head("POST", methods::ECHO.path(), &headers);
    request.resize(request.len() + limit + 1, b'o');
    let answer = client.call(&request).await.expect("an answer");
    assert_eq!(answer.status, 429);
    assert!(answer.text().contains("RESOURCE_EXHAUSTED"));

    // Not stated.
    let mut client = Http1::connect(attack.target.address).await;
    let headers = [("host", "owl"), ("transfer-encoding", "chunked")];
    let mut request = Http1::head("POST", methods::ECHO.path(), &headers);
    for _ in 0..65 {
        request.extend_from_slice(b"10000\r\n");
        request.resize(request.len() + 0x10000, b'o');
        request.extend_from_slice(b"\r\n");
    }
    let answer = client.call(&request).await.expect("an answer");
    assert_eq!(answer.status, 429);

    // And exactly the limit passes.
    let mut client = Http1::connect(attack.target.address).await;
    let body = vec![b'o'; limit];
    let request = Http1::post(methods::ECHO.path(), &[], &body);
    let answer = client.call(&request).await.expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (200, limit));
    attack.survived().await;
}

#[tokio::test]
async fn a_json_bomb_is_an_invalid_argument() {
    let depth = 100_000;
    let nested = r#"{"children":["#.repeat(depth);
    let closed = format!("{nested}{}", "]}".repeat(depth));

    is_refused(&count(nested.as_bytes()), 400, Code::InvalidArgument).await;
    is_refused(&count(closed.as_bytes()), 400, Code::InvalidArgument).await;
    is_refused(&count(&[b'['; 1 << 20]), 400, Code::InvalidArgument).await;
    is_refused(&count(b"{\"name\":\"\xff\"}"), 400, Code::InvalidArgument).await;
}

#[tokio::test]
async fn a_msgpack_bomb_is_an_invalid_argument() {
    let msgpack = [("content-type", "application/msgpack")];
    let nested = b"\x81\xa8children\x91".repeat(100_000);
    let request = Http1::post(methods::COUNT.path(), &msgpack, &nested);

    is_refused(&request, 400, Code::InvalidArgument).await;
}

#[tokio::test]
async fn a_compressed_body_is_http_415() {
    for encoding in ["gzip", "br", "owlzip"] {
        let headers = [("content-encoding", encoding)];
        let request = Http1::post(methods::ECHO.path(), &headers, b"owl");
        is_refused(&request, 415, Code::Unimplemented).await;
    }
}

#[tokio::test]
async fn a_content_type_nobody_knows_is_http_415() {
    for content_type in ["text/html", "application/grpc", "application/owl", "\u{fc}"] {
        let headers = [("content-type", content_type)];
        let request = Http1::post(methods::ECHO.path(), &headers, b"owl");
        is_refused(&request, 415, Code::Unimplemented).await;
    }
}

#[tokio::test]
async fn another_verb_than_post_is_http_405() {
    for verb in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HOOT"] {
        let request = Http1::head(verb, methods::ECHO.path(), &[("host", "owl")]);
        let answer = is_refused(&request, 405, Code::Unimplemented).await;
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}

#[tokio::test]
async fn a_path_nobody_knows_is_http_404() {
    for path in [
        "/",
        "/testkit.Target/Nothing",
        "/../../etc/passwd",
        "/%00",
        "*",
    ] {
        is_refused(&Http1::post(path, &[], b""), 404, Code::Unimplemented).await;
    }
}

#[tokio::test]
async fn a_deadline_in_the_past_is_http_504_and_the_handler_never_runs() {
    let attack = Attack::begin().await;
    let mut client = Http1::connect(attack.target.address).await;
    let request = Http1::post(methods::FOREVER.path(), &[("grpc-timeout", "0n")], b"owl");

    let answer = client.call(&request).await.expect("an answer");

    assert_eq!(answer.status, 504);
    assert_eq!(attack.target.seen.started(), 0);
    lives_on(&mut client).await;
    attack.survived().await;
}

#[tokio::test]
async fn a_panic_is_http_500_for_that_call_only() {
    is_refused(
        &Http1::post(methods::PANIC.path(), &[], b"owl"),
        500,
        Code::Internal,
    )
    .await;
}

#[tokio::test]
async fn a_panic_in_the_middle_of_a_stream_is_its_last_line() {
    let attack = Attack::begin().await;
    let mut client = Http1::connect(attack.target.address).await;
    let request = Http1::post(methods::PANIC_LATER.path(), &[], b"owl");

    let answer = client.call(&request).await.expect("an answer");

    let text = answer.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["owl", "owl"]);
    assert!(
        lines[2].contains(r#"{"error":{"code":"INTERNAL""#),
        "{text}"
    );
    assert!(answer.whole);
    lives_on(&mut client).await;
    attack.survived().await;
}

#[tokio::test]
async fn a_line_over_the_limit_is_resource_exhausted() {
    let request = Http1::post(methods::SUM.path(), &[], &vec![b'1'; (4 << 20) + 2]);
    let attack = Attack::begin().await;
    let mut client = Http1::connect(attack.target.address).await;

    let answer = client.call(&request).await.expect("an answer");

    assert_eq!(answer.status, 429, "{}", answer.text());
    attack.survived().await;
}

/// Looking for the end of a line must not begin anew with every byte.
#[tokio::test]
async fn a_line_in_tiny_chunks_costs_no_more_than_its_bytes() {
    let mut options = ListenOptions::default();
    options.limits.receive = 1 << 20;
    let attack = Attack::with(options).await;
    let mut client = Http1::connect(attack.target.address).await;
    let headers = [("host", "owl"), ("transfer-encoding", "chunked")];
    let head = Http1::head("POST", methods::SUM.path(), &headers);
    let chunks = b"4\r\n1111\r\n".repeat(100_000);

    client.socket.write(&head).await.expect("open");
    client.socket.write(&chunks).await.expect("open");
    client.socket.write(b"0\r\n\r\n").await.expect("open");
    let answer = client.answer().await.expect("an answer");

    assert_eq!((answer.status, answer.text()), (200, "1".into()));
    attack.survived().await;
}
