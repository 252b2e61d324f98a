//! Drain: the orderly end of a server, with a hard deadline.

use std::time::Duration;

use gufo_core::Deadline;

use crate::{RunningServer, calls::Phase, telemetry::SERVER};

/// How long calls are still taken that were sent before their peer heard of the end. A transport
/// that says so to its peers hands over none after it.
const LATE_CALLS: Duration = Duration::from_secs(1);

/// How long aborted tasks may take to notice. One that blocks its thread never does.
const ABORT: Duration = Duration::from_secs(1);

/// How the calls of a stopped server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainReport {
    /// Calls that came to their end after peers were told to go away.
    pub finished: usize,
    /// Calls that were cut off at the hard deadline.
    pub aborted: usize,
}

pub(crate) async fn stop(server: &RunningServer) -> DrainReport {
    let options = &server.options;
    tracing::info!(target: SERVER, calls = server.calls.running(), "stopping");
    // First: it says that the server is ready once everything is registered.
    server.registration.halt().await;
    #[cfg(feature = "health")]
    if let Some(health) = &server.health {
        health.stopping();
    }
    if server.registration.withdraw(options.withdraw_timeout).await {
        tokio::time::sleep(options.propagation).await;
    }

    // In this order: whoever finds the port closed finds its calls counted as finished.
    server.calls.enter(Phase::Draining);
    server.acceptor.closing.cancel();
    server.acceptor.drain.cancel();
    let finish = async {
        server.listening.join().await;
        server.acceptor.connections.join().await;
        server.calls.idle().await;
    };
    let refuse = async {
        tokio::time::sleep(LATE_CALLS).await;
        server.calls.enter(Phase::Refusing);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        () = finish => {}
        () = refuse => {}
        () = Deadline::after(options.drain_timeout).reached() => {}
    }

    let report = DrainReport {
        finished: server.calls.finished(),
        aborted: server.calls.running(),
    };
    abort(server).await;
    tracing::info!(
        target: SERVER,
        finished = report.finished,
        aborted = report.aborted,
        "stopped"
    );
    report
}

async fn abort(server: &RunningServer) {
    server.calls.abort();
    server.listening.abort();
    server.acceptor.connections.abort();
    let gone = async {
        server.listening.join().await;
        server.acceptor.connections.join().await;
        server.threads.end().await;
    };
    if tokio::time::timeout(ABORT, gone).await.is_err() {
        tracing::error!(
            target: SERVER,
            connections = server.acceptor.connections.len(),
            "aborted connections do not end: a handler blocks its thread"
        );
    }
}
