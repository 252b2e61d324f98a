//! Addresses, and sockets that are TCP or unix ones.

use std::{
    fmt, io,
    net::{Shutdown, SocketAddr},
    path::{Path, PathBuf},
    task::{Context, Poll, ready},
};

use bytes::{BufMut, BytesMut};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

/// Where something listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The path of a unix socket.
    Unix(PathBuf),
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl From<PathBuf> for Address {
    fn from(path: PathBuf) -> Self {
        Self::Unix(path)
    }
}

impl From<&Path> for Address {
    fn from(path: &Path) -> Self {
        Self::Unix(path.to_owned())
    }
}

/// As it stands in a URL after `scheme://`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A socket that listens.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// Keeps a TCP port from others while nobody listens there.
pub(super) fn reserve(address: &Address) -> Option<TcpSocket> {
    match address {
        // Without it somebody else may take the port, which listening again then reports.
        Address::Tcp(address) => bound(*address).ok(),
        Address::Unix(_) => None,
    }
}

/// Connections the kernel keeps until they are accepted.
const BACKLOG: u32 = 1024;

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Listener {
    /// Listens; the address comes back with its real port.
    pub(super) fn bind(address: &Address) -> io::Result<(Self, Address)> {
        match address {
            Address::Tcp(address) => {
                let listener = bound(*address)?.listen(BACKLOG)?;
                let address = listener.local_addr()?;
                Ok((Self::Tcp(listener), address.into()))
            }
            Address::Unix(path) => {
                let listener = UnixListener::bind(path)?;
                Ok((Self::Unix(listener), address.clone()))
            }
        }
    }

    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        Poll::Ready(match self {
            Self::Tcp(listener) => {
                ready!(listener.poll_accept(cx)).map(|(stream, _)| Stream::tcp(stream))
            }
            Self::Unix(listener) => {
                ready!(listener.poll_accept(cx)).map(|(stream, _)| Stream::Unix(stream))
            }
        })
    }
}

/// A connection; all of it works through a shared reference.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn tcp(stream: TcpStream) -> Self {
        // Pieces are to go out as they are; without it they are only later.
        let _ = stream.set_nodelay(true);
        Self::Tcp(stream)
    }

    pub(super) async fn connect(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => TcpStream::connect(address).await.map(Self::tcp),
            Address::Unix(path) => UnixStream::connect(path).await.map(Self::Unix),
        }
    }

    /// Reads at most `most` bytes; 0 are the end.
    pub(super) async fn read(&self, buffer: &mut BytesMut, most: usize) -> io::Result<usize> {
        loop {
            let read = match self {
                Self::Tcp(stream) => {
                    stream.readable().await?;
                    stream.try_read_buf(&mut buffer.limit(most))
                }
                Self::Unix(stream) => {
                    stream.readable().await?;
                    stream.try_read_buf(&mut buffer.limit(most))
                }
            };
            if !would_block(&read) {
                return read;
            }
        }
    }

    /// Writes some of the bytes. A write that is dropped has written nothing.
    pub(super) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let written = match self {
                Self::Tcp(stream) => {
                    stream.writable().await?;
                    stream.try_write(bytes)
                }
                Self::Unix(stream) => {
                    stream.writable().await?;
                    stream.try_write(bytes)
                }
            };
            if !would_block(&written) {
                return written;
            }
        }
    }

    pub(super) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.write(bytes).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Tells the peer that nothing more comes.
    pub(super) fn finish(&self) {
        // A peer that is gone needs no end.
        let _ = match self {
            Self::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Self::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
        };
    }

    /// Makes the drop a reset, where there is such a thing.
    pub(super) fn reset_on_drop(&self) {
        if let Self::Tcp(stream) = self {
            // It fails only for a socket that is closed already.
            let _ = stream.set_zero_linger();
        }
    }
}

fn would_block(result: &io::Result<usize>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
