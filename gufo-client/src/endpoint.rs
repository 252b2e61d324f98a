//! Endpoint: one address and the background tasks that keep its connections.

use std::{sync::Arc, time::Duration};

use gufo_core::{
    BackendUrl, ConnectOptions, Connection, Deadline, Error, Result, Tasks, Transport, Transports,
    random::Random,
};
use tokio::time::Instant;

use crate::{backoff::Backoff, shared::Shared, telemetry::CHANNEL};

/// An address with the transport that reaches it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The URL as text, secrets hidden: what tells targets apart, and what errors show.
    pub(crate) name: Arc<str>,
    url: BackendUrl,
    transport: Arc<dyn Transport>,
}

impl Target {
    /// The target of one URL.
    pub(crate) fn of(url: BackendUrl, transports: &Transports) -> Result<Self> {
        Ok(Self {
            name: url.to_string().into(),
            transport: Arc::clone(transports.find(url.scheme())?),
            url,
        })
    }

    /// The targets of a URL that may have several hosts.
    pub(crate) fn parse(text: &str, transports: &Transports) -> Result<Vec<Self>> {
        let url = BackendUrl::parse(text)?;
        url.per_host()
            .map(|url| Self::of(url, transports))
            .collect()
    }
}

/// How endpoints of one channel are connected.
#[derive(Clone, Debug)]
pub(crate) struct Connecting {
    pub(crate) connections: usize,
    pub(crate) timeout: Duration,
    pub(crate) options: ConnectOptions,
    pub(crate) random: Arc<dyn Random>,
}

/// Starts what keeps the connections of a target; it ends, and they close, with the answer.
pub(crate) fn keep(target: &Target, how: &Connecting, shared: &Arc<Shared>) -> Tasks {
    let tasks = Tasks::new();
    for _ in 0..how.connections {
        tasks.spawn(
            "channel-connection",
            keep_one(target.clone(), how.clone(), Arc::clone(shared)),
        );
    }
    tasks
}

/// Keeps one connection: connects, waits until it takes no more calls, connects again.
async fn keep_one(target: Target, how: Connecting, shared: Arc<Shared>) {
    let mut backoff = Backoff::new(Arc::clone(&how.random));
    let mut is_down = false;
    loop {
        match connect(&target, &how).await {
            Ok(connection) => {
                let since = Instant::now();
                let entered = shared.enter(&target.name, connection);
                if std::mem::take(&mut is_down) {
                    tracing::info!(target: CHANNEL, endpoint = %target.name, "connected again");
                } else {
                    tracing::debug!(target: CHANNEL, endpoint = %target.name, "connected");
                }
                entered.closed().await;
                drop(entered);
                tracing::debug!(
                    target: CHANNEL,
                    endpoint = %target.name,
                    "the connection takes no more calls"
                );
                backoff.wait_after(since.elapsed()).await;
            }
            Err(error) => {
                if std::mem::replace(&mut is_down, true) {
                    tracing::debug!(target: CHANNEL, endpoint = %target.name, %error, "cannot connect");
                } else {
                    tracing::warn!(target: CHANNEL, endpoint = %target.name, %error, "cannot connect");
                }
                shared.trouble.failed(&target.name, &error);
                if shared.trouble.is_final().is_some() {
                    shared.changed.notify_waiters();
                }
                backoff.wait().await;
            }
        }
    }
}

async fn connect(target: &Target, how: &Connecting) -> Result<Arc<dyn Connection>> {
    let mut options = how.options.clone();
    options.deadline = Deadline::after(how.timeout);
    let attempt = target.transport.connect(target.url.clone(), options);
    // Transports keep the deadline themselves; one that does not must not stop the reconnecting.
    match tokio::time::timeout(how.timeout, attempt).await {
        Ok(connected) => connected,
        Err(_) => Err(Error::unavailable(format!(
            "no answer within {:?}",
            how.timeout
        ))),
    }
}
