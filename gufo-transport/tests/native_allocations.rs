//! What a unary call over `tcp://` allocates, on either side.

use std::sync::Arc;

use gufo_core::{
    Answer, BackendUrl, Bytes, Cancel, ConnectOptions, Context, Dispatch, Format, Formats, Handler,
    Kind, ListenOptions, Listener, Messages, Method, Payload, Replies, Reply, Route, Transport,
};
use gufo_transport::native::NativeTransport;

static ECHO: Method = Method::new(Kind::Unary, "/echo.Echo/Echo");

/// Hands the request back without a box of its own.
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

/// A context on each side, and the client's answer, which has to be waited for.
const BUDGET: u64 = 3;

/// Reading and writing allocate now and then, not per call.
const AMORTIZED: u64 = 20;

#[test]
fn a_unary_call_allocates_its_contexts_and_the_answer_and_nothing_else() {
    const CALLS: u64 = 2000;
    // Server and client share a thread here, so that what either side allocates is counted.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let transport = NativeTransport::new();
    let connection = runtime.block_on(async {
        let url = BackendUrl::parse("tcp://127.0.0.1:0").expect("a URL");
        let listening = transport.listen(url, ListenOptions::default()).await;
        let listener = listening.expect("a port");
        let url = BackendUrl::parse(listener.url()).expect("a URL");
        tokio::spawn(serve(listener));
        let connected = transport.connect(url, ConnectOptions::default()).await;
        connected.expect("a server")
    });
    let message = Bytes::from_static(&[7; 64]);
    let calls = || {
        runtime.block_on(async {
            for _ in 0..CALLS {
                let ctx = Context::new(&ECHO, Format::Raw);
                let request = Payload::Encoded(message.clone());
                let reply = connection.unary(ctx, request).await.expect("an echo");
                let echoed = reply.message.into_bytes(&Format::Raw).expect("bytes");
                assert_eq!(echoed, message);
            }
        });
    };

    // Buffers grow and methods get their numbers in the first of them.
    calls();
    let counted = allocation_counter::measure(calls).count_total;

    println!("{counted} allocations in {CALLS} calls");
    assert!(
        counted >= CALLS * BUDGET,
        "{counted} allocations in {CALLS} calls: the budget can be lowered"
    );
    assert!(
        counted <= CALLS * BUDGET + AMORTIZED,
        "{counted} allocations in {CALLS} calls"
    );
}
