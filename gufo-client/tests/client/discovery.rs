//! Endpoints from a registry.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use gufo_client::Channel;
use gufo_core::{
    Caller, Cancel, Code, Deadline, Endpoint, Error, Health, Node, NodeId, Registry, Result,
    ServiceName,
    registry::{Capabilities, Lease, RegisterOptions, Snapshot, Watch, WatchSender},
};
use parking_lot::Mutex;

use crate::fake::{Answer, Net, echo, settle};

/// A registry in the hand of the test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    down: AtomicBool,
    nodes: Mutex<Snapshot>,
    watches: Mutex<Vec<WatchSender>>,
    asked: AtomicUsize,
}

impl Book {
    pub(crate) fn show(&self, nodes: impl IntoIterator<Item = Node>) {
        let snapshot = Snapshot::new(nodes.into_iter().map(Arc::new));
        *self.0.nodes.lock() = snapshot.clone();
        for watch in &*self.0.watches.lock() {
            watch.publish(snapshot.clone());
        }
    }

    fn each_watch(&self, change: impl Fn(&WatchSender)) {
        self.0.watches.lock().iter().for_each(change);
    }

    fn end_watches(&self) {
        self.0.watches.lock().clear();
    }

    fn set_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Registry for Book {
    async fn register(&self, _: Node, _: RegisterOptions) -> Result<Lease> {
        Err(Error::unimplemented("read-only"))
    }

    async fn lookup(&self, _: &ServiceName) -> Result<Snapshot> {
        Err(Error::unimplemented("watch only"))
    }

    async fn watch(&self, _: &ServiceName) -> Result<Watch> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        if self.0.down.load(Ordering::SeqCst) {
            return Err(Error::unavailable("the book is closed"));
        }
        let (sender, watch) = Watch::channel(self.0.nodes.lock().clone());
        self.0.watches.lock().push(sender);
        Ok(watch)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
}

pub(crate) fn service() -> ServiceName {
    ServiceName::parse("greeter.Greeter").expect("legal")
}

fn node(id: &str) -> Node {
    let endpoint = Endpoint::parse(&format!("fake://{id}")).expect("legal");
    Node::new(service(), NodeId::parse(id).expect("legal")).with_endpoint(endpoint)
}

fn channel(net: &Net, book: &Book) -> Channel {
    let builder = net.channel().registry(Arc::new(book.clone()), service());
    builder.connect_lazy().expect("legal")
}

async fn connected(net: &Net, book: &Book) -> Channel {
    let channel = channel(net, book);
    channel.ready(Deadline::NONE).await.expect("ready");
    settle().await;
    channel
}

#[tokio::test(start_paused = true)]
async fn the_nodes_of_the_service_are_connected_as_they_come_and_go() {
    let (net, book) = (Net::default(), Book::default());
    book.show([node("a"), node("b")]);
    let channel = connected(&net, &book).await;
    assert_eq!(channel.connections(), 2);

    book.show([node("b"), node("c")]);
    settle().await;

    assert_eq!((channel.connections(), net.open()), (2, 2));
    let made = |url| net.lines(url).len();
    assert_eq!(
        (made("fake://a"), made("fake://b"), made("fake://c")),
        (1, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_withdrawn_finishes_its_calls_and_gets_no_more() {
    let (net, book) = (Net::default(), Book::default());
    book.show([node("a")]);
    let channel = connected(&net, &book).await;
    let (caller, flag) = (Caller::from(&channel), Cancel::new());
    net.lines("fake://a")[0].answer(Answer::Hold(flag.clone()));
    let running = tokio::spawn(echo(&caller, "owl").into_future());
    settle().await;

    book.show([node("b")]);
    settle().await;
    echo(&caller, "owl").await.unwrap();
    flag.cancel();

    assert_eq!(running.await.unwrap().unwrap(), "owl");
    assert_eq!(net.lines("fake://a")[0].calls(), 1);
    assert_eq!(net.lines("fake://b")[0].calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_registry_keeps_the_nodes() {
    let (net, book) = (Net::default(), Book::default());
    book.show([node("a")]);
    let channel = connected(&net, &book).await;
    let caller = Caller::from(&channel);

    book.set_down(true);
    book.each_watch(|watch| _ = watch.mark_stale());
    settle().await;
    echo(&caller, "stale").await.unwrap();
    book.each_watch(|watch| _ = watch.publish(Snapshot::default().into_stale()));
    settle().await;
    echo(&caller, "stale and empty").await.unwrap();
    book.end_watches();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    echo(&caller, "no watch").await.unwrap();
    assert_eq!(net.lines("fake://a").len(), 1);
    assert!(
        (8..20).contains(&book.asked()),
        "asked {} times",
        book.asked()
    );

    book.show([node("b")]);
    book.set_down(false);
    tokio::time::sleep(std::time::Duration::from_secs(13)).await;
    echo(&caller, "back").await.unwrap();
    assert_eq!(net.lines("fake://b")[0].calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_is_away_at_the_start_is_named_and_asked_again() {
    let (net, book) = (Net::default(), Book::default());
    book.set_down(true);
    let channel = channel(&net, &book);

    let error = channel.ready(Deadline::NONE).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(
        error.message(),
        "no endpoint is known; the registry cannot be asked for greeter.Greeter: the book is closed"
    );
    book.show([node("a")]);
    book.set_down(false);

    channel.ready(Deadline::NONE).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_without_a_node_is_waited_for() {
    let (net, book) = (Net::default(), Book::default());
    let channel = channel(&net, &book);

    let error = channel.ready(Deadline::NONE).await.unwrap_err();
    assert!(
        error.message().contains("0 nodes of greeter.Greeter"),
        "{error}"
    );
    let caller = Caller::from(&channel);
    let waiting = tokio::spawn(echo(&caller, "owl").into_future());
    settle().await;
    book.show([node("a")]);

    assert_eq!(waiting.await.unwrap().unwrap(), "owl");
}

#[tokio::test(start_paused = true)]
async fn nodes_that_take_no_calls_are_left_out() {
    let (net, book) = (Net::default(), Book::default());
    let (mut ill, mut idle) = (node("ill"), node("idle"));
    ill.health = Health::Unhealthy;
    idle.weight = 0;
    let mut foreign = node("foreign");
    foreign.endpoints = vec![Endpoint::parse("pigeon://loft").unwrap()];
    let mut both = node("both");
    both.endpoints
        .insert(0, Endpoint::parse("pigeon://loft").unwrap());

    book.show([ill, idle, foreign, both]);
    let channel = connected(&net, &book).await;

    assert_eq!(channel.connections(), 1);
    assert_eq!(net.lines("fake://both").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_nodes_at_one_address_share_its_connection() {
    let (net, book) = (Net::default(), Book::default());
    let mut restarted = node("a2");
    restarted.endpoints = node("a").endpoints;

    book.show([node("a"), restarted.clone()]);
    let channel = connected(&net, &book).await;
    book.show([restarted]);
    settle().await;

    assert_eq!((channel.connections(), net.lines("fake://a").len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_channel_ends_its_watch() {
    let (net, book) = (Net::default(), Book::default());
    book.show([node("a")]);
    let channel = connected(&net, &book).await;

    drop(channel);
    settle().await;

    book.each_watch(|watch| assert!(watch.is_closed()));
    assert_eq!(net.open(), 0);
    let metrics = tokio::runtime::Handle::current().metrics();
    assert_eq!(metrics.num_alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_channel_takes_addresses_or_a_registry() {
    let (net, book) = (Net::default(), Book::default());
    let builder = net
        .channel()
        .registry(Arc::new(book), service())
        .address("fake://a");

    let error = builder.connect_lazy().unwrap_err();

    assert_eq!(
        error.message(),
        "a channel has addresses or a registry, not both"
    );
}
