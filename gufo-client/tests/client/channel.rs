//! Readiness, reconnecting, the choice of connections, and what is left behind.

use std::{sync::Arc, time::Duration};

use gufo_client::{Channel, DEFAULT_CONNECT_TIMEOUT};
use gufo_core::{
    Bytes, Call, Caller, Cancel, Code, Deadline, Handler, Many, Retry, Streaming, Values,
    codec::Raw,
};
use tokio::time::{Instant, advance};

use crate::fake::{Answer, CHAT, Manner, Net, SEED, echo, settle};

const A: &str = "fake://a";
const B: &str = "fake://b";

#[tokio::test(start_paused = true)]
async fn a_call_is_answered_over_a_ready_connection() {
    let net = Net::default();
    let channel = net.channel().address(A).connect().await.unwrap();

    let reply = echo(&channel.clone().into(), "owl").await.unwrap();

    assert_eq!(reply, "owl");
    assert_eq!(channel.connections(), 1);
    assert_eq!(net.lines(A)[0].calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn connect_gives_up_after_its_timeout_and_says_why() {
    let net = Net::default();
    net.manner(A, Manner::Refuse(Code::Unavailable));
    let before = Instant::now();

    let error = net.channel().address(A).connect().await.unwrap_err();

    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(error.retry(), Retry::NotBegun);
    assert_eq!(
        error.message(),
        "fake://a is not connected: connection refused"
    );
    assert_eq!(before.elapsed(), DEFAULT_CONNECT_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn connect_does_not_wait_where_repeating_cannot_help() {
    let net = Net::default();
    net.manner(A, Manner::Refuse(Code::Unauthenticated));
    let before = Instant::now();

    let error = net.channel().address(A).connect().await.unwrap_err();

    assert_eq!(error.code(), Code::Unauthenticated);
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_is_tried_again() {
    let net = Net::default();
    net.manner(A, Manner::Hang);
    let channel = net.channel().address(A).connect_lazy().unwrap();
    settle().await;
    net.manner(A, Manner::Accept);

    let error = channel.ready(Deadline::NONE).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    channel.ready(Deadline::NONE).await.unwrap();

    assert_eq!(net.attempts(A).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn attempts_to_connect_follow_the_back_off() {
    let net = Net::default();
    net.manner(A, Manner::Refuse(Code::Unavailable));
    let channel = net.channel().address(A).connect_lazy().unwrap();

    tokio::time::sleep(Duration::from_secs(60)).await;

    let attempts = net.attempts(A);
    let gaps: Vec<_> = attempts
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f64())
        .collect();
    let mut expected = 0.1_f64;
    for (index, gap) in gaps.iter().enumerate() {
        let bounds = expected * 0.799..=expected * 1.201 + 0.002;
        assert!(
            bounds.contains(gap),
            "seed {SEED}: gap {index} is {gap} s, not {expected} s"
        );
        expected = (expected * 1.6).min(10.0);
    }
    assert!(
        (11..20).contains(&gaps.len()),
        "seed {SEED}: {} gaps",
        gaps.len()
    );
    drop(channel);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_lasted_is_replaced_at_once_and_one_that_did_not_is_not() {
    let net = Net::default();
    let channel = net.channel().address(A).connect().await.unwrap();

    net.lines(A)[0].drain();
    settle().await;
    assert_eq!((channel.connections(), net.attempts(A).len()), (0, 1));
    advance(Duration::from_millis(125)).await;
    settle().await;
    assert_eq!((channel.connections(), net.attempts(A).len()), (1, 2));
    advance(Duration::from_secs(1)).await;
    net.lines(A)[1].drain();
    settle().await;

    assert_eq!((channel.connections(), net.attempts(A).len()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_drains_gets_no_further_call_and_finishes_its_own() {
    let net = Net::default();
    let channel = net.channel().addresses([A, B]).connect().await.unwrap();
    settle().await;
    let (a, b) = (net.lines(A).remove(0), net.lines(B).remove(0));
    let (caller, flag) = (Caller::from(&channel), Cancel::new());
    b.pretend(5);
    a.answer(Answer::Hold(flag.clone()));
    let running = tokio::spawn(echo(&caller, "owl").into_future());
    settle().await;
    b.pretend(0);

    a.drain_unheard();
    assert_eq!(channel.connections(), 1);
    for _ in 0..20 {
        echo(&caller, "owl").await.unwrap();
    }

    assert_eq!((a.calls(), b.calls()), (1, 20));
    flag.cancel();
    assert_eq!(running.await.unwrap().unwrap(), "owl");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_refuses_connections_is_out_of_the_choice() {
    let net = Net::default();
    let channel = net.channel().addresses([A, B]).connect().await.unwrap();
    settle().await;
    let caller = Caller::from(&channel);

    net.manner(A, Manner::Refuse(Code::Unavailable));
    net.lines(A)[0].drain();
    for _ in 0..20 {
        echo(&caller, "owl").await.unwrap();
    }

    assert_eq!(net.lines(A)[0].calls(), 0);
    assert_eq!(net.lines(B)[0].calls(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_a_connection() {
    let net = Net::default();
    net.manner(A, Manner::Refuse(Code::Unavailable));
    let channel = net.channel().address(A).connect_lazy().unwrap();
    let caller = Caller::from(&channel);
    let waiting = tokio::spawn(echo(&caller, "owl").into_future());
    settle().await;

    net.manner(A, Manner::Accept);

    assert_eq!(waiting.await.unwrap().unwrap(), "owl");
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_no_longer_than_its_deadline() {
    let net = Net::default();
    net.manner(A, Manner::Refuse(Code::Unavailable));
    let channel = net.channel().address(A).connect_lazy().unwrap();
    let (caller, before) = (Caller::from(&channel), Instant::now());

    let error = echo(&caller, "owl")
        .timeout(Duration::from_secs(1))
        .await
        .unwrap_err();

    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(before.elapsed(), Duration::from_secs(1));
    assert!(error.message().contains("connection refused"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_waits_for_a_connection_and_is_cancelled_by_dropping_it() {
    let net = Net::default();
    let channel = net.channel().address(A).connect_lazy().unwrap();
    let (sender, requests) = Streaming::channel(1);
    let chat =
        Call::<Raw, Many<Bytes>, Many<Bytes>>::new(&Caller::from(&channel), &CHAT, Many(requests));

    let mut replies = chat.await.unwrap();
    sender.send(Bytes::from_static(b"owl")).await.unwrap();
    assert_eq!(replies.next().await.unwrap().unwrap(), "owl");
    assert_eq!(net.lines(A)[0].in_flight(), 1);
    drop(replies);

    assert_eq!(net.lines(A)[0].in_flight(), 0);
    sender.closed().await;
}

#[tokio::test(start_paused = true)]
async fn calls_spread_over_all_connections() {
    let net = Net::default();
    let channel = net
        .channel()
        .addresses([A, B])
        .connections(2)
        .connect()
        .await
        .unwrap();
    settle().await;
    let caller = Caller::from(&channel);

    for _ in 0..1_000 {
        echo(&caller, "owl").await.unwrap();
    }

    let lines = [net.lines(A), net.lines(B)].concat();
    let calls: Vec<_> = lines.iter().map(|line| line.calls()).collect();
    assert_eq!(calls.len(), 4);
    assert!(
        calls.iter().all(|calls| (200..300).contains(calls)),
        "seed {SEED}: {calls:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_busiest_connection_is_never_the_better_of_two() {
    let net = Net::default();
    let channel = net
        .channel()
        .addresses([A, B])
        .connections(2)
        .connect()
        .await
        .unwrap();
    settle().await;
    let (caller, lines) = (
        Caller::from(&channel),
        [net.lines(A), net.lines(B)].concat(),
    );
    for (line, busy) in lines.iter().zip([9, 1, 1, 1]) {
        line.pretend(busy);
    }

    for _ in 0..300 {
        echo(&caller, "owl").await.unwrap();
    }

    let calls: Vec<_> = lines.iter().map(|line| line.calls()).collect();
    assert_eq!(calls[0], 0, "seed {SEED}: {calls:?}");
    assert!(
        calls[1..].iter().all(|calls| *calls > 50),
        "seed {SEED}: {calls:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn cancelled_calls_leave_the_pool_clean() {
    let net = Net::default();
    let channel = net
        .channel()
        .address(A)
        .connections(2)
        .connect()
        .await
        .unwrap();
    settle().await;
    let caller = Caller::from(&channel);
    for line in net.lines(A) {
        line.answer(Answer::Hold(Cancel::new()));
    }

    let calls: Vec<_> = (0..50)
        .map(|_| tokio::spawn(echo(&caller, "owl").into_future()))
        .collect();
    settle().await;
    let running: usize = net.lines(A).iter().map(|line| line.in_flight()).sum();
    assert_eq!(running, 50);
    for call in &calls {
        call.abort();
    }
    settle().await;

    for line in net.lines(A) {
        assert_eq!(line.in_flight(), 0);
        line.answer(Answer::Echo);
    }
    assert_eq!(echo(&caller, "owl").await.unwrap(), "owl");
    assert_eq!((channel.connections(), net.attempts(A).len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_call_given_up_while_it_waits_leaves_nothing() {
    let net = Net::default();
    net.manner(A, Manner::Refuse(Code::Unavailable));
    let channel = net.channel().address(A).connect_lazy().unwrap();
    let caller = Caller::from(&channel);
    let waiting = tokio::spawn(echo(&caller, "owl").into_future());
    settle().await;

    waiting.abort();
    net.manner(A, Manner::Accept);
    channel.ready(Deadline::NONE).await.unwrap();
    settle().await;

    assert_eq!(net.lines(A)[0].calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_closes_every_connection() {
    let net = Net::default();
    net.manner(B, Manner::Refuse(Code::Unavailable));
    let channel = net
        .channel()
        .addresses([A, B])
        .connections(3)
        .connect()
        .await
        .unwrap();
    settle().await;
    let caller = Caller::from(channel.clone());

    drop(channel);
    settle().await;
    assert_eq!(net.open(), 3);
    drop(caller);
    settle().await;

    assert_eq!(net.open(), 0);
    let attempts = net.attempts(B).len();
    advance(Duration::from_secs(60)).await;
    settle().await;
    assert_eq!(net.attempts(B).len(), attempts);
    assert_eq!(alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn values_are_handed_over_only_where_every_connection_takes_them() {
    let net = Net::default();
    net.take_values(A);
    let mixed = net.channel().addresses([A, B]).connect_lazy().unwrap();
    assert_eq!(mixed.values(), Values::Encode);
    settle().await;
    assert_eq!(mixed.values(), Values::Encode);

    net.take_values(B);
    let all = net.channel().addresses([A, B]).connect_lazy().unwrap();
    settle().await;
    assert_eq!(all.values(), Values::HandOver);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_cannot_work_is_refused_at_once() {
    let net = Net::default();
    let refused = |builder: gufo_client::ChannelBuilder| {
        let error = builder.connect_lazy().unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        error.message().to_owned()
    };

    assert_eq!(
        refused(net.channel()),
        "a channel needs an address or a registry"
    );
    assert_eq!(
        refused(net.channel().address("grpc://a:1")),
        "unknown transport \"grpc\"; compiled in: fake"
    );
    assert_eq!(
        refused(net.channel().address(A).connections(0)),
        "a channel needs at least one connection per node"
    );
    refused(net.channel().address("not a url"));
    assert_eq!(
        refused(Channel::builder().address(A)),
        "a channel needs transports: give it some by transports()"
    );
}

#[tokio::test(start_paused = true)]
async fn a_url_of_several_hosts_is_several_endpoints() {
    let net = Net::default();
    let channel = net.channel().address("fake://a,b").connect().await.unwrap();
    settle().await;

    assert_eq!(channel.connections(), 2);
    assert_eq!((net.lines(A).len(), net.lines(B).len()), (1, 1));
}

fn alive_tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

#[allow(
    dead_code,
    reason = "proves at compile time that a channel is a handler"
)]
fn a_channel_is_a_handler(channel: Channel) -> Arc<dyn Handler> {
    Arc::new(channel)
}
