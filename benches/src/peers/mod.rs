//! Who is measured. A peer is one file: how it serves, how it is called.

mod gufo;
mod tcp;
mod tonic;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

pub(crate) use self::gufo::{Grpc, Memory};
pub(crate) use self::tcp::Tcp;
pub(crate) use self::tonic::Tonic;
use crate::Result;

/// All peers, in the order of the report.
pub(crate) const NAMES: [&str; 4] = [Tonic::NAME, Grpc::NAME, Memory::NAME, Tcp::NAME];

/// The peer that ratios are taken to.
pub(crate) const BASELINE: &str = Tonic::NAME;

/// What the same work costs with next to no protocol.
pub(crate) const FLOOR: &str = Tcp::NAME;

/// Runs `$body` with `$peer` standing for the type of the peer called `$name`.
macro_rules! with_peer {
    ($name:expr, $peer:ident => $body:expr) => {{
        match $name {
            $crate::peers::Tonic::NAME => {
                type $peer = $crate::peers::Tonic;
                $body
            }
            $crate::peers::Grpc::NAME => {
                type $peer = $crate::peers::Grpc;
                $body
            }
            $crate::peers::Memory::NAME => {
                type $peer = $crate::peers::Memory;
                $body
            }
            $crate::peers::Tcp::NAME => {
                type $peer = $crate::peers::Tcp;
                $body
            }
            other => Err(format!("there is no peer '{other}'").into()),
        }
    }};
}
pub(crate) use with_peer;

/// Where a peer's server lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// In a process of its own, reached over loopback.
    OwnProcess,
    /// In the process of its caller.
    SameProcess,
}

/// One way of answering and making calls.
pub(crate) trait Peer {
    /// As on the command line and in the report.
    const NAME: &'static str;
    /// One line for the report: what runs and with which settings.
    const ABOUT: &'static str;
    const HOME: Home;
    type Caller: Caller;

    /// Starts to listen on a free port.
    fn serve() -> impl Future<Output = Result<Serving>> + Send;

    /// Opens one connection.
    fn connect(address: &str) -> impl Future<Output = Result<Self::Caller>> + Send;
}

/// A server that listens.
pub(crate) struct Serving {
    /// What [`Peer::connect`] takes.
    pub(crate) address: String,
    /// Resolves when the server ends, which it does not do by itself.
    pub(crate) ended: Pin<Box<dyn Future<Output = Result<()>> + Send>>,
}

/// One connection to a peer, or a cheap handle to it: every caller in flight has its own clone.
pub(crate) trait Caller: Clone + Send + Sync + 'static {
    /// Sends the body and returns the body that comes back.
    fn unary(&mut self, body: Bytes) -> impl Future<Output = Result<Bytes>> + Send;

    /// Sends the body `count` times on one stream as fast as flow control allows, and counts what comes back.
    fn stream(&mut self, body: Bytes, count: u64) -> impl Future<Output = Result<u64>> + Send;
}

/// A caller whose streams can be left open.
pub(crate) trait HoldStream: Caller {
    /// Opens a bidirectional stream, sends one message, awaits its echo, and returns what keeps the stream open.
    fn hold_stream(&mut self, body: Bytes) -> impl Future<Output = Result<Box<dyn Send>>> + Send;
}

/// The listing of the report: name and description.
pub(crate) fn about(name: &str) -> Result<&'static str> {
    with_peer!(name, P => Ok(P::ABOUT))
}

/// Where the server of the named peer lives.
pub(crate) fn home(name: &str) -> Result<Home> {
    with_peer!(name, P => Ok(P::HOME))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echoes<P: Peer>() -> Result<()> {
        let serving = P::serve().await?;
        let server = tokio::spawn(serving.ended);
        let mut caller = P::connect(&serving.address).await?;

        for size in [0, 64, 1024, 64 * 1024] {
            let body = Bytes::from(vec![7; size]);
            assert_eq!(
                caller.unary(body.clone()).await?,
                body,
                "{} bytes over {}",
                size,
                P::NAME
            );
        }
        assert_eq!(
            caller.stream(Bytes::from_static(&[1; 16]), 10_000).await?,
            10_000
        );

        server.abort();
        Ok(())
    }

    #[tokio::test]
    async fn every_peer_returns_what_it_was_sent() {
        for name in NAMES {
            let outcome: Result<()> = with_peer!(name, P => echoes::<P>().await);
            outcome.unwrap();
        }
    }

    #[test]
    fn every_name_leads_to_a_peer_that_says_what_it_is() {
        for name in NAMES {
            assert!(!about(name).unwrap().is_empty());
        }
        assert!(about("telepathy").is_err());
    }
}
