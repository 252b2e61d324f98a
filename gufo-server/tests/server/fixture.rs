//! A service to call, and fakes of everything around a server.

use std::{
    collections::VecDeque,
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use gufo_core::{
    BoxFuture, Bytes, Call, Caller, Cancel, Context, Dispatch, Handler, Incoming, Kind, Listener,
    Many, Method, One, Response, Service, Status, Streaming, codec::Raw, handler,
};
use gufo_server::{Builder, Router, Server};
use parking_lot::Mutex;

pub(crate) static UNARY: Method = Method::new(Kind::Unary, "/test.Test/Unary");
pub(crate) static STREAM: Method = Method::new(Kind::Bidi, "/test.Test/Stream");

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, entry: impl Into<String>) {
        self.0.lock().push(entry.into());
    }

    pub(crate) fn entries(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}

/// Adds an entry when dropped.
#[derive(Debug)]
pub(crate) struct LogOnDrop(pub(crate) Log, pub(crate) &'static str);

impl Drop for LogOnDrop {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

pub(crate) fn unary<F, Fut>(answer: F) -> Arc<dyn Handler>
where
    F: Fn(Context, Bytes) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Bytes, Status>> + Send + 'static,
{
    handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(answer)
}

pub(crate) fn stream<F, Fut>(answer: F) -> Arc<dyn Handler>
where
    F: Fn(Context, Streaming<Bytes>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response<Streaming<Bytes>>, Status>> + Send + 'static,
{
    handler::bidi::<Raw, Bytes, Bytes, Response<Streaming<Bytes>>, _, _>(answer)
}

pub(crate) fn echo() -> Arc<dyn Handler> {
    unary(|_, request| async move { Ok(request) })
}

/// A service `test.Test` whose unary method is answered by `handler`.
pub(crate) fn unary_service(handler: Arc<dyn Handler>) -> Service {
    Service::new("test.Test").route(&UNARY, handler)
}

/// A service `test.Test` whose streaming method is answered by `handler`.
pub(crate) fn stream_service(handler: Arc<dyn Handler>) -> Service {
    Service::new("test.Test").route(&STREAM, handler)
}

pub(crate) fn router(builder: Builder) -> Arc<Router> {
    builder.into_router().expect("a legal server")
}

/// A client of one service, in process.
pub(crate) fn caller(service: Service) -> Caller {
    Caller::new(router(Server::builder().service(service)))
}

pub(crate) type UnaryCall = Call<Raw, One<Bytes>, One<Bytes>>;
pub(crate) type StreamCall = Call<Raw, Many<Bytes>, Many<Bytes>>;

pub(crate) fn call(caller: &Caller) -> UnaryCall {
    Call::new(caller, &UNARY, One("owl".into()))
}

pub(crate) fn stream_call(caller: &Caller) -> StreamCall {
    Call::new(caller, &STREAM, Many(Streaming::iter([])))
}

/// Lets other tasks run until a condition holds.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if condition() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("never came true: {what}");
}

/// Waits for something that must come, but not for ever: an hour of a clock that stands still.
pub(crate) async fn in_time<T>(wait: impl Future<Output = T>) -> T {
    let hour = std::time::Duration::from_secs(3600);
    tokio::time::timeout(hour, wait)
        .await
        .expect("must not hang")
}

/// Lets other tasks run for a good while: for what must *not* happen.
pub(crate) async fn settle() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

type Accepted = io::Result<Box<dyn Incoming>>;

/// A listener whose peers and errors are scripted. Once the script is over it repeats the last
/// error, or waits for ever.
pub(crate) struct FakeListener {
    url: String,
    script: VecDeque<Accepted>,
    for_ever: Option<fn() -> io::Error>,
    pub(crate) attempts: Arc<AtomicUsize>,
    log: Log,
}

impl FakeListener {
    pub(crate) fn new(url: &str, log: &Log) -> Self {
        Self {
            url: url.to_owned(),
            script: VecDeque::new(),
            for_ever: None,
            attempts: Arc::default(),
            log: log.clone(),
        }
    }

    pub(crate) fn peer(mut self, peer: FakePeer) -> Self {
        self.script.push_back(Ok(Box::new(peer)));
        self
    }

    pub(crate) fn error(mut self, error: io::Error) -> Self {
        self.script.push_back(Err(error));
        self
    }

    pub(crate) fn then_always(mut self, error: fn() -> io::Error) -> Self {
        self.for_ever = Some(error);
        self
    }
}

impl Listener for FakeListener {
    fn url(&self) -> &str {
        &self.url
    }

    fn accept(&mut self) -> BoxFuture<'_, Accepted> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let next = self.script.pop_front();
        let next = next.or_else(|| self.for_ever.map(|error| Err(error())));
        Box::pin(async move {
            match next {
                Some(accepted) => accepted,
                None => std::future::pending().await,
            }
        })
    }
}

impl Drop for FakeListener {
    fn drop(&mut self) {
        self.log.add("listener closed");
    }
}

impl fmt::Debug for FakeListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeListener")
    }
}

type Serve = Box<dyn FnOnce(Arc<dyn Dispatch>, Cancel) -> BoxFuture<'static, ()> + Send>;

/// A peer that does what it is told.
pub(crate) struct FakePeer(Serve);

impl FakePeer {
    pub(crate) fn new<Fut>(
        serve: impl FnOnce(Arc<dyn Dispatch>, Cancel) -> Fut + Send + 'static,
    ) -> Self
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self(Box::new(|dispatch, drain| Box::pin(serve(dispatch, drain))))
    }
}

impl Incoming for FakePeer {
    fn serve(
        self: Box<Self>,
        dispatch: Arc<dyn Dispatch>,
        drain: Cancel,
    ) -> BoxFuture<'static, ()> {
        (self.0)(dispatch, drain)
    }
}

/// A call as a transport makes it.
pub(crate) async fn dispatch_unary(dispatch: &dyn Dispatch) -> Result<gufo_core::Reply, Status> {
    let route = dispatch.route(UNARY.path()).expect("the method is known");
    let ctx = Context::new(&UNARY, gufo_core::Format::Raw);
    route.handler.unary(ctx, Bytes::from("owl").into()).await
}
