//! A server on threads of its own, over real sockets.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use gufo_core::{BackendUrl, Bytes, Caller, Cancel, Code, ConnectOptions, Connection, Transports};
use gufo_server::{Builder, RunningServer, Server};

use crate::{
    fixture::{call, echo, unary, unary_service},
    registration::FakeRegistry,
};

/// Connections until one has surely reached each of two threads.
const MANY: usize = 200;

const PORT: &str = "tcp://127.0.0.1:0";

fn transports() -> Transports {
    gufo_transport::builtin()
}

/// A server on two threads.
fn server(url: &str) -> Builder {
    Server::builder()
        .transports(transports())
        .listen(url)
        .threads(2)
}

async fn start(builder: Builder) -> RunningServer {
    builder.start().await.expect("a legal server")
}

async fn connect(url: &str) -> Arc<dyn Connection> {
    let url = BackendUrl::parse(url).expect("legal");
    let transports = transports();
    let transport = transports.find(url.scheme()).expect("compiled in");
    let connected = transport.connect(url, ConnectOptions::default()).await;
    connected.expect("listening")
}

fn caller(connection: &Arc<dyn Connection>) -> Caller {
    let handler: Arc<dyn gufo_core::Handler> = Arc::<dyn Connection>::clone(connection);
    Caller::new(handler)
}

async fn ask(connection: &Arc<dyn Connection>) -> String {
    let reply = call(&caller(connection)).await.expect("answered");
    String::from_utf8(reply.to_vec()).expect("a name")
}

fn thread_name() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

/// Answers with the name of its thread.
fn tells_thread() -> Arc<dyn gufo_core::Handler> {
    unary(|_, _| async {
        // A timer of the runtime it runs on.
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(Bytes::from(thread_name()))
    })
}

/// One connection to each of two threads.
async fn both(url: &str) -> [Arc<dyn Connection>; 2] {
    let first = connect(url).await;
    let name = ask(&first).await;
    for _ in 0..MANY {
        let second = connect(url).await;
        if ask(&second).await != name {
            return [first, second];
        }
    }
    panic!("{MANY} connections reached {name} only");
}

#[tokio::test]
async fn calls_are_answered_on_every_thread_and_on_no_other() {
    let server = start(server(PORT).service(unary_service(tells_thread()))).await;
    let [url] = server.urls() else {
        panic!("one address, not {:?}", server.urls());
    };

    let connections = both(url).await;

    let mut names = BTreeSet::new();
    for connection in &connections {
        names.insert(ask(connection).await);
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert_eq!(names, ["gufo-server-0", "gufo-server-1"]);
}

#[tokio::test]
async fn a_stop_finishes_the_calls_of_all_threads_in_one_report() {
    let (go, holds) = (Cancel::new(), Arc::new(AtomicBool::new(false)));
    let (gate, held) = (go.clone(), Arc::clone(&holds));
    let handler = unary(move |_, _| {
        let gate = held.load(SeqCst).then(|| gate.clone());
        async move {
            if let Some(gate) = gate {
                gate.cancelled().await;
            }
            Ok(Bytes::from(thread_name()))
        }
    });
    let server = start(server(PORT).service(unary_service(handler))).await;
    let connections = both(&server.urls()[0]).await;
    holds.store(true, SeqCst);
    let running = connections
        .each_ref()
        .map(|connection| tokio::spawn(call(&caller(connection)).into_future()));
    while server.calls() < 2 {
        tokio::task::yield_now().await;
    }

    let stopping = tokio::spawn(server.stop());
    for connection in &connections {
        connection.closed().await;
    }
    go.cancel();

    let report = stopping.await.expect("no panic");
    assert_eq!((report.finished, report.aborted), (2, 0));
    let mut names = BTreeSet::new();
    for call in running {
        names.insert(call.await.expect("no panic").expect("answered"));
    }
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test]
async fn a_panic_on_one_thread_ends_neither_it_nor_the_others() {
    let panics = Arc::new(AtomicBool::new(false));
    let on_purpose = Arc::clone(&panics);
    let handler = unary(move |_, _| {
        let panics = on_purpose.load(SeqCst);
        async move {
            if panics {
                // One in a task of the handler's own, and one in the handler.
                let task = tokio::spawn(async { panic!("on purpose") });
                assert!(task.await.is_ok(), "on purpose as well");
            }
            Ok(Bytes::from(thread_name()))
        }
    });
    let server = start(server(PORT).service(unary_service(handler))).await;
    let connections = both(&server.urls()[0]).await;
    let before = [ask(&connections[0]).await, ask(&connections[1]).await];

    panics.store(true, SeqCst);
    let error = call(&caller(&connections[0])).await.expect_err("a panic");
    panics.store(false, SeqCst);

    assert_eq!(error.code(), Code::Internal);
    let after = [ask(&connections[0]).await, ask(&connections[1]).await];
    assert_eq!(after, before);
}

#[tokio::test]
async fn what_cannot_share_its_address_is_served_by_the_callers_runtime() {
    let file = format!("gufo-threads-{}.sock", std::process::id());
    let unix = format!("unix://{}", std::env::temp_dir().join(file).display());
    let server = server(PORT)
        .listen("memory://threads-beside")
        .listen(&unix)
        .service(unary_service(tells_thread()));

    let server = start(server).await;

    let [tcp, beside @ ..] = server.urls() else {
        panic!("no address");
    };
    assert_eq!(beside, ["memory://threads-beside", &unix]);
    for url in beside {
        let name = ask(&connect(url).await).await;
        assert!(!name.starts_with("gufo-server"), "{url}: {name}");
    }
    let name = ask(&connect(tcp).await).await;
    assert!(name.starts_with("gufo-server"), "{tcp}: {name}");
}

#[tokio::test]
async fn a_port_of_another_server_is_not_shared_unless_its_url_says_so() {
    let echoing = |url: &str| server(url).service(unary_service(echo()));
    let first = start(echoing("tcp://127.0.0.1:0?reuse-port=true")).await;
    let url = &first.urls()[0];

    let error = echoing(url).start().await.expect_err("in use");
    let second = start(echoing(&format!("{url}?reuse-port=true"))).await;

    assert_eq!(error.code(), Code::AlreadyExists);
    assert_eq!(second.urls(), first.urls());
}

#[tokio::test]
async fn a_server_on_threads_is_registered_once() {
    let registry = FakeRegistry::default();
    let log = registry.log.clone();
    let server = server(PORT)
        .service(unary_service(echo()))
        .registry(Arc::new(registry));

    let server = start(server).await;

    assert_eq!(log.entries(), ["register test.Test"]);
    let nodes = server.nodes();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].endpoints.len(), 1);
}

#[tokio::test]
async fn no_threads_are_refused() {
    let error = server(PORT).threads(0).start().await.expect_err("nobody");

    assert_eq!(error.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_start_that_fails_and_a_server_that_is_dropped_leave_their_ports() {
    let echoing = |url: &str| server(url).service(unary_service(echo()));
    let first = start(echoing(PORT)).await;
    let connection = connect(&first.urls()[0]).await;
    let taken = first.urls()[0].clone();

    let failed = echoing(PORT).listen("tcp://127.0.0.1:0").listen(&taken);
    assert!(failed.start().await.is_err());
    drop(first);
    connection.closed().await;

    let alone = async || {
        let builder = Server::builder().transports(transports()).listen(&taken);
        builder.service(unary_service(echo())).start().await
    };
    while alone().await.is_err() {
        tokio::task::yield_now().await;
    }
}
