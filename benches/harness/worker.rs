//! The children: a server that listens until its parent goes away, a load generator, and one that idles.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::{self, Builder};

use crate::load::{Runtime, ServeJob, ServerAt};
use crate::peer::{At, Measured, Peer, Serving};
use crate::{About, Result};

/// A table of peers.
pub type Table = [&'static dyn Measured];

/// All of a binary that only brings peers: the children, and `check` for whoever builds it.
#[must_use]
pub fn main(peers: &'static Table) -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.as_slice() {
        [word] if word == "check" => peers.iter().try_for_each(|peer| match peer.about().absent {
            Some(_) => Ok(()),
            None => peer.check(),
        }),
        words => child(peers, words).unwrap_or_else(|| {
            Err("this brings peers to gufo-benches, which starts it; by hand there are 'list' and 'check'".into())
        }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when this fails.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what the words say if they are the words of a child, with the result on the standard output.
#[must_use]
pub fn child(peers: &Table, words: &[String]) -> Option<Result<()>> {
    match words {
        [word] if word == "list" => Some(list(peers)),
        [word, job] if word == "serve" => Some(serve_one(peers, job)),
        [word, job] if word == "drive" => Some(answer(
            peers,
            job,
            |peer, job| peer.drive(job),
            |job| &job.peer,
        )),
        [word, job] if word == "hold" => Some(answer(
            peers,
            job,
            |peer, job| peer.hold(job),
            |job| &job.peer,
        )),
        _ => None,
    }
}

/// The peer of a name.
///
/// # Errors
/// When the table has none.
pub fn find(peers: &Table, name: &str) -> Result<&'static dyn Measured> {
    let found = peers.iter().find(|peer| peer.about().name == name);
    found
        .copied()
        .ok_or_else(|| format!("there is no peer '{name}'").into())
}

fn list(peers: &Table) -> Result<()> {
    let list: Vec<About> = peers.iter().map(|peer| peer.about()).collect();
    print(&list)
}

fn serve_one(peers: &Table, job: &str) -> Result<()> {
    end_with_parent()?;
    let job: ServeJob = serde_json::from_str(job)?;
    find(peers, &job.peer)?.serve(&job)
}

fn answer<J: DeserializeOwned, A: Serialize>(
    peers: &Table,
    job: &str,
    work: impl FnOnce(&'static dyn Measured, &J) -> Result<A>,
    name: impl FnOnce(&J) -> &str,
) -> Result<()> {
    end_with_parent()?;
    let job: J = serde_json::from_str(job)?;
    let peer = find(peers, name(&job))?;
    print(&work(peer, &job)?)
}

fn print(value: &impl Serialize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// Runs the server of a peer; its address is the first line of the output.
pub(crate) fn serve<P: Peer>(peer: &'static P, job: &ServeJob) -> Result<()> {
    match job.runtime {
        Runtime::CurrentThread => run(&current_thread()?, peer),
        Runtime::Multi2 => run(&two_workers()?, peer),
        Runtime::PerCore => serve_on_each_core(peer),
    }
}

fn run(runtime: &runtime::Runtime, peer: &'static impl Peer) -> Result<()> {
    runtime.block_on(async {
        let serving = peer.serve(At::Free).await?;
        print(&here(&serving))?;
        serving.ended.await
    })
}

/// A thread, a runtime and a listener for each core; the kernel spreads the connections.
fn serve_on_each_core<P: Peer>(peer: &'static P) -> Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (ready, listening) = mpsc::channel::<Result<ServerAt>>();
    let mut port = 0;
    for core in 0..cores {
        let ready = ready.clone();
        thread::Builder::new()
            .name(format!("core-{core}"))
            .spawn(move || {
                let outcome = current_thread().and_then(|runtime| {
                    runtime.block_on(async {
                        let serving = peer.serve(At::Shared(port)).await?;
                        // The other end waits for one word of each thread and then for nothing more.
                        let _ = ready.send(Ok(here(&serving)));
                        serving.ended.await
                    })
                });
                if let Err(error) = outcome {
                    let _ = ready.send(Err(error));
                }
            })?;
        let at = listening.recv()??;
        if core == 0 {
            port = port_of(&at.address)?;
            print(&at)?;
        }
    }
    // A thread that ends early has failed.
    drop(ready);
    match listening.recv() {
        Ok(Err(error)) => Err(error),
        _ => Err("a server ended by itself".into()),
    }
}

fn port_of(address: &str) -> Result<u16> {
    let digits = address.rsplit(':').next().unwrap_or_default();
    digits
        .parse()
        .map_err(|_| format!("'{address}' does not end in a port").into())
}

/// What a server in this process tells the load generator.
pub(crate) fn here(serving: &Serving) -> ServerAt {
    let mut pids = vec![std::process::id()];
    pids.extend(&serving.helpers);
    ServerAt {
        address: serving.address.clone(),
        pids,
    }
}

/// What a load generator runs on.
pub(crate) fn client_runtime(kind: Runtime) -> Result<runtime::Runtime> {
    match kind {
        Runtime::CurrentThread => current_thread(),
        Runtime::Multi2 | Runtime::PerCore => two_workers(),
    }
}

fn current_thread() -> Result<runtime::Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

fn two_workers() -> Result<runtime::Runtime> {
    let mut builder = Builder::new_multi_thread();
    Ok(builder.worker_threads(2).enable_all().build()?)
}

/// Ends the process when its input closes, so that no child outlives a parent that was killed.
fn end_with_parent() -> Result<()> {
    thread::Builder::new()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_what_stands_behind_the_last_colon() {
        assert_eq!(port_of("grpc://127.0.0.1:50051").unwrap(), 50051);
        assert!(port_of("unix:///tmp/socket").is_err());
    }
}
