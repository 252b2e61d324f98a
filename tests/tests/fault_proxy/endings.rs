//! Connections that end in the midst of calls.

use std::{future::IntoFuture, sync::Arc};

use bytes::Bytes;
use gufo_core::{
    Call, Code, Connection, ConnectionState, Error, Many, One, Result, Retry, Streaming, codec::Raw,
};
use gufo_testkit::{
    CHUNK, caller, eventually, methods,
    proxy::{After, Cut, Direction, End, Faults, Proxy},
    within,
};

use crate::bed::{Bed, Wire, echo, endless, patient, unary};

/// The connection was lost while the server was at it: nobody knows how far it came.
fn outcome_is_open(error: &Error) {
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert_eq!(error.retry(), Retry::Maybe, "{error}");
}

/// What runs ends by what is done to the connection; what comes after it was not begun.
async fn ends_what_runs(wire: Wire, end: impl FnOnce(&Proxy)) -> Bed {
    let bed = Bed::new(wire).await;
    let connection = bed.connect().await;
    let call = tokio::spawn(unary(&connection, &methods::FOREVER, "owl").into_future());
    eventually("it has begun", async || bed.seen.started() == 1).await;

    end(&bed.proxy);

    let ended = within("the call", call).await.expect("no panic");
    outcome_is_open(&ended.expect_err("no answer"));
    eventually("its handler is gone", async || bed.seen.dropped() == 1).await;
    within("the connection", connection.closed()).await;
    eventually("it is closed", async || {
        connection.state() == ConnectionState::Closed && connection.in_flight() == 0
    })
    .await;
    let late = echo(&connection, "owl").await.expect_err("it is closed");
    assert_eq!(late.code(), Code::Unavailable, "{late}");
    assert_eq!(late.retry(), Retry::NotBegun, "{late}");
    bed
}

pub(crate) async fn a_reset_in_mid_call_is_unavailable_and_the_call_was_begun(wire: Wire) {
    let bed = ends_what_runs(wire, Proxy::reset).await;

    assert_eq!(bed.proxy.counts().resets, 1);
    bed.survived().await;
}

pub(crate) async fn a_close_in_mid_call_is_unavailable_and_the_call_was_begun(wire: Wire) {
    let bed = ends_what_runs(wire, Proxy::close).await;

    assert_eq!(bed.proxy.counts().closes, 1);
    bed.survived().await;
}

pub(crate) async fn a_half_close_from_the_server_ends_what_runs(wire: Wire) {
    let bed = ends_what_runs(wire, |proxy| proxy.half_close(Direction::Down)).await;

    assert_eq!(bed.proxy.counts().down.half_closes, 1);
    bed.survived().await;
}

pub(crate) async fn a_half_close_from_the_client_ends_what_runs(wire: Wire) {
    let bed = ends_what_runs(wire, |proxy| proxy.half_close(Direction::Up)).await;

    assert_eq!(bed.proxy.counts().up.half_closes, 1);
    bed.survived().await;
}

pub(crate) async fn a_stream_that_breaks_off_is_never_complete(wire: Wire) {
    for end in [End::Reset, End::Close, End::HalfClose] {
        let bed = Bed::new(wire).await;
        let after = After::Bytes(5 * CHUNK as u64);
        bed.proxy
            .down(|faults| faults.cut = Some(Cut { after, end }));
        let connection = bed.connect().await;
        let mut replies = endless(&connection).await.expect("it begins");

        let broke = loop {
            match within("a reply", replies.next()).await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it has no end"),
                Err(error) => break error,
            }
        };

        outcome_is_open(&broke);
        eventually("its handler is gone", async || bed.seen.dropped() == 1).await;
        bed.survived().await;
    }
}

/// A server that took half of the requests for all of them would answer something wrong.
pub(crate) async fn requests_that_break_off_are_never_complete(wire: Wire) {
    for end in [End::Reset, End::Close, End::HalfClose] {
        let bed = Bed::new(wire).await;
        let connection = bed.connect().await;
        let (requests, stream) = Streaming::channel(1);
        let caller = caller(&connection);
        let call: Call<Raw, _, One<Bytes>> = Call::new(&caller, &methods::SUM, Many(stream));
        let call = tokio::spawn(call.into_future());
        let before = bed.proxy.counts().up.delivered;
        let after = After::Bytes(before + 50_000);
        bed.proxy.up(|faults| faults.cut = Some(Cut { after, end }));

        // Until nobody takes them any more.
        while requests.send(Bytes::from(vec![b'o'; 1000])).await.is_ok() {}

        let ended = within("the call", call).await.expect("no panic");
        outcome_is_open(&ended.expect_err("no sum"));
        bed.survived().await;
    }
}

/// Connects through a proxy that cuts after some bytes, and calls twice.
async fn over_a_cut(bed: &Bed, direction: Direction, cut: Cut) -> Result<()> {
    let proxy = bed.proxy(|builder| builder);
    let set = |faults: &mut Faults| faults.cut = Some(cut);
    match direction {
        Direction::Up => proxy.up(set),
        Direction::Down => proxy.down(set),
    }
    let url = bed.wire.url(proxy.address());
    let connection = gufo_testkit::connect(&url, patient()).await?;
    for message in ["one", "another"] {
        let reply = twice(&connection, message).await?;
        assert_eq!(reply, message);
    }
    Ok(())
}

/// An echo, first of one message, then of a stream.
async fn twice(connection: &Arc<dyn Connection>, message: &'static str) -> Result<Bytes> {
    let reply = echo(connection, message).await?;
    let caller = caller(connection);
    let requests = Many(Streaming::iter([reply]));
    let chat = Call::<Raw, _, Many<Bytes>>::new(&caller, &methods::CHAT, requests);
    let replies = chat.await?.collect().await?;
    assert_eq!(replies.len(), 1, "neither more nor fewer than were sent");
    Ok(replies.into_iter().next().unwrap_or_default())
}

pub(crate) async fn a_connection_cut_at_any_byte_gives_no_wrong_answer(wire: Wire) {
    let bed = Bed::new(wire).await;
    let mut whole = 0;

    for direction in Direction::BOTH {
        for bytes in (0..).step_by(3) {
            let ends = [End::Reset, End::Close, End::HalfClose];
            let cut = Cut {
                after: After::Bytes(bytes),
                end: ends[(bytes / 3 % 3) as usize],
            };
            match within("the calls", over_a_cut(&bed, direction, cut)).await {
                Ok(()) => {
                    whole += 1;
                    break;
                }
                Err(error) => assert_eq!(error.code(), Code::Unavailable, "{cut:?}: {error}"),
            }
        }
    }

    assert_eq!(whole, 2, "calls that are over before the cut are right");
    bed.survived().await;
}
