//! A well-behaved client that goes on calling while others attack.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use gufo_core::{BackendUrl, Call, Caller, ConnectOptions, Connection, Deadline, One, codec::Raw};
use tokio::task::JoinHandle;

use crate::{PATIENCE, eventually, methods};

/// Connects with the transport of the URL's scheme.
///
/// # Errors
/// What the transport says.
///
/// # Panics
/// When the URL is none.
pub async fn connect(url: &str, options: ConnectOptions) -> gufo_core::Result<Arc<dyn Connection>> {
    let url = BackendUrl::parse(url).expect("a url");
    let transports = gufo_transport::builtin();
    transports.find(url.scheme())?.connect(url, options).await
}

/// Calls over a connection.
#[must_use]
pub fn caller(connection: &Arc<dyn Connection>) -> Caller {
    Caller::new(Arc::<dyn Connection>::clone(connection))
}

/// Fifty calls a second on a connection of its own, each of which has to succeed.
#[derive(Debug)]
pub struct Probe {
    stop: Arc<AtomicBool>,
    calls: Arc<std::sync::atomic::AtomicUsize>,
    task: JoinHandle<Vec<String>>,
}

impl Probe {
    /// Connects and begins to call.
    ///
    /// # Panics
    /// When the server cannot be reached.
    pub async fn start(url: &str) -> Self {
        let mut options = ConnectOptions::default();
        options.deadline = Deadline::after(PATIENCE);
        let connection = connect(url, options).await.expect("the server is there");
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let task = tokio::spawn(probe(
            Caller::new(connection),
            Arc::clone(&stop),
            Arc::clone(&calls),
        ));
        Self { stop, calls, task }
    }

    /// Calls that have succeeded so far.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }

    /// Waits until a few calls more have succeeded, then ends.
    ///
    /// # Panics
    /// When any call has failed since the start.
    pub async fn finish(self) {
        let before = self.calls.load(SeqCst);
        eventually("the probe goes on calling", async || {
            self.task.is_finished() || self.calls.load(SeqCst) >= before + 3
        })
        .await;
        self.stop.store(true, SeqCst);
        let failures = self.task.await.expect("the probe does not panic");
        assert!(
            failures.is_empty(),
            "calls of the probe failed: {failures:?}"
        );
    }
}

async fn probe(
    caller: Caller,
    stop: Arc<AtomicBool>,
    calls: Arc<std::sync::atomic::AtomicUsize>,
) -> Vec<String> {
    let mut failures = Vec::new();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while !stop.load(SeqCst) && failures.is_empty() {
        tick.tick().await;
        let message = Bytes::from(calls.load(SeqCst).to_string());
        let call =
            Call::<Raw, One<Bytes>, One<Bytes>>::new(&caller, &methods::ECHO, One(message.clone()));
        match call.timeout(PATIENCE).await {
            Ok(reply) if reply == message => drop(calls.fetch_add(1, SeqCst)),
            Ok(reply) => failures.push(format!("{reply:?} in place of {message:?}")),
            Err(error) => failures.push(error.to_string()),
        }
    }
    failures
}
