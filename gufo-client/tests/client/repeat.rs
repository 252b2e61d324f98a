//! Calls that a connection refused before they were begun.

use std::time::Duration;

use gufo_core::{Caller, Code};
use tokio::time::Instant;

use crate::fake::{Answer, Manner, Net, echo, settle};

const A: &str = "fake://a";
const B: &str = "fake://b";

/// A network where every call goes to A first, since B looks busy.
async fn first_a(answer: Answer) -> (Net, Caller) {
    let net = Net::default();
    let channel = net.channel().addresses([A, B]).connect().await;
    let channel = channel.expect("ready");
    settle().await;
    net.lines(A)[0].answer(answer);
    net.lines(B)[0].pretend(9);
    (net, channel.into())
}

fn calls(net: &Net) -> (usize, usize) {
    (net.lines(A)[0].calls(), net.lines(B)[0].calls())
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_not_begun_is_sent_over_another_connection() {
    for answer in [Answer::Refuse, Answer::GoAway] {
        let (net, caller) = first_a(answer).await;

        let reply = echo(&caller, "owl").await.unwrap();

        assert_eq!((reply.as_ref(), calls(&net)), (&b"owl"[..], (1, 1)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_sent_twice_at_most() {
    let (net, caller) = first_a(Answer::Refuse).await;
    net.lines(B)[0].answer(Answer::Refuse);

    let error = echo(&caller, "owl").await.unwrap_err();

    assert_eq!((error.code(), calls(&net)), (Code::Unavailable, (1, 1)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_have_been_begun_is_not_sent_again() {
    for code in [Code::Unavailable, Code::Internal, Code::ResourceExhausted] {
        let (net, caller) = first_a(Answer::Fail(code)).await;

        let error = echo(&caller, "owl").await.unwrap_err();

        assert_eq!((error.code(), calls(&net)), (code, (1, 0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_the_connection_that_replaces_the_one_going_away() {
    let net = Net::default();
    let channel = net.channel().address(A).connect().await.unwrap();
    net.lines(A)[0].answer(Answer::GoAway);

    let reply = echo(&channel.into(), "owl").await.unwrap();

    assert_eq!(reply, "owl");
    assert_eq!(net.lines(A).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_refuses_and_stays_is_not_waited_for() {
    let net = Net::default();
    let channel = net.channel().address(A).connect().await.unwrap();
    net.lines(A)[0].answer(Answer::Refuse);
    let before = Instant::now();

    let error = echo(&channel.into(), "owl").await.unwrap_err();

    assert_eq!(error.message(), "refused");
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_first_refusal_is_the_answer_when_nothing_replaces_the_connection() {
    let net = Net::default();
    let channel = net.channel().address(A).connect().await.unwrap();
    net.lines(A)[0].answer(Answer::GoAway);
    net.manner(A, Manner::Refuse(Code::Unavailable));
    let before = Instant::now();

    let call = echo(&channel.into(), "owl").timeout(Duration::from_secs(2));
    let error = call.await.unwrap_err();

    assert_eq!(error.message(), "refused");
    assert_eq!(before.elapsed(), Duration::from_secs(2));
}
