//! Attacks on `grpc://`, and on clients of it.

mod bounds;
mod client;
mod formats;
mod frames;
mod heads;
mod messages;
mod panics;
mod slow;
mod streams;

use gufo_core::Code;
use gufo_testkit::{
    methods,
    raw::{Http2, Outcome, Settings, message},
};

use crate::Attack;

/// The number of a code, as `grpc-status` has it.
fn status(code: Code) -> Option<u8> {
    Some(code.number())
}

/// A client of the server under attack.
async fn client(attack: &Attack) -> Http2 {
    Http2::connect(attack.target.address, Settings::Wide).await
}

/// An ordinary call on a connection that was attacked before still succeeds.
async fn lives_on(client: &mut Http2, stream: u32) {
    let path = methods::ECHO.path();
    client
        .request(stream, path, &[], message(b"still here"))
        .await
        .expect("the connection is open");

    let outcome = client.outcome(stream).await;

    assert_eq!(outcome.grpc_status(), status(Code::Ok), "{outcome:?}");
    assert_eq!(outcome.body, message(b"still here"));
}

/// Sends one call, which has to be refused with a code; the connection lives on.
async fn is_refused(path: &str, more: &[(&str, &str)], body: &[u8], code: Code) -> Outcome {
    let attack = Attack::begin().await;
    let mut client = client(&attack).await;
    let sent = client.request(1, path, more, body.to_vec()).await;
    sent.expect("the connection is open");

    let outcome = client.outcome(1).await;

    assert_eq!(outcome.grpc_status(), status(code), "{outcome:?}");
    lives_on(&mut client, 3).await;
    attack.survived().await;
    outcome
}
