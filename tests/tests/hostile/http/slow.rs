//! Peers of HTTP/1.1 that take their time, or read nothing.

use gufo_core::ListenOptions;
use gufo_testkit::{
    eventually, methods,
    raw::{Http1, Socket},
};

use super::lives_on;
use crate::{Attack, SOON};

#[tokio::test]
async fn a_head_that_does_not_end_in_time_closes_the_connection() {
    let mut options = ListenOptions::default();
    options.handshake_timeout = SOON;
    options.header_timeout = SOON;
    let attack = Attack::with(options).await;
    for head in [
        "G",
        "POST /a HTTP/1.1\r\n",
        "POST /a HTTP/1.1\r\nhost: owl\r\nx-",
    ] {
        let mut socket = Socket::connect(attack.target.address).await;
        socket.write(head.as_bytes()).await.expect("open");

        socket.closed().await;
    }
    attack.survived().await;
}

/// A byte now and then does not buy more time.
#[tokio::test]
async fn a_head_that_trickles_closes_the_connection() {
    let mut options = ListenOptions::default();
    options.handshake_timeout = SOON;
    options.header_timeout = SOON;
    let attack = Attack::with(options).await;
    let mut socket = Socket::connect(attack.target.address).await;
    socket.write(b"POST /a HTTP/1.1\r\n").await.expect("open");

    eventually("it is closed", async || {
        socket.write(b"a:b\r\n").await.is_err()
    })
    .await;

    attack.survived().await;
}

#[tokio::test]
async fn the_second_head_of_a_connection_has_its_time_too() {
    let mut options = ListenOptions::default();
    options.header_timeout = SOON;
    let attack = Attack::with(options).await;
    let mut client = Http1::connect(attack.target.address).await;
    lives_on(&mut client).await;
    let half = b"POST /a HTTP/1.1\r\nx-";
    client.socket.write(half).await.expect("open");

    client.socket.closed().await;

    attack.survived().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_http_504_and_the_handler_never_runs() {
    let mut options = ListenOptions::default();
    options.stall_timeout = SOON;
    let attack = Attack::with(options).await;
    let mut client = Http1::connect(attack.target.address).await;
    let headers = [("host", "owl"), ("content-length", "100")];
    let mut request = Http1::head("POST", methods::FOREVER.path(), &headers);
    request.extend_from_slice(b"half");

    let answer = client.call(&request).await.expect("an answer");

    assert_eq!(answer.status, 504, "{}", answer.text());
    assert_eq!(attack.target.seen.started(), 0);
    client.socket.closed().await;
    attack.survived().await;
}

#[tokio::test]
async fn a_client_that_leaves_drops_its_handler() {
    for path in [methods::FOREVER.path(), methods::GATED.path()] {
        let attack = Attack::begin().await;
        let seen = &attack.target.seen;
        let mut client = Http1::connect(attack.target.address).await;
        let request = Http1::post(path, &[], b"1");
        client.socket.write(&request).await.expect("open");
        eventually("the handler runs", async || seen.started() == 1).await;

        drop(client);

        eventually("it is gone", async || seen.dropped() == 1).await;
        attack.survived().await;
    }
}

#[tokio::test]
async fn a_client_that_reads_nothing_stops_the_handler_and_is_cut() {
    let mut options = ListenOptions::default();
    options.stall_timeout = SOON;
    let attack = Attack::with(options).await;
    let seen = &attack.target.seen;
    let mut socket = Socket::connect_small(attack.target.address).await;
    let request = Http1::post(methods::ENDLESS.path(), &[], b"1");
    socket.write(&request).await.expect("open");

    eventually("its handler is gone", async || seen.dropped() == 1).await;

    // What the kernel takes, and what waits before it.
    assert!(seen.produced() <= 16 << 20, "{} bytes", seen.produced());
    attack.survived().await;
}

#[tokio::test]
async fn requests_without_end_and_without_reading_are_bounded() {
    let mut options = ListenOptions::default();
    options.stall_timeout = SOON;
    let attack = Attack::with(options).await;
    let mut socket = Socket::connect_small(attack.target.address).await;
    let request = Http1::post(methods::ECHO.path(), &[], &[b'o'; 10_000]);

    socket.flood(&request.repeat(10), 10_000).await;

    // Nothing was read, so the server has stopped reading too, or has closed.
    attack.survived().await;
}
