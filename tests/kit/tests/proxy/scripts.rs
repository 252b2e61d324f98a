//! Scripts over real connections.

use std::time::Duration;

use gufo_testkit::proxy::{Direction, Faults, Flow, Step};
use tokio::time::Instant;

use crate::bed::{Bed, bytes};

pub(crate) async fn after_connections_and_bytes_comes_a_reset(bed: Bed) {
    bed.play([
        Step::Connections(3),
        Step::Bytes(Direction::Up, 4096),
        Step::Reset,
    ]);
    let mut pairs = vec![bed.pair().await, bed.pair().await];
    let (client, server) = &mut pairs[0];
    client.reaches(server, &bytes(5000)).await;
    assert_eq!(bed.counts().steps, 0);

    pairs.push(bed.pair().await);
    let (client, _) = &mut pairs[2];
    client.send(&bytes(5000)).await;

    for (client, server) in &mut pairs {
        client.is_reset().await;
        server.rest().await.1.expect_err("a reset");
    }
    assert_eq!(bed.counts().up.delivered, 5000 + 4096);
    assert_eq!((bed.counts().resets, bed.counts().steps), (3, 3));
    assert!(bed.proxy.played());
}

/// The request has been served, and the reply never comes: who asked cannot know.
pub(crate) async fn a_reply_can_be_cut_off_before_its_first_byte(bed: Bed) {
    bed.play([
        Step::Bytes(Direction::Up, 7),
        Step::Arrival(Direction::Down),
        Step::Reset,
        Step::Repeat(9),
    ]);

    for _ in 0..10 {
        let (mut client, mut server) = bed.pair().await;
        server.reaches(&mut client, b"greeting").await;
        client.reaches(&mut server, b"request").await;
        server.flood(b"reply").await;
        let (heard, end) = client.rest().await;
        assert_eq!(heard, b"");
        end.expect_err("a reset");
    }

    assert_eq!(bed.counts().resets, 10);
    let (mut client, mut server) = bed.pair().await;
    client.reaches(&mut server, b"request").await;
    server.reaches(&mut client, b"reply").await;
}

pub(crate) async fn a_script_sets_and_lifts_faults(bed: Bed) {
    let mut faults = Faults::default();
    faults.flow = Flow::Swallow;
    bed.play([
        Step::Bytes(Direction::Up, 3),
        Step::Faults(Direction::Up, faults),
        Step::Bytes(Direction::Down, 3),
        Step::Heal,
    ]);
    let (mut client, mut server) = bed.pair().await;

    client.send(b"owls").await;
    server.hears(b"owl").await;
    bed.counted("the rest is dropped", |counts| counts.up.swallowed == 1)
        .await;
    server.reaches(&mut client, b"who").await;

    client.reaches(&mut server, b"back").await;
}

pub(crate) async fn a_script_waits_for_time(bed: Bed) {
    let (mut client, _server) = bed.pair().await;
    let time = Duration::from_millis(40);
    let began = Instant::now();

    bed.play([Step::Elapsed(time), Step::Close]);
    client.hears_the_end().await;

    assert!(began.elapsed() >= time);
    assert_eq!(bed.counts().steps, 2);
}

pub(crate) async fn a_script_closes_and_opens_the_door(bed: Bed) {
    bed.play([
        Step::Connections(1),
        Step::Refuse,
        Step::Bytes(Direction::Up, 1),
        Step::Listen,
    ]);

    let (mut client, mut server) = bed.pair().await;
    assert!(bed.connect().await.is_err());
    client.reaches(&mut server, b"!").await;

    bed.pair().await;
}

pub(crate) async fn a_script_is_replaced_by_the_next(bed: Bed) {
    bed.play([Step::Bytes(Direction::Up, 1), Step::Reset]);
    bed.play([]);
    let (mut client, mut server) = bed.pair().await;

    client.reaches(&mut server, b"no reset").await;

    assert!(bed.proxy.played());
    assert_eq!(bed.counts().resets, 0);
}

crate::checks!(
    after_connections_and_bytes_comes_a_reset,
    a_reply_can_be_cut_off_before_its_first_byte,
    a_script_sets_and_lifts_faults,
    a_script_waits_for_time,
    a_script_closes_and_opens_the_door,
    a_script_is_replaced_by_the_next,
);
