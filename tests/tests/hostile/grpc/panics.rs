//! Handlers that panic.

use gufo_core::Code;
use gufo_testkit::{
    eventually, methods,
    raw::{Frame, Http2, grpc_head, message},
};

use super::{client, lives_on, status};
use crate::Attack;

#[tokio::test]
async fn a_panic_is_internal_for_that_call_only() {
    let attack = Attack::begin().await;
    let seen = &attack.target.seen;
    let mut client = client(&attack).await;
    let path = methods::FOREVER.path();
    let sent = client.request(1, path, &[], message(b"owl")).await;
    sent.expect("open");
    let chat = Http2::headers_frame(3, &grpc_head(methods::CHAT.path(), &[]), false);
    client.send(&chat).await.expect("open");
    eventually("the other call runs", async || seen.started() == 1).await;

    for index in 0..20 {
        let stream = 5 + 2 * index;
        let path = methods::PANIC.path();
        let sent = client.request(stream, path, &[], message(b"owl")).await;
        sent.expect("open");
        let outcome = client.outcome(stream).await;
        assert_eq!(outcome.grpc_status(), status(Code::Internal));
        assert!(!outcome.grpc_message().contains("purpose"), "it is told");
    }

    let words = Frame::data(3, message(b"hoot"), true);
    client.send(&words).await.expect("open");
    let outcome = client.outcome(3).await;
    assert_eq!(outcome.grpc_status(), status(Code::Ok), "{outcome:?}");
    assert_eq!(outcome.body, message(b"hoot"));
    assert_eq!(seen.dropped(), 0);
    lives_on(&mut client, 101).await;
    attack.survived().await;
}

#[tokio::test]
async fn a_panic_in_the_middle_of_a_stream_is_internal_after_what_was_sent() {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let path = methods::PANIC_LATER.path();
    let sent = client.request(1, path, &[], message(b"owl")).await;
    sent.expect("open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.body, [message(b"owl"), message(b"owl")].concat());
    assert_eq!(outcome.grpc_status(), status(Code::Internal));
    lives_on(&mut client, 3).await;
    attack.survived().await;
}
