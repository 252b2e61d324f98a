//! A server of `tcp://` or `unix://` under attack.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::{Buf, BytesMut};
use gufo_core::{Code, ListenOptions};
use gufo_server::{RunningServer, ServerOptions};
use gufo_testkit::{
    Probe, Seen, methods,
    raw::native::{Frame, Outcome, Peer},
    serve_at,
};

/// What the frames go over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wire {
    Tcp,
    Unix,
}

impl Wire {
    fn url(self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        match self {
            Self::Tcp => "tcp://127.0.0.1:0".to_owned(),
            Self::Unix => {
                let next = NEXT.fetch_add(1, Ordering::Relaxed);
                let name = format!("gufo-hostile-{}-{next}.sock", std::process::id());
                format!("unix://{}", std::env::temp_dir().join(name).display())
            }
        }
    }
}

/// A server under attack, and a probe that calls beside it and must not fail once.
pub(super) struct Attack {
    pub(super) server: RunningServer,
    pub(super) seen: Arc<Seen>,
    pub(super) url: String,
    probe: Probe,
}

impl Attack {
    pub(super) async fn begin(wire: Wire) -> Self {
        Self::with(wire, ListenOptions::default()).await
    }

    pub(super) async fn with(wire: Wire, listen: ListenOptions) -> Self {
        let (server, seen) = serve_at(&wire.url(), [], listen, ServerOptions::default()).await;
        let url = server.urls()[0].clone();
        let probe = Probe::start(&url).await;
        Self {
            server,
            seen,
            url,
            probe,
        }
    }

    /// A client that has shaken hands.
    pub(super) async fn client(&self) -> Peer {
        Peer::connect(&self.url).await
    }

    /// The probe has not failed, and newcomers are served.
    pub(super) async fn survived(self) {
        Probe::start(&self.url).await.finish().await;
        self.probe.finish().await;
    }
}

/// An ordinary call on a connection that was attacked before still succeeds.
pub(super) async fn lives_on(client: &mut Peer) {
    let call = 900;
    let frame = Frame::unary(call, methods::ECHO.path(), b"still here");
    client.send(&frame).await.expect("the connection is open");

    let outcome = client.outcome(call).await;

    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.messages, ["still here"]);
}

/// The bytes of frames.
pub(super) fn encoded(frames: &[Frame]) -> BytesMut {
    let mut out = BytesMut::new();
    frames.iter().for_each(|frame| frame.encode_into(&mut out));
    out
}

/// These bytes, sent after a handshake, end the connection with a text that contains `why`.
pub(super) async fn bytes_violate(wire: Wire, bytes: &[u8], why: &str) {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    let sent = client.socket.write(bytes).await;
    sent.expect("the connection is open");

    let (code, text) = client.farewell().await.expect("the reason");

    assert_eq!(code, 1, "{text}");
    assert!(text.contains(why), "{text:?} in place of {why:?}");
    attack.survived().await;
}

/// These frames, sent after a handshake, end the connection with a text that contains `why`.
pub(super) async fn violates(wire: Wire, frames: &[Frame], why: &str) {
    bytes_violate(wire, &encoded(frames), why).await;
}

/// These frames fail call 1 with a code; the connection lives on.
pub(super) async fn fails(wire: Wire, frames: &[Frame], code: Code) -> Outcome {
    let attack = Attack::begin(wire).await;
    let mut client = attack.client().await;
    client.send_all(frames).await.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.code, Some(code.number()), "{outcome:?}");
    lives_on(&mut client).await;
    attack.survived().await;
    outcome
}

/// The next frames are skipped up to a GOAWAY: its code and text.
pub(super) fn goaway(mut answer: &[u8]) -> Option<(u8, String)> {
    while answer.len() >= 8 {
        let first = answer.get_u32();
        answer.get_u32();
        let (body, rest) = answer.split_at_checked((first >> 8) as usize)?;
        if first as u8 == gufo_testkit::raw::native::kinds::GOAWAY {
            let (code, text) = body.split_first()?;
            return Some((*code, String::from_utf8_lossy(text).into_owned()));
        }
        answer = rest;
    }
    None
}
