//! Resets, closes and half-closes, by hand and by a cut.

use std::time::Duration;

use gufo_testkit::proxy::{After, Cut, Direction, End, Step};
use tokio::time::Instant;

use crate::bed::{Bed, Peer, bytes};

pub(crate) async fn a_reset_is_one_at_both_ends_of_every_connection(bed: Bed) {
    let (mut one, mut other) = (bed.pair().await, bed.pair().await);
    one.0.reaches(&mut one.1, b"before").await;

    bed.act(Step::Reset);

    for end in [&mut one.0, &mut one.1, &mut other.0, &mut other.1] {
        end.is_reset().await;
    }
    bed.counted("they are over", |counts| counts.open == 0)
        .await;
    assert_eq!((bed.counts().resets, bed.counts().aborts), (2, 0));
    let (mut client, mut server) = bed.pair().await;
    client.reaches(&mut server, b"after").await;
}

pub(crate) async fn a_close_is_an_orderly_end_at_both_ends(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    client.reaches(&mut server, b"before").await;

    bed.act(Step::Close);

    client.hears_the_end().await;
    server.hears_the_end().await;
    client.send(b"lost").await;
    bed.counted("it is dropped", |counts| counts.up.swallowed == 4)
        .await;
    client.finish().await;
    server.finish().await;
    bed.counted("it is over", |counts| counts.open == 0).await;
    let counts = bed.counts();
    assert_eq!((counts.closes, counts.resets, counts.aborts), (1, 0, 0));
}

pub(crate) async fn a_half_close_up_lets_answers_come_down(bed: Bed) {
    let (client, server) = bed.pair().await;
    half_closed(bed, Direction::Up, client, server).await;
}

pub(crate) async fn a_half_close_down_lets_questions_go_up(bed: Bed) {
    let (client, server) = bed.pair().await;
    half_closed(bed, Direction::Down, server, client).await;
}

async fn half_closed(bed: Bed, direction: Direction, mut from: Peer, mut to: Peer) {
    bed.act(Step::HalfClose(direction));

    to.hears_the_end().await;
    to.reaches(&mut from, b"the other way").await;
    from.send(b"lost").await;
    bed.counted("it is dropped", |counts| {
        counts.lane(direction).swallowed == 4
    })
    .await;
    let lane = *bed.counts().lane(direction);
    assert_eq!((lane.half_closes, lane.ends), (1, 0));
}

fn cut(bed: &Bed, direction: Direction, after: After, end: End) {
    bed.faults(direction, |faults| faults.cut = Some(Cut { after, end }));
}

pub(crate) async fn a_cut_comes_after_its_bytes_and_not_one_more(bed: Bed) {
    cut(&bed, Direction::Down, After::Bytes(4096), End::Close);
    let (mut client, mut server) = bed.pair().await;

    server.send(&bytes(10_000)).await;

    let (heard, end) = client.rest().await;
    assert!(heard == bytes(4096), "{} bytes", heard.len());
    end.expect("in order");
    server.hears_the_end().await;
    assert_eq!(bed.counts().closes, 1);
}

pub(crate) async fn a_cut_may_be_a_reset(bed: Bed) {
    cut(&bed, Direction::Up, After::Bytes(10), End::Reset);
    let (mut client, mut server) = bed.pair().await;

    client.reaches(&mut server, b"nine byte").await;
    client.send(b"more").await;

    client.is_reset().await;
    let (heard, end) = server.rest().await;
    assert_eq!(heard, b"m");
    end.expect_err("a reset");
    assert_eq!(bed.counts().up.delivered, 10);
    assert_eq!(bed.counts().resets, 1);
}

pub(crate) async fn a_cut_may_be_a_half_close(bed: Bed) {
    cut(&bed, Direction::Up, After::Bytes(3), End::HalfClose);
    let (mut client, mut server) = bed.pair().await;

    client.send(b"owls").await;

    assert_eq!(server.rest().await.0, b"owl");
    server.reaches(&mut client, b"the other way").await;
    assert_eq!(bed.counts().up.half_closes, 1);
}

pub(crate) async fn a_cut_may_be_silent(bed: Bed) {
    cut(&bed, Direction::Up, After::Bytes(3), End::Swallow);
    let (mut client, mut server) = bed.pair().await;

    client.send(b"owls").await;
    client.finish().await;
    server.hears(b"owl").await;
    bed.counted("the end is there", |counts| counts.up.held == 1)
        .await;
    server.reaches(&mut client, b"the other way").await;
    server.hears_nothing();

    assert_eq!(
        (bed.counts().up.silences, bed.counts().up.swallowed),
        (1, 1)
    );
}

pub(crate) async fn a_cut_after_no_byte_is_at_the_begin(bed: Bed) {
    cut(&bed, Direction::Down, After::Bytes(0), End::Reset);

    let mut client = bed.connect().await.expect("it listens");

    client.is_reset().await;
    assert_eq!(bed.counts().resets, 1);
}

pub(crate) async fn a_cut_may_come_after_some_time(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    let time = Duration::from_millis(40);
    let began = Instant::now();
    cut(&bed, Direction::Up, After::Time(time), End::Reset);

    client.reaches(&mut server, b"before").await;
    client.is_reset().await;

    assert!(began.elapsed() >= time);
    server.is_reset().await;
}

crate::checks!(
    a_reset_is_one_at_both_ends_of_every_connection,
    a_close_is_an_orderly_end_at_both_ends,
    a_half_close_up_lets_answers_come_down,
    a_half_close_down_lets_questions_go_up,
    a_cut_comes_after_its_bytes_and_not_one_more,
    a_cut_may_be_a_reset,
    a_cut_may_be_a_half_close,
    a_cut_may_be_silent,
    a_cut_after_no_byte_is_at_the_begin,
    a_cut_may_come_after_some_time,
);
