//! A client that writes any bytes and reads with an end.

use std::{fmt, io, net::SocketAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream, UnixStream},
};

use crate::within;

/// A peer that takes nothing for so long has stopped reading.
const FULL: Duration = Duration::from_millis(300);

/// A client that writes any bytes, over TCP or a Unix socket.
pub struct Socket {
    stream: Stream,
    buffer: BytesMut,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What both kinds of sockets are.
trait Bytewise: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytewise for T {}

impl Stream {
    fn bytewise(&mut self) -> &mut dyn Bytewise {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }
}

impl Socket {
    /// Connects.
    ///
    /// # Panics
    /// When nobody listens there.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::from(TcpStream::connect(address).await.expect("somebody listens"))
    }

    /// Connects to `{scheme}://host:port`, or to the path of `unix:///path`.
    ///
    /// # Panics
    /// When nobody listens there.
    pub async fn connect_to(url: &str) -> Self {
        let (scheme, place) = url.split_once("://").expect("a url");
        if scheme == "unix" {
            let stream = UnixStream::connect(place).await.expect("somebody listens");
            return Self::over(Stream::Unix(stream));
        }
        Self::connect(place.parse().expect("an address")).await
    }

    fn over(stream: Stream) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
        }
    }

    /// Connects with a small receive buffer, so that a server soon notices a peer that does not
    /// read.
    ///
    /// # Panics
    /// When nobody listens there.
    pub async fn connect_small(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        Self::from(socket.connect(address).await.expect("somebody listens"))
    }

    /// Writes bytes; an error means that the peer has closed.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        within("a write", self.stream.bytewise().write_all(bytes)).await
    }

    /// Writes the same bytes again and again and reads nothing, until the peer has taken them
    /// `times`, has closed, or takes no more.
    pub async fn flood(&mut self, bytes: &[u8], times: usize) {
        for _ in 0..times {
            let writing = tokio::time::timeout(FULL, self.stream.bytewise().write_all(bytes));
            if !matches!(writing.await, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// Ends this side of the connection.
    pub async fn shutdown(&mut self) {
        // A peer that is gone already needs no end.
        let _ = self.stream.bytewise().shutdown().await;
    }

    /// Closes with a reset in place of an orderly end.
    pub fn abort(self) {
        // Without it the drop ends in order, and the peer hears a little less.
        if let Stream::Tcp(stream) = &self.stream {
            let _ = stream.set_zero_linger();
        }
    }

    /// Reads until there are `count` bytes; fewer when the peer closes before.
    pub async fn read_up_to(&mut self, count: usize) -> Bytes {
        while self.buffer.len() < count && self.fill().await {}
        let count = count.min(self.buffer.len());
        self.buffer.split_to(count).freeze()
    }

    /// Reads up to and with `end`; `None` when the peer closes before.
    pub async fn read_until(&mut self, end: &[u8]) -> Option<Bytes> {
        loop {
            let found = self.buffer.windows(end.len()).position(|part| part == end);
            if let Some(at) = found {
                return Some(self.buffer.split_to(at + end.len()).freeze());
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// Reads everything until the peer closes.
    pub async fn read_to_end(&mut self) -> Bytes {
        while self.fill().await {}
        self.buffer.split().freeze()
    }

    /// Waits until the peer closes, however it does; what it sent before is dropped.
    pub async fn closed(&mut self) {
        while self.fill().await {
            self.buffer.clear();
        }
    }

    /// False once the peer has closed.
    async fn fill(&mut self) -> bool {
        let stream = self.stream.bytewise();
        let read = within("a read", stream.read_buf(&mut self.buffer)).await;
        matches!(read, Ok(1..))
    }
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        // Small writes are the point.
        let _ = stream.set_nodelay(true);
        Self::over(Stream::Tcp(stream))
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Socket");
        match &self.stream {
            Stream::Tcp(stream) => out.field("stream", stream),
            Stream::Unix(stream) => out.field("stream", stream),
        };
        out.field("buffer", &self.buffer).finish()
    }
}
