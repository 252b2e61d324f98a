//! What takes time: never less than it should.

use std::{num::NonZeroU64, time::Duration};

use gufo_testkit::proxy::{Connecting, Direction, Faults, Slices, Step};
use tokio::time::Instant;

use crate::bed::{Bed, bytes};

const MOMENT: Duration = Duration::from_millis(40);

pub(crate) async fn latency_keeps_bytes_back_in_its_direction(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| faults.latency = MOMENT);

    let began = Instant::now();
    client.reaches(&mut server, b"question").await;
    assert!(began.elapsed() >= MOMENT);
    server.reaches(&mut client, b"answer").await;

    assert_eq!((bed.counts().up.delayed, bed.counts().down.delayed), (1, 0));
}

/// Bytes are on their way together: latency is no bandwidth.
pub(crate) async fn bytes_under_latency_stay_in_order_and_on_their_way_together(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| faults.latency = MOMENT * 5);
    let sent = bytes(50);

    for (index, byte) in sent.iter().enumerate() {
        client.send(&[*byte]).await;
        bed.counted("it is read", |counts| counts.up.taken == index as u64 + 1)
            .await;
    }
    // All of them are read before the first may have come.
    let ahead = bed.counts().up;
    server.hears(&sent).await;

    assert_eq!(ahead.taken, 50);
    assert_eq!(bed.counts().up.delivered, 50);
}

pub(crate) async fn jitter_keeps_some_back_and_others_not(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    // Half of what is drawn is less than nothing.
    bed.faults(Direction::Up, |faults| faults.jitter = MOMENT);

    let mut longest = Duration::ZERO;
    for _ in 0..16 {
        let began = Instant::now();
        client.reaches(&mut server, b"owl").await;
        longest = longest.max(began.elapsed());
    }

    let delayed = bed.counts().up.delayed;
    assert!((1..16).contains(&delayed), "{delayed} of 16");
    assert!(longest >= MOMENT / 2, "{longest:?}");
}

pub(crate) async fn jitter_does_not_let_bytes_overtake(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| {
        faults.latency = MOMENT / 4;
        faults.jitter = MOMENT / 4;
    });
    let sent = bytes(200);

    for (index, byte) in sent.iter().enumerate() {
        client.send(&[*byte]).await;
        bed.counted("it is read", |counts| counts.up.taken == index as u64 + 1)
            .await;
    }

    server.hears(&sent).await;
}

pub(crate) async fn a_latency_that_ends_lets_go_what_it_kept(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| {
        faults.latency = Duration::from_secs(86_400);
    });
    client.send(b"owl").await;
    bed.counted("it is kept", |counts| counts.up.delayed == 1)
        .await;

    bed.act(Step::Heal);

    server.hears(b"owl").await;
}

pub(crate) async fn bandwidth_takes_its_time(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Down, |faults| {
        faults.bandwidth = NonZeroU64::new(50_000);
    });
    let sent = bytes(10_000);

    let began = Instant::now();
    server.reaches(&mut client, &sent).await;

    assert!(began.elapsed() >= Duration::from_millis(200));
    assert!(bed.counts().down.throttled >= 10);
}

pub(crate) async fn a_gap_follows_each_slice(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| {
        faults.slices = Some(Slices {
            gap: Duration::from_millis(10),
            ..Slices::of(2)
        });
    });

    let began = Instant::now();
    client.reaches(&mut server, b"owl-owl-owl").await;

    // Six slices, five gaps between them.
    assert!(began.elapsed() >= Duration::from_millis(50));
}

pub(crate) async fn a_slow_close_is_later_than_bytes(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| faults.close_delay = MOMENT);

    let began = Instant::now();
    client.reaches(&mut server, b"bye").await;
    client.finish().await;
    server.hears_the_end().await;

    assert!(began.elapsed() >= MOMENT);
}

pub(crate) async fn a_slow_connection_is_made_later(bed: Bed) {
    let mut how = connecting(&bed);
    how.delay = MOMENT;
    bed.act(Step::Connecting(how));

    let began = Instant::now();
    let (mut client, mut server) = bed.pair().await;

    assert!(began.elapsed() >= MOMENT);
    client.reaches(&mut server, b"owl").await;
}

pub(crate) async fn faults_can_be_seen_as_they_are(bed: Bed) {
    bed.proxy.up(|faults| faults.latency = MOMENT);
    bed.proxy.up(|faults| faults.jitter = MOMENT);

    let faults = bed.proxy.faults(Direction::Up);

    assert_eq!((faults.latency, faults.jitter), (MOMENT, MOMENT));
    assert_eq!(bed.proxy.faults(Direction::Down), Faults::default());
}

/// How connections are made now.
pub(crate) fn connecting(bed: &Bed) -> Connecting {
    let mut now = None;
    bed.proxy.connecting(|how| now = Some(how.clone()));
    now.expect("asked at once")
}

crate::checks!(
    latency_keeps_bytes_back_in_its_direction,
    bytes_under_latency_stay_in_order_and_on_their_way_together,
    jitter_keeps_some_back_and_others_not,
    jitter_does_not_let_bytes_overtake,
    a_latency_that_ends_lets_go_what_it_kept,
    bandwidth_takes_its_time,
    a_gap_follows_each_slice,
    a_slow_close_is_later_than_bytes,
    a_slow_connection_is_made_later,
    faults_can_be_seen_as_they_are,
);
