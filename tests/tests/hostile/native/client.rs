//! Servers no client should trust: each call ends in a status, none hangs or harms the process.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use gufo_core::{
    Call, Code, ConnectOptions, Connection, ConnectionState, Deadline, Error, Many, One, Retry,
    Streaming, codec::Raw,
};
use gufo_testkit::{
    PATIENCE, caller, connect, eventually,
    hostile::HostileServer,
    methods,
    raw::{
        Socket,
        native::{Frame, LONGEST, PREFACE, Peer, block, flags, kinds, settings},
    },
    within,
};

type Echo = Call<Raw, One<Bytes>, One<Bytes>>;

fn echo(connection: &Arc<dyn Connection>) -> Echo {
    let caller = caller(connection);
    Call::new(&caller, &methods::ECHO, One(Bytes::from_static(b"owl")))
}

fn url(server: &HostileServer) -> String {
    format!("tcp://{}", server.address)
}

fn patient() -> ConnectOptions {
    let mut options = ConnectOptions::default();
    options.deadline = Deadline::after(PATIENCE);
    options
}

async fn connected(server: &HostileServer) -> Arc<dyn Connection> {
    let connection = connect(&url(server), patient()).await;
    connection.expect("it accepts")
}

/// Plays a script once a call has come: the script is given the connection and the call's number.
async fn playing<F, P>(script: F) -> HostileServer
where
    F: Fn(Peer, u32) -> P + Clone + Send + Sync + 'static,
    P: Future<Output = io::Result<()>> + Send + 'static,
{
    HostileServer::start(move |socket| {
        let script = script.clone();
        async move {
            let mut server = Peer::from(socket);
            if server.accept().await
                && let Some(open) = server.next_of(kinds::OPEN).await
            {
                // The client may be gone already.
                let _ = script(server, open.call).await;
            }
        }
    })
    .await
}

/// The error of an echo that a server answers by a script.
async fn fails<F, P>(script: F) -> Error
where
    F: Fn(Peer, u32) -> P + Clone + Send + Sync + 'static,
    P: Future<Output = io::Result<()>> + Send + 'static,
{
    let server = playing(script).await;
    let connection = connected(&server).await;
    let called = within("the call", async { echo(&connection).await }).await;
    called.expect_err("no echo")
}

/// Reads until the client leaves, so that it is never the server that closes first.
async fn stay(mut server: Peer) -> io::Result<()> {
    while server.next().await.is_some() {}
    Ok(())
}

/// The error of an echo that is answered with these frames.
async fn fails_on(frames: impl Fn(u32) -> Vec<Frame> + Clone + Send + Sync + 'static) -> Error {
    fails(move |mut server, call| {
        let frames = frames(call);
        async move {
            server.send_all(&frames).await?;
            stay(server).await
        }
    })
    .await
}

/// Frames that break the protocol: the call ends with the connection, and the server is told why.
async fn violates(frames: impl Fn(u32) -> Vec<Frame> + Clone + Send + Sync + 'static, why: &str) {
    let (told, heard) = tokio::sync::oneshot::channel();
    let told = Arc::new(std::sync::Mutex::new(Some(told)));
    let error = fails(move |mut server, call| {
        let (frames, told) = (frames(call), Arc::clone(&told));
        async move {
            server.send_all(&frames).await?;
            let farewell = server.farewell().await;
            let told = told.lock().expect("nobody panicked").take();
            if let Some(told) = told {
                // Nobody waits for it once the test has failed.
                let _ = told.send(farewell);
            }
            Ok(())
        }
    })
    .await;

    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert_ne!(error.retry(), Retry::NotBegun, "{error}");
    let told = within("the reason", heard).await.expect("an answer");
    let (code, text) = told.expect("a GOAWAY");
    assert_eq!(code, 1);
    assert!(text.contains(why), "{text:?} in place of {why:?}");
}

#[tokio::test]
async fn a_reply_for_a_call_that_does_not_run_ends_the_connection() {
    let why = "a REPLY came for a call that does not run";
    violates(|call| vec![Frame::reply(call + 1, b"owl")], why).await;
    violates(|_| vec![Frame::reply(u32::MAX, b"owl")], why).await;
}

/// The second comes for a call that does not run any more, whatever has become of its number.
#[tokio::test]
async fn a_reply_that_comes_twice_ends_the_connection_and_not_the_call() {
    let server = playing(|mut server, call| async move {
        let reply = Frame::reply(call, b"owl");
        server.send_all(&[reply.clone(), reply]).await?;
        stay(server).await
    })
    .await;
    let connection = connected(&server).await;

    let reply = within("the call", async { echo(&connection).await }).await;

    assert_eq!(reply.expect("the first one"), "owl");
    eventually("it is closed", async || {
        connection.state() == ConnectionState::Closed
    })
    .await;
}

/// An END may cross a CANCEL, so one that nobody waits for is no violation.
#[tokio::test]
async fn an_end_that_comes_twice_is_ignored() {
    let server = playing(|mut server, call| async move {
        let frames = [
            Frame::head(call),
            Frame::message(call, b"owl"),
            Frame::end(call, 0, ""),
            Frame::end(call, 5, "again"),
            Frame::end(77, 5, "nobody"),
        ];
        server.send_all(&frames).await?;
        while let Some(open) = server.next_of(kinds::OPEN).await {
            server.send(&Frame::reply(open.call, b"more")).await?;
        }
        Ok(())
    })
    .await;
    let connection = connected(&server).await;

    assert_eq!(echo(&connection).await.expect("an echo"), "owl");

    assert_eq!(echo(&connection).await.expect("it goes on"), "more");
}

#[tokio::test]
async fn an_end_without_a_reply_is_internal() {
    for frames in [
        |call| vec![Frame::end(call, 0, "")],
        |call| vec![Frame::head(call), Frame::end(call, 0, "")],
        |call| vec![Frame::first_part(call, 9, b"half"), Frame::end(call, 0, "")],
    ] {
        let error = fails_on(frames).await;

        assert_eq!(error.code(), Code::Internal, "{error}");
    }
}

#[tokio::test]
async fn two_replies_to_a_unary_call_are_internal() {
    let error = fails_on(|call| {
        vec![
            Frame::head(call),
            Frame::message(call, b"one"),
            Frame::message(call, b"two"),
            Frame::end(call, 0, ""),
        ]
    })
    .await;

    assert_eq!(error.code(), Code::Internal);
}

#[tokio::test]
async fn statuses_nobody_defined_are_unknown() {
    for (status, code) in [
        (17, Code::Unknown),
        (255, Code::Unknown),
        (5, Code::NotFound),
    ] {
        let error = fails_on(move |call| vec![Frame::end(call, status, "no \u{fc}")]).await;

        assert_eq!(error.code(), code, "{status}");
        assert_eq!(error.message(), "no \u{fc}");
    }
}

#[tokio::test]
async fn a_reply_over_the_limit_is_resource_exhausted_before_it_comes() {
    for total in [(4 << 20) + 1, u64::MAX >> 1, u64::MAX] {
        let error =
            fails_on(move |call| vec![Frame::head(call), Frame::first_part(call, total, b"owl")])
                .await;

        assert_eq!(error.code(), Code::ResourceExhausted);
    }
}

#[tokio::test]
async fn a_compression_the_call_does_not_name_is_internal() {
    let reply = |call| {
        vec![Frame::flagged(
            kinds::REPLY,
            call,
            flags::COMPRESSED,
            b"owl",
        )]
    };

    assert_eq!(fails_on(reply).await.code(), Code::Internal);
}

#[tokio::test]
async fn metadata_over_the_limit_is_an_error_and_the_connection_lives_on() {
    let large = vec![b'x'; 17_000];
    let metadata = block(&[("x-owl", &large)]);
    for (kind, flag, rest) in [
        (kinds::REPLY, flags::METADATA, &b"owl"[..]),
        (kinds::REPLY, flags::TRAILERS, b"owl"),
        (kinds::HEAD, flags::METADATA, b""),
        (kinds::END, flags::TRAILERS, b"\0"),
    ] {
        let body = [&metadata[..], rest].concat();
        let frame = move |call| Frame::flagged(kind, call, flag, &body);
        let server = playing(move |mut server, call| {
            let frame = frame(call);
            async move {
                server.send(&frame).await?;
                if frame.kind == kinds::HEAD {
                    let cancel = server.next_of(kinds::CANCEL).await;
                    cancel.ok_or(io::ErrorKind::UnexpectedEof)?;
                    server.send(&Frame::end(call, 1, "given up")).await?;
                }
                while let Some(open) = server.next_of(kinds::OPEN).await {
                    server.send(&Frame::reply(open.call, b"more")).await?;
                }
                Ok(())
            }
        })
        .await;
        let connection = connected(&server).await;

        let error = within("the call", async { echo(&connection).await }).await;

        let error = error.expect_err("over the limit");
        assert_eq!(error.code(), Code::ResourceExhausted, "{kind}: {error}");
        assert_eq!(echo(&connection).await.expect("it goes on"), "more");
    }
}

#[tokio::test]
async fn frames_that_lie_end_the_connection() {
    let odd = |kind, body: &'static [u8]| move |call| vec![Frame::new(kind, call, body)];
    violates(odd(kinds::REPLY, b""), "a REPLY breaks off").await;
    violates(odd(kinds::REPLY, b"\x10\x7f"), "beyond its frame").await;
    violates(odd(kinds::END, b""), "an END breaks off").await;
    violates(odd(kinds::END, b"\0\x05\x7f"), "beyond its frame").await;
    violates(odd(kinds::END, b"\0\x05\x01\xff\0\0"), "not UTF-8").await;
    violates(odd(kinds::END, b"\x40\x03\x01\x09\0"), "not defined").await;
    violates(odd(kinds::HEAD, b""), "is empty").await;
    violates(odd(kinds::DATA, b""), "is empty").await;
    violates(odd(kinds::CREDIT, b""), "breaks off").await;
    violates(odd(kinds::DEFINE, b""), "a DEFINE is empty").await;
    violates(odd(kinds::HELLO, b""), "a second HELLO").await;
    violates(odd(kinds::OPEN, b""), "what only clients send").await;
    violates(odd(kinds::CANCEL, b""), "what only clients send").await;
    let names = |_| {
        let names = (0..257).map(|index| Frame::define_name(&format!("x-{index}")));
        names.collect()
    };
    violates(names, "more metadata names are defined").await;
    let long = |_| vec![Frame::define_name(&"x".repeat(257))];
    violates(long, "a DEFINE is longer than allowed").await;
    for lie in [
        |call| Frame::data(call, flags::MESSAGE, b"owls"),
        |call| Frame::data(call, flags::MESSAGE, b""),
    ] {
        let frames = move |call| vec![Frame::first_part(call, 6, b"owl"), lie(call)];
        violates(frames, "than it said").await;
    }
}

/// More replies than the client granted credit for.
#[tokio::test]
async fn a_stream_that_ignores_credit_ends_with_its_connection() {
    let server = playing(|mut server, call| async move {
        server.send(&Frame::head(call)).await?;
        let large = Frame::message(call, &[7; 100_000]);
        server.send_all(&vec![large; 4]).await?;
        let farewell = server.farewell().await;
        assert!(farewell.is_some_and(|(code, _)| code == 1));
        Ok(())
    })
    .await;
    let connection = connected(&server).await;
    let call = Call::<Raw, One<Bytes>, Many<Bytes>>::new(
        &caller(&connection),
        &methods::ENDLESS,
        One(Bytes::new()),
    );
    let replies: Streaming<Bytes, Error> = call.await.expect("it begins");

    eventually("it is closed", async || {
        connection.state() == ConnectionState::Closed
    })
    .await;

    drop(replies);
}

/// More credit than a call can have.
#[tokio::test]
async fn credit_beyond_all_bounds_ends_the_connection() {
    let server = playing(|mut server, call| async move {
        let grants = [Frame::credit(call, u64::MAX), Frame::credit(call, u64::MAX)];
        server.send_all(&grants).await?;
        stay(server).await
    })
    .await;
    let connection = connected(&server).await;
    let call = Call::<Raw, One<Bytes>, Many<Bytes>>::new(
        &caller(&connection),
        &methods::ENDLESS,
        One(Bytes::new()),
    );

    let error = within("the call", async { call.await.map(drop) }).await;

    assert_eq!(error.expect_err("it broke").code(), Code::Unavailable);
}

#[tokio::test]
async fn calls_a_server_ends_as_not_begun_may_be_repeated() {
    let error = fails_on(|call| {
        let mut end = Frame::end(call, 14, "busy").body.to_vec();
        *end.last_mut().expect("the advice") = 1;
        vec![Frame::new(kinds::END, call, end)]
    })
    .await;

    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(error.retry(), Retry::NotBegun);
}

#[tokio::test]
async fn a_call_a_goaway_comes_in_the_middle_of_ends_and_no_other_begins() {
    let server = playing(|mut server, call| async move {
        server.send(&Frame::goaway(0, "bye")).await?;
        let said_back = server.next_of(kinds::GOAWAY).await;
        said_back.ok_or(io::ErrorKind::UnexpectedEof)?;
        server.send(&Frame::reply(call, b"owl")).await?;
        stay(server).await
    })
    .await;
    let mut options = patient();
    // The longest it takes to see that nothing runs any more.
    options.keep_alive_interval = Duration::from_millis(50);
    let connection = connect(&url(&server), options).await.expect("it accepts");

    let reply = within("the call", async { echo(&connection).await }).await;

    assert_eq!(reply.expect("it may finish"), "owl");
    eventually("the connection says so", async || {
        connection.state() != ConnectionState::Ready
    })
    .await;
    let next = echo(&connection).await.expect_err("it takes no other");
    assert_eq!(next.code(), Code::Unavailable);
    assert_eq!(next.retry(), Retry::NotBegun);
    eventually("it closes", async || {
        connection.state() == ConnectionState::Closed
    })
    .await;
}

#[tokio::test]
async fn garbage_in_place_of_frames_ends_the_call() {
    for garbage in [
        &b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..],
        &[0xff; 100],
    ] {
        let error = fails(move |mut server, _| async move {
            server.socket.write(garbage).await?;
            stay(server).await
        })
        .await;

        assert_eq!(error.code(), Code::Unavailable, "{error}");
    }
}

#[tokio::test]
async fn frames_nobody_knows_are_skipped() {
    let server = playing(|mut server, call| async move {
        let odd = Frame::new(0x7f, call, vec![7; LONGEST]);
        let define = Frame::new(kinds::DEFINE, 0, &b"\x63owl"[..]);
        let reply = Frame::reply(call, b"owl");
        server.send_all(&[odd.clone(), define, odd, reply]).await?;
        stay(server).await
    })
    .await;

    let connection = connected(&server).await;

    let reply = echo(&connection).await;

    assert_eq!(reply.expect("an echo"), "owl");
}

#[tokio::test]
async fn a_connection_that_breaks_off_ends_the_call() {
    let error = fails(|mut server, call| async move {
        server.send(&Frame::head(call)).await?;
        server.socket.write(b"\0\0\x10\x04\0").await
    })
    .await;

    assert_eq!(error.code(), Code::Unavailable);
    assert_ne!(error.retry(), Retry::NotBegun);
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_at_the_deadline() {
    let (told, mut cancels) = tokio::sync::mpsc::channel(1);
    let server = playing(move |mut server, call| {
        let told = told.clone();
        async move {
            let cancel = server.next_of(kinds::CANCEL).await;
            // Nobody waits for it once the test has failed.
            let _ = told.try_send((cancel.map(|frame| frame.call), call));
            stay(server).await
        }
    })
    .await;
    let connection = connected(&server).await;

    let call = echo(&connection).timeout(Duration::from_millis(100));
    let error = call.await.expect_err("no answer");

    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(connection.in_flight(), 0);
    let (cancelled, call) = within("the cancel", cancels.recv())
        .await
        .expect("a cancel");
    assert_eq!(cancelled, Some(call));
}

/// The number of a call that was given up is not used again before the server has ended it.
#[tokio::test]
async fn the_number_of_a_call_that_was_given_up_is_not_used_before_its_end() {
    let (told, mut calls) = tokio::sync::mpsc::channel(1);
    let server = playing(move |mut server, first| {
        let told = told.clone();
        async move {
            let second = server.next_of(kinds::OPEN).await;
            let second = second.ok_or(io::ErrorKind::UnexpectedEof)?.call;
            let frames = [Frame::end(first, 1, ""), Frame::reply(second, b"two")];
            server.send_all(&frames).await?;
            // Nobody waits for it once the test has failed.
            let _ = told.try_send((first, second));
            stay(server).await
        }
    })
    .await;
    let connection = connected(&server).await;
    let call = echo(&connection).timeout(Duration::from_millis(50));
    call.await.expect_err("no answer");

    let reply = within("the call", async { echo(&connection).await }).await;

    assert_eq!(reply.expect("an answer"), "two");
    let (first, second) = within("the calls", calls.recv()).await.expect("calls");
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_left_at_the_deadline() {
    let server = playing(|mut server, call| async move {
        let frames = [Frame::head(call), Frame::message(call, b"one")];
        server.send_all(&frames).await?;
        stay(server).await
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
    let server = playing(|server, _| async move {
        // Holds the socket and reads nothing more.
        let _server = server;
        std::future::pending().await
    })
    .await;
    let mut options = ConnectOptions::default();
    options.keep_alive_interval = Duration::from_millis(50);
    options.keep_alive_timeout = Duration::from_millis(50);
    let connection = connect(&url(&server), options).await.expect("it accepts");

    let error = within("the call", async { echo(&connection).await }).await;

    assert_eq!(error.expect_err("it is dead").code(), Code::Unavailable);
    assert_eq!(connection.state(), ConnectionState::Closed);
}

/// It asks and asks, and reads no answer.
#[tokio::test]
async fn a_flood_of_pings_from_a_server_is_bounded() {
    let server = playing(|mut server, call| async move {
        let ping = Frame::ping(&[7; LONGEST]);
        for _ in 0..2000 {
            server.send(&ping).await?;
        }
        server.send(&Frame::reply(call, b"owl")).await?;
        stay(server).await
    })
    .await;
    let connection = connected(&server).await;
    let before = memory();

    let reply = within("the call", async { echo(&connection).await }).await;

    assert_eq!(reply.expect("an echo"), "owl");
    let more = memory() - before;
    assert!(more < 128 << 20, "{} MiB more", more >> 20);
}

/// The most memory this process has held so far, in bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a kernel");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.expect("a line").trim().trim_end_matches(" kB");
    kib.parse::<usize>().expect("a number") * 1024
}

async fn is_not_connected_to(beginning: &'static [u8], named: &str) {
    let server = HostileServer::start(move |mut socket: Socket| async move {
        let _ = socket.write(beginning).await;
        socket.closed().await;
    })
    .await;

    let error = within("a refusal", connect(&url(&server), patient())).await;

    let error = error.expect_err("no handshake");
    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(error.retry(), Retry::NotBegun);
    assert!(error.to_string().contains(named), "{error}");
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_not_connected_to() {
    is_not_connected_to(b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400").await;
    is_not_connected_to(&[0xff; 10], "does not speak gufo's frames").await;
    is_not_connected_to(b"GUFO\r\n\x02\x03", "versions 2 to 3").await;
    is_not_connected_to(
        b"GUFO\r\n\x01\x01\0\0\x08\x0a\0\0\0\x0012345678",
        "not a HELLO",
    )
    .await;
    is_not_connected_to(b"GUFO\r\n\x01\x01\xff\xff\xff\x01\0\0\0\0", "longer than").await;
    is_not_connected_to(b"GUFO\r\n\x01\x01\0\0\0\x01\0\0\0\0", "below those").await;
    // A server that refuses says why.
    is_not_connected_to(b"GUFO\r\n\x01\x01\0\0\x05\x0c\0\0\0\0\x01full", "full").await;
}

#[tokio::test]
async fn a_server_that_says_nothing_or_half_a_hello_is_not_connected_to() {
    for beginning in [
        &b""[..],
        b"GUFO",
        PREFACE,
        b"GUFO\r\n\x01\x01\0\0\x20\x01\0\0\0\0",
    ] {
        let server = HostileServer::start(move |mut socket: Socket| async move {
            let _ = socket.write(beginning).await;
            socket.closed().await;
        })
        .await;
        let mut options = ConnectOptions::default();
        options.deadline = Deadline::after(Duration::from_millis(100));

        let error = within("a refusal", connect(&url(&server), options)).await;

        let error = error.expect_err("it says nothing");
        assert_eq!(error.code(), Code::Unavailable);
        assert_eq!(error.retry(), Retry::NotBegun);
    }
}

/// A server that takes no calls at all.
#[tokio::test]
async fn calls_wait_for_a_number_until_their_deadline() {
    let server = HostileServer::start(|socket| async move {
        let mut server = Peer::from(socket);
        let hello = [
            (settings::FRAME, LONGEST as u64),
            (settings::CREDIT, 1),
            (settings::CALLS, 0),
        ];
        let _ = server.socket.write(PREFACE).await;
        let _ = server.send(&Frame::hello(&hello)).await;
        server.socket.closed().await;
    })
    .await;
    let connection = connected(&server).await;

    let call = echo(&connection).timeout(Duration::from_millis(100));
    let error = call.await.expect_err("no number");

    assert_eq!(error.code(), Code::DeadlineExceeded);
}
