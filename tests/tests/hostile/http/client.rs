//! Services no client of `http://` should trust.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use gufo_core::{
    Call, Code, ConnectOptions, Connection, Deadline, Error, Many, One, Streaming, codec::Serde,
};
use gufo_testkit::{
    PATIENCE, Tree, caller, connect, hostile::HostileServer, methods, raw::Socket, within,
};

async fn connected(server: &HostileServer) -> Arc<dyn Connection> {
    let mut options = ConnectOptions::default();
    options.deadline = Deadline::after(PATIENCE);
    let url = format!("http://{}", server.address);
    connect(&url, options).await.expect("it accepts")
}

/// A service that answers every request with the same bytes, then closes.
async fn answering(answer: impl Into<Bytes>) -> HostileServer {
    let answer = answer.into();
    HostileServer::start(move |mut socket: Socket| {
        let answer = answer.clone();
        async move {
            if socket.read_until(b"\r\n\r\n").await.is_some() {
                // The client may be gone already.
                let _ = socket.write(&answer).await;
                socket.shutdown().await;
                socket.closed().await;
            }
        }
    })
    .await
}

async fn count(connection: &Arc<dyn Connection>) -> Result<Tree, Error> {
    let caller = caller(connection);
    let call =
        Call::<Serde, One<Tree>, One<Tree>>::new(&caller, &methods::COUNT, One(Tree::default()));
    within("the call", async { call.await }).await
}

async fn fails_on(answer: impl Into<Bytes>) -> Error {
    let server = answering(answer).await;
    let connection = connected(&server).await;
    count(&connection).await.expect_err("no tree")
}

#[tokio::test]
async fn what_is_not_http_is_unavailable() {
    for garbage in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"hoot hoot hoot\r\n\r\n",
        b"HTTP/1.1 owl OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nhoot\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: owl\r\n\r\n",
        b"",
    ] {
        let error = fails_on(garbage).await;

        assert_eq!(error.code(), Code::Unavailable, "{error}");
    }
}

#[tokio::test]
async fn a_head_without_end_is_unavailable() {
    let server = HostileServer::start(|mut socket: Socket| async move {
        socket.read_until(b"\r\n\r\n").await;
        let line = b"x-owl: hoot\r\n".repeat(1000);
        if socket.write(b"HTTP/1.1 200 OK\r\n").await.is_ok() {
            while socket.write(&line).await.is_ok() {}
        }
    })
    .await;
    let connection = connected(&server).await;

    let error = count(&connection).await.expect_err("no end");

    assert_eq!(error.code(), Code::Unavailable, "{error}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_resource_exhausted() {
    let mut stated = b"HTTP/1.1 200 OK\r\ncontent-length: 8000000\r\n\r\n".to_vec();
    stated.resize(6_000_000, b' ');
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(6_000_000, b' ');

    for answer in [stated, endless] {
        let error = fails_on(answer).await;

        assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_unavailable() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\nowl\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
    ] {
        let error = fails_on(answer).await;

        assert_eq!(error.code(), Code::Unavailable, "{error}");
    }
}

#[tokio::test]
async fn a_page_of_html_is_no_message() {
    let page = "<html>It works!</html>";
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}",
        page.len()
    );

    let error = fails_on(answer).await;

    assert_eq!(error.code(), Code::Unknown, "{error}");
    assert!(error.message().contains("text/html"), "{error}");
}

#[tokio::test]
async fn a_page_of_html_with_a_status_is_what_the_status_stands_for() {
    for (status, code) in [
        (400, Code::InvalidArgument),
        (401, Code::Unauthenticated),
        (404, Code::NotFound),
        (429, Code::ResourceExhausted),
        (500, Code::Internal),
        (502, Code::Unavailable),
        (503, Code::Unavailable),
    ] {
        let page = format!("<html>{}</html>", "sorry ".repeat(1000));
        let answer = format!(
            "HTTP/1.1 {status} Owl\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        );

        let error = fails_on(answer).await;

        assert_eq!(error.code(), code, "{status}");
        assert!(error.message().len() < 400, "the page is cut: {error}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_the_message_is_internal() {
    for body in ["7", "{\"name\":1}", "owl", "{\"name\":\"\\ud800\"}"] {
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );

        let error = fails_on(answer).await;

        // The server is to blame, not the caller's argument.
        assert_eq!(error.code(), Code::Internal, "{body}: {error}");
    }
}

#[tokio::test]
async fn an_error_with_odd_details_keeps_its_code() {
    let body =
        r#"{"code":"not_found","message":7,"details":[7,{"type":1},{"type":"a","value":"!"}]}"#;
    let answer = format!(
        "HTTP/1.1 404 Owl\r\ncontent-length: {}\r\nx-owl-bin: !!!\r\n\r\n{body}",
        body.len()
    );

    let error = fails_on(answer).await;

    assert_eq!(error.code(), Code::NotFound);
}

#[tokio::test]
async fn a_service_that_never_answers_is_left_at_the_deadline() {
    let server = HostileServer::start(|mut socket: Socket| async move {
        socket.closed().await;
    })
    .await;
    let connection = connected(&server).await;
    let caller = caller(&connection);
    let call =
        Call::<Serde, One<Tree>, One<Tree>>::new(&caller, &methods::COUNT, One(Tree::default()));

    let error = call.timeout(Duration::from_millis(100)).await;

    assert_eq!(error.expect_err("no answer").code(), Code::DeadlineExceeded);
    assert_eq!(connection.in_flight(), 0);
}

async fn lines(body: &str) -> Result<Vec<Tree>, Error> {
    let server = answering(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    ))
    .await;
    let caller = caller(&connected(&server).await);
    let call =
        Call::<Serde, One<Tree>, Many<Tree>>::new(&caller, &methods::ENDLESS, One(Tree::default()));
    within("the stream", async {
        let replies: Streaming<Tree, Error> = call.await?;
        replies.collect().await
    })
    .await
}

#[tokio::test]
async fn a_stream_of_odd_lines_is_read_as_far_as_it_is_legal() {
    assert_eq!(lines("").await.expect("empty").len(), 0);
    assert_eq!(lines("\n\r\n{}\n\n{}").await.expect("legal").len(), 2);

    let error = lines("{}\n<html>\n").await.expect_err("no message");
    assert_eq!(error.code(), Code::Internal, "{error}");
    let error = lines("{}\n{\"error\":{\"code\":\"ABORTED\"}}\n").await;
    assert_eq!(error.expect_err("it says so").code(), Code::Aborted);
    let large = lines(&format!("\"{}", "x".repeat(5 << 20))).await;
    assert_eq!(large.expect_err("no end").code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_unavailable() {
    let server = answering(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{}\n\r\n",
    )
    .await;
    let caller = caller(&connected(&server).await);
    let call =
        Call::<Serde, One<Tree>, Many<Tree>>::new(&caller, &methods::ENDLESS, One(Tree::default()));
    let mut replies: Streaming<Tree, Error> = call.await.expect("it begins");

    assert!(replies.next().await.expect("one").is_some());
    let error = within("the end", async { replies.next().await }).await;

    assert_eq!(error.expect_err("broken").code(), Code::Unavailable);
}
