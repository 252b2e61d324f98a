//! Multiplexed frames on plain TCP: what the same work costs with next to no protocol.
//!
//! [`Raw`] is the floor: its server answers inline and writes the answers to one read at once. [`RawSpawn`] has a task
//! for each request and one that writes, as a server has whose handlers may wait. Both have the same client.

mod client;
mod frame;
mod inline;
mod input;
mod spawning;

use std::future::Future;

use gufo_benches::{About, At, Peer, Serving, Streams, listen};
use tokio::net::{TcpListener, TcpStream};

use self::client::RawCaller;
use crate::Result;

/// The floor.
pub(crate) struct Raw;

/// A task per request and a task that writes.
pub(crate) struct RawSpawn;

impl Peer for Raw {
    type Caller = RawCaller;

    fn about(&self) -> About {
        about(
            Streams::One,
            super::FLOOR,
            "the floor: frames (u32 length, u64 id) multiplexed on TCP, TCP_NODELAY, answered inline, reads of up to \
             256 KiB, one write for the answers to one read",
        )
    }

    async fn serve(&self, at: At) -> Result<Serving> {
        serve(at, inline::echo)
    }

    async fn connect(&self, address: &str) -> Result<RawCaller> {
        connect(address).await
    }
}

impl Peer for RawSpawn {
    type Caller = RawCaller;

    fn about(&self) -> About {
        about(
            // A task for each message of a stream would measure tasks.
            Streams::None,
            "raw-spawn",
            "frames and client as with raw, but a task per request, and one that writes: it yields once, then writes \
             all answers that are ready at once",
        )
    }

    async fn serve(&self, at: At) -> Result<Serving> {
        serve(at, spawning::echo)
    }

    async fn connect(&self, address: &str) -> Result<RawCaller> {
        connect(address).await
    }
}

fn about(streams: Streams, name: &str, about: &str) -> About {
    About {
        name: name.to_owned(),
        about: about.to_owned(),
        streams,
        ..About::default()
    }
}

fn serve<F, O>(at: At, echo: F) -> Result<Serving>
where
    F: Fn(TcpStream) -> O + Send + 'static,
    O: Future<Output = Result<()>> + Send + 'static,
{
    let listener = listen(at)?;
    let address = listener.local_addr()?.to_string();
    Ok(Serving::new(address, accept(listener, echo)))
}

/// Serves every connection until the listener fails.
async fn accept<F, O>(listener: TcpListener, echo: F) -> Result<()>
where
    F: Fn(TcpStream) -> O,
    O: Future<Output = Result<()>> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let served = echo(stream);
        tokio::spawn(async move {
            if let Err(error) = served.await {
                eprintln!("raw server: {error}");
            }
        });
    }
}

async fn connect(address: &str) -> Result<RawCaller> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(RawCaller::start(stream))
}
