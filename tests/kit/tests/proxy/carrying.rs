//! A proxy without faults is not there.

use gufo_testkit::proxy::Direction;

use crate::bed::{Bed, bytes};

pub(crate) async fn bytes_and_ends_go_both_ways(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    let (question, answer) = (bytes(1 << 20), bytes(300_000));

    let asks = async {
        client.send(&question).await;
        client.finish().await;
        client.rest().await
    };
    let answers = async {
        let asked = server.rest().await;
        server.send(&answer).await;
        server.finish().await;
        asked
    };
    let ((heard, end), (asked, question_end)) = tokio::join!(asks, answers);

    assert!(asked == question && heard == answer, "other bytes");
    question_end.expect("in order");
    end.expect("in order");
    bed.counted("it is over", |counts| counts.open == 0).await;
    let counts = bed.counts();
    assert_eq!(counts.connections, 1);
    for (direction, sent) in [(Direction::Up, 1 << 20), (Direction::Down, 300_000)] {
        let lane = counts.lane(direction);
        assert_eq!((lane.taken, lane.delivered, lane.ends), (sent, sent, 1));
        assert_eq!((lane.swallowed, lane.half_closes, lane.flips), (0, 0, 0));
    }
    assert_eq!((counts.resets, counts.closes, counts.aborts), (0, 0, 0));
}

pub(crate) async fn a_half_open_connection_stays(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;

    server.finish().await;
    client.hears_the_end().await;

    client.reaches(&mut server, b"still here").await;
    assert_eq!(bed.counts().open, 1);
}

pub(crate) async fn a_reset_of_either_end_reaches_the_other(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    client.reaches(&mut server, b"owl").await;
    client.abort();
    server.is_reset().await;

    let (mut client, mut server) = bed.pair().await;
    client.reaches(&mut server, b"owl").await;
    server.abort();
    client.is_reset().await;

    bed.counted("both are over", |counts| counts.open == 0)
        .await;
    assert_eq!((bed.counts().aborts, bed.counts().resets), (2, 0));
}

/// What is written to an end that is gone comes back as a reset, as it would without the proxy.
pub(crate) async fn writing_to_an_end_that_has_left_is_a_reset(bed: Bed) {
    let (mut client, server) = bed.pair().await;
    drop(server);
    client.hears_the_end().await;

    bed.within("writing", async {
        loop {
            client.flood(b"anybody there?").await;
            if bed.counts().open == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;

    assert_eq!(bed.counts().aborts, 1);
}

pub(crate) async fn an_upstream_that_is_not_there_is_a_reset(bed: Bed) {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = gone.local_addr().expect("it is bound");
    bed.proxy.connecting(|how| how.upstream = address.into());
    drop(gone);

    let mut client = bed.connect().await.expect("the proxy listens");

    client.is_reset().await;
    assert_eq!(bed.counts().unreachable, 1);
}

crate::checks!(
    bytes_and_ends_go_both_ways,
    a_half_open_connection_stays,
    a_reset_of_either_end_reaches_the_other,
    writing_to_an_end_that_has_left_is_a_reset,
    an_upstream_that_is_not_there_is_a_reset,
);
