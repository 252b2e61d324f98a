//! Race: connects to one of several endpoints, the better ones with a head start.

use std::{collections::VecDeque, future::poll_fn, sync::Arc, task::Poll, time::Duration};

use gufo_core::{BoxFuture, Connection, Error, Result};
use tokio::time::{Instant, sleep_until};

use crate::endpoint::{Connecting, Target};

/// How long an attempt may take before the next best endpoint is tried as well: long enough for a
/// handshake across a continent, short enough for a call that waits (RFC 8305 says 250 ms too).
const HEAD_START: Duration = Duration::from_millis(250);

/// An attempt under way, and the index of its target.
type Attempt = (usize, BoxFuture<'static, Result<Arc<dyn Connection>>>);

/// Connects to the first of the targets `order` names that can be connected, and answers its index.
/// `None` when none can.
///
/// # Cancel safety
/// Dropping the future ends all attempts.
pub(crate) async fn race(
    targets: &[Target],
    order: impl IntoIterator<Item = usize>,
    how: &Connecting,
    mut failed: impl FnMut(usize, &Target, &Error),
) -> Option<(usize, Arc<dyn Connection>)> {
    let mut later: VecDeque<usize> = order.into_iter().collect();
    let mut running: Vec<Attempt> = Vec::new();
    let mut start = Instant::now();
    loop {
        if Instant::now() >= start
            && let Some(index) = later.pop_front()
        {
            running.push((index, Box::pin(targets[index].connect(how))));
            start = Instant::now() + HEAD_START;
        }
        tokio::select! {
            biased;
            (index, connected) = first(&mut running), if !running.is_empty() => match connected {
                Ok(connection) => return Some((index, connection)),
                Err(error) => {
                    failed(index, &targets[index], &error);
                    start = Instant::now();
                }
            },
            () = sleep_until(start), if !later.is_empty() => {}
            else => return None,
        }
    }
}

/// The attempt that ends first; of several, the better one.
async fn first(running: &mut Vec<Attempt>) -> (usize, Result<Arc<dyn Connection>>) {
    poll_fn(|cx| {
        for at in 0..running.len() {
            if let Poll::Ready(connected) = running[at].1.as_mut().poll(cx) {
                let (index, _) = running.remove(at);
                return Poll::Ready((index, connected));
            }
        }
        Poll::Pending
    })
    .await
}
