//! The service that is attacked: one method for every way a handler can behave.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context as TaskContext, Poll},
};

use bytes::Bytes;
use gufo_core::{
    Kind, MessageStream, Messages, Method, Payload, Replies, Service, Status, Streaming,
    codec::{ProstSerde, Raw},
    handler,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

/// Size of the messages of [`methods::ENDLESS`], in bytes.
pub const CHUNK: usize = 8 * 1024;

/// The methods of the service.
pub mod methods {
    use super::{Kind, Method};

    /// Answers the request's bytes, in any format.
    pub static ECHO: Method = Method::new(Kind::Unary, "/testkit.Target/Echo");
    /// Answers how many nodes a [`Tree`](super::Tree) has, as a tree of that name.
    pub static COUNT: Method = Method::new(Kind::Unary, "/testkit.Target/Count");
    /// Answers as many bytes as the request says in decimal.
    pub static BIG: Method = Method::new(Kind::Unary, "/testkit.Target/Big");
    /// Never answers.
    pub static FOREVER: Method = Method::new(Kind::Unary, "/testkit.Target/Forever");
    /// Panics.
    pub static PANIC: Method = Method::new(Kind::Unary, "/testkit.Target/Panic");
    /// Answers two messages and panics.
    pub static PANIC_LATER: Method = Method::new(Kind::ServerStream, "/testkit.Target/PanicLater");
    /// Answers messages as fast as they are taken, without end.
    pub static ENDLESS: Method = Method::new(Kind::ServerStream, "/testkit.Target/Endless");
    /// Answers the number of messages, in decimal.
    pub static SUM: Method = Method::new(Kind::ClientStream, "/testkit.Target/Sum");
    /// As [`SUM`], but reads nothing until [`Seen::open_gate`](super::Seen::open_gate).
    pub static GATED: Method = Method::new(Kind::ClientStream, "/testkit.Target/Gated");
    /// Answers each message with itself.
    pub static CHAT: Method = Method::new(Kind::Bidi, "/testkit.Target/Chat");
}

/// What the handlers saw.
#[derive(Debug)]
pub struct Seen {
    started: AtomicUsize,
    dropped: AtomicUsize,
    produced: AtomicUsize,
    gate: Semaphore,
}

impl Seen {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            started: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
            produced: AtomicUsize::new(0),
            gate: Semaphore::new(0),
        })
    }

    /// Calls of [`methods::FOREVER`], [`methods::ENDLESS`] and [`methods::GATED`] that began.
    #[must_use]
    pub fn started(&self) -> usize {
        self.started.load(SeqCst)
    }

    /// How many of those are gone.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped.load(SeqCst)
    }

    /// Bytes [`methods::ENDLESS`] has given to the transport.
    #[must_use]
    pub fn produced(&self) -> usize {
        self.produced.load(SeqCst)
    }

    /// Lets every call of [`methods::GATED`] go on, now and later.
    pub fn open_gate(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    fn begin(self: &Arc<Self>) -> Here {
        self.started.fetch_add(1, SeqCst);
        Here(Arc::clone(self))
    }
}

/// A handler that is there.
struct Here(Arc<Seen>);

impl Drop for Here {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

/// A message that nests.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Tree {
    /// Any text.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Branches.
    #[prost(message, repeated, tag = "2")]
    pub children: Vec<Self>,
}

impl Tree {
    fn nodes(&self) -> usize {
        1 + self.children.iter().map(Self::nodes).sum::<usize>()
    }
}

/// The service, and what its handlers will have seen.
#[must_use]
pub fn service() -> (Service, Arc<Seen>) {
    let seen = Seen::new();
    let service = Service::new("testkit.Target")
        .route(
            &methods::ECHO,
            handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(|_, request| async move {
                Ok::<_, Status>(request)
            }),
        )
        .route(
            &methods::COUNT,
            handler::unary::<ProstSerde, Tree, Tree, Tree, _, _>(|_, tree| async move {
                Ok(Tree {
                    name: tree.nodes().to_string(),
                    children: Vec::new(),
                })
            }),
        )
        .route(
            &methods::BIG,
            handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(|_, request| async move {
                let size = std::str::from_utf8(&request)
                    .ok()
                    .and_then(|text| text.parse().ok())
                    .ok_or_else(|| Status::invalid_argument("not a number"))?;
                Ok::<_, Status>(Bytes::from(vec![b'o'; size]))
            }),
        )
        .route(&methods::FOREVER, forever(&seen))
        .route(
            &methods::PANIC,
            handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(|_, _| async { panic!("on purpose") }),
        )
        .route(
            &methods::PANIC_LATER,
            handler::server_stream::<Raw, Bytes, Bytes, Streaming<Bytes>, _, _>(|_, _| async {
                let messages = (0..3).map(|index| match index {
                    0 | 1 => Bytes::from_static(b"owl"),
                    _ => panic!("on purpose"),
                });
                Ok::<_, Status>(Streaming::iter(messages))
            }),
        )
        .route(&methods::ENDLESS, Arc::new(Endless(Arc::clone(&seen))))
        .route(&methods::SUM, sum())
        .route(&methods::GATED, gated(&seen))
        .route(
            &methods::CHAT,
            handler::bidi::<Raw, Bytes, Bytes, Streaming<Bytes>, _, _>(|_, requests| async move {
                Ok::<_, Status>(requests)
            }),
        );
    (service, seen)
}

fn forever(seen: &Arc<Seen>) -> Arc<dyn gufo_core::Handler> {
    let seen = Arc::clone(seen);
    handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(move |_, _| {
        let here = seen.begin();
        async move {
            let _here = here;
            std::future::pending::<Result<Bytes, Status>>().await
        }
    })
}

fn sum() -> Arc<dyn gufo_core::Handler> {
    handler::client_stream::<Raw, Bytes, Bytes, Bytes, _, _>(|_, requests| count(requests))
}

fn gated(seen: &Arc<Seen>) -> Arc<dyn gufo_core::Handler> {
    let seen = Arc::clone(seen);
    handler::client_stream::<Raw, Bytes, Bytes, Bytes, _, _>(move |_, requests| {
        let here = seen.begin();
        async move {
            drop(here.0.gate.acquire().await);
            count(requests).await
        }
    })
}

async fn count(mut requests: Streaming<Bytes>) -> Result<Bytes, Status> {
    let mut messages = 0_usize;
    while requests.next().await?.is_some() {
        messages += 1;
    }
    Ok(messages.to_string().into())
}

/// Messages are made when the transport asks for them, so that counting them tells how far it
/// reads ahead of the peer.
struct Endless(Arc<Seen>);

impl gufo_core::Handler for Endless {
    fn unary(&self, _: gufo_core::Context, _: Payload) -> gufo_core::Answer<gufo_core::Reply> {
        Status::unimplemented("it streams").into()
    }

    fn stream(&self, _: gufo_core::Context, _: Messages) -> gufo_core::Answer<Replies> {
        let messages = Messages::new(Chunks(self.0.begin()));
        gufo_core::Answer::ready(Ok(Replies::new(messages)))
    }
}

struct Chunks(Here);

impl MessageStream for Chunks {
    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        // A JSON text, so that it can go over plain HTTP too.
        let mut chunk = vec![b'o'; CHUNK];
        chunk[0] = b'"';
        chunk[CHUNK - 1] = b'"';
        self.0.0.produced.fetch_add(CHUNK, SeqCst);
        Poll::Ready(Some(Ok(Payload::Encoded(chunk.into()))))
    }
}
