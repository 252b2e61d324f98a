//! gufo over `memory://`.

use super::GufoCaller;
use crate::Result;
use crate::peers::{Home, Peer, Serving};

/// gufo inside one process.
pub(crate) struct Memory;

impl Peer for Memory {
    const NAME: &'static str = "memory";
    const ABOUT: &'static str = "gufo over memory://, everything else as with grpc; server and client are one process and both in its server time";
    const HOME: Home = Home::SameProcess;
    type Caller = GufoCaller;

    async fn serve() -> Result<Serving> {
        // An empty name is a free one.
        super::serve("memory://").await
    }

    async fn connect(address: &str) -> Result<GufoCaller> {
        super::connect(address).await
    }
}
