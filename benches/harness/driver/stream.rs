//! One stream, as fast as flow control allows.

use bytes::Bytes;

use super::Window;
use crate::Result;
use crate::load::{DriveJob, Measurement};
use crate::peer::Caller;

/// Messages of the short stream that warms up the long one.
const WARM_UP: u64 = 20_000;

pub(super) async fn measure<C: Caller>(
    mut callers: Vec<C>,
    job: &DriveJob,
    messages: u64,
    server: &[u32],
) -> Result<Measurement> {
    let caller = callers.first_mut().ok_or("a stream needs a connection")?;
    let body = Bytes::from(vec![0x5a; job.scenario.payload]);
    caller.stream(body.clone(), WARM_UP).await?;

    let window = Window::open(server)?;
    let (mut completed, mut errors) = (0, 0);
    // At least one stream; fast peers repeat it, since a short window has no precise processor time.
    while completed == 0 || window.started.elapsed() < job.measured {
        let echoed = caller.stream(body.clone(), messages).await?;
        completed += echoed;
        errors += messages.abs_diff(echoed);
        if echoed == 0 {
            break;
        }
    }
    Ok(Measurement {
        completed,
        errors,
        ..window.close(server)?
    })
}
