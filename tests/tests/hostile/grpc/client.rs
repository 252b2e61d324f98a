//! Servers no client should trust: each call ends in a status, none hangs or harms the process.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use gufo_core::{
    Call, Code, ConnectOptions, Connection, ConnectionState, Deadline, Error, Many, One, Retry,
    Streaming, codec::Raw,
};
use gufo_testkit::{
    PATIENCE, caller, connect, eventually,
    hostile::HostileServer,
    methods,
    raw::{Frame, Http2, Socket, codes, flags, kinds, message, message_head},
    within,
};

type Echo = Call<Raw, One<Bytes>, One<Bytes>>;

const OK: [(&str, &str); 2] = [(":status", "200"), ("content-type", "application/grpc")];

fn echo(connection: &Arc<dyn Connection>) -> Echo {
    let caller = caller(connection);
    Call::new(&caller, &methods::ECHO, One(Bytes::from_static(b"owl")))
}

async fn connected(server: &HostileServer) -> Arc<dyn Connection> {
    let mut options = ConnectOptions::default();
    options.deadline = Deadline::after(PATIENCE);
    let url = format!("grpc://{}", server.address);
    connect(&url, options).await.expect("it accepts")
}

/// The error of an echo that a server answers by a script.
async fn fails<F, P>(script: F) -> Error
where
    F: Fn(Http2, u32) -> P + Clone + Send + Sync + 'static,
    P: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let server = HostileServer::start_http2(move |connection, stream| {
        let played = script(connection, stream);
        async move {
            // The client may be gone already.
            let _ = played.await;
        }
    })
    .await;
    let connection = connected(&server).await;
    let called = within("the call", async { echo(&connection).await }).await;
    called.expect_err("no echo")
}

/// Reads until the client leaves, so that it is never the server that closes first.
async fn stay(mut server: Http2) -> std::io::Result<()> {
    while server.next().await.is_some() {}
    Ok(())
}

/// The error of an echo that is answered with these frames.
async fn fails_on(frames: impl Fn(u32) -> Vec<Frame> + Clone + Send + Sync + 'static) -> Error {
    fails(move |mut server, stream| {
        let frames = frames(stream);
        async move {
            server.send_all(&frames).await?;
            stay(server).await
        }
    })
    .await
}

fn head(stream: u32, headers: &[(&str, &str)], end: bool) -> Frame {
    Http2::headers_frame(stream, headers, end)
}

#[tokio::test]
async fn a_stream_without_a_grpc_status_is_internal() {
    let error = fails_on(|stream| {
        vec![
            head(stream, &OK, false),
            Frame::data(stream, message(b"owl"), true),
        ]
    })
    .await;

    assert_eq!(error.code(), Code::Internal);

    let error = fails_on(|stream| vec![head(stream, &OK, true)]).await;

    assert_eq!(error.code(), Code::Internal);
}

#[tokio::test]
async fn an_http_status_stands_for_a_code_where_there_is_no_grpc_status() {
    for (status, code) in [
        ("400", Code::Internal),
        ("401", Code::Unauthenticated),
        ("403", Code::PermissionDenied),
        ("404", Code::Unimplemented),
        ("429", Code::Unavailable),
        ("500", Code::Unknown),
        ("502", Code::Unavailable),
        ("503", Code::Unavailable),
        ("504", Code::Unavailable),
    ] {
        let error = fails_on(move |stream| {
            let html = [(":status", status), ("content-type", "text/html")];
            vec![
                head(stream, &html, false),
                Frame::data(stream, "<html>", true),
            ]
        })
        .await;

        assert_eq!(error.code(), code, "{status}");
        assert!(error.message().contains(status), "{error}");
    }
}

#[tokio::test]
async fn a_content_type_that_is_not_grpc_is_unknown_and_named() {
    let error = fails_on(|stream| {
        let html = [(":status", "200"), ("content-type", "text/html")];
        vec![
            head(stream, &html, false),
            Frame::data(stream, "<html>", true),
        ]
    })
    .await;

    assert_eq!(error.code(), Code::Unknown);
    assert!(error.message().contains("text/html"), "{error}");
}

#[tokio::test]
async fn ok_without_a_message_is_internal() {
    let error = fails_on(|stream| {
        let mut only = OK.to_vec();
        only.push(("grpc-status", "0"));
        vec![head(stream, &only, true)]
    })
    .await;
    assert_eq!(error.code(), Code::Internal);

    let error = fails_on(|stream| {
        vec![
            head(stream, &OK, false),
            head(stream, &[("grpc-status", "0")], true),
        ]
    })
    .await;
    assert_eq!(error.code(), Code::Internal);
}

#[tokio::test]
async fn two_replies_to_a_unary_call_are_internal() {
    let error = fails_on(|stream| {
        vec![
            head(stream, &OK, false),
            Frame::data(stream, [message(b"one"), message(b"two")].concat(), false),
            head(stream, &[("grpc-status", "0")], true),
        ]
    })
    .await;

    assert_eq!(error.code(), Code::Internal);
}

#[tokio::test]
async fn statuses_nobody_defined_are_unknown() {
    for (status, code) in [
        ("99", Code::Unknown),
        ("-1", Code::Unknown),
        ("owl", Code::Unknown),
        ("", Code::Unknown),
        ("5", Code::NotFound),
    ] {
        let error = fails_on(move |stream| {
            let mut only = OK.to_vec();
            only.push(("grpc-status", status));
            only.push(("grpc-message", "%zz %E2%82%AC %ff"));
            only.push(("grpc-status-details-bin", "!!!"));
            vec![head(stream, &only, true)]
        })
        .await;

        assert_eq!(error.code(), code, "{status}");
        assert_eq!(error.message(), "%zz \u{20ac} \u{fffd}");
    }
}

#[tokio::test]
async fn a_reply_over_the_limit_is_resource_exhausted_before_it_comes() {
    for length in [4 * 1024 * 1024 + 1, u32::MAX] {
        let error = fails_on(move |stream| {
            let stated = message_head(0, length).to_vec();
            vec![head(stream, &OK, false), Frame::data(stream, stated, false)]
        })
        .await;

        assert_eq!(error.code(), Code::ResourceExhausted);
    }
}

#[tokio::test]
async fn a_compression_that_was_not_offered_is_internal() {
    let error = fails_on(|stream| {
        let mut odd = OK.to_vec();
        odd.push(("grpc-encoding", "owlzip"));
        let mut body = message(b"owl").to_vec();
        body[0] = 1;
        vec![head(stream, &odd, false), Frame::data(stream, body, false)]
    })
    .await;
    assert_eq!(error.code(), Code::Internal);
    assert!(error.message().contains("owlzip"), "{error}");

    // Nor may a message be compressed that does not say how.
    let error = fails_on(|stream| {
        let mut body = message(b"owl").to_vec();
        body[0] = 1;
        vec![head(stream, &OK, false), Frame::data(stream, body, false)]
    })
    .await;
    assert_eq!(error.code(), Code::Internal);
}

#[tokio::test]
async fn a_compressed_bomb_in_a_reply_stops_at_the_limit() {
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 3).expect("in memory");
    let error = fails_on(move |stream| {
        let mut zipped = OK.to_vec();
        zipped.push(("grpc-encoding", "zstd"));
        let mut body = message(&bomb).to_vec();
        body[0] = 1;
        vec![
            head(stream, &zipped, false),
            Frame::data(stream, body, false),
        ]
    })
    .await;

    assert_eq!(error.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_reply_that_breaks_off_is_an_error() {
    let error = fails_on(|stream| {
        vec![
            head(stream, &OK, false),
            Frame::data(stream, message(b"half an owl").slice(..8), false),
            head(stream, &[("grpc-status", "0")], true),
        ]
    })
    .await;
    assert_eq!(error.code(), Code::Internal);

    let error = fails(|mut server, stream| async move {
        server.answer(stream, &OK, false).await?;
        let half = Frame::data(stream, message(b"half an owl").slice(..8), false);
        server.send(&half).await
    })
    .await;
    assert_eq!(error.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_reset_is_the_status_its_code_stands_for() {
    for (reset, code, retry) in [
        (codes::NO_ERROR, Code::Internal, None),
        (codes::PROTOCOL_ERROR, Code::Internal, None),
        (codes::CANCEL, Code::Cancelled, None),
        (codes::ENHANCE_YOUR_CALM, Code::ResourceExhausted, None),
        (7, Code::Unavailable, Some(Retry::NotBegun)),
    ] {
        let error = fails_on(move |stream| vec![Frame::reset(stream, reset)]).await;

        assert_eq!(error.code(), code, "{reset}");
        if let Some(retry) = retry {
            assert_eq!(error.retry(), retry);
        }
    }
}

#[tokio::test]
async fn calls_a_goaway_leaves_out_were_not_begun() {
    let error = fails(|mut server, _| async move {
        let goaway = Frame::words(kinds::GOAWAY, 0, &[0, codes::NO_ERROR]);
        server.send(&goaway).await?;
        stay(server).await
    })
    .await;

    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(error.retry(), Retry::NotBegun);
}

#[tokio::test]
async fn a_call_a_goaway_lets_finish_does_and_the_connection_takes_no_other() {
    let server = HostileServer::start_http2(|mut server, stream| async move {
        let goaway = Frame::words(kinds::GOAWAY, 0, &[stream, codes::NO_ERROR]);
        let frames = [
            goaway,
            head(stream, &OK, false),
            Frame::data(stream, message(b"owl"), false),
            head(stream, &[("grpc-status", "0")], true),
        ];
        // The client may be gone already.
        let _ = server.send_all(&frames).await;
        let _ = stay(server).await;
    })
    .await;
    let connection = connected(&server).await;

    let reply = within("the call", async { echo(&connection).await }).await;

    assert_eq!(reply.expect("it may finish"), "owl");
    eventually("the connection says so", async || {
        connection.state() != ConnectionState::Ready
    })
    .await;
    let next = echo(&connection).await.expect_err("it takes no other");
    assert_eq!(next.code(), Code::Unavailable);
    assert_eq!(next.retry(), Retry::NotBegun);
}

#[tokio::test]
async fn garbage_in_place_of_frames_ends_the_call() {
    for garbage in [
        &b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..],
        &[0xff; 100],
        &[0; 100],
    ] {
        let error = fails(move |mut server, _| async move {
            server.socket.write(garbage).await?;
            stay(server).await
        })
        .await;

        assert!(
            matches!(error.code(), Code::Unavailable | Code::Internal),
            "{error}"
        );
    }
}

#[tokio::test]
async fn headers_without_end_end_the_call() {
    let error = fails(|mut server, stream| async move {
        let mut first = head(stream, &OK, false);
        first.flags = flags::NONE;
        server.send(&first).await?;
        let more = gufo_testkit::raw::hpack::encode(&[("x-owl", "hoot")]);
        loop {
            let more = Frame::new(kinds::CONTINUATION, flags::NONE, stream, more.clone());
            server.send(&more).await?;
        }
    })
    .await;

    assert!(
        matches!(error.code(), Code::Unavailable | Code::ResourceExhausted),
        "{error}"
    );
}

#[tokio::test]
async fn metadata_over_the_limit_is_an_error() {
    let large = "x".repeat(17_000);
    let error = fails_on(move |stream| {
        let mut odd = OK.to_vec();
        odd.push(("x-owl", &large));
        vec![head(stream, &odd, false)]
    })
    .await;

    assert_eq!(error.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_at_the_deadline() {
    let server = HostileServer::start_http2(|server, _| async move {
        let _ = stay(server).await;
    })
    .await;
    let connection = connected(&server).await;

    let call = echo(&connection).timeout(Duration::from_millis(100));
    let error = call.await.expect_err("no answer");

    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(connection.in_flight(), 0);
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_left_at_the_deadline() {
    let server = HostileServer::start_http2(|mut server, stream| async move {
        let frames = [
            head(stream, &OK, false),
            Frame::data(stream, message(b"one"), false),
        ];
        let _ = server.send_all(&frames).await;
        let _ = stay(server).await;
    })
    .await;
    let caller = caller(&connected(&server).await);
    let call =
        Call::<Raw, One<Bytes>, Many<Bytes>>::new(&caller, &methods::ENDLESS, One(Bytes::new()));

    let mut replies: Streaming<Bytes, Error> = call
        .timeout(Duration::from_millis(300))
        .await
        .expect("it begins");

    assert_eq!(replies.next().await.expect("one"), Some("one".into()));
    let error = replies.next().await.expect_err("nothing more");
    assert_eq!(error.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_server_that_dies_is_noticed_by_keep_alive() {
    let server = HostileServer::start_http2(|server, _| async move {
        // Holds the socket and reads nothing more.
        let _server = server;
        std::future::pending::<()>().await;
    })
    .await;
    let mut options = ConnectOptions::default();
    options.keep_alive_interval = Duration::from_millis(50);
    options.keep_alive_timeout = Duration::from_millis(50);
    let url = format!("grpc://{}", server.address);
    let connection = connect(&url, options).await.expect("it accepts");

    let error = within("the call", async { echo(&connection).await }).await;

    assert_eq!(error.expect_err("it is dead").code(), Code::Unavailable);
    assert_eq!(connection.state(), ConnectionState::Closed);
}

/// A socket that takes everything and says nothing is no gRPC server.
#[tokio::test]
async fn a_peer_that_never_sends_settings_is_not_connected_to() {
    let server = HostileServer::start(|mut socket: Socket| async move {
        socket.closed().await;
    })
    .await;
    let mut options = ConnectOptions::default();
    options.deadline = Deadline::after(Duration::from_millis(200));
    let url = format!("grpc://{}", server.address);

    let error = connect(&url, options).await.expect_err("it says nothing");

    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(error.retry(), Retry::NotBegun);
}

#[tokio::test]
async fn a_peer_that_speaks_http1_is_not_connected_to() {
    let server = HostileServer::start(|mut socket: Socket| async move {
        let _ = socket
            .write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
            .await;
        socket.closed().await;
    })
    .await;
    let mut options = ConnectOptions::default();
    options.deadline = Deadline::after(PATIENCE);
    let url = format!("grpc://{}", server.address);

    let error = connect(&url, options).await.expect_err("not gRPC");

    assert_eq!(error.code(), Code::Unavailable);
}
