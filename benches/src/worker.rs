//! The children: a server that listens until its parent goes away, a load generator, and one that idles.

use std::io::{Read, Write};

use tokio::runtime::{Builder, Runtime};

use crate::Result;
use crate::args;
use crate::driver;
use crate::hold;
use crate::load::{DriveJob, HoldJob, ServeJob};
use crate::peers::{Grpc, Peer, Tonic, with_peer};

/// Runs the server of a peer; its address is the first line of the output.
pub(crate) fn serve(job: &ServeJob) -> Result<()> {
    end_with_parent()?;
    let runtime = runtime(job.runtime)?;
    with_peer!(job.peer.as_str(), P => runtime.block_on(async {
        let serving = P::serve().await?;
        writeln!(std::io::stdout(), "{}", serving.address)?;
        serving.ended.await
    }))
}

/// Measures one scenario; the measurement is the output, as JSON.
pub(crate) fn drive(job: &DriveJob) -> Result<()> {
    end_with_parent()?;
    let runtime = runtime(job.runtime)?;
    let measurement = with_peer!(job.peer.as_str(), P => runtime.block_on(async {
        match &job.server {
            Some(server) => driver::drive::<P>(job, &server.address, server.pid).await,
            None => {
                let serving = P::serve().await?;
                tokio::spawn(serving.ended);
                driver::drive::<P>(job, &serving.address, std::process::id()).await
            }
        }
    }))?;
    serde_json::to_writer(std::io::stdout(), &measurement)?;
    // What still hangs on a connection must not keep the process.
    runtime.shutdown_background();
    Ok(())
}

/// Opens what the job says; the bytes that each costs the server are the output, as JSON.
pub(crate) fn hold(job: &HoldJob) -> Result<()> {
    end_with_parent()?;
    let runtime = runtime(job.runtime)?;
    let bytes = match job.peer.as_str() {
        Grpc::NAME => runtime.block_on(hold::bytes_each::<Grpc>(job)),
        Tonic::NAME => runtime.block_on(hold::bytes_each::<Tonic>(job)),
        other => Err(format!("'{other}' does not keep streams open").into()),
    }?;
    serde_json::to_writer(std::io::stdout(), &bytes)?;
    runtime.shutdown_background();
    Ok(())
}

fn runtime(kind: args::Runtime) -> Result<Runtime> {
    let mut builder = match kind {
        args::Runtime::CurrentThread => Builder::new_current_thread(),
        args::Runtime::MultiThread => Builder::new_multi_thread(),
    };
    Ok(builder.worker_threads(2).enable_all().build()?)
}

/// Ends the process when its input closes, so that no child outlives a parent that was killed.
fn end_with_parent() -> Result<()> {
    std::thread::Builder::new()
        .name("end-with-parent".to_owned())
        .spawn(|| {
            // An error means the same as the end: nobody is there any more.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            #[allow(
                clippy::exit,
                reason = "the parent is gone: nothing is left to report to"
            )]
            std::process::exit(0);
        })?;
    Ok(())
}
