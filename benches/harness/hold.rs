//! What an idle connection or stream costs the server.

use std::time::Duration;

use bytes::Bytes;

use crate::Result;
use crate::load::{Held, HoldJob, Holding};
use crate::peer::{Caller, Peer};
use crate::procfs;

/// Connections opened before the first look at the server: what it allocates once is not charged to the others.
const FIRST_CONNECTIONS: usize = 10;
/// How long the server may take to let go of what it needs only while a connection opens.
const SETTLE: Duration = Duration::from_millis(500);
const PAYLOAD: usize = 64;

/// Opens all that the job says, and looks at the server before and after.
pub(crate) async fn hold<P: Peer>(peer: &P, job: &HoldJob) -> Result<Holding> {
    let body = Bytes::from(vec![0x5a; PAYLOAD]);
    let mut callers = Vec::new();
    for _ in 0..FIRST_CONNECTIONS {
        callers.push(connect(peer, job, &body).await?);
    }
    let mut streams = Vec::new();
    if job.what == Held::Streams {
        streams.push(callers[0].hold_stream(body.clone()).await?);
    }
    let before = settled(&job.server.pids).await?;

    for index in 0..job.count {
        match job.what {
            Held::Connections => callers.push(connect(peer, job, &body).await?),
            Held::Streams => {
                let caller = &mut callers[index % FIRST_CONNECTIONS];
                streams.push(caller.hold_stream(body.clone()).await?);
            }
        }
    }

    let grown = settled(&job.server.pids).await?.saturating_sub(before);
    Ok(Holding {
        bytes_each: grown as f64 / job.count as f64,
        resident: procfs::sum(&job.server.pids, procfs::resident_memory)?,
    })
}

async fn connect<P: Peer>(peer: &P, job: &HoldJob, body: &Bytes) -> Result<P::Caller> {
    let mut caller = peer.connect(&job.server.address).await?;
    caller.unary(body.clone()).await?;
    Ok(caller)
}

async fn settled(server: &[u32]) -> Result<u64> {
    tokio::time::sleep(SETTLE).await;
    procfs::sum(server, procfs::anonymous_memory)
}
