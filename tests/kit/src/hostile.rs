//! Servers that play a script, for clients that have to survive them.

use std::{future::Future, net::SocketAddr};

use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use crate::raw::{Frame, Http2, Socket, flags, hpack, kinds};

/// A server that plays a script for each of its peers. It ends when dropped.
#[derive(Debug)]
pub struct HostileServer {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl HostileServer {
    /// Listens, and plays the script for each peer. The connection closes with the script's end.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start<F, P>(script: F) -> Self
    where
        F: Fn(Socket) -> P + Send + 'static,
        P: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(async move {
            let mut peers = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                peers.spawn(script(Socket::from(socket)));
            }
        });
        Self { address, task }
    }

    /// As [`start`](Self::start), with a script that begins when a call has come over HTTP/2: it is
    /// given the connection and the call's stream.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start_http2<F, P>(script: F) -> Self
    where
        F: Fn(Http2, u32) -> P + Clone + Send + Sync + 'static,
        P: Future<Output = ()> + Send + 'static,
    {
        Self::start(move |socket| {
            let script = script.clone();
            async move {
                let mut connection = Http2::accept(socket).await;
                if let Some(stream) = connection.next_call().await {
                    script(connection, stream).await;
                }
            }
        })
        .await
    }
}

impl Drop for HostileServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Http2 {
    /// The other side: reads the client's preface and sends SETTINGS.
    pub async fn accept(socket: Socket) -> Self {
        let mut connection = Self::from(socket);
        connection.socket.read_up_to(24).await;
        let settings = Frame::new(kinds::SETTINGS, flags::NONE, 0, Vec::new());
        // A client that has closed already is told by the next read.
        let _ = connection.send(&settings).await;
        connection
    }

    /// The stream of the next call; `None` once the client has closed. SETTINGS and PING are
    /// acknowledged on the way.
    pub async fn next_call(&mut self) -> Option<u32> {
        loop {
            let mut frame = self.next().await?;
            match frame.kind {
                kinds::HEADERS => return Some(frame.stream),
                kinds::SETTINGS | kinds::PING if frame.flags & flags::ACK == 0 => {
                    if frame.kind == kinds::SETTINGS {
                        frame.payload.clear();
                    }
                    frame.flags = flags::ACK;
                    self.send(&frame).await.ok()?;
                }
                _ => {}
            }
        }
    }

    /// Sends headers of an answer, or trailers.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn answer(
        &mut self,
        stream: u32,
        headers: &[(&str, &str)],
        end: bool,
    ) -> std::io::Result<()> {
        let end = if end { flags::END_STREAM } else { flags::NONE };
        let flags = flags::END_HEADERS | end;
        self.send(&Frame::new(
            kinds::HEADERS,
            flags,
            stream,
            hpack::encode(headers),
        ))
        .await
    }
}
