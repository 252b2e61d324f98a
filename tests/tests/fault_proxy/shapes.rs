//! Lines that are slow or come in pieces: everything arrives, and arrives right.

use std::{num::NonZeroU64, sync::Arc, time::Duration};

use bytes::Bytes;
use gufo_core::{Call, Connection, Many, One, Streaming, codec::Raw};
use gufo_testkit::{
    CHUNK, caller, methods,
    proxy::{Direction, Faults, Slices},
    within,
};

use crate::bed::{Bed, Wire, echo, endless};

/// Bytes that differ from place to place and from message to message.
fn message(number: usize, size: usize) -> Bytes {
    (0..size)
        .map(|place| (number * 7 + place * 31 % 251) as u8)
        .collect()
}

/// One call of each kind, with messages up to `largest` bytes.
async fn all_kinds(connection: &Arc<dyn Connection>, largest: usize) {
    for (number, size) in [0, 1, 100, largest, 3].into_iter().enumerate() {
        let sent = message(number, size);
        let reply = echo(connection, sent.clone()).await;
        assert!(reply.expect("an echo") == sent, "another echo of {size}");
    }

    let caller = caller(connection);
    let messages: Vec<Bytes> = (0..50).map(|number| message(number, number * 3)).collect();
    let requests = Many(Streaming::iter(messages.clone()));
    let sum = Call::<Raw, _, One<Bytes>>::new(&caller, &methods::SUM, requests);
    assert_eq!(sum.await.expect("a sum"), "50");

    let requests = Many(Streaming::iter(messages.clone()));
    let chat = Call::<Raw, _, Many<Bytes>>::new(&caller, &methods::CHAT, requests);
    let replies = chat.await.expect("it begins").collect().await;
    assert!(replies.expect("all of them") == messages, "another chat");
}

/// A stream without end that is left after a few messages, when many more are on their way.
async fn left_early(connection: &Arc<dyn Connection>) {
    let mut replies = endless(connection).await.expect("it begins");
    for _ in 0..3 {
        let chunk = replies.next().await.expect("no error").expect("no end");
        let inner = chunk
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""));
        assert_eq!(chunk.len(), CHUNK);
        assert!(inner.is_some_and(|inner| inner.iter().all(|byte| *byte == b'o')));
    }
    drop(replies);
    let after = echo(connection, "after a stream that was dropped").await;
    after.expect("the connection lives on");
}

async fn under(wire: Wire, largest: usize, change: impl Fn(&mut Faults)) -> Bed {
    let bed = small(wire, largest, change).await;
    let connection = bed.connect().await;

    within("a stream", left_early(&connection)).await;

    bed
}

/// The same without the stream, whose bytes on their way are a window full.
async fn small(wire: Wire, largest: usize, change: impl Fn(&mut Faults)) -> Bed {
    let bed = Bed::new(wire).await;
    bed.proxy.both(change);
    let connection = bed.connect().await;

    within("all kinds of calls", all_kinds(&connection, largest)).await;

    bed
}

pub(crate) async fn calls_of_all_kinds_are_right_in_slices_of_one_byte(wire: Wire) {
    let bed = small(wire, 3000, |faults| faults.slices = Some(Slices::of(1))).await;

    let counts = bed.proxy.counts();
    for direction in Direction::BOTH {
        let lane = counts.lane(direction);
        assert_eq!(lane.slices, lane.delivered);
    }
    bed.survived().await;
}

pub(crate) async fn calls_of_all_kinds_are_right_in_slices_of_any_size(wire: Wire) {
    let bed = under(wire, 100_000, |faults| {
        faults.slices = Some(Slices {
            variation: 990,
            ..Slices::of(1000)
        });
    })
    .await;

    assert!(bed.proxy.counts().up.slices > 50);
    assert!(bed.proxy.counts().down.slices > 50);
    bed.survived().await;
}

pub(crate) async fn calls_of_all_kinds_are_right_under_latency_and_jitter(wire: Wire) {
    let bed = under(wire, 100_000, |faults| {
        faults.latency = Duration::from_millis(5);
        faults.jitter = Duration::from_millis(5);
    })
    .await;

    assert!(bed.proxy.counts().up.delayed > 5);
    assert!(bed.proxy.counts().down.delayed > 5);
    bed.survived().await;
}

pub(crate) async fn calls_of_all_kinds_are_right_over_a_narrow_line(wire: Wire) {
    let bed = under(wire, 30_000, |faults| {
        faults.bandwidth = NonZeroU64::new(3_000_000);
    })
    .await;

    assert!(bed.proxy.counts().up.throttled > 5);
    assert!(bed.proxy.counts().down.throttled > 5);
    bed.survived().await;
}

pub(crate) async fn calls_at_once_are_right_with_everything_together(wire: Wire) {
    let bed = Bed::new(wire).await;
    bed.proxy.both(|faults| {
        faults.latency = Duration::from_millis(2);
        faults.jitter = Duration::from_millis(2);
        faults.slices = Some(Slices {
            variation: 60,
            ..Slices::of(64)
        });
        faults.bandwidth = NonZeroU64::new(4_000_000);
    });
    let connection = bed.connect().await;

    let calls = (0..32).map(|number| {
        let sent = message(number, number * number);
        let call = echo(&connection, sent.clone());
        tokio::spawn(async move {
            let reply = call.await.expect("an echo");
            assert!(reply == sent, "another echo");
        })
    });
    for call in calls.collect::<Vec<_>>() {
        within("the call", call).await.expect("it is right");
    }

    assert!(bed.proxy.counts().down.slices > 64);
    bed.survived().await;
}
