//! Multiplexed frames on plain TCP: the floor, what the same work costs with next to no protocol.
//!
//! The server parses every frame, answers inline and writes the answers of one read at once.

mod client;
mod frame;
mod server;

use tokio::net::{TcpListener, TcpStream};

use self::client::TcpCaller;
use super::{Home, Peer, Serving};
use crate::Result;

/// The raw echo.
pub(crate) struct Tcp;

impl Peer for Tcp {
    const NAME: &'static str = "tcp";
    const ABOUT: &'static str = "raw frames (u32 length, u64 id) multiplexed on TCP, answered inline, one write for the answers to one read";
    const HOME: Home = Home::OwnProcess;
    type Caller = TcpCaller;

    async fn serve() -> Result<Serving> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        Ok(Serving {
            address,
            ended: Box::pin(server::accept(listener)),
        })
    }

    async fn connect(address: &str) -> Result<TcpCaller> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(TcpCaller::start(stream))
    }
}
