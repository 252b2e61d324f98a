//! Who is measured. A peer is one value: how it serves, how it is called.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpSocket};

use crate::load::{DriveJob, HoldJob, Holding, Measurement, ServeJob};
use crate::{Result, driver, hold, worker};

/// Where a peer's server lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Home {
    /// In a process of its own, reached over loopback or a socket file.
    #[default]
    OwnProcess,
    /// In the process of its caller.
    SameProcess,
}

/// Which bidirectional streams a peer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Streams {
    /// None: only unary calls are measured.
    #[default]
    None,
    /// One at a time on a connection, which nothing else uses.
    One,
    /// Any number beside other calls.
    Many,
}

/// A peer in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// As on the command line and in the report.
    pub name: String,
    /// One line for the report: what runs and with which settings.
    pub about: String,
    /// Where its server lives.
    pub home: Home,
    /// Which streams it has.
    pub streams: Streams,
    /// Why it cannot be measured here, if so.
    pub absent: Option<String>,
    /// Versions that no lock file tells, as `nats-server 2.9.10`.
    pub versions: Vec<String>,
}

/// Where a server is to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// On any free port.
    Free,
    /// On this port together with other listeners of the same process (`SO_REUSEPORT`); zero is a free one.
    Shared(u16),
}

/// A listener on loopback for peers that take one.
///
/// # Errors
/// When the port is taken.
pub fn listen(at: At) -> Result<TcpListener> {
    const BACKLOG: u32 = 4096;
    let socket = TcpSocket::new_v4()?;
    let port = match at {
        At::Free => 0,
        At::Shared(port) => {
            socket.set_reuseport(true)?;
            port
        }
    };
    socket.bind(([127, 0, 0, 1], port).into())?;
    Ok(socket.listen(BACKLOG)?)
}

/// One way of answering and making calls.
pub trait Peer: Sync + 'static {
    /// One connection, or a cheap handle to it.
    type Caller: Caller;

    /// What the report says of it.
    fn about(&self) -> About;

    /// Starts to listen.
    fn serve(&self, at: At) -> impl Future<Output = Result<Serving>> + Send;

    /// Opens one connection.
    fn connect(&self, address: &str) -> impl Future<Output = Result<Self::Caller>> + Send;
}

/// A server that listens.
pub struct Serving {
    /// What [`Peer::connect`] takes.
    pub address: String,
    /// Other processes whose processor time and memory count as the server's.
    pub helpers: Vec<u32>,
    /// Resolves when the server ends, which it does not do by itself.
    pub ended: Pin<Box<dyn Future<Output = Result<()>> + Send>>,
}

impl Serving {
    /// A server that is all in this process.
    pub fn new(
        address: impl Into<String>,
        ended: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Self {
        Self {
            address: address.into(),
            helpers: Vec::new(),
            ended: Box::pin(ended),
        }
    }
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// One connection to a peer, or a cheap handle to it: every caller in flight has its own clone.
pub trait Caller: Clone + Send + Sync + 'static {
    /// Sends the body and returns the body that comes back.
    fn unary(&mut self, body: Bytes) -> impl Future<Output = Result<Bytes>> + Send;

    /// Sends the body `count` times on one stream as fast as flow control allows, and counts what comes back.
    fn stream(&mut self, body: Bytes, count: u64) -> impl Future<Output = Result<u64>> + Send {
        let _ = (body, count);
        async { Err("this peer has no streams".into()) }
    }

    /// Opens a bidirectional stream, sends one message, awaits its echo, and returns what keeps the stream open.
    fn hold_stream(&mut self, body: Bytes) -> impl Future<Output = Result<Box<dyn Send>>> + Send {
        let _ = body;
        async { Err("this peer does not keep streams open".into()) }
    }
}

/// A [`Peer`] whose type is forgotten, so that a table can hold all of them.
pub trait Measured: Sync {
    /// What the report says of it.
    fn about(&self) -> About;
    /// Serves until this process is ended; prints where.
    ///
    /// # Errors
    /// When it cannot listen.
    fn serve(&'static self, job: &ServeJob) -> Result<()>;
    /// Measures one scenario.
    ///
    /// # Errors
    /// When it cannot connect, or the measurement does not come to an end.
    fn drive(&'static self, job: &DriveJob) -> Result<Measurement>;
    /// Holds connections or streams open and says what they cost.
    ///
    /// # Errors
    /// When one of them cannot be opened.
    fn hold(&'static self, job: &HoldJob) -> Result<Holding>;
    /// Serves, and echoes a few messages of every kind it has.
    ///
    /// # Errors
    /// When anything but what was sent comes back.
    fn check(&'static self) -> Result<()>;
}

impl<P: Peer> Measured for P {
    fn about(&self) -> About {
        Peer::about(self)
    }

    fn serve(&'static self, job: &ServeJob) -> Result<()> {
        worker::serve(self, job)
    }

    fn drive(&'static self, job: &DriveJob) -> Result<Measurement> {
        let runtime = worker::client_runtime(job.runtime)?;
        let measurement = runtime.block_on(async {
            match &job.server {
                Some(server) => driver::drive(self, job, server).await,
                None => {
                    let serving = Peer::serve(self, At::Free).await?;
                    let server = worker::here(&serving);
                    tokio::spawn(serving.ended);
                    driver::drive(self, job, &server).await
                }
            }
        });
        // What still hangs on a connection must not keep the process.
        runtime.shutdown_background();
        measurement
    }

    fn hold(&'static self, job: &HoldJob) -> Result<Holding> {
        let runtime = worker::client_runtime(job.runtime)?;
        let holding = runtime.block_on(hold::hold(self, job));
        runtime.shutdown_background();
        holding
    }

    fn check(&'static self) -> Result<()> {
        let runtime = worker::client_runtime(crate::load::Runtime::CurrentThread)?;
        let outcome = runtime.block_on(echoes(self));
        runtime.shutdown_background();
        outcome
    }
}

async fn echoes<P: Peer>(peer: &P) -> Result<()> {
    const MESSAGES: u64 = 10_000;
    let name = Peer::about(peer).name;
    let serving = peer.serve(At::Free).await?;
    let server = tokio::spawn(serving.ended);
    let mut caller = peer.connect(&serving.address).await?;
    for size in [0, 64, 1024, 64 * 1024, 1 << 20] {
        let body = Bytes::from(vec![7; size]);
        if caller.unary(body.clone()).await? != body {
            return Err(format!("{name}: {size} bytes came back as something else").into());
        }
    }
    if Peer::about(peer).streams != Streams::None {
        let echoed = caller
            .stream(Bytes::from_static(&[1; 16]), MESSAGES)
            .await?;
        if echoed != MESSAGES {
            return Err(format!("{name}: {echoed} of {MESSAGES} messages came back").into());
        }
    }
    server.abort();
    Ok(())
}
