//! The proxy ends by itself, and works over unix sockets too.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use gufo_testkit::{
    eventually,
    proxy::{Address, Proxy, Slices},
    within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    runtime::Handle,
    task::JoinSet,
};

use crate::bed::{Bed, bytes};

fn path() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("gufo-fault-proxy-{}-{next}.sock", std::process::id());
    std::env::temp_dir().join(name)
}

#[tokio::test]
async fn nothing_is_left_of_a_proxy_that_was_stopped() {
    let bed = Bed::right();
    let before = Handle::current().metrics().num_alive_tasks() - 1;
    let mut pairs = vec![bed.pair().await, bed.pair().await];
    bed.proxy.pause();
    pairs[0].0.send(b"held").await;
    bed.counted("it is held", |counts| counts.up.held == 1)
        .await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before + 3);
    let address = bed.proxy.address().to_string();

    let counts = bed.proxy.stop().await;

    assert_eq!(Handle::current().metrics().num_alive_tasks(), before);
    assert_eq!((counts.connections, counts.open), (2, 0));
    for (mut client, mut server) in pairs {
        client.rest().await.1.expect_or_reset();
        server.rest().await.1.expect_or_reset();
    }
    TcpStream::connect(address).await.expect_err("it is closed");
}

#[tokio::test]
async fn a_proxy_that_is_dropped_is_closed_at_once_and_soon_gone() {
    let bed = Bed::right();
    let before = Handle::current().metrics().num_alive_tasks() - 1;
    let (mut client, _server) = bed.pair().await;
    let address = bed.proxy.address().to_string();

    drop(bed.proxy);

    TcpStream::connect(address).await.expect_err("it is closed");
    client.rest().await.1.expect_or_reset();
    eventually("its tasks are gone", async || {
        Handle::current().metrics().num_alive_tasks() == before
    })
    .await;
}

/// What a socket says at its end when the other side is gone.
trait Gone {
    fn expect_or_reset(self);
}

impl Gone for io::Result<()> {
    fn expect_or_reset(self) {
        if let Err(error) = self {
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
        }
    }
}

#[tokio::test]
async fn it_is_driven_from_any_task() {
    let bed = Bed::right();
    let (mut client, _server) = bed.pair().await;
    let Bed { proxy, .. } = bed;
    let proxy = Arc::new(proxy);

    let other = Arc::clone(&proxy);
    tokio::spawn(async move { other.reset() })
        .await
        .expect("it does");

    client.is_reset().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_connections_at_once_on_many_threads_are_each_right() {
    let bed = Arc::new(Bed::right());
    bed.proxy.both(|faults| {
        faults.slices = Some(Slices {
            variation: 100,
            ..Slices::of(200)
        });
    });
    let sent = bytes(20_000);

    let mut clients = JoinSet::new();
    for _ in 0..32 {
        let (bed, sent) = (Arc::clone(&bed), sent.clone());
        clients.spawn(async move {
            // Whose server it is does not matter.
            let (mut client, mut server) = bed.pair().await;
            client.send(&sent).await;
            client.finish().await;
            server.send(&sent).await;
            server.finish().await;
            let ((heard, _), (asked, _)) = tokio::join!(client.rest(), server.rest());
            assert!(heard == sent && asked == sent, "other bytes");
        });
    }
    clients.join_all().await;

    bed.counted("all are over", |counts| counts.open == 0).await;
    let counts = bed.counts();
    assert_eq!(counts.connections, 32);
    assert_eq!((counts.up.delivered, counts.up.ends), (640_000, 32));
    assert_eq!((counts.down.delivered, counts.down.ends), (640_000, 32));
}

#[tokio::test]
async fn unix_sockets_work_on_both_sides() {
    let (front, back) = (path(), path());
    let upstream = UnixListener::bind(&back).expect("a free path");
    let proxy = Proxy::builder(back.clone())
        .listen(front.clone())
        .start()
        .expect("a free path");
    assert_eq!(proxy.url("unix"), format!("unix://{}", front.display()));
    let mut client = UnixStream::connect(&front).await.expect("it listens");
    let (mut server, _) = upstream.accept().await.expect("it listens");
    let mut heard = [0; 3];

    client.write_all(b"owl").await.expect("open");
    server.read_exact(&mut heard).await.expect("open");
    assert_eq!(&heard, b"owl");
    server.shutdown().await.expect("open");
    assert_eq!(client.read(&mut heard).await.expect("in order"), 0);

    proxy.refuse();
    let refused = UnixStream::connect(&front).await.expect_err("closed");
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    proxy.listen();
    let mut client = UnixStream::connect(&front).await.expect("it listens");
    let (mut server, _) = upstream.accept().await.expect("it listens");
    proxy.reset();
    let gone = within("the reset", client.read(&mut heard)).await;
    assert!(matches!(gone, Ok(0) | Err(_)), "{gone:?}");
    let gone = within("the reset", server.read(&mut heard)).await;
    assert!(matches!(gone, Ok(0) | Err(_)), "{gone:?}");

    drop(proxy);
    assert!(!front.exists());
    std::fs::remove_file(back).expect("it is there");
}

#[tokio::test]
async fn a_unix_socket_may_lead_to_tcp() {
    let front = path();
    let upstream = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let back = Address::from(upstream.local_addr().expect("it is bound"));
    let proxy = Proxy::builder(back).listen(front.as_path()).start();
    let proxy = proxy.expect("a free path");
    let mut client = UnixStream::connect(&front).await.expect("it listens");
    let (mut server, _) = upstream.accept().await.expect("it listens");
    let mut heard = [0; 3];

    client.write_all(b"owl").await.expect("open");
    server.read_exact(&mut heard).await.expect("open");

    assert_eq!(&heard, b"owl");
    assert_eq!(proxy.stop().await.up.delivered, 3);
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let bed = Bed::right();
    let Address::Tcp(address) = *bed.proxy.address() else {
        panic!("a port");
    };

    let error = Proxy::builder(address).listen(address).start();

    let error = error.expect_err("it is in use");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}
