//! A server, a proxy before it, and a probe that goes around the proxy.

use std::{
    cell::Cell,
    path::PathBuf,
    sync::{
        Arc, Once,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use gufo_core::{
    BackendUrl, Call, ConnectOptions, Connection, Deadline, ListenOptions, Many, Method, One,
    Result, codec::Raw,
};
use gufo_server::{RunningServer, ServerOptions};
use gufo_testkit::{
    PATIENCE, Probe, Seen, caller, connect, eventually, methods,
    proxy::{Address, Builder, Proxy},
    serve_at, within,
};

use crate::ledger::Ledger;

/// A transport, by the scheme of its URLs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    scheme: &'static str,
    sockets: Sockets,
}

#[derive(Clone, Copy, Debug)]
enum Sockets {
    Tcp,
    Unix,
}

impl Wire {
    /// One whose URLs are `scheme://host:port`.
    pub(crate) const fn tcp(scheme: &'static str) -> Self {
        Self {
            scheme,
            sockets: Sockets::Tcp,
        }
    }

    /// One whose URLs are `scheme:///path`.
    pub(crate) const fn unix(scheme: &'static str) -> Self {
        Self {
            scheme,
            sockets: Sockets::Unix,
        }
    }

    /// Somewhere free to listen.
    fn somewhere(self) -> Address {
        match self.sockets {
            Sockets::Tcp => Address::Tcp(([127, 0, 0, 1], 0).into()),
            Sockets::Unix => {
                static NEXT: AtomicUsize = AtomicUsize::new(0);
                let next = NEXT.fetch_add(1, SeqCst);
                let name = format!("gufo-faults-{}-{next}.sock", std::process::id());
                Address::Unix(std::env::temp_dir().join(name))
            }
        }
    }

    pub(crate) fn url(self, address: &Address) -> String {
        format!("{}://{address}", self.scheme)
    }

    fn address(self, url: &str) -> Address {
        let parsed = BackendUrl::parse(url).expect("a url of the server");
        match self.sockets {
            Sockets::Tcp => {
                let host = parsed.hosts()[0].to_string();
                Address::Tcp(host.parse().expect("an address in the url"))
            }
            Sockets::Unix => {
                let (_, path) = url.split_once("://").expect("a url of the server");
                Address::Unix(PathBuf::from(path))
            }
        }
    }
}

thread_local! {
    /// Panics on this thread: those of this test and of all its tasks, where else nobody would hear
    /// of them.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            others(info);
        }));
    });
}

/// What a test runs on.
pub(crate) struct Bed {
    pub(crate) wire: Wire,
    pub(crate) server: RunningServer,
    pub(crate) seen: Arc<Seen>,
    pub(crate) ledger: Ledger,
    pub(crate) proxy: Proxy,
    upstream: Address,
    probe: Probe,
}

impl Bed {
    pub(crate) async fn new(wire: Wire) -> Self {
        Self::with(wire, ListenOptions::default()).await
    }

    pub(crate) async fn with(wire: Wire, listen: ListenOptions) -> Self {
        count_panics();
        let ledger = Ledger::default();
        let url = wire.url(&wire.somewhere());
        let options = ServerOptions::default();
        let (server, seen) = serve_at(&url, [ledger.service()], listen, options).await;
        let url = server.urls()[0].clone();
        let upstream = wire.address(&url);
        let proxy = proxy(wire, &upstream, |builder| builder);
        let probe = Probe::start(&url).await;
        Self {
            wire,
            server,
            seen,
            ledger,
            proxy,
            upstream,
            probe,
        }
    }

    /// Where clients connect to the proxy.
    pub(crate) fn url(&self) -> String {
        self.wire.url(self.proxy.address())
    }

    /// Another proxy before the same server.
    pub(crate) fn proxy(&self, build: impl FnOnce(Builder) -> Builder) -> Proxy {
        proxy(self.wire, &self.upstream, build)
    }

    pub(crate) async fn connect(&self) -> Arc<dyn Connection> {
        self.connect_with(patient()).await.expect("it is there")
    }

    pub(crate) async fn connect_with(
        &self,
        options: ConnectOptions,
    ) -> Result<Arc<dyn Connection>> {
        within("connecting", connect(&self.url(), options)).await
    }

    /// Waits until the probe was answered some more times.
    pub(crate) async fn answers(&self, times: usize) {
        let before = self.probe.calls();
        eventually("the probe is answered", async || {
            self.probe.calls() >= before + times
        })
        .await;
    }

    /// Nothing of what was done to one connection has harmed another, or the process.
    pub(crate) async fn survived(self) {
        let url = self.wire.url(&self.upstream);
        Probe::start(&url).await.finish().await;
        self.probe.finish().await;
        assert_eq!(PANICS.get(), 0, "a task panicked");
        drop(self.server);
    }
}

fn proxy(wire: Wire, upstream: &Address, build: impl FnOnce(Builder) -> Builder) -> Proxy {
    let builder = Proxy::builder(upstream.clone()).listen(wire.somewhere());
    build(builder).start().expect("a free address")
}

/// Options of a client that waits, but not for ever.
pub(crate) fn patient() -> ConnectOptions {
    let mut options = ConnectOptions::default();
    options.deadline = Deadline::after(PATIENCE);
    options
}

/// A unary call of bytes.
pub(crate) fn unary(
    connection: &Arc<dyn Connection>,
    method: &'static Method,
    message: impl Into<Bytes>,
) -> Call<Raw, One<Bytes>, One<Bytes>> {
    let caller = caller(connection);
    Call::new(&caller, method, One(message.into())).timeout(PATIENCE)
}

/// An echo.
pub(crate) fn echo(
    connection: &Arc<dyn Connection>,
    message: impl Into<Bytes>,
) -> Call<Raw, One<Bytes>, One<Bytes>> {
    unary(connection, &methods::ECHO, message)
}

/// A stream of replies without end.
pub(crate) fn endless(connection: &Arc<dyn Connection>) -> Call<Raw, One<Bytes>, Many<Bytes>> {
    let caller = caller(connection);
    Call::new(&caller, &methods::ENDLESS, One(Bytes::new())).timeout(PATIENCE)
}

/// A timeout that a fault is to run into: short, but long enough for the probe.
pub(crate) const SOON: Duration = Duration::from_millis(300);
