//! The orderly end: its order, its hard deadline, and what becomes of calls.

use std::{sync::Arc, time::Duration};

use gufo_core::{Cancel, Code, ConnectOptions, Dispatch, Retry};
use gufo_server::{Builder, RunningServer, Server, ServerOptions};
use tokio::time::Instant;

use crate::{
    fixture::{
        FakeListener, FakePeer, Log, LogOnDrop, call, dispatch_unary, echo, eventually, in_time,
        unary, unary_service,
    },
    registration::FakeRegistry,
};

fn options(change: impl FnOnce(&mut ServerOptions)) -> ServerOptions {
    let mut options = ServerOptions::default();
    change(&mut options);
    options
}

/// A server whose handler waits for `go`, with one peer that calls it once and goes away when
/// told, after its call.
fn waiting_server(log: &Log, go: &Cancel) -> Builder {
    let (peer_log, go, handler_log) = (log.clone(), go.clone(), log.clone());
    let peer = FakePeer::new(
        move |dispatch: Arc<dyn Dispatch>, drain: Cancel| async move {
            let _dropped = LogOnDrop(peer_log.clone(), "peer gone");
            let told = {
                let log = peer_log.clone();
                async move {
                    drain.cancelled().await;
                    log.add("told to go away");
                }
            };
            let call = async {
                match dispatch_unary(&*dispatch).await {
                    Ok(_) => peer_log.add("call finished"),
                    Err(status) => peer_log.add(format!("call failed: {}", status.code())),
                }
            };
            tokio::join!(told, call);
        },
    );
    Server::builder()
        .listener(FakeListener::new("fake://a:1", log).peer(peer))
        .service(unary_service(unary(move |_, request| {
            let (go, log) = (go.clone(), handler_log.clone());
            async move {
                log.add("call begun");
                go.cancelled().await;
                Ok(request)
            }
        })))
}

#[tokio::test(start_paused = true)]
async fn a_server_withdraws_waits_closes_and_then_finishes_what_runs() {
    let (log, go) = (Log::default(), Cancel::new());
    let registry = FakeRegistry {
        log: log.clone(),
        ..FakeRegistry::default()
    };
    let server = waiting_server(&log, &go)
        .registry(Arc::new(registry))
        .options(options(|all| all.propagation = Duration::from_secs(3)))
        .start()
        .await
        .expect("up");
    eventually("the call runs", || server.calls() == 1).await;
    let begin = Instant::now();

    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_secs(2)).await;
    log.add("2 s");
    tokio::time::sleep(Duration::from_secs(2)).await;
    log.add("4 s");
    go.cancel();
    let report = stopping.await.expect("not panicked");

    assert_eq!(
        log.entries(),
        [
            "register test.Test",
            "call begun",
            "revoke test.Test",
            "2 s",
            "listener closed",
            "told to go away",
            "4 s",
            "call finished",
            "peer gone",
        ]
    );
    assert_eq!((report.finished, report.aborted), (1, 0));
    assert_eq!(begin.elapsed(), Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn the_hard_deadline_holds_whatever_handlers_do() {
    let (log, never) = (Log::default(), Cancel::new());
    let server = waiting_server(&log, &never)
        .options(options(|all| all.drain_timeout = Duration::from_secs(7)))
        .start()
        .await
        .expect("up");
    eventually("the call runs", || server.calls() == 1).await;
    let begin = Instant::now();

    let report = in_time(server.stop()).await;

    assert_eq!(begin.elapsed(), Duration::from_secs(7));
    assert_eq!((report.finished, report.aborted), (0, 1));
    assert_eq!(log.entries().last().expect("entries"), "peer gone");
}

#[tokio::test(start_paused = true)]
async fn an_idle_server_stops_at_once() {
    let log = Log::default();
    let server = Server::builder()
        .listener(FakeListener::new("fake://a:1", &log))
        .service(unary_service(echo()))
        .start()
        .await
        .expect("up");
    let begin = Instant::now();

    let report = server.stop().await;

    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!((report.finished, report.aborted), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn calls_that_were_on_their_way_are_served_and_later_ones_refused_as_not_begun() {
    let log = Log::default();
    let seen = log.clone();
    // A peer whose transport goes on handing over calls long after it was told to go away.
    let peer = FakePeer::new(
        move |dispatch: Arc<dyn Dispatch>, drain: Cancel| async move {
            drain.cancelled().await;
            for _ in 0..2 {
                let answer = dispatch_unary(&*dispatch).await;
                seen.add(match answer {
                    Ok(_) => "served".to_owned(),
                    Err(status) => format!("{}, {:?}", status.code(), status.retry()),
                });
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        },
    );
    let server = Server::builder()
        .listener(FakeListener::new("fake://a:1", &log).peer(peer))
        .service(unary_service(echo()))
        .start()
        .await
        .expect("up");
    eventually("the peer is there", || server.connections() == 1).await;

    let report = server.stop().await;

    let refused = format!("{}, {:?}", Code::Unavailable, Retry::NotBegun);
    assert_eq!(log.entries(), ["listener closed", "served", &refused]);
    assert_eq!((report.finished, report.aborted), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn serve_runs_until_the_future_it_was_given_ends() {
    let (log, enough) = (Log::default(), Cancel::new());
    let stop = enough.clone();
    let serving = tokio::spawn(
        Server::builder()
            .listener(FakeListener::new("fake://a:1", &log))
            .stop_on(async move { stop.cancelled().await })
            .serve(unary_service(echo())),
    );
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(!serving.is_finished());

    enough.cancel();
    let report = serving
        .await
        .expect("not panicked")
        .expect("a legal server");

    assert_eq!((report.finished, report.aborted), (0, 0));
    assert_eq!(log.entries(), ["listener closed"]);
}

async fn memory_client(server: &RunningServer) -> gufo_core::Caller {
    let url = gufo_core::BackendUrl::parse(&server.urls()[0]).expect("a url");
    let transports = gufo_transport::builtin();
    let transport = transports.find(url.scheme()).expect("compiled in");
    let connection = transport.connect(url, ConnectOptions::default());
    let connection: Arc<dyn gufo_core::Handler> = Arc::new(connection.await.expect("connected"));
    gufo_core::Caller::new(connection)
}

#[tokio::test(start_paused = true)]
async fn calls_that_run_in_their_callers_task_are_finished_or_aborted_too() {
    for (finishes, expected) in [(true, Ok("owl".into())), (false, Err(Code::Unavailable))] {
        let go = Cancel::new();
        let handler_go = go.clone();
        let server = Server::builder()
            .transports(gufo_transport::builtin())
            .listen("memory://")
            .service(unary_service(unary(move |_, request| {
                let go = handler_go.clone();
                async move {
                    go.cancelled().await;
                    Ok(request)
                }
            })))
            .start()
            .await
            .expect("up");
        let caller = memory_client(&server).await;
        let calling = tokio::spawn(IntoFuture::into_future(call(&caller)));
        eventually("the call runs", || server.calls() == 1).await;

        let stopping = tokio::spawn(server.stop());
        tokio::time::sleep(Duration::from_secs(2)).await;
        let refused = call(&caller).await.expect_err("draining");
        if finishes {
            go.cancel();
        }
        let report = in_time(stopping).await.expect("not panicked");
        let answer: Result<gufo_core::Bytes, _> = calling.await.expect("not panicked");

        assert_eq!(refused.code(), Code::Unavailable);
        assert_eq!(refused.retry(), Retry::NotBegun);
        assert_eq!(answer.map_err(|error| error.code()), expected);
        let aborted = usize::from(!finishes);
        assert_eq!((report.finished, report.aborted), (1 - aborted, aborted));
    }
}

/// A server whose transport runs calls in tasks the server knows nothing of.
async fn server_with_a_call_elsewhere(log: &Log) -> RunningServer {
    let log = log.clone();
    let fake = FakeListener::new("fake://a:1", &Log::default());
    let peer = FakePeer::new(|dispatch: Arc<dyn Dispatch>, _| async move {
        tokio::spawn(async move {
            let failed = dispatch_unary(&*dispatch).await.expect_err("given up");
            log.add(failed.code().name());
        });
    });
    let server = Server::builder()
        .listener(fake.peer(peer))
        .service(unary_service(unary(|_, _| std::future::pending())))
        .start()
        .await
        .expect("up");
    eventually("the call runs", || server.calls() == 1).await;
    server
}

#[tokio::test(start_paused = true)]
async fn calls_that_run_elsewhere_are_given_up_at_the_hard_deadline() {
    let log = Log::default();
    let server = server_with_a_call_elsewhere(&log).await;

    let report = in_time(server.stop()).await;

    assert_eq!((report.finished, report.aborted), (0, 1));
    eventually("the call is given up", || log.entries() == ["UNAVAILABLE"]).await;
}

#[tokio::test]
async fn calls_that_run_elsewhere_are_given_up_when_the_server_is_dropped() {
    let log = Log::default();
    let server = server_with_a_call_elsewhere(&log).await;

    drop(server);

    eventually("the call is given up", || log.entries() == ["UNAVAILABLE"]).await;
}

#[test]
fn a_handler_that_blocks_its_thread_does_not_hold_up_the_stop() {
    let (begun, has_begun) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let blocks = unary(move |_, request| {
        begun.send(()).expect("the test waits");
        let _ = released.lock().expect("not poisoned").recv();
        async move { Ok(request) }
    });
    let peer = FakePeer::new(|dispatch: Arc<dyn Dispatch>, _| async move {
        let _ = dispatch_unary(&*dispatch).await;
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");

    let report = runtime.block_on(async {
        let server = Server::builder()
            .listener(FakeListener::new("fake://a:1", &Log::default()).peer(peer))
            .service(unary_service(blocks))
            .options(options(|all| all.drain_timeout = Duration::from_millis(1)))
            .start()
            .await
            .expect("up");
        tokio::task::spawn_blocking(move || has_begun.recv().expect("called"))
            .await
            .expect("not panicked");
        tokio::time::timeout(Duration::from_secs(60), server.stop()).await
    });
    drop(release);

    let report = report.expect("must not hang");
    assert_eq!((report.finished, report.aborted), (0, 1));
}

#[allow(
    dead_code,
    reason = "proves at compile time that both may run in a task"
)]
fn stopping_and_waiting_may_be_spawned(one: RunningServer, other: RunningServer) {
    tokio::spawn(one.stop());
    tokio::spawn(other.wait());
}
