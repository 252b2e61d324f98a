//! Who gets in, and where connections go.

use std::io;

use gufo_testkit::proxy::{Direction, Flip, Step};
use tokio::net::TcpListener;

use crate::{
    bed::{Bed, bytes},
    times::connecting,
};

pub(crate) async fn a_closed_port_refuses_newcomers_and_keeps_who_is_in(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;

    bed.act(Step::Refuse);

    for _ in 0..3 {
        let refused = bed.connect().await.err().expect("nobody listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
    client.reaches(&mut server, b"still here").await;
    assert_eq!((bed.counts().refusals, bed.counts().connections), (1, 1));

    bed.act(Step::Listen);

    let (mut client, mut server) = bed.pair().await;
    client.reaches(&mut server, b"back again").await;
}

/// While it is closed, the port is nobody else's.
pub(crate) async fn a_closed_port_is_kept(bed: Bed) {
    bed.act(Step::Refuse);

    let taken = TcpListener::bind(bed.proxy.address().to_string()).await;

    // Whether the kernel lets somebody bind it by name is its own affair; by chance nobody gets it.
    drop(taken);
    for _ in 0..200 {
        let other = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = other.local_addr().expect("it is bound");
        assert_ne!(address.to_string(), bed.proxy.address().to_string());
    }
    bed.act(Step::Listen);
    bed.pair().await;
}

pub(crate) async fn a_duplicate_sees_the_same_bytes_and_its_answers_are_dropped(bed: Bed) {
    let mut how = connecting(&bed);
    how.duplicates = 1;
    bed.act(Step::Connecting(how));
    bed.faults(Direction::Up, |faults| faults.flips = vec![Flip::bit(0, 1)]);
    let mut client = bed.connect().await.expect("it listens");
    let (mut first, mut second) = (bed.accept().await, bed.accept().await);
    let sent = bytes(100_000);

    let (question, again, ()) = tokio::join!(first.rest(), second.rest(), async {
        client.send(&sent).await;
        client.finish().await;
    });
    second.send(b"answer of the second").await;
    first.reaches(&mut client, b"answer").await;
    first.finish().await;
    client.hears_the_end().await;

    assert!(question.0 == again.0, "other bytes");
    assert_eq!((question.0[0], question.0.len()), (2, 100_000));
    assert_eq!((bed.counts().duplicates, bed.counts().connections), (1, 1));
}

pub(crate) async fn a_duplicate_is_reset_with_its_connection(bed: Bed) {
    let mut how = connecting(&bed);
    how.duplicates = 1;
    bed.act(Step::Connecting(how));
    let _client = bed.connect().await.expect("it listens");
    let (mut first, mut second) = (bed.accept().await, bed.accept().await);

    bed.counted("it is made", |counts| counts.duplicates == 1)
        .await;
    bed.act(Step::Reset);

    first.is_reset().await;
    second.is_reset().await;
}

pub(crate) async fn new_connections_go_where_the_proxy_is_told(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    let other = bed.beside();

    let mut how = connecting(&bed);
    how.upstream = connecting(&other).upstream;
    bed.act(Step::Connecting(how));

    let mut newcomer = bed.connect().await.expect("it listens");
    newcomer.reaches(&mut other.accept().await, b"moved").await;
    client.reaches(&mut server, b"stayed").await;
}

crate::checks!(
    a_closed_port_refuses_newcomers_and_keeps_who_is_in,
    a_closed_port_is_kept,
    a_duplicate_sees_the_same_bytes_and_its_answers_are_dropped,
    a_duplicate_is_reset_with_its_connection,
    new_connections_go_where_the_proxy_is_told,
);
