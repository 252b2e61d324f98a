//! Many large calls at once on one connection.

use std::{sync::Arc, time::Duration};

use gufo_core::{
    Answer, BackendUrl, Bytes, Cancel, ConnectOptions, Context, Dispatch, Format, Formats, Handler,
    Kind, ListenOptions, Listener, Messages, Method, Payload, Replies, Reply, Route,
};

static ECHO: Method = Method::new(Kind::Unary, "/echo.Echo/Echo");

/// Hands the request back.
struct Echo;

impl Handler for Echo {
    fn unary(&self, _: Context, request: Payload) -> Answer<Reply> {
        Answer::ready(Ok(Reply::new(request)))
    }

    fn stream(&self, _: Context, requests: Messages) -> Answer<Replies> {
        Answer::ready(Ok(Replies::new(requests)))
    }
}

struct Server {
    route: Arc<Route>,
    formats: Formats,
}

impl Dispatch for Server {
    fn route(&self, path: &str) -> Option<Arc<Route>> {
        (path == ECHO.path()).then(|| Arc::clone(&self.route))
    }

    fn formats(&self) -> &Formats {
        &self.formats
    }
}

async fn serve(mut listener: Box<dyn Listener>) {
    let dispatch = Arc::new(Server {
        route: Arc::new(Route {
            method: (&ECHO).into(),
            handler: Arc::new(Echo),
        }),
        formats: Formats::builtin(),
    });
    let peer = listener.accept().await.expect("a peer");
    peer.serve(dispatch, Cancel::new()).await;
}

/// More than any transport holds of replies that wait.
const CALLERS: usize = 64;
const CALLS: usize = 8;
const SIZE: usize = 1 << 20;

async fn all_are_answered(listening: &str) {
    let transports = gufo_transport::builtin();
    let url = BackendUrl::parse(listening).expect("a URL");
    let transport = transports.find(url.scheme()).expect("compiled in");
    // A thread of its own: neither side waits for the other to be polled.
    let (bound, address) = tokio::sync::oneshot::channel();
    let transport_of_server = Arc::clone(transport);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            let listening = transport_of_server
                .listen(url, ListenOptions::default())
                .await;
            let listener = listening.expect("a port");
            bound.send(listener.url().to_owned()).expect("waited for");
            serve(listener).await;
        });
    });
    let url = address.await.expect("a server");
    let url = BackendUrl::parse(&url).expect("a URL");
    let connected = transport.connect(url, ConnectOptions::default()).await;
    let connection = connected.expect("a server");

    let mut calls = tokio::task::JoinSet::new();
    for caller in 0..CALLERS {
        let connection = Arc::clone(&connection);
        calls.spawn(async move {
            let request = Bytes::from(vec![caller as u8; SIZE]);
            for _ in 0..CALLS {
                let ctx = Context::new(&ECHO, Format::Raw);
                let answer = connection.unary(ctx, Payload::Encoded(request.clone()));
                let reply = answer.await.expect("an echo");
                let echoed = reply.message.into_bytes(&Format::Raw).expect("bytes");
                assert!(echoed == request, "caller {caller} got something else");
            }
        });
    }
    let all = async {
        while let Some(call) = calls.join_next().await {
            call.expect("not panicked");
        }
    };
    // Nothing is measured by it: it ends a test that would hang.
    let ended = tokio::time::timeout(Duration::from_secs(60), all).await;
    assert!(ended.is_ok(), "calls hang");
}

#[tokio::test]
async fn large_calls_side_by_side_are_answered_over_grpc() {
    all_are_answered("grpc://127.0.0.1:0").await;
}

#[tokio::test]
async fn large_calls_side_by_side_are_answered_over_tcp() {
    all_are_answered("tcp://127.0.0.1:0").await;
}
