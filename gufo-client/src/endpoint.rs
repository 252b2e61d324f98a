//! Endpoint: one address, and the attempt to connect to it.

use std::sync::Arc;

use gufo_core::{
    BackendUrl, ConnectOptions, Connection, Deadline, Error, Result, Transport, Transports,
    random::Random,
};

use std::time::Duration;

/// An address with the transport that reaches it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The URL as text, secrets hidden: what tells targets apart, and what errors show.
    pub(crate) name: Arc<str>,
    pub(crate) url: BackendUrl,
    pub(crate) transport: Arc<dyn Transport>,
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

    /// Tries once to connect.
    pub(crate) fn connect(
        &self,
        how: &Connecting,
    ) -> impl Future<Output = Result<Arc<dyn Connection>>> + Send + use<> {
        let mut options = how.options.clone();
        options.deadline = Deadline::after(how.timeout);
        let attempt = self.transport.connect(self.url.clone(), options);
        let timeout = how.timeout;
        // Transports keep the deadline themselves; one that does not must not stop the reconnecting.
        async move {
            match tokio::time::timeout(timeout, attempt).await {
                Ok(connected) => connected,
                Err(_) => Err(Error::unavailable(format!("no answer within {timeout:?}"))),
            }
        }
    }
}

/// How endpoints of one channel are connected.
#[derive(Clone, Debug)]
pub(crate) struct Connecting {
    /// Per node.
    pub(crate) connections: usize,
    pub(crate) timeout: Duration,
    pub(crate) options: ConnectOptions,
    pub(crate) random: Arc<dyn Random>,
}
