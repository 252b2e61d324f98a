//! What an idle connection or stream costs the server.

use std::time::Duration;

use bytes::Bytes;

use crate::Result;
use crate::load::{Held, HoldJob};
use crate::peers::{Caller, HoldStream, Peer};
use crate::procfs;

/// Connections opened before the first look at the server: what it allocates once is not charged to the others.
const FIRST_CONNECTIONS: usize = 10;
/// How long the server may take to let go of what it needs only while a connection opens.
const SETTLE: Duration = Duration::from_millis(500);
const PAYLOAD: usize = 64;

/// The growth of the server's anonymous memory for each thing held open, in bytes.
pub(crate) async fn bytes_each<P: Peer<Caller: HoldStream>>(job: &HoldJob) -> Result<f64> {
    let body = Bytes::from(vec![0x5a; PAYLOAD]);
    let mut callers = Vec::new();
    for _ in 0..FIRST_CONNECTIONS {
        callers.push(connect::<P>(&job.server.address, &body).await?);
    }
    let mut streams = vec![callers[0].hold_stream(body.clone()).await?];
    let before = settled(job.server.pid).await?;

    for index in 0..job.count {
        match job.what {
            Held::Connections => callers.push(connect::<P>(&job.server.address, &body).await?),
            Held::Streams => {
                streams.push(
                    callers[index % FIRST_CONNECTIONS]
                        .hold_stream(body.clone())
                        .await?,
                );
            }
        }
    }

    let grown = settled(job.server.pid).await?.saturating_sub(before);
    Ok(grown as f64 / job.count as f64)
}

async fn connect<P: Peer>(address: &str, body: &Bytes) -> Result<P::Caller> {
    let mut caller = P::connect(address).await?;
    caller.unary(body.clone()).await?;
    Ok(caller)
}

async fn settled(server: u32) -> Result<u64> {
    tokio::time::sleep(SETTLE).await;
    procfs::anonymous_memory(server)
}
