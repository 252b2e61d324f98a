//! One connection, from its client to its upstream.

use std::{convert::Infallible, io, sync::Arc};

use bytes::BytesMut;
use futures_util::future::join_all;
use tokio::sync::watch;

use super::{
    Direction,
    address::Stream,
    lane::{self, Broken, Ends, Link, READ},
    shared::{Orders, Shared},
};

/// Serves a client until both directions have ended, or the connection is reset.
pub(super) async fn serve(
    shared: Arc<Shared>,
    number: u64,
    orders: Arc<watch::Sender<Orders>>,
    client: Stream,
) {
    let link = Entered(Link {
        shared,
        number,
        orders,
        deaf: parking_lot::Mutex::default(),
        done: parking_lot::Mutex::default(),
    });
    let link = &link.0;
    let mut orders = link.orders.subscribe();
    let reset = async {
        // The sender lives in `link`.
        let _ = orders.wait_for(|orders| orders.reset).await;
    };
    let upstream = tokio::select! {
        () = reset => None,
        upstream = connect(&link.shared) => Some(upstream),
    };
    let Some(upstream) = upstream else {
        client.reset_on_drop();
        link.shared.count(|counts| counts.resets += 1);
        return;
    };
    let Ok((upstream, duplicates)) = upstream else {
        client.reset_on_drop();
        link.shared.count(|counts| counts.unreachable += 1);
        return;
    };
    if let Err(broken) = carry(link, &client, &upstream, &duplicates).await {
        for end in duplicates.iter().chain([&client, &upstream]) {
            end.reset_on_drop();
        }
        link.shared.count(|counts| match broken {
            Broken::Fault => counts.resets += 1,
            Broken::Peer => counts.aborts += 1,
        });
    }
}

/// A connection that is in the list of open ones.
struct Entered(Link);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.shared.leave(self.0.number);
    }
}

async fn connect(shared: &Shared) -> io::Result<(Stream, Vec<Stream>)> {
    let connecting = shared.settings.borrow().connecting.clone();
    if !connecting.delay.is_zero() {
        tokio::time::sleep(connecting.delay).await;
    }
    let upstream = Stream::connect(&connecting.upstream).await?;
    let mut duplicates = Vec::new();
    for _ in 0..connecting.duplicates {
        duplicates.push(Stream::connect(&connecting.upstream).await?);
        shared.count(|counts| counts.duplicates += 1);
    }
    Ok((upstream, duplicates))
}

async fn carry(
    link: &Link,
    client: &Stream,
    upstream: &Stream,
    duplicates: &[Stream],
) -> Result<(), Broken> {
    let up = Ends {
        source: client,
        destination: upstream,
        duplicates,
    };
    let down = Ends {
        source: upstream,
        destination: client,
        duplicates: &[],
    };
    let lanes = async {
        tokio::try_join!(
            lane::run(link, Direction::Up, up),
            lane::run(link, Direction::Down, down),
        )
    };
    let mut orders = link.orders.subscribe();
    let closes = async {
        if orders.wait_for(|orders| orders.close).await.is_ok() {
            link.shared.count(|counts| counts.closes += 1);
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        // Counted before the lanes end by it.
        biased;
        () = closes => Ok(()),
        ended = lanes => ended.map(|_| ()),
        never = drain(duplicates) => match never {},
    }
}

/// Reads and drops what duplicates answer.
async fn drain(duplicates: &[Stream]) -> Infallible {
    join_all(duplicates.iter().map(async |duplicate| {
        let mut buffer = BytesMut::new();
        loop {
            buffer.clear();
            buffer.reserve(READ);
            if !matches!(duplicate.read(&mut buffer, READ).await, Ok(1..)) {
                break;
            }
        }
    }))
    .await;
    std::future::pending().await
}
