//! Nodes that can be reached in several ways.

use std::time::Duration;

use std::sync::Arc;

use gufo_client::{Channel, ChannelBuilder};
use gufo_core::{Caller, Cancel, Code, Deadline, Endpoint, Node, NodeId};
use tokio::time::{Instant, advance};

use crate::{
    discovery::{Book, service},
    fake::{Answer, Manner, Net, SEED, echo, settle},
};

const NEAR: &str = "near://a";
const FAST: &str = "fast://a";
const SLOW: &str = "slow://a";

fn node(id: &str, endpoints: &[&str]) -> Node {
    let mut node = Node::new(service(), NodeId::parse(id).expect("legal"));
    node.endpoints = endpoints.iter().copied().map(endpoint).collect();
    node
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint::parse(url).expect("legal")
}

async fn connected(builder: ChannelBuilder) -> Channel {
    let channel = builder.connect().await.expect("ready");
    settle().await;
    channel
}

fn endpoints(channel: &Channel) -> Vec<String> {
    let endpoints = channel.endpoints();
    endpoints.iter().map(ToString::to_string).collect()
}

/// A network where the fast endpoint cannot be connected.
fn without_fast() -> Net {
    let net = Net::default();
    net.manner(FAST, Manner::Refuse(Code::Unavailable));
    net
}

#[tokio::test(start_paused = true)]
async fn the_best_endpoint_is_taken_whatever_the_order_of_the_node() {
    let (net, book) = (Net::default(), Book::default());
    book.show([node("a", &[SLOW, "pigeon://loft", FAST])]);

    let channel = connected(net.several().registry(Arc::new(book), service())).await;

    assert_eq!(endpoints(&channel), [FAST]);
    assert_eq!(net.attempts(SLOW).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn of_several_endpoints_of_one_scheme_the_first_is_taken() {
    let net = Net::default();

    let channel = connected(net.several().node(["slow://b", SLOW, "fast://b", FAST])).await;

    assert_eq!(endpoints(&channel), ["fast://b"]);
}

#[tokio::test(start_paused = true)]
async fn preferred_schemes_come_before_the_order_of_the_transports() {
    let net = Net::default();

    let channel = connected(net.several().prefer(["slow"]).node([FAST, SLOW])).await;

    assert_eq!(endpoints(&channel), [SLOW]);
}

#[tokio::test(start_paused = true)]
async fn a_preference_or_a_node_that_means_nothing_is_refused() {
    let net = Net::default();
    let refused = |builder: ChannelBuilder| {
        let error = builder.connect_lazy().unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        error.message().to_owned()
    };

    let unknown = refused(net.several().prefer(["pigeon"]).address(FAST));
    let neither = refused(net.several().node(Vec::<String>::new()));
    let foreign = refused(net.several().node([FAST, "pigeon://loft"]));

    for message in [unknown, foreign] {
        assert_eq!(
            message,
            "unknown transport \"pigeon\"; compiled in: near, fast, slow"
        );
    }
    assert_eq!(neither, "a node needs a url");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_refuses_makes_room_for_the_next_at_once() {
    let net = without_fast();
    let before = Instant::now();

    let channel = connected(net.several().node([FAST, SLOW])).await;

    assert_eq!(endpoints(&channel), [SLOW]);
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_does_not_answer_has_a_head_start_and_no_more() {
    let net = Net::default();
    net.manner(FAST, Manner::Hang);
    let before = Instant::now();

    let channel = connected(net.several().node([FAST, SLOW])).await;

    assert_eq!(endpoints(&channel), [SLOW]);
    let waited = before.elapsed();
    assert!(
        (250..=252).contains(&waited.as_millis()),
        "waited {waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_better_endpoint_takes_the_new_calls_once_it_can_and_the_old_ones_end_where_they_are() {
    let net = without_fast();
    let channel = connected(net.several().node([FAST, SLOW])).await;
    let (caller, flag) = (Caller::from(&channel), Cancel::new());
    net.lines(SLOW)[0].answer(Answer::Hold(flag.clone()));
    let running = tokio::spawn(echo(&caller, "owl").into_future());
    settle().await;

    net.manner(FAST, Manner::Accept);
    advance(Duration::from_millis(1_250)).await;
    settle().await;
    echo(&caller, "fox").await.unwrap();

    assert_eq!(endpoints(&channel), [FAST]);
    assert_eq!(net.lines(FAST)[0].calls(), 1);
    flag.cancel();
    assert_eq!(running.await.unwrap().unwrap(), "owl");
    assert_eq!((net.lines(SLOW)[0].calls(), net.open()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_better_endpoint_is_looked_for_ever_more_patiently() {
    let net = without_fast();
    let channel = connected(net.several().node([FAST, SLOW])).await;

    tokio::time::sleep(Duration::from_secs(600)).await;

    let attempts = net.attempts(FAST);
    let gaps: Vec<_> = attempts
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64())
        .collect();
    let mut expected = 1.0_f64;
    for (index, gap) in gaps.iter().enumerate() {
        let bounds = expected * 0.799..=expected * 1.201 + 0.002;
        assert!(
            bounds.contains(gap),
            "seed {SEED}: gap {index} is {gap} s, not {expected} s"
        );
        expected = (expected * 1.6).min(60.0);
    }
    assert!((14..24).contains(&gaps.len()), "seed {SEED}: {gaps:?}");
    assert_eq!(
        (endpoints(&channel), net.attempts(SLOW).len()),
        (vec![SLOW.to_owned()], 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_ends_leads_back_to_the_best_that_works() {
    let net = without_fast();
    let channel = connected(net.several().node([NEAR, FAST, SLOW])).await;
    assert_eq!(endpoints(&channel), [NEAR]);

    net.manner(NEAR, Manner::Refuse(Code::Unavailable));
    advance(Duration::from_secs(2)).await;
    net.lines(NEAR)[0].drain();
    settle().await;
    assert_eq!(endpoints(&channel), [SLOW]);
    net.manner(FAST, Manner::Accept);
    net.lines(SLOW)[0].drain();
    channel.ready(Deadline::NONE).await.unwrap();

    assert_eq!(endpoints(&channel), [FAST]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_hangs_up_at_once_is_no_better_one() {
    let net = Net::default();
    net.manner(FAST, Manner::HangUp);
    let channel = net.several().node([FAST, SLOW]).connect_lazy().unwrap();
    let caller = Caller::from(&channel);

    for _ in 0..60 {
        echo(&caller, "owl").await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    let attempts = net.attempts(FAST).len();
    assert!((4..12).contains(&attempts), "seed {SEED}: {attempts}");
    let over_slow: usize = net.lines(SLOW).iter().map(|line| line.calls()).sum();
    assert_eq!(over_slow, 60);
}

#[tokio::test(start_paused = true)]
async fn a_node_with_several_endpoints_has_one_share_of_the_calls() {
    let (net, book) = (Net::default(), Book::default());
    book.show([node("a", &[SLOW, FAST]), node("b", &["slow://b"])]);
    let channel = connected(net.several().registry(Arc::new(book), service())).await;
    let caller = Caller::from(&channel);

    for _ in 0..1_000 {
        echo(&caller, "owl").await.unwrap();
    }

    assert_eq!(channel.connections(), 2);
    let by_a = net.lines(FAST)[0].calls();
    assert!((430..570).contains(&by_a), "seed {SEED}: {by_a} of 1000");
    assert_eq!(net.lines("slow://b")[0].calls(), 1_000 - by_a);
}

#[tokio::test(start_paused = true)]
async fn at_no_time_does_a_node_count_twice_or_not_at_all() {
    let net = without_fast();
    let channel = connected(net.several().node([FAST, SLOW])).await;
    net.manner(FAST, Manner::Accept);

    let mut seen = Vec::new();
    for _ in 0..2_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        seen.push(channel.connections());
    }

    assert_eq!(endpoints(&channel), [FAST]);
    assert!(seen.iter().all(|connections| *connections == 1));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_of_one_place_is_tried_in_that_place_only() {
    let at = async |place: Option<&str>| {
        let (net, book) = (Net::default(), Book::default());
        let mut node = node("a", &[SLOW, NEAR]);
        let place = place.map(|place| (endpoint(NEAR), place.to_owned()));
        node.places.extend(place);
        book.show([node]);
        let channel = connected(net.several().registry(Arc::new(book), service())).await;
        (endpoints(&channel), net.attempts(NEAR).len())
    };

    assert_eq!(at(Some("here")).await, (vec![NEAR.to_owned()], 1));
    assert_eq!(at(Some("elsewhere")).await, (vec![SLOW.to_owned()], 0));
    assert_eq!(at(None).await, (vec![NEAR.to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_leaves_is_not_looked_for_any_more() {
    let (net, book) = (without_fast(), Book::default());
    book.show([node("a", &[FAST, SLOW])]);
    let channel = connected(net.several().registry(Arc::new(book.clone()), service())).await;

    book.show([]);
    settle().await;
    let attempts = net.attempts(FAST).len();
    tokio::time::sleep(Duration::from_secs(60)).await;

    assert_eq!((channel.connections(), net.open()), (0, 0));
    assert_eq!(net.attempts(FAST).len(), attempts);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_repeating_helps_no_endpoint_of_the_node() {
    let net = Net::default();
    net.manner(FAST, Manner::Refuse(Code::Unauthenticated));
    net.manner(SLOW, Manner::Refuse(Code::Unavailable));
    let ready = async || {
        let before = Instant::now();
        let error = net
            .several()
            .node([FAST, SLOW])
            .connect()
            .await
            .unwrap_err();
        (error.code(), before.elapsed())
    };

    let (code, waited) = ready().await;
    assert_eq!(code, Code::Unavailable);
    assert_eq!(waited, gufo_client::DEFAULT_CONNECT_TIMEOUT);
    net.manner(SLOW, Manner::Refuse(Code::Unauthenticated));
    let (code, waited) = ready().await;

    assert_eq!((code, waited), (Code::Unauthenticated, Duration::ZERO));
}
