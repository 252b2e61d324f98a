//! A network inside the test: peers that accept, refuse, hang up and count.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use gufo_client::{Channel, ChannelBuilder};
use gufo_core::{
    BackendUrl, BoxFuture, Bytes, Call, Caller, Cancel, Code, ConnectOptions, Connection,
    ConnectionState, Context, Error, Handler, Kind, ListenOptions, Listener, Messages, Method, One,
    Payload, Replies, Reply, Result, Retry, Status, Transport, Values, codec::Raw,
    random::SplitMix,
};
use parking_lot::Mutex;
use tokio::time::Instant;

pub(crate) static ECHO: Method = Method::new(Kind::Unary, "/test.Test/Echo");
pub(crate) static CHAT: Method = Method::new(Kind::Bidi, "/test.Test/Chat");

/// The seed of every channel here, so that failures repeat.
pub(crate) const SEED: u64 = 42;

/// A network of peers, as a transport. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Net(Arc<Mutex<BTreeMap<String, Peer>>>);

#[derive(Debug, Default)]
struct Peer {
    manner: Manner,
    values: bool,
    attempts: Vec<Instant>,
    connections: Vec<Arc<Line>>,
}

/// How a peer meets those who connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    #[default]
    Accept,
    Refuse(Code),
    Hang,
    /// Accepts, and goes away at once.
    HangUp,
}

impl Net {
    pub(crate) fn manner(&self, url: &str, manner: Manner) {
        self.0.lock().entry(url.into()).or_default().manner = manner;
    }

    /// Connections to the peer take values from now on.
    pub(crate) fn take_values(&self, url: &str) {
        self.0.lock().entry(url.into()).or_default().values = true;
    }

    /// When somebody tried to connect.
    pub(crate) fn attempts(&self, url: &str) -> Vec<Instant> {
        let peers = self.0.lock();
        peers
            .get(url)
            .map(|peer| peer.attempts.clone())
            .unwrap_or_default()
    }

    /// Every connection ever accepted, in order.
    pub(crate) fn lines(&self, url: &str) -> Vec<Arc<Line>> {
        let peers = self.0.lock();
        peers
            .get(url)
            .map(|peer| peer.connections.clone())
            .unwrap_or_default()
    }

    /// The connections that are not closed, or that somebody still holds.
    pub(crate) fn open(&self) -> usize {
        let peers = self.0.lock();
        let lines = peers.values().flat_map(|peer| &peer.connections);
        lines
            .filter(|line| {
                line.state() != ConnectionState::Closed || !line.released.load(Ordering::SeqCst)
            })
            .count()
    }

    /// A channel builder for this network under three schemes, the best first: `near`, whose URLs
    /// lead to their peer in the place `here` only, `fast` and `slow`.
    pub(crate) fn several(&self) -> ChannelBuilder {
        Channel::builder()
            .transport("near", Arc::new(self.clone()))
            .transport("fast", Arc::new(self.clone()))
            .transport("slow", Arc::new(self.clone()))
            .random(Arc::new(SplitMix::new(SEED)))
    }

    /// A channel builder for this network.
    pub(crate) fn channel(&self) -> ChannelBuilder {
        Channel::builder()
            .transport("fake", Arc::new(self.clone()))
            .random(Arc::new(SplitMix::new(SEED)))
    }
}

impl Transport for Net {
    fn connect(
        &self,
        url: BackendUrl,
        _: ConnectOptions,
    ) -> BoxFuture<'static, Result<Arc<dyn Connection>>> {
        let mut peers = self.0.lock();
        let peer = peers.entry(url.to_string()).or_default();
        peer.attempts.push(Instant::now());
        match peer.manner {
            Manner::Hang => Box::pin(std::future::pending()),
            Manner::Refuse(code) => {
                Box::pin(async move { Err(Error::new(code, "connection refused")) })
            }
            Manner::Accept | Manner::HangUp => {
                let line = Arc::new(Line {
                    values: peer.values,
                    ..Line::default()
                });
                peer.connections.push(Arc::clone(&line));
                if peer.manner == Manner::HangUp {
                    line.drain();
                }
                Box::pin(async move { Ok(Arc::new(Wire(line)) as Arc<dyn Connection>) })
            }
        }
    }

    fn listen(
        &self,
        _: BackendUrl,
        _: ListenOptions,
    ) -> BoxFuture<'static, Result<Box<dyn Listener>>> {
        Box::pin(async { Err(Error::unimplemented("the fake network does not listen")) })
    }

    fn place(&self, url: &BackendUrl) -> Option<String> {
        (url.scheme() == "near").then(|| "here".to_owned())
    }
}

/// One accepted connection as the test sees it.
#[derive(Debug, Default)]
pub(crate) struct Line {
    gone: Cancel,
    draining: AtomicBool,
    /// The channel holds it no longer.
    released: AtomicBool,
    values: bool,
    calls: AtomicUsize,
    last: Mutex<Option<Context>>,
    in_flight: Arc<AtomicUsize>,
    answer: Mutex<Answer>,
}

/// What a connection does with calls.
#[derive(Clone, Debug, Default)]
pub(crate) enum Answer {
    #[default]
    Echo,
    /// Answers once the flag is set.
    Hold(Cancel),
    /// Refuses without beginning the call.
    Refuse,
    /// Refuses without beginning the call, and goes away.
    GoAway,
    Fail(Code),
}

impl Line {
    pub(crate) fn answer(&self, answer: Answer) {
        *self.answer.lock() = answer;
    }

    /// Calls it ever got.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The context of the last unary call.
    pub(crate) fn last(&self) -> Context {
        self.last.lock().clone().expect("a call came")
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Pretends that this many calls are running.
    pub(crate) fn pretend(&self, in_flight: usize) {
        self.in_flight.store(in_flight, Ordering::SeqCst);
    }

    /// The peer goes away: running calls finish, new ones do not begin.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.gone.cancel();
    }

    /// As [`drain`](Self::drain), but whoever waits for it does not hear of it yet.
    pub(crate) fn drain_unheard(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    pub(crate) fn state(&self) -> ConnectionState {
        let draining = self.draining.load(Ordering::SeqCst);
        match (draining, self.in_flight()) {
            (false, _) => ConnectionState::Ready,
            (true, 0) => ConnectionState::Closed,
            (true, _) => ConnectionState::Draining,
        }
    }
}

/// One accepted connection as the channel sees it.
#[derive(Debug)]
struct Wire(Arc<Line>);

impl Wire {
    fn begin(&self) -> impl Future<Output = Result<InFlight, Status>> + Send + use<> {
        let line = Arc::clone(&self.0);
        line.calls.fetch_add(1, Ordering::SeqCst);
        let answer = line.answer.lock().clone();
        let in_flight = InFlight::new(&line.in_flight);
        async move {
            let refused = || Status::unavailable("refused").with_retry(Retry::NotBegun);
            match answer {
                Answer::Echo => Ok(in_flight),
                Answer::Hold(flag) => {
                    flag.cancelled().await;
                    Ok(in_flight)
                }
                Answer::Refuse => Err(refused()),
                Answer::GoAway => {
                    line.drain();
                    Err(refused())
                }
                Answer::Fail(code) => Err(Status::new(code, "failed on purpose")),
            }
        }
    }
}

impl Handler for Wire {
    fn unary(&self, ctx: Context, request: Payload) -> gufo_core::Answer<Reply> {
        *self.0.last.lock() = Some(ctx);
        let begun = self.begin();
        gufo_core::Answer::later(async move {
            let _in_flight = begun.await?;
            Ok(Reply::new(request))
        })
    }

    fn stream(&self, _: Context, requests: Messages) -> gufo_core::Answer<Replies> {
        let begun = self.begin();
        gufo_core::Answer::later(async move {
            let in_flight = begun.await?;
            Ok(Replies::new(Messages::new(Held {
                requests,
                _in_flight: in_flight,
            })))
        })
    }

    fn values(&self) -> Values {
        if self.0.values {
            Values::HandOver
        } else {
            Values::Encode
        }
    }
}

impl Connection for Wire {
    fn state(&self) -> ConnectionState {
        self.0.state()
    }

    fn in_flight(&self) -> usize {
        self.0.in_flight()
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        let gone = self.0.gone.clone();
        Box::pin(async move { gone.cancelled().await })
    }

    fn close(&self) {
        self.0.drain();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.0.released.store(true, Ordering::SeqCst);
    }
}

struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Held {
    requests: Messages,
    _in_flight: InFlight,
}

impl gufo_core::MessageStream for Held {
    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Payload, Status>>> {
        self.get_mut().requests.poll_next_message(cx)
    }
}

/// One echo call.
pub(crate) fn echo(caller: &Caller, text: &'static str) -> Call<Raw, One<Bytes>, One<Bytes>> {
    Call::new(caller, &ECHO, One(Bytes::from_static(text.as_bytes())))
}

/// Lets every task that can run do so, without the clock moving.
pub(crate) async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}
