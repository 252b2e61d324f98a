//! gufo over `grpc://`.

use super::GufoCaller;
use crate::Result;
use crate::peers::{Home, Peer, Serving};

/// gufo over HTTP/2.
pub(crate) struct Grpc;

impl Peer for Grpc {
    const NAME: &'static str = "grpc";
    const ABOUT: &'static str = "gufo over grpc:// with router, panic guard, a deadline and a metadata entry on every \
                                 call, and three no-op interceptors on each side; the message is tonic's";
    const HOME: Home = Home::OwnProcess;
    type Caller = GufoCaller;

    async fn serve() -> Result<Serving> {
        super::serve("grpc://127.0.0.1:0").await
    }

    async fn connect(address: &str) -> Result<GufoCaller> {
        super::connect(address).await
    }
}
