//! The accept loop under errors, caps and peers that misbehave.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use gufo_core::Cancel;
use gufo_server::{RunningServer, Server, ServerOptions};

use crate::fixture::{
    FakeListener, FakePeer, Log, dispatch_unary, echo, eventually, settle, unary_service,
};

const EMFILE: i32 = 24;

fn out_of_descriptors() -> io::Error {
    io::Error::from_raw_os_error(EMFILE)
}

fn peer_gone() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

async fn serve(listener: FakeListener, options: ServerOptions) -> RunningServer {
    Server::builder()
        .listener(listener)
        .options(options)
        .service(unary_service(echo()))
        .start()
        .await
        .expect("a legal server")
}

/// A peer that makes one call and stays until it is told to leave.
fn calling_peer(log: &Log, leave: &Cancel) -> FakePeer {
    let (log, leave) = (log.clone(), leave.clone());
    FakePeer::new(|dispatch, _| async move {
        dispatch_unary(&*dispatch).await.expect("served");
        log.add("served");
        leave.cancelled().await;
    })
}

#[tokio::test(start_paused = true)]
async fn out_of_descriptors_it_pauses_10_ms_and_doubles_up_to_100() {
    let listener = FakeListener::new("fake://a", &Log::default()).then_always(out_of_descriptors);
    let attempts = Arc::clone(&listener.attempts);
    let _server = serve(listener, ServerOptions::default()).await;

    // Attempts at 0, 10, 30, 70, 150, 250 ms and so on.
    let mut seen = Vec::new();
    for until in [5, 10, 30, 70, 150, 950] {
        let now = seen.last().map_or(0, |(at, _)| *at);
        tokio::time::sleep(Duration::from_millis(until - now)).await;
        settle_at_this_instant().await;
        seen.push((until, attempts.load(Ordering::Relaxed)));
    }

    let expected = [(5, 1), (10, 2), (30, 3), (70, 4), (150, 5), (950, 13)];
    assert_eq!(seen, expected);
}

/// Lets timers of this very instant fire.
async fn settle_at_this_instant() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn peers_that_leave_before_they_are_accepted_make_no_hot_loop() {
    let listener = FakeListener::new("fake://a", &Log::default()).then_always(peer_gone);
    let attempts = Arc::clone(&listener.attempts);
    let _server = serve(listener, ServerOptions::default()).await;

    settle().await;
    let at_once = attempts.load(Ordering::Relaxed);
    assert_eq!(at_once, 17);
    tokio::time::sleep(Duration::from_secs(1)).await;

    let attempts = attempts.load(Ordering::Relaxed);
    assert!((18..=40).contains(&attempts), "{attempts} attempts");
}

#[tokio::test(start_paused = true)]
async fn after_errors_peers_are_served_again() {
    let (log, leave) = (Log::default(), Cancel::new());
    let listener = FakeListener::new("fake://a", &log)
        .error(out_of_descriptors())
        .error(peer_gone())
        .error(io::Error::other("odd"))
        .peer(calling_peer(&log, &leave));
    let _server = serve(listener, ServerOptions::default()).await;

    tokio::time::sleep(Duration::from_secs(1)).await;

    assert_eq!(log.entries(), ["served"]);
}

#[tokio::test]
async fn at_the_cap_nobody_is_accepted_until_a_peer_leaves() {
    let (log, first, second) = (Log::default(), Cancel::new(), Cancel::new());
    let listener = FakeListener::new("fake://a", &log)
        .peer(calling_peer(&log, &first))
        .peer(calling_peer(&log, &second));
    let attempts = Arc::clone(&listener.attempts);
    let mut options = ServerOptions::default();
    options.max_connections = 1;
    let server = serve(listener, options).await;

    settle().await;
    let at_the_cap = (attempts.load(Ordering::Relaxed), log.entries().len());
    first.cancel();
    eventually("the second peer is served", || log.entries().len() == 2).await;

    assert_eq!(at_the_cap, (1, 1));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn several_listeners_share_the_cap_and_none_holds_a_place_for_nobody() {
    let (log, leave) = (Log::default(), Cancel::new());
    let silent = FakeListener::new("fake://silent", &log);
    let busy = FakeListener::new("fake://busy", &log)
        .peer(calling_peer(&log, &leave))
        .peer(calling_peer(&log, &leave));
    let mut options = ServerOptions::default();
    options.max_connections = 1;
    let server = Server::builder()
        .listener(silent)
        .listener(busy)
        .options(options)
        .service(unary_service(echo()))
        .start()
        .await
        .expect("a legal server");

    settle().await;

    assert_eq!(server.urls(), ["fake://silent", "fake://busy"]);
    assert_eq!(log.entries(), ["served"]);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_panic_while_a_peer_is_served_concerns_that_peer_only() {
    let (log, leave) = (Log::default(), Cancel::new());
    let listener = FakeListener::new("fake://a", &log)
        .peer(FakePeer::new(|_, _| async { panic!("on purpose") }))
        .peer(calling_peer(&log, &leave));
    let mut options = ServerOptions::default();
    options.max_connections = 1;
    let _server = serve(listener, options).await;

    eventually("the next peer is served", || log.entries() == ["served"]).await;
}

#[tokio::test]
async fn a_peer_that_never_finishes_its_handshake_delays_no_other() {
    let (log, leave) = (Log::default(), Cancel::new());
    let listener = FakeListener::new("fake://a", &log)
        .peer(FakePeer::new(|_, _| std::future::pending()))
        .peer(calling_peer(&log, &leave));
    let _server = serve(listener, ServerOptions::default()).await;

    eventually("the next peer is served", || log.entries() == ["served"]).await;
}

#[tokio::test]
async fn dropping_a_server_drops_listeners_and_peers() {
    let log = Log::default();
    let serving = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&serving);
    let held = crate::fixture::LogOnDrop(log.clone(), "peer dropped");
    let listener =
        FakeListener::new("fake://a", &log).peer(FakePeer::new(move |_, _| async move {
            let _held = held;
            count.fetch_add(1, Ordering::Relaxed);
            std::future::pending().await
        }));
    let server = serve(listener, ServerOptions::default()).await;
    eventually("the peer is served", || {
        serving.load(Ordering::Relaxed) == 1
    })
    .await;

    drop(server);

    eventually("both are dropped", || log.entries().len() == 2).await;
}
