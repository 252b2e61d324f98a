//! A fault proxy: between a client and its upstream, on loopback, and at fault on purpose.
//!
//! [`Proxy::start`] listens at a free port of `127.0.0.1` and carries each connection to the
//! upstream. Faults are set per [`Direction`] while it runs, or by a script of [`Step`]s that waits
//! for connections and bytes; [`Proxy::counts`] says what it did, so that a test can tell that its
//! fault happened at all. It speaks TCP and unix sockets on either side
//! ([`Proxy::builder`]), knows no protocol, and ends when it is dropped.
//!
//! ```
//! # use gufo_testkit::proxy::{Direction, Proxy, Slices, Step};
//! # use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! # let server = TcpListener::bind("127.0.0.1:0").await?;
//! # let upstream = server.local_addr()?;
//! let proxy = Proxy::start(upstream);
//! proxy.down(|faults| faults.slices = Some(Slices::of(1)));
//! proxy.play([Step::Bytes(Direction::Up, 3), Step::Reset]);
//!
//! let mut client = TcpStream::connect(proxy.address().to_string()).await?;
//! # let (mut peer, _) = server.accept().await?;
//! # peer.write_all(b"hoot").await?;
//! let mut greeting = [0; 4];
//! client.read_exact(&mut greeting).await?;
//! client.write_all(b"owls").await?;
//! assert!(client.read(&mut greeting).await.is_err());
//!
//! let counts = proxy.stop().await;
//! assert_eq!((counts.down.slices, counts.up.delivered, counts.resets), (4, 3, 1));
//! # Ok(())
//! # }
//! ```
//!
//! # Repeating a run
//! What is left to chance depends on the seed, the number of the connection, the direction and the
//! place in the stream, and not on time: the same bytes meet the same faults. Only jitter follows
//! how bytes come in, since it is drawn for each read. The seed is printed at the start, which a
//! test harness shows for tests that failed, and [`Builder::seed`] sets it.
//!
//! # Bounds
//! Each open connection keeps at most [`Builder::buffer`] bytes in each direction; then its sender
//! is not read any more, as with any slow receiver. With a latency of `l` seconds a connection
//! therefore carries `buffer / l` bytes per second at most.
//!
//! # Coming from Toxiproxy
//!
//! | there | here |
//! |---|---|
//! | `upstream`, `downstream` | [`Direction::Up`], [`Direction::Down`] |
//! | `latency` with `jitter` | [`Faults::latency`], [`Faults::jitter`] |
//! | `bandwidth`, in KB/s | [`Faults::bandwidth`], in bytes per second |
//! | `slow_close` | [`Faults::close_delay`] |
//! | `timeout` | [`Flow::Swallow`], with a [`Cut`] after [`After::Time`] unless it is 0 |
//! | `reset_peer` | [`End::Reset`] after [`After::Time`], or [`Proxy::reset`] |
//! | `slicer` | [`Faults::slices`] |
//! | `limit_data` | [`End::Close`] after [`After::Bytes`] |
//! | `toxicity` | [`Faults::share`], for all faults of a direction together |
//! | `enabled: false` | [`Proxy::refuse`] and [`Proxy::reset`] |
//! | a changed `upstream` | [`Connecting::upstream`], for new connections |
//! | `/reset` | [`Proxy::heal`] |

mod address;
mod chance;
mod counts;
mod faults;
mod lane;
mod link;
mod piece;
mod pipe;
mod script;
mod shared;
mod writer;

use std::{io, net::Ipv4Addr, sync::Arc, time::Duration};

use gufo_core::random::{Random, SplitMix};
use tokio::{
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

pub use address::Address;
pub use counts::{Counts, LaneCounts};
pub use faults::{After, Connecting, Cut, Direction, End, Faults, Flip, Flow, Slices};
pub use script::Step;

use shared::Shared;

/// How long to wait when no connection can be accepted, for want of descriptors.
const RETRY: Duration = Duration::from_millis(10);

/// A proxy that runs. Its methods take effect at once on what it has not delivered yet, from any
/// task; share it in an [`Arc`].
///
/// When it is dropped, its address is closed at once, and every connection is the next time the
/// runtime turns; [`stop`](Self::stop) waits for that.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    // The accept loop ends when it is gone.
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// A proxy that does not run yet.
#[derive(Clone, Debug)]
pub struct Builder {
    upstream: Address,
    listen: Address,
    seed: Option<u64>,
    buffer: usize,
}

impl Builder {
    /// Where to listen. Default: a free port of `127.0.0.1`. A unix socket is removed at the end.
    #[must_use]
    pub fn listen(mut self, address: impl Into<Address>) -> Self {
        self.listen = address.into();
        self
    }

    /// The seed of what is left to chance. Default: another one each time.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Bytes that each connection may have on their way in each direction. Default 256 KiB; 0
    /// counts as 1.
    #[must_use]
    pub const fn buffer(mut self, bytes: usize) -> Self {
        self.buffer = bytes;
        self
    }

    /// Listens and carries connections.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(self) -> io::Result<Proxy> {
        let (listener, address) = address::Listener::bind(&self.listen)?;
        let seed = self
            .seed
            .unwrap_or_else(|| SplitMix::from_entropy().next_u64());
        announce(&format!(
            "fault proxy at {address}, to {}: seed {seed:#018x}",
            self.upstream
        ));
        let buffer = self.buffer.max(1);
        let shared = Shared::new(listener, address, seed, buffer, self.upstream);
        let shared = Arc::new(shared);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(Arc::clone(&shared), stopped));
        Ok(Proxy {
            shared,
            stop: Some(stop),
            task,
        })
    }
}

impl Proxy {
    /// Listens at a free port of `127.0.0.1` and carries each connection to `upstream`, faultless
    /// so far.
    ///
    /// # Panics
    /// When no port can be had, and outside a tokio runtime.
    #[must_use]
    pub fn start(upstream: impl Into<Address>) -> Self {
        Self::builder(upstream).start().expect("a free port")
    }

    /// As [`start`](Self::start), with choices.
    #[must_use]
    pub fn builder(upstream: impl Into<Address>) -> Builder {
        Builder {
            upstream: upstream.into(),
            listen: Address::Tcp((Ipv4Addr::LOCALHOST, 0).into()),
            seed: None,
            buffer: 256 << 10,
        }
    }

    /// Where it listens, with the real port.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.shared.address
    }

    /// `scheme://` and its address.
    #[must_use]
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.shared.address)
    }

    /// The seed of what is left to chance.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }

    /// The faults of a direction as they are now.
    #[must_use]
    pub fn faults(&self, direction: Direction) -> Faults {
        self.shared.settings.borrow().faults[direction.index()].clone()
    }

    /// Changes the faults of what the client sends.
    pub fn up(&self, change: impl FnOnce(&mut Faults)) {
        self.change(Direction::Up, change);
    }

    /// Changes the faults of what the upstream sends.
    pub fn down(&self, change: impl FnOnce(&mut Faults)) {
        self.change(Direction::Down, change);
    }

    /// Changes the faults of both directions.
    pub fn both(&self, change: impl Fn(&mut Faults)) {
        self.up(&change);
        self.down(&change);
    }

    fn change(&self, direction: Direction, change: impl FnOnce(&mut Faults)) {
        let mut faults = self.faults(direction);
        change(&mut faults);
        self.shared.act(&Step::Faults(direction, faults));
    }

    /// Changes how new connections are made.
    pub fn connecting(&self, change: impl FnOnce(&mut Connecting)) {
        let mut connecting = self.shared.settings.borrow().connecting.clone();
        change(&mut connecting);
        self.shared.act(&Step::Connecting(connecting));
    }

    /// Holds the bytes of both directions; [`resume`](Self::resume) lets them go.
    pub fn pause(&self) {
        self.both(|faults| faults.flow = Flow::Hold);
    }

    /// Lets the bytes of both directions pass, after a [`pause`](Self::pause) or a black hole.
    pub fn resume(&self) {
        self.both(|faults| faults.flow = Flow::Pass);
    }

    /// Resets every open connection.
    pub fn reset(&self) {
        self.shared.act(&Step::Reset);
    }

    /// Ends every open connection in order, at both ends.
    pub fn close(&self) {
        self.shared.act(&Step::Close);
    }

    /// Ends every open connection in one direction; the other goes on.
    pub fn half_close(&self, direction: Direction) {
        self.shared.act(&Step::HalfClose(direction));
    }

    /// Closes the address, until [`listen`](Self::listen): newcomers are refused by the kernel.
    /// Open connections stay.
    pub fn refuse(&self) {
        self.shared.act(&Step::Refuse);
    }

    /// Listens again, at the same address.
    ///
    /// # Panics
    /// When somebody else took the address meanwhile, and outside a tokio runtime.
    pub fn listen(&self) {
        self.shared.act(&Step::Listen);
    }

    /// Takes back all faults and listens again; see [`Step::Heal`].
    ///
    /// # Panics
    /// As [`listen`](Self::listen), if the address was closed.
    pub fn heal(&self) {
        self.shared.act(&Step::Heal);
    }

    /// Plays a script, in place of one that is being played. What it does before it first waits is
    /// done when this returns.
    pub fn play(&self, steps: impl IntoIterator<Item = Step>) {
        self.shared.play(steps.into_iter().collect());
    }

    /// Whether there is no script, or it has come to its end.
    #[must_use]
    pub fn played(&self) -> bool {
        self.shared.script_is_done()
    }

    /// Ends everything, waits for that, and says what was done.
    ///
    /// # Panics
    /// When the proxy itself has panicked.
    ///
    /// # Cancel safety
    /// It ends all the same, later.
    pub async fn stop(mut self) -> Counts {
        self.stop = None;
        let ended = (&mut self.task).await;
        if let Err(error) = ended {
            panic!("the fault proxy failed: {error}");
        }
        self.shared.counts()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.end();
        self.task.abort();
        if std::thread::panicking() {
            announce(&format!(
                "fault proxy at {}: seed {:#018x}, {:?}",
                self.shared.address,
                self.shared.seed,
                self.shared.counts()
            ));
        }
    }
}

#[expect(clippy::print_stderr, reason = "shown with the test that failed")]
fn announce(line: &str) {
    eprintln!("{line}");
}

async fn accept(shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let mut links = JoinSet::new();
    loop {
        let alarm = shared.alarm();
        tokio::select! {
            // It ends with the proxy.
            _ = &mut stopped => break,
            accepted = shared.accept() => match accepted {
                Ok(client) => {
                    let (number, orders) = shared.enter();
                    links.spawn(link::serve(Arc::clone(&shared), number, orders, client));
                }
                Err(_) => tokio::time::sleep(RETRY).await,
            },
            () = sleep_until(alarm) => shared.tick(),
            () = shared.moved() => {}
            Some(ended) = links.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    std::panic::resume_unwind(error.into_panic());
                }
            }
        }
    }
    shared.end();
    links.shutdown().await;
}

async fn sleep_until(alarm: Option<tokio::time::Instant>) {
    match alarm {
        Some(alarm) => tokio::time::sleep_until(alarm).await,
        None => std::future::pending().await,
    }
}
