//! Black holes and pauses.

use gufo_testkit::proxy::{Direction, Flow, Step};

use crate::bed::{Bed, bytes};

pub(crate) async fn a_black_hole_swallows_bytes_in_its_direction_only(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| faults.flow = Flow::Swallow);

    client.send(&bytes(1000)).await;
    bed.counted("all is swallowed", |counts| counts.up.swallowed == 1000)
        .await;
    server.reaches(&mut client, b"down").await;
    server.hears_nothing();
    bed.act(Step::Heal);

    client.reaches(&mut server, b"later").await;
    let counts = bed.counts();
    assert_eq!((counts.up.taken, counts.up.delivered), (1005, 5));
    assert_eq!((counts.down.swallowed, counts.down.delivered), (0, 4));
}

pub(crate) async fn a_black_hole_swallows_what_comes_down(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Down, |faults| faults.flow = Flow::Swallow);

    server.send(b"an answer").await;
    bed.counted("all is swallowed", |counts| counts.down.swallowed == 9)
        .await;

    client.reaches(&mut server, b"up").await;
    client.hears_nothing();
}

pub(crate) async fn a_black_hole_tells_nobody_of_an_end(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| faults.flow = Flow::Swallow);

    client.finish().await;
    bed.counted("the end is there", |counts| counts.up.held == 1)
        .await;
    server.reaches(&mut client, b"still here?").await;
    server.hears_nothing();

    bed.act(Step::Heal);
    server.hears_the_end().await;
}

pub(crate) async fn a_black_hole_tells_nobody_of_a_reset(bed: Bed) {
    let (client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| faults.flow = Flow::Swallow);

    client.abort();
    bed.counted("it is there", |counts| counts.up.held == 1)
        .await;
    server.send(b"still here?").await;
    bed.counted("it got lost", |counts| counts.down.taken == 11)
        .await;
    server.hears_nothing();

    bed.act(Step::Heal);
    server.is_reset().await;
}

pub(crate) async fn a_pause_holds_everything_and_loses_nothing(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| faults.flow = Flow::Hold);

    client.send(b"before, ").await;
    bed.counted("it is held", |counts| counts.up.held == 1)
        .await;
    client.send(b"meanwhile").await;
    client.finish().await;
    server.reaches(&mut client, b"down").await;
    server.hears_nothing();
    bed.act(Step::Heal);

    let (heard, end) = server.rest().await;
    assert_eq!(heard, b"before, meanwhile");
    end.expect("in order");
    assert_eq!(bed.counts().up.swallowed, 0);
}

pub(crate) async fn what_is_held_is_bounded_and_then_nothing_more_is_read(bed: Bed) {
    let bed = bed.with(|builder| builder.buffer(4096));
    let sent = bytes(16 << 20);
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| faults.flow = Flow::Hold);

    let flood = async {
        client.send(&sent).await;
        client.finish().await;
    };
    let reads = async {
        bed.counted("the buffer is full", |counts| counts.up.taken == 4096)
            .await;
        server.reaches(&mut bed.pair().await.0, b"").await;
        assert_eq!(
            (bed.counts().up.taken, bed.counts().up.delivered),
            (4096, 0)
        );
        bed.act(Step::Heal);
        server.rest().await.0
    };
    let ((), heard) = tokio::join!(flood, reads);

    assert!(heard == sent, "other bytes");
}

pub(crate) async fn pause_and_resume_are_for_both_directions(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.proxy.pause();
    client.send(b"question").await;
    server.send(b"answer").await;
    bed.counted("both are held", |counts| {
        (counts.up.held, counts.down.held) == (1, 1)
    })
    .await;

    bed.proxy.resume();

    server.hears(b"question").await;
    client.hears(b"answer").await;
}

crate::checks!(
    a_black_hole_swallows_bytes_in_its_direction_only,
    a_black_hole_swallows_what_comes_down,
    a_black_hole_tells_nobody_of_an_end,
    a_black_hole_tells_nobody_of_a_reset,
    a_pause_holds_everything_and_loses_nothing,
    what_is_held_is_bounded_and_then_nothing_more_is_read,
    pause_and_resume_are_for_both_directions,
);
