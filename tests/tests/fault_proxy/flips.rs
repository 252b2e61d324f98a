//! Bytes that arrive changed. Nothing guards them here, so that an answer may be wrong; what must
//! not happen is harm to anybody else.

use bytes::Bytes;
use gufo_core::{Call, Many, Result, Streaming, codec::Raw};
use gufo_testkit::{
    PATIENCE, caller, connect, eventually, methods,
    proxy::{Direction, Faults, Flip, Proxy},
    within,
};

use crate::bed::{Bed, Wire, echo, patient};

/// One message, then a stream: what comes of it is not said.
async fn call(url: String) -> Result<Bytes> {
    let connection = connect(&url, patient()).await?;
    let reply = echo(&connection, "an ordinary message").await?;
    let caller = caller(&connection);
    let requests = Many(Streaming::iter([reply, Bytes::from_static(b"another")]));
    let chat = Call::<Raw, _, Many<Bytes>>::new(&caller, &methods::CHAT, requests);
    let replies = chat.timeout(PATIENCE).await?.collect().await?;
    Ok(replies.concat().into())
}

/// Such calls through many proxies at once. What a damaged byte leaves waiting is ended by a reset,
/// when the probe was answered a few times meanwhile.
async fn calls(bed: &Bed, proxies: &[Proxy]) -> Vec<Result<Bytes>> {
    let calls = proxies.iter().map(|proxy| bed.wire.url(proxy.address()));
    let calls: Vec<_> = calls.map(|url| tokio::spawn(call(url))).collect();
    eventually("each is damaged or over", async || {
        let mut all = calls.iter().zip(proxies);
        all.all(|(call, proxy)| call.is_finished() || flips(proxy) > 0)
    })
    .await;
    bed.answers(3).await;
    for proxy in proxies {
        proxy.reset();
    }
    let mut ended = Vec::new();
    for call in calls {
        ended.push(within("the calls", call).await.expect("no panic"));
    }
    ended
}

fn flips(proxy: &Proxy) -> u64 {
    let counts = proxy.counts();
    counts.up.flips + counts.down.flips
}

/// Calls once for every byte that an undisturbed run has in this direction, with one bit of that
/// byte turned over.
async fn anywhere(wire: Wire, direction: Direction) {
    let bed = Bed::new(wire).await;
    let plain = [bed.proxy(|builder| builder)];
    for undisturbed in calls(&bed, &plain).await {
        assert_eq!(
            undisturbed.expect("it is right"),
            "an ordinary messageanother"
        );
    }
    let bytes = plain[0].counts().lane(direction).delivered;

    let (mut flipped, mut noticed) = (0, 0);
    let places: Vec<u64> = (0..bytes).collect();
    for places in places.chunks(48) {
        let proxies = places.iter().map(|place| {
            let proxy = bed.proxy(|builder| builder);
            // Over the places every bit has its turn.
            let bit = (place * 5 % 8) as u8;
            let set = |faults: &mut Faults| faults.flips = vec![Flip::bit(*place, bit)];
            match direction {
                Direction::Up => proxy.up(set),
                Direction::Down => proxy.down(set),
            }
            proxy
        });
        let proxies: Vec<Proxy> = proxies.collect();
        let ended = calls(&bed, &proxies).await;
        noticed += ended.iter().filter(|ended| ended.is_err()).count();
        flipped += proxies.iter().filter(|proxy| flips(proxy) == 1).count();
    }

    // No two runs need quite the same bytes.
    assert!(flipped * 10 >= places.len() * 8, "{flipped} of {bytes}");
    assert!(noticed > 0, "no frame was damaged");
    bed.survived().await;
}

pub(crate) async fn a_bit_turned_over_anywhere_on_its_way_up_ends_in_something(wire: Wire) {
    anywhere(wire, Direction::Up).await;
}

pub(crate) async fn a_bit_turned_over_anywhere_on_its_way_down_ends_in_something(wire: Wire) {
    anywhere(wire, Direction::Down).await;
}

pub(crate) async fn a_line_that_turns_bits_over_by_chance_harms_nobody_else(wire: Wire) {
    let bed = Bed::new(wire).await;
    let mut flipped = 0;

    for seed in 0..3 {
        let proxies: Vec<Proxy> = (0..40)
            .map(|number| bed.proxy(|builder| builder.seed(seed * 40 + number)))
            .collect();
        for proxy in &proxies {
            proxy.both(|faults| faults.flip_chance = 0.005);
        }
        calls(&bed, &proxies).await;
        flipped += proxies.iter().map(flips).sum::<u64>();
    }

    assert!(flipped > 50, "only {flipped} flips");
    bed.survived().await;
}
