//! An HTTP/2 client made of single frames.

use std::{collections::VecDeque, io, net::SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    Frame, Socket, flags,
    frame::HEAD,
    hpack::{self, Header},
    kinds,
};

/// How every HTTP/2 connection begins (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the client lets the server send before it opens a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settings {
    /// As much as anybody could want.
    Wide,
    /// Nothing: stream windows begin at 0.
    Closed,
}

/// The window of a stream once the server's SETTINGS are acknowledged, in bytes.
const STREAM_WINDOW: usize = 1 << 20;

/// What every server takes in one frame (RFC 9113, 4.2), in bytes.
const FRAME: usize = 16_384;

/// An HTTP/2 client made of single frames. It reads only when asked to, never opens a window by
/// itself, and acknowledges nothing but the server's first SETTINGS.
#[derive(Debug)]
pub struct Http2 {
    /// For bytes that are no frames.
    pub socket: Socket,
    /// Frames that came while something else was waited for.
    early: VecDeque<Frame>,
    /// What the connection may still send.
    window: usize,
}

impl From<Socket> for Http2 {
    /// Neither side has said anything yet.
    fn from(socket: Socket) -> Self {
        Self {
            socket,
            early: VecDeque::new(),
            window: 65_535,
        }
    }
}

/// What came back on one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Head and trailers, in order.
    pub headers: Vec<Header>,
    /// All of its DATA.
    pub body: BytesMut,
    /// The stream ended in order.
    pub ended: bool,
    /// The code of `RST_STREAM`.
    pub reset: Option<u32>,
    /// The code of GOAWAY.
    pub goaway: Option<u32>,
}

impl Outcome {
    /// The last value of a header or trailer.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known == name);
        named.next_back().map(|(_, value)| &**value)
    }

    /// `grpc-status`.
    #[must_use]
    pub fn grpc_status(&self) -> Option<u8> {
        self.header("grpc-status")?.parse().ok()
    }

    /// `grpc-message`, still escaped.
    #[must_use]
    pub fn grpc_message(&self) -> &str {
        self.header("grpc-message").unwrap_or_default()
    }
}

/// The head of a gRPC request; further headers of the same name come later.
#[must_use]
pub fn grpc_head<'a>(path: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut head = vec![
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "owl"),
        ("te", "trailers"),
    ];
    if !more.iter().any(|(name, _)| *name == "content-type") {
        head.push(("content-type", "application/grpc"));
    }
    head.extend_from_slice(more);
    head
}

impl Http2 {
    /// Connects and greets, and acknowledges the server's SETTINGS: from then on its windows are
    /// those it wants.
    pub async fn connect(address: SocketAddr, settings: Settings) -> Self {
        let mut client = Self::greet(Socket::connect(address).await, settings).await;
        while let Some(frame) = client.next().await {
            if frame.kind == kinds::SETTINGS && frame.flags & flags::ACK == 0 {
                let ack = Frame::new(kinds::SETTINGS, flags::ACK, 0, Bytes::new());
                // A server that has closed already is told by the next read.
                let _ = client.send(&ack).await;
                break;
            }
        }
        client
    }

    /// Greets over a socket and waits for nothing.
    pub async fn greet(socket: Socket, settings: Settings) -> Self {
        let mut client = Self::from(socket);
        let mut hello = BytesMut::from(PREFACE);
        let window = match settings {
            Settings::Wide => (1 << 31) - 1,
            Settings::Closed => 0,
        };
        // HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE.
        let mut payload = BytesMut::new();
        for (name, value) in [(1, 0), (4, window)] {
            payload.put_u16(name);
            payload.put_u32(value);
        }
        Frame::new(kinds::SETTINGS, flags::NONE, 0, payload).encode_into(&mut hello);
        if settings == Settings::Wide {
            Frame::window(0, 1 << 30).encode_into(&mut hello);
        }
        // A server that has closed already is told by the next read.
        let _ = client.socket.write(&hello).await;
        client
    }

    /// Sends a frame; an error means that the server has closed.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn send(&mut self, frame: &Frame) -> io::Result<()> {
        self.socket.write(&frame.encode()).await
    }

    /// Sends frames with one write.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn send_all(&mut self, frames: &[Frame]) -> io::Result<()> {
        let mut out = BytesMut::new();
        for frame in frames {
            frame.encode_into(&mut out);
        }
        self.socket.write(&out).await
    }

    /// Sends a request's head.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn headers(
        &mut self,
        stream: u32,
        head: &[(&str, &str)],
        end: bool,
    ) -> io::Result<()> {
        self.send(&Self::headers_frame(stream, head, end)).await
    }

    /// A request's head as a frame.
    #[must_use]
    pub fn headers_frame(stream: u32, head: &[(&str, &str)], end: bool) -> Frame {
        let end = if end { flags::END_STREAM } else { flags::NONE };
        let flags = flags::END_HEADERS | end;
        Frame::new(kinds::HEADERS, flags, stream, hpack::encode(head))
    }

    /// Sends a whole gRPC request: its head, then a body as it is, as the windows allow. It ends
    /// early when the server ends the stream.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn request(
        &mut self,
        stream: u32,
        path: &str,
        more: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> io::Result<()> {
        self.headers(stream, &grpc_head(path, more), false).await?;
        self.body(stream, body, true).await
    }

    /// Sends a body as the windows allow. It ends early when the server ends the stream.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn body(&mut self, stream: u32, body: impl Into<Bytes>, end: bool) -> io::Result<()> {
        let mut frames = Vec::new();
        let mut body = body.into();
        let mut window = STREAM_WINDOW;
        loop {
            let most = FRAME.min(window).min(self.window);
            let part = body.split_to(body.len().min(most));
            window -= part.len();
            self.window -= part.len();
            let last = body.is_empty();
            frames.push(Frame::data(stream, part, last && end));
            if last {
                return self.send_all(&frames).await;
            }
            if window == 0 || self.window == 0 {
                self.send_all(&std::mem::take(&mut frames)).await?;
                match self.wait_for_window(stream).await {
                    Some(more) => window += more,
                    None => return Ok(()),
                }
            }
        }
    }

    /// Waits until a window opens; the answer is by how much that of the stream has. `None` when
    /// the stream, or the connection, is over.
    async fn wait_for_window(&mut self, stream: u32) -> Option<usize> {
        loop {
            let frame = self.read().await?;
            let ends = frame.kind == kinds::RST_STREAM
                || frame.kind == kinds::HEADERS && frame.flags & flags::END_STREAM != 0;
            match (frame.kind, frame.stream) {
                (kinds::WINDOW_UPDATE, 0) if self.window > 0 => return Some(0),
                (kinds::WINDOW_UPDATE, id) if id == stream => return Some(frame.word(0) as usize),
                _ => self.early.push_back(frame),
            }
            if ends && self.early.back().is_some_and(|last| last.stream == stream) {
                return None;
            }
        }
    }

    /// The next frame; `None` once the server has closed.
    pub async fn next(&mut self) -> Option<Frame> {
        match self.early.pop_front() {
            Some(frame) => Some(frame),
            None => self.read().await,
        }
    }

    async fn read(&mut self) -> Option<Frame> {
        let head = self.socket.read_up_to(HEAD).await;
        let &[a, b, c, kind, flags, d, e, f, g] = &head[..] else {
            return None;
        };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let payload = self.socket.read_up_to(length).await;
        if payload.len() < length {
            return None;
        }
        let frame = Frame {
            kind,
            flags,
            stream: u32::from_be_bytes([d, e, f, g]) & !(1 << 31),
            payload,
        };
        if kind == kinds::WINDOW_UPDATE && frame.stream == 0 {
            self.window += frame.word(0) as usize;
        }
        Some(frame)
    }

    /// Reads until a stream has ended, or the connection.
    ///
    /// # Panics
    /// When the server sends header blocks no client could read.
    pub async fn outcome(&mut self, stream: u32) -> Outcome {
        let mut outcome = Outcome::default();
        while let Some(frame) = self.next().await {
            match frame.kind {
                kinds::GOAWAY => outcome.goaway = Some(frame.word(1)),
                kinds::RST_STREAM if frame.stream == stream => {
                    outcome.reset = Some(frame.word(0));
                    return outcome;
                }
                kinds::HEADERS if frame.stream == stream => {
                    let headers = hpack::decode(&frame.payload).expect("a legal header block");
                    outcome.headers.extend(headers);
                }
                kinds::DATA if frame.stream == stream => {
                    outcome.body.extend_from_slice(&frame.payload);
                }
                _ => continue,
            }
            let ends = matches!(frame.kind, kinds::HEADERS | kinds::DATA)
                && frame.flags & flags::END_STREAM != 0;
            if ends {
                outcome.ended = true;
                return outcome;
            }
        }
        outcome
    }

    /// Reads until the server says GOAWAY or closes; the answer is the code, if there is one.
    pub async fn closed(&mut self) -> Option<u32> {
        while let Some(frame) = self.next().await {
            if frame.kind == kinds::GOAWAY {
                return Some(frame.word(1));
            }
        }
        None
    }

    /// Reads until the server closes the socket, and answers its PINGs on the way, as a peer does
    /// that is told to leave in order. The answer is the code of the last GOAWAY.
    pub async fn leave(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(mut frame) = self.next().await {
            match frame.kind {
                kinds::GOAWAY => code = Some(frame.word(1)),
                kinds::PING if frame.flags & flags::ACK == 0 => {
                    frame.flags = flags::ACK;
                    // A server that has closed already is told by the next read.
                    let _ = self.send(&frame).await;
                }
                _ => {}
            }
        }
        code
    }

    /// As [`closed`](Self::closed), but a connection that stays open is an answer too: `None`.
    pub async fn closed_unless_idle(&mut self) -> Option<u32> {
        if self.send(&Frame::ping()).await.is_err() {
            return self.closed().await;
        }
        while let Some(frame) = self.next().await {
            match frame.kind {
                kinds::GOAWAY => return Some(frame.word(1)),
                kinds::PING if frame.flags & flags::ACK != 0 => return None,
                _ => {}
            }
        }
        None
    }

    /// Waits for the answer to a PING: whatever was sent before has been read by then. False when
    /// the server closes instead.
    pub async fn ping(&mut self) -> bool {
        if self.send(&Frame::ping()).await.is_err() {
            return false;
        }
        while let Some(frame) = self.next().await {
            if frame.kind == kinds::PING && frame.flags & flags::ACK != 0 {
                return true;
            }
        }
        false
    }
}
