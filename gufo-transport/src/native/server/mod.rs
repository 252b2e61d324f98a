//! The server's side: `driver` reads frames and begins calls, `call` answers those that take
//! more than a frame.

mod call;
mod driver;

#[cfg(test)]
pub(super) use call::send_head;

use std::{future::poll_fn, io, sync::Arc, time::Duration};

use bytes::{BufMut, BytesMut};
use gufo_core::{BoxFuture, Cancel, Dispatch, Incoming, Listener, Peer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    hello::{self, Hello, Refused},
    link::put_go_away,
    out::Out,
};
use crate::socket::{Arrived, Socket, SocketListener};

#[derive(Debug)]
pub(super) struct NativeListener {
    pub(super) sockets: SocketListener,
    pub(super) scheme: &'static str,
}

impl Listener for NativeListener {
    fn url(&self) -> &str {
        self.sockets.url()
    }

    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Incoming>>> {
        Box::pin(async move {
            let arrived = self.sockets.accept().await?;
            let peer = Peer::new(self.scheme, arrived.address);
            Ok(Box::new(NativeIncoming { arrived, peer }) as Box<dyn Incoming>)
        })
    }
}

struct NativeIncoming {
    arrived: Arrived,
    peer: Peer,
}

/// How long a peer that connected while the server was going away may take to say something.
const LAST_WORD: Duration = Duration::from_secs(1);

impl Incoming for NativeIncoming {
    fn serve(
        self: Box<Self>,
        dispatch: Arc<dyn Dispatch>,
        drain: Cancel,
    ) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let Self { arrived, peer } = *self;
            let Arrived {
                mut socket,
                handshake,
                options,
                ..
            } = arrived;
            let Some(handshake) = handshake else {
                tracing::warn!(peer = ?peer.address, "turned away: too many peers in their handshake");
                return;
            };
            let mut buffer = BytesMut::new();
            let greeted = tokio::select! {
                greeted = hello::read(&mut socket, &mut buffer, options.handshake_timeout) => greeted,
                // A peer that has just connected may have sent calls already: it is told to go
                // away in its own protocol, unless it says nothing.
                () = late(&drain) => return,
            };
            drop(handshake);
            let theirs = match greeted {
                Ok(theirs) => theirs,
                Err(refused) => return Box::pin(refuse(socket, &peer, &refused)).await,
            };
            let ours = Hello::new(dispatch.formats(), &options.limits);
            if hello::send(&mut socket, &ours).await.is_err() {
                return;
            }
            driver::serve(
                socket,
                buffer,
                dispatch,
                options,
                peer,
                (ours, theirs),
                drain,
            )
            .await;
        })
    }
}

async fn late(drain: &Cancel) {
    drain.cancelled().await;
    tokio::time::sleep(LAST_WORD).await;
}

/// What a browser, `curl` or a load balancer is told.
const NOT_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\
    content-type: text/plain\r\ncontent-length: 94\r\n\r\n\
    This port speaks gufo's own frames (tcp://), not HTTP; use the server's grpc:// port instead.\n";

/// Tells a peer that speaks something else, where it can understand it.
async fn refuse(mut socket: Socket, peer: &Peer, refused: &Refused) {
    tracing::debug!(peer = ?peer.address, %refused, "closed: no handshake");
    let mut answer = Out::default();
    match refused {
        Refused::Foreign(bytes) if looks_like_http(bytes) => answer.tail().put_slice(NOT_HTTP),
        Refused::Version(..) | Refused::Violation(_) => {
            answer.tail().put_slice(hello::MAGIC);
            answer.tail().put_slice(&[hello::VERSION; 2]);
            put_go_away(&mut answer, 1, &refused.to_string());
        }
        _ => return,
    }
    part(&mut socket, &mut answer).await;
}

/// Says the last words to a peer, and waits until it has closed, but not for long.
///
/// It may still be sending, and a socket that is closed over bytes nobody read takes back what was
/// written to it.
async fn part(socket: &mut Socket, words: &mut Out) {
    // Whoever does not read them does not need them.
    let _ = tokio::time::timeout(LAST_WORD, async {
        poll_fn(|cx| words.poll_write(socket, cx)).await?;
        socket.shutdown().await?;
        let mut unread = BytesMut::with_capacity(8 * 1024);
        while socket.read_buf(&mut unread).await? > 0 {
            unread.clear();
        }
        io::Result::Ok(())
    })
    .await;
}

fn looks_like_http(bytes: &[u8]) -> bool {
    const VERBS: [&[u8]; 10] = [
        b"GET ", b"HEAD", b"POST", b"PUT ", b"DELE", b"OPTI", b"PATC", b"CONN", b"TRAC", b"PRI ",
    ];
    VERBS.iter().any(|verb| {
        let known = bytes.len().min(verb.len());
        known > 0 && bytes[..known] == verb[..known]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_for_http_is_as_long_as_it_says() {
        let text = std::str::from_utf8(NOT_HTTP).expect("a text");
        let (_, body) = text.split_once("\r\n\r\n").expect("a head");

        assert!(text.contains(&format!("content-length: {}\r\n", body.len())));
    }
}
