//! What a check works with: servers, clients, and waiting with an end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use gufo_core::{BackendUrl, Cancel, Code, Connection, Dispatch, Error, Kind, Listener, Streaming};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Instant, timeout},
};

use super::{
    Capabilities, Failure, Harness, Tolerance,
    client::Client,
    ensure,
    message::{Note, numbered},
    plan::Plan,
};

/// What a check works with.
#[derive(Clone)]
pub(super) struct Bed {
    pub(super) harness: Arc<dyn Harness>,
    pub(super) capabilities: Capabilities,
    pub(super) tolerance: Tolerance,
}

impl Bed {
    pub(super) fn new(harness: Arc<dyn Harness>) -> Self {
        Self {
            capabilities: harness.capabilities(),
            tolerance: harness.tolerance(),
            harness,
        }
    }

    pub(super) fn settle(&self) -> Duration {
        self.tolerance.settle
    }

    /// Listens at a fresh address.
    pub(super) async fn listen(&self, plan: &Plan) -> Result<Box<dyn Listener>, Failure> {
        let url = BackendUrl::parse(&self.harness.listen_url())?;
        let transport = self.harness.listening_transport();
        Ok(transport.listen(url, plan.listen.clone()).await?)
    }

    /// Serves at a fresh address.
    pub(super) async fn serve(&self, plan: Plan) -> Result<Server, Failure> {
        let listener = self.listen(&plan).await?;
        Ok(Server::start(self.clone(), listener, Arc::new(plan)))
    }

    /// Serves at a fresh address and connects to it.
    pub(super) async fn pair(&self, plan: Plan) -> Result<(Server, Client), Failure> {
        let server = self.serve(plan).await?;
        let client = server.connect().await?;
        Ok((server, client))
    }

    /// Like [`Bed::pair`] for a check that needs a kind of call; `None` when the transport does
    /// not declare it, and refuses it in fact.
    pub(super) async fn pair_for(
        &self,
        kind: Kind,
        plan: Plan,
    ) -> Result<Option<(Server, Client)>, Failure> {
        let (server, client) = self.pair(plan).await?;
        if self.capabilities.kinds.contains(&kind) {
            return Ok(Some((server, client)));
        }
        let refused = self.within("a refusal", begin(&client, kind)).await?;
        expect_code(refused, Code::Unimplemented, "a kind that is not declared")?;
        Ok(None)
    }

    /// Waits for a future, at most as long as effects may take.
    #[track_caller]
    pub(super) fn within<T>(
        &self,
        what: &'static str,
        future: impl IntoFuture<Output = T, IntoFuture: Send>,
    ) -> impl Future<Output = Result<T, Failure>> + Send {
        let (settle, late) = (self.settle(), Failure::new(format!("not in time: {what}")));
        let future = future.into_future();
        async move { timeout(settle, future).await.map_err(|_| late) }
    }

    /// Lets everybody who can run do so: what must not happen has had its chance.
    pub(super) async fn pause(&self) {
        tokio::time::sleep(self.settle() / 100).await;
    }

    /// Waits until a condition holds, at most as long as effects may take.
    #[track_caller]
    pub(super) fn eventually(
        &self,
        what: &'static str,
        mut condition: impl FnMut() -> bool + Send,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        let (settle, late) = (self.settle(), Failure::new(format!("not in time: {what}")));
        async move {
            let deadline = Instant::now() + settle;
            while !condition() {
                if Instant::now() >= deadline {
                    return Err(late);
                }
                tokio::time::sleep(settle / 1000).await;
            }
            Ok(())
        }
    }
}

/// A call of a kind that is awaited up to its first answer.
pub(super) async fn begin(client: &Client, kind: Kind) -> Result<(), Error> {
    match kind {
        Kind::Unary => client.unary(Note::default()).await.map(drop),
        Kind::ClientStream => client
            .client_stream(Streaming::iter(numbered(1)))
            .await
            .map(drop),
        Kind::ServerStream => client.server_stream(Note::default()).await.map(drop),
        Kind::Bidi => client.bidi(Streaming::iter(numbered(1))).await.map(drop),
    }
}

/// The error of a call that must fail with a code.
#[track_caller]
pub(super) fn expect_code<T>(
    result: Result<T, Error>,
    code: Code,
    what: &str,
) -> Result<Error, Failure> {
    match result {
        Ok(_) => Err(Failure::new(format!("{what} succeeds instead of {code:?}"))),
        Err(error) if error.code() == code => Ok(error),
        Err(error) => Err(Failure::new(format!(
            "{what} answers {error:?} instead of {code:?}"
        ))),
    }
}

/// A server of the suite: accepts, and serves each peer in a task of its own.
pub(super) struct Server {
    bed: Bed,
    plan: Arc<Plan>,
    pub(super) url: String,
    drain: Cancel,
    peers: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

/// Counts a peer while it is served.
struct Peer(Arc<AtomicUsize>);

impl Peer {
    fn new(peers: &Arc<AtomicUsize>) -> Self {
        peers.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(peers))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Server {
    pub(super) fn start(bed: Bed, mut listener: Box<dyn Listener>, plan: Arc<Plan>) -> Self {
        let (url, drain) = (listener.url().to_owned(), Cancel::new());
        let (stop, dispatch) = (drain.clone(), Arc::clone(&plan) as Arc<dyn Dispatch>);
        let served = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&served);
        let serving = tokio::spawn(async move {
            let mut peers = JoinSet::new();
            loop {
                let incoming = tokio::select! {
                    incoming = listener.accept() => incoming,
                    () = stop.cancelled() => break,
                };
                match incoming {
                    Ok(incoming) => {
                        let peer = Peer::new(&count);
                        let serve = incoming.serve(Arc::clone(&dispatch), stop.clone());
                        peers.spawn(async move {
                            let _peer = peer;
                            serve.await;
                        });
                    }
                    Err(error) => tracing::warn!(%error, "a peer could not be accepted"),
                }
            }
            drop(listener);
            while let Some(ended) = peers.join_next().await {
                if let Err(error) = ended {
                    tracing::warn!(%error, "serving a peer failed");
                }
            }
        });
        Self {
            bed,
            plan,
            url,
            drain,
            peers: served,
            serving,
        }
    }

    /// Peers that are being served.
    pub(super) fn peers(&self) -> usize {
        self.peers.load(Ordering::Acquire)
    }

    /// Connects a client with the plan's options.
    pub(super) async fn connect(&self) -> Result<Client, Failure> {
        let connecting = self.connecting(&self.plan);
        let connection = self.bed.within("a connection", connecting).await??;
        Ok(self.client(connection))
    }

    pub(super) fn client(&self, connection: Arc<dyn Connection>) -> Client {
        Client::new(connection, self.bed.capabilities.formats.first().cloned())
    }

    /// Connects to this server with the options of a plan.
    pub(super) fn connecting(
        &self,
        plan: &Plan,
    ) -> impl Future<Output = Result<Arc<dyn Connection>, Error>> + Send + use<> {
        let (harness, options) = (Arc::clone(&self.bed.harness), plan.connect.clone());
        let url = harness.connect_url(&self.url);
        async move {
            let url = BackendUrl::parse(&url)?;
            harness.transport().connect(url, options).await
        }
    }

    /// Takes no new peers and calls.
    pub(super) fn drain(&self) {
        self.drain.cancel();
    }

    /// Waits until all peers are served to their end.
    pub(super) async fn drained(mut self) -> Result<(), Failure> {
        let ended = (&mut self.serving).await;
        ensure!(ended.is_ok(), "serving panicked: {ended:?}");
        Ok(())
    }

    /// Drops everything that is being served.
    pub(super) fn abort(&self) {
        self.serving.abort();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
