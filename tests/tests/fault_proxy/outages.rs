//! Servers that are away for a while, or come late, or hear everything twice.

use std::time::Duration;

use bytes::Bytes;
use gufo_core::{Call, Caller, Code, Deadline, One, Retry, codec::Raw};
use gufo_testkit::{PATIENCE, eventually, methods, within};

use crate::bed::{Bed, SOON, Wire, echo, patient};

pub(crate) async fn a_closed_port_is_unavailable_and_nothing_was_begun(wire: Wire) {
    let bed = Bed::new(wire).await;
    let connection = bed.connect().await;
    bed.proxy.refuse();

    let error = bed
        .connect_with(patient())
        .await
        .expect_err("nobody listens");

    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert_eq!(error.retry(), Retry::NotBegun, "{error}");
    echo(&connection, "who is in stays in")
        .await
        .expect("an echo");
    bed.survived().await;
}

async fn channel(bed: &Bed) -> Caller {
    let channel = gufo::channel().address(bed.url()).connect();
    Caller::from(within("connecting", channel).await.expect("it is there"))
}

async fn calls(channel: &Caller) -> gufo_core::Result<Bytes> {
    let call = Call::<Raw, One<Bytes>, One<Bytes>>::new(channel, &methods::ECHO, One("owl".into()));
    call.timeout(PATIENCE).await
}

pub(crate) async fn a_channel_finds_its_way_back_after_a_reset(wire: Wire) {
    let bed = Bed::new(wire).await;
    let channel = channel(&bed).await;
    calls(&channel).await.expect("an echo");

    for round in 1..=3 {
        bed.proxy.reset();
        // The call that meets the reset may fail; soon none does.
        eventually("it calls again", async || calls(&channel).await.is_ok()).await;
        assert!(bed.proxy.counts().resets >= round);
    }

    bed.survived().await;
}

pub(crate) async fn a_channel_finds_its_way_back_after_an_outage(wire: Wire) {
    let bed = Bed::new(wire).await;
    let channel = channel(&bed).await;
    bed.proxy.refuse();
    bed.proxy.reset();
    eventually("its connections are gone", async || {
        bed.proxy.counts().open == 0
    })
    .await;

    let call = Call::<Raw, One<Bytes>, One<Bytes>>::new(
        &channel,
        &methods::ECHO,
        One(Bytes::from_static(b"owl")),
    );
    let error = within("the call", async { call.timeout(SOON).await })
        .await
        .expect_err("nobody listens");
    assert!(
        matches!(error.code(), Code::Unavailable | Code::DeadlineExceeded),
        "{error}"
    );

    bed.proxy.listen();
    eventually("it calls again", async || calls(&channel).await.is_ok()).await;
    bed.survived().await;
}

pub(crate) async fn a_slow_server_is_connected_to_in_time_or_not_at_all(wire: Wire) {
    let bed = Bed::new(wire).await;
    bed.proxy
        .connecting(|how| how.delay = Duration::from_secs(86_400));
    let mut options = patient();
    options.deadline = Deadline::after(SOON);

    let error = bed.connect_with(options).await.expect_err("it is late");

    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert_eq!(error.retry(), Retry::NotBegun, "{error}");
    bed.proxy.connecting(|how| how.delay = SOON / 3);
    let connection = bed.connect().await;
    echo(&connection, "owl").await.expect("an echo");
    bed.survived().await;
}

/// Nothing below a signature can tell bytes that were sent twice; the client at least is not
/// confused.
pub(crate) async fn a_duplicate_connection_changes_no_answer(wire: Wire) {
    let bed = Bed::new(wire).await;
    bed.proxy.connecting(|how| how.duplicates = 1);
    let connection = bed.connect().await;

    for number in 0..20 {
        let reply = bed.ledger.add(&connection, number).await;
        assert_eq!(reply.expect("an answer"), number);
    }

    assert_eq!(bed.proxy.counts().duplicates, 1);
    assert_eq!(bed.proxy.counts().connections, 1);
    eventually("the server heard twice", async || {
        bed.ledger.entries().len() == 40
    })
    .await;
    bed.survived().await;
}
