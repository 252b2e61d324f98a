//! Methods that stream, over HTTP/1.1.

use gufo_testkit::raw::Http1;

use super::{CHAT, COUNT, Fixture, HELLO, SUM};

#[tokio::test]
async fn replies_that_stream_are_lines_of_json() {
    let mut fixture = Fixture::start().await;

    let answer = fixture.post(&COUNT, &[], br#"{"number":3}"#).await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let lines = "{\"message\":\"1\"}\n{\"message\":\"2\"}\n{\"message\":\"3\"}\n";
    assert_eq!(answer.text(), lines);
    assert!(answer.whole);
    // And the connection goes on.
    let answer = fixture.post(&HELLO, &[], b"").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn replies_that_stream_are_events_if_the_client_accepts_them() {
    let mut fixture = Fixture::start().await;
    let events = [("accept", "text/event-stream")];

    let answer = fixture
        .post(&COUNT, &events, br#"{"number":2,"name":"fail"}"#)
        .await;

    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    let text = answer.text();
    let events: Vec<_> = text.split("\n\n").collect();
    assert_eq!(
        events[..2],
        [r#"data: {"message":"1"}"#, r#"data: {"message":"2"}"#]
    );
    assert_eq!(
        events[2],
        "event: error\ndata: {\"error\":{\"code\":\"ABORTED\",\"message\":\"no further\"}}"
    );
}

#[tokio::test]
async fn an_error_in_the_middle_is_the_last_line() {
    let mut fixture = Fixture::start().await;

    let answer = fixture
        .post(&COUNT, &[], br#"{"number":2,"name":"fail"}"#)
        .await;

    assert_eq!(answer.status, 200);
    let text = answer.text();
    let last = text.lines().last();
    assert_eq!(
        last,
        Some(r#"{"error":{"code":"ABORTED","message":"no further"}}"#)
    );
    assert_eq!(text.lines().count(), 3);
}

#[tokio::test]
async fn a_line_comes_as_soon_as_there_is_one() {
    let mut fixture = Fixture::start().await;
    let headers = [("host", "owl"), ("transfer-encoding", "chunked")];
    let head = Http1::head("POST", CHAT.path(), &headers);
    let socket = &mut fixture.client.socket;
    socket.write(&head).await.expect("open");
    socket
        .write(b"f\r\n{\"name\":\"owl\"}\n\r\n")
        .await
        .expect("open");

    // The request is not over: this is a conversation.
    let answer = fixture.client.answer_head().await.expect("a head");
    let first = fixture.client.chunk().await.expect("a line");
    let socket = &mut fixture.client.socket;
    socket
        .write(b"f\r\n{\"name\":\"eul\"}\n\r\n0\r\n\r\n")
        .await
        .expect("open");
    let second = fixture.client.chunk().await.expect("a line");
    let end = fixture.client.chunk().await.expect("the end");

    assert_eq!(answer.status, 200);
    assert_eq!(first, "{\"message\":\"owl\"}\n");
    assert_eq!(second, "{\"message\":\"eul\"}\n");
    assert_eq!(end, "");
}

#[tokio::test]
async fn requests_that_stream_are_lines_of_json() {
    let mut fixture = Fixture::start().await;
    for body in [
        "{\"number\":1}\n{\"number\":2}\n{\"number\":3}\n",
        "{\"number\":1}\r\n\r\n\n{\"number\":5}",
        "{\"number\":6}",
    ] {
        let lines = [("content-type", "application/x-ndjson")];
        let answer = fixture.post(&SUM, &lines, body.as_bytes()).await;
        assert_eq!(answer.text(), r#"{"message":"6"}"#, "{body}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }

    let answer = fixture.post(&SUM, &[], b"").await;

    assert_eq!(answer.text(), r#"{"message":"0"}"#);
}

#[tokio::test]
async fn a_bad_line_is_an_error_of_the_call() {
    let mut fixture = Fixture::start().await;

    let answer = fixture.post(&SUM, &[], b"{\"number\":1}\nowl\n").await;

    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("INVALID_ARGUMENT"));
}

#[tokio::test]
async fn methods_that_stream_speak_json_only() {
    let mut fixture = Fixture::start().await;
    let msgpack = [("content-type", "application/msgpack")];

    let answer = fixture.post(&COUNT, &msgpack, b"\x80").await;

    assert_eq!(answer.status, 415);
}
