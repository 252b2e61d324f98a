//! Slices, flips, and the share of connections they befall.

use gufo_testkit::proxy::{After, Cut, Direction, End, Flip, Slices};

use crate::bed::{Bed, bytes};

pub(crate) async fn slices_are_as_many_as_they_must_be(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| faults.slices = Some(Slices::of(7)));

    client.reaches(&mut server, &bytes(100)).await;
    server.reaches(&mut client, &bytes(100)).await;
    client.finish().await;
    server.hears_the_end().await;

    assert_eq!((bed.counts().up.slices, bed.counts().down.slices), (15, 0));
}

pub(crate) async fn slices_vary_within_their_bounds_and_by_the_seed_alone(bed: Bed) {
    let mut seen = Vec::new();
    for seed in [3, 3, 4] {
        let one = bed.beside().with(|builder| builder.seed(seed));
        let (mut client, mut server) = one.pair().await;
        one.faults(Direction::Up, |faults| {
            faults.slices = Some(Slices {
                variation: 9,
                ..Slices::of(10)
            });
        });
        client.reaches(&mut server, &bytes(10_000)).await;
        client.finish().await;
        server.hears_the_end().await;
        seen.push(one.counts().up.slices);
    }

    assert!((10_000 / 19..10_000).contains(&seen[0]), "{seen:?}");
    assert_ne!(seen[0], 1000, "they vary");
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
}

pub(crate) async fn a_flip_changes_one_bit_at_its_place(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Down, |faults| {
        faults.flips = vec![Flip::bit(2, 0), Flip::bit(5000, 7)];
    });
    let sent = bytes(6000);

    client.reaches(&mut server, &sent).await;
    server.send(&sent[..3000]).await;
    bed.counted("it is read", |counts| counts.down.taken == 3000)
        .await;
    server.send(&sent[3000..]).await;

    let mut expected = sent.clone();
    expected[2] ^= 1;
    expected[5000] ^= 128;
    assert!(client.receive(6000).await == expected, "other bytes");
    assert_eq!((bed.counts().down.flips, bed.counts().up.flips), (2, 0));
}

pub(crate) async fn flips_by_chance_are_those_of_the_seed(bed: Bed) {
    let sent = bytes(100_000);
    let mut seen = Vec::new();
    for seed in [3, 3, 4] {
        let one = bed.beside().with(|builder| builder.seed(seed));
        let (mut client, mut server) = one.pair().await;
        one.faults(Direction::Up, |faults| faults.flip_chance = 0.001);
        let (heard, ()) = tokio::join!(server.receive(sent.len()), client.send(&sent));
        let differ = heard.iter().zip(&sent).filter(|(is, was)| is != was);
        assert_eq!(one.counts().up.flips, differ.count() as u64);
        seen.push(heard);
    }

    let flips = seen[0].iter().zip(&sent).filter(|(is, was)| is != was);
    assert!((50..200).contains(&flips.count()));
    assert!(seen[0] == seen[1], "the same seed, other flips");
    assert!(seen[0] != seen[2], "another seed, the same flips");
}

pub(crate) async fn a_share_of_connections_is_befallen(bed: Bed) {
    bed.faults(Direction::Up, |faults| {
        faults.flips = vec![Flip::bit(0, 0)];
        faults.share = 0.3;
    });

    let mut befallen = 0;
    for _ in 0..40 {
        let (mut client, mut server) = bed.pair().await;
        client.send(b"a").await;
        befallen += usize::from(server.receive(1).await != b"a");
    }

    assert!((4..30).contains(&befallen), "{befallen} of 40");
    assert_eq!(bed.counts().up.flips, befallen as u64);
}

/// Faults act together: slices of a stream that is cut and flipped.
pub(crate) async fn faults_act_together(bed: Bed) {
    let (mut client, mut server) = bed.pair().await;
    bed.faults(Direction::Up, |faults| {
        faults.slices = Some(Slices::of(3));
        faults.flips = vec![Flip::bit(9, 0)];
        faults.cut = Some(Cut {
            after: After::Bytes(10),
            end: End::HalfClose,
        });
    });

    client.send(b"0123456789abcdef").await;

    assert_eq!(server.rest().await.0, b"0123456788");
    assert_eq!(bed.counts().up.slices, 4);
}

crate::checks!(
    slices_are_as_many_as_they_must_be,
    slices_vary_within_their_bounds_and_by_the_seed_alone,
    a_flip_changes_one_bit_at_its_place,
    flips_by_chance_are_those_of_the_seed,
    a_share_of_connections_is_befallen,
    faults_act_together,
);
