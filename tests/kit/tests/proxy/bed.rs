//! A proxy, its upstream, and what stands between the test and it.

use std::{future::Future, io, time::Duration};

use gufo_testkit::{
    PATIENCE,
    proxy::{Address, Builder, Counts, Direction, Faults, Proxy, Step},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// How a proxy is wrong: what it does in place of what it was told, and what it says that it did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrong {
    pub(crate) step: fn(Step) -> Option<Step>,
    pub(crate) counts: fn(&mut Counts),
}

impl Wrong {
    pub(crate) const NOT: Self = Self {
        step: Some,
        counts: |_| {},
    };
}

/// What a check runs on.
pub(crate) struct Bed {
    pub(crate) proxy: Proxy,
    upstream: TcpListener,
    wrong: Wrong,
    patience: Duration,
}

impl Bed {
    pub(crate) fn right() -> Self {
        Self::new(Wrong::NOT, PATIENCE)
    }

    pub(crate) fn wrong(wrong: Wrong) -> Self {
        // Checks that wait for what never comes fail early.
        Self::new(wrong, Duration::from_millis(500))
    }

    fn new(wrong: Wrong, patience: Duration) -> Self {
        let upstream = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        upstream.set_nonblocking(true).expect("it is open");
        let upstream = TcpListener::from_std(upstream).expect("a runtime");
        let address = upstream.local_addr().expect("it is bound");
        Self {
            proxy: Proxy::builder(address)
                .seed(7)
                .start()
                .expect("a free port"),
            upstream,
            wrong,
            patience,
        }
    }

    /// Another one beside it, as right or wrong.
    pub(crate) fn beside(&self) -> Self {
        Self::new(self.wrong, self.patience)
    }

    /// The same with another proxy.
    pub(crate) fn with(mut self, build: impl FnOnce(Builder) -> Builder) -> Self {
        let address = self.upstream.local_addr().expect("it is bound");
        let builder = build(Proxy::builder(address).seed(7));
        self.proxy = builder.start().expect("a free port");
        self
    }

    pub(crate) fn play(&self, steps: impl IntoIterator<Item = Step>) {
        self.proxy
            .play(steps.into_iter().filter_map(self.wrong.step));
    }

    pub(crate) fn act(&self, step: Step) {
        self.play([step]);
    }

    pub(crate) fn faults(&self, direction: Direction, change: impl FnOnce(&mut Faults)) {
        let mut faults = Faults::default();
        change(&mut faults);
        self.act(Step::Faults(direction, faults));
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = self.proxy.counts();
        (self.wrong.counts)(&mut counts);
        counts
    }

    /// Waits until the counts are so.
    pub(crate) async fn counted(&self, what: &str, condition: impl Fn(&Counts) -> bool) {
        let waiting = async {
            while !condition(&self.counts()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let came = tokio::time::timeout(self.patience, waiting).await;
        assert!(came.is_ok(), "not counted: {what}: {:?}", self.counts());
    }

    pub(crate) async fn within<T>(&self, what: &str, future: impl Future<Output = T>) -> T {
        match tokio::time::timeout(self.patience, future).await {
            Ok(value) => value,
            Err(_) => panic!("did not end: {what}"),
        }
    }

    pub(crate) async fn connect(&self) -> io::Result<Peer> {
        let Address::Tcp(address) = self.proxy.address() else {
            panic!("a port");
        };
        let stream = TcpStream::connect(address).await?;
        Ok(Peer::new(stream, self.patience))
    }

    /// The next connection the proxy makes.
    pub(crate) async fn accept(&self) -> Peer {
        let accepted = self.within("an accept", self.upstream.accept()).await;
        Peer::new(accepted.expect("it listens").0, self.patience)
    }

    /// A client and the upstream's end of its connection.
    pub(crate) async fn pair(&self) -> (Peer, Peer) {
        let client = self.connect().await.expect("the proxy listens");
        (client, self.accept().await)
    }
}

/// One end of a connection.
pub(crate) struct Peer {
    stream: TcpStream,
    patience: Duration,
}

impl Peer {
    fn new(stream: TcpStream, patience: Duration) -> Self {
        stream.set_nodelay(true).expect("it is open");
        Self { stream, patience }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("it is open");
    }

    /// Sends as much as is taken.
    pub(crate) async fn flood(&mut self, bytes: &[u8]) {
        // Whoever reads it judges.
        let _ = self.stream.write_all(bytes).await;
    }

    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.expect("it is open");
    }

    pub(crate) fn abort(self) {
        self.stream.set_zero_linger().expect("it is open");
    }

    /// Exactly so many bytes.
    pub(crate) async fn receive(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let read = tokio::time::timeout(self.patience, self.stream.read_exact(&mut bytes)).await;
        read.expect("bytes in time").expect("so many bytes");
        bytes
    }

    pub(crate) async fn hears(&mut self, bytes: &[u8]) {
        assert_eq!(self.receive(bytes.len()).await, bytes);
    }

    /// What comes until the end, and whether that was in order.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(self.patience, self.stream.read_to_end(&mut bytes)).await;
        let end = read.expect("an end in time").map(|_| ());
        (bytes, end)
    }

    pub(crate) async fn hears_the_end(&mut self) {
        let (bytes, end) = self.rest().await;
        assert!(bytes.is_empty(), "{bytes:?}");
        end.expect("an orderly end");
    }

    pub(crate) async fn is_reset(&mut self) {
        let (_, end) = self.rest().await;
        let error = end.expect_err("no orderly end");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
    }

    /// Nothing has come: neither bytes nor an end.
    pub(crate) fn hears_nothing(&self) {
        let read = self.stream.try_read(&mut [0]);
        let error = read.expect_err("nothing to read");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
    }

    /// Sends, and the other end hears it.
    pub(crate) async fn reaches(&mut self, other: &mut Self, bytes: &[u8]) {
        self.send(bytes).await;
        other.hears(bytes).await;
    }
}

/// Bytes that differ from place to place.
pub(crate) fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|place| (place * 31 % 251) as u8).collect()
}
