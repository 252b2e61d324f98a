//! Peers that connect by hand and do not speak the protocol.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use gufo_core::BackendUrl;

use super::{Address, Failure, ensure};

/// A socket that was connected by hand.
pub(super) enum Stranger {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
}

impl Stranger {
    /// Connects to a listener; `None` where there are no sockets.
    pub(super) fn connect(address: Address, listening: &str) -> Result<Option<Self>, Failure> {
        let url = BackendUrl::parse(listening)?;
        let mut reader = url.reader();
        match address {
            Address::Name => Ok(None),
            Address::Port => {
                let host = reader.take_host()?;
                let host = host.ok_or_else(|| Failure::new(format!("{listening} has no host")))?;
                let socket = TcpStream::connect(host.with_port(0))?;
                Ok(Some(Self::Tcp(socket)))
            }
            #[cfg(unix)]
            Address::Path => {
                let path = reader.take_socket().map(str::to_owned);
                // A scheme of its own has the path without its first slash.
                let path = path.or_else(|| reader.take_path().map(|path| format!("/{path}")));
                let path = path.ok_or_else(|| Failure::new(format!("{listening} has no path")))?;
                let socket = std::os::unix::net::UnixStream::connect(path)?;
                Ok(Some(Self::Unix(socket)))
            }
            #[cfg(not(unix))]
            Address::Path => Err(Failure::new("there are no Unix sockets here")),
        }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Tcp(socket) => socket.write_all(bytes)?,
            #[cfg(unix)]
            Self::Unix(socket) => socket.write_all(bytes)?,
        }
        Ok(())
    }

    /// Waits until the server closes the socket.
    pub(super) async fn until_cut(self, limit: Duration) -> Result<(), Failure> {
        let read = move || {
            let mut rest = Vec::new();
            match self {
                Self::Tcp(mut socket) => {
                    socket.set_read_timeout(Some(limit))?;
                    socket.read_to_end(&mut rest)
                }
                #[cfg(unix)]
                Self::Unix(mut socket) => {
                    socket.set_read_timeout(Some(limit))?;
                    socket.read_to_end(&mut rest)
                }
            }
        };
        let read = tokio::task::spawn_blocking(read).await?;
        let timed_out = read.as_ref().is_err_and(|error| {
            use std::io::ErrorKind::{TimedOut, WouldBlock};
            matches!(error.kind(), TimedOut | WouldBlock)
        });
        ensure!(!timed_out, "a stranger is still connected after {limit:?}");
        Ok(())
    }
}
