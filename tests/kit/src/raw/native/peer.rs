//! One side of a connection, which sends and reads frames only when asked to.

use std::{collections::VecDeque, io};

use bytes::{Buf, Bytes, BytesMut};

use super::frame::{Frame, HEAD, LONGEST, PREFACE, bytes, flags, kinds, settings, varint};
use crate::raw::Socket;

/// One side of a connection. It grants no credit and answers no PING by itself.
#[derive(Debug)]
pub struct Peer {
    /// For bytes that are no frames.
    pub socket: Socket,
    /// The settings in the HELLO of the other side, by their ids.
    pub settings: Vec<(u64, Bytes)>,
    /// Frames that came while something else was waited for.
    early: VecDeque<Frame>,
}

impl From<Socket> for Peer {
    /// Neither side has said anything yet.
    fn from(socket: Socket) -> Self {
        Self {
            socket,
            settings: Vec::new(),
            early: VecDeque::new(),
        }
    }
}

/// What came back for one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The whole messages, as they were sent.
    pub messages: Vec<Bytes>,
    /// The number of the status, 0 for a good end; `None` when the connection ended before.
    pub code: Option<u8>,
    /// The text of the status.
    pub text: String,
    /// The retry advice of the status.
    pub advice: u8,
    /// Code and text of a GOAWAY that came meanwhile.
    pub goaway: Option<(u8, String)>,
    part: BytesMut,
}

impl Peer {
    /// Connects to a URL and shakes hands, with limits as wide as they may be.
    pub async fn connect(url: &str) -> Self {
        Self::greet(Socket::connect_to(url).await, 256 * 1024).await
    }

    /// Shakes hands with a server, which may send so much of each call before it is granted more.
    ///
    /// # Panics
    /// When the server does not shake hands.
    pub async fn greet(socket: Socket, credit: u64) -> Self {
        let mut peer = Self::from(socket);
        let settings = [
            (settings::FRAME, LONGEST as u64),
            (settings::CREDIT, credit),
        ];
        let hello = Frame::hello(&settings);
        peer.socket.write(PREFACE).await.expect("the server reads");
        peer.send(&hello).await.expect("the server reads");
        assert!(peer.welcome().await, "the server shakes hands");
        peer
    }

    /// The other side: waits for the client's preface and HELLO, then sends its own. False when
    /// the client did not shake hands.
    pub async fn accept(&mut self) -> bool {
        let formats = Bytes::from_static(b"\x01\x12proto,octet-stream");
        let hello = [
            (settings::FRAME, LONGEST as u64),
            (settings::CREDIT, 256 * 1024),
            (settings::CALLS, 100),
        ];
        let mut hello = Frame::hello(&hello);
        hello.body = [formats, hello.body].concat().into();
        let (preface, hello) = (self.socket.write(PREFACE).await, self.send(&hello).await);
        preface.and(hello).is_ok() && self.welcome().await
    }

    /// Reads the preface and the HELLO of the other side.
    async fn welcome(&mut self) -> bool {
        if self.socket.read_up_to(PREFACE.len()).await != PREFACE[..] {
            return false;
        }
        let Some(frame) = self.next().await else {
            return false;
        };
        let mut body = frame.body;
        while let Some(id) = varint(&mut body) {
            let Some(value) = bytes(&mut body) else {
                return false;
            };
            self.settings.push((id, value));
        }
        frame.kind == kinds::HELLO
    }

    /// The setting of the other side, as a number.
    #[must_use]
    pub fn setting(&self, id: u64) -> Option<u64> {
        let (_, value) = self.settings.iter().find(|(known, _)| *known == id)?;
        varint(&mut value.clone())
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn send(&mut self, frame: &Frame) -> io::Result<()> {
        self.send_all(std::slice::from_ref(frame)).await
    }

    /// Sends frames in one write.
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

    /// The next frame; `None` once the other side has closed.
    pub async fn next(&mut self) -> Option<Frame> {
        if let Some(frame) = self.early.pop_front() {
            return Some(frame);
        }
        let mut head = self.socket.read_up_to(HEAD).await;
        if head.len() < HEAD {
            return None;
        }
        let first = head.get_u32();
        let call = head.get_u32();
        let length = (first >> 8) as usize;
        let body = self.socket.read_up_to(length).await;
        (body.len() == length).then(|| Frame::new(first as u8, call, body))
    }

    /// The next frame of a kind; `None` once the other side has closed. Others wait for whoever
    /// asks for them.
    pub async fn next_of(&mut self, kind: u8) -> Option<Frame> {
        if let Some(at) = self.early.iter().position(|frame| frame.kind == kind) {
            return self.early.remove(at);
        }
        let mut others = std::mem::take(&mut self.early);
        let found = loop {
            match self.next().await {
                Some(frame) if frame.kind == kind => break Some(frame),
                Some(frame) => others.push_back(frame),
                None => break None,
            }
        };
        self.early = others;
        found
    }

    /// Waits for the answer to a PING, after which whatever was sent before is handled. False when
    /// the other side has closed.
    pub async fn ping(&mut self) -> bool {
        let sent = self.send(&Frame::ping(b"anybody?")).await;
        sent.is_ok() && self.next_of(kinds::PONG).await.is_some()
    }

    /// Code and text of the GOAWAY of the other side, after which it has to close.
    ///
    /// # Panics
    /// When anything but the answers to calls comes after it.
    pub async fn farewell(&mut self) -> Option<(u8, String)> {
        let mut goaway = self.next_of(kinds::GOAWAY).await?.body;
        let code = goaway.try_get_u8().ok()?;
        while let Some(frame) = self.next().await {
            assert!(frame.kind != kinds::GOAWAY, "it left twice");
        }
        Some((code, String::from_utf8_lossy(&goaway).into_owned()))
    }

    /// The credit that came while something else was waited for, by call.
    pub fn grants(&mut self) -> Vec<(u32, u64)> {
        let mut grants = Vec::new();
        self.early.retain(|frame| {
            if frame.kind == kinds::CREDIT {
                let credit = varint(&mut frame.body.clone()).unwrap_or_default();
                grants.push((frame.call, credit));
            }
            frame.kind != kinds::CREDIT
        });
        grants
    }

    /// The number of the status of a call whose END came while something else was waited for.
    #[must_use]
    pub fn ended(&self, call: u32) -> Option<u8> {
        let mut ends = self.early.iter();
        let end = ends.find(|frame| frame.kind == kinds::END && frame.call == call)?;
        end.body.get(1).copied()
    }

    /// All that comes back for a call until its end. Credit is granted for what comes.
    pub async fn outcome(&mut self, call: u32) -> Outcome {
        let mut outcome = Outcome::default();
        let mut others = VecDeque::new();
        while outcome.code.is_none()
            && let Some(frame) = self.next().await
        {
            if frame.kind == kinds::GOAWAY {
                let text = String::from_utf8_lossy(&frame.body[1..]).into_owned();
                outcome.goaway = Some((frame.body[0], text));
            } else if frame.call == call && is_of_a_call(frame.kind) {
                if frame.kind == kinds::DATA {
                    let cost = frame.body.len() as u64 + 64;
                    // A server that has closed is told by the next read.
                    let _ = self.send(&Frame::credit(call, cost)).await;
                }
                outcome
                    .take(frame)
                    .expect("a frame that keeps to the protocol");
            } else {
                others.push_back(frame);
            }
        }
        others.append(&mut self.early);
        self.early = others;
        outcome
    }
}

const fn is_of_a_call(kind: u8) -> bool {
    matches!(kind, kinds::DATA | kinds::HEAD | kinds::REPLY | kinds::END)
}

impl Outcome {
    /// `None` when a frame breaks off.
    fn take(&mut self, frame: Frame) -> Option<()> {
        let mut body = frame.body;
        let flags = body.try_get_u8().ok()?;
        for flag in [flags::METADATA, flags::TRAILERS] {
            if frame.kind != kinds::DATA && flags & flag != 0 {
                bytes(&mut body)?;
            }
        }
        match frame.kind {
            kinds::REPLY => {
                self.messages.push(body);
                self.code = Some(0);
            }
            kinds::DATA => {
                if flags & flags::MORE != 0 && self.part.is_empty() {
                    varint(&mut body)?;
                }
                self.part.extend_from_slice(&body);
                if flags & flags::MORE == 0 {
                    self.messages.push(self.part.split().freeze());
                }
            }
            kinds::END => {
                let code = body.try_get_u8().ok()?;
                self.code = Some(code);
                if code != 0 {
                    self.text = String::from_utf8(bytes(&mut body)?.into()).ok()?;
                    bytes(&mut body)?;
                    self.advice = body.try_get_u8().ok()?;
                }
            }
            _ => {}
        }
        Some(())
    }
}
