//! A replica stops while eight callers are at work, and no call fails.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

use gufo_examples::{BoxError, GreeterClient, ensure};

use crate::{eventually, hello, replica::Replica, replica::replica_of};

const CALLERS: usize = 8;

/// What the callers saw.
#[derive(Default)]
struct Seen {
    ok: AtomicUsize,
    failed: AtomicUsize,
    /// Calls sent after the replica had stopped, and answered by the other one.
    by_other: AtomicUsize,
    stopped: AtomicBool,
    enough: AtomicBool,
}

/// Stops a replica under load.
pub(crate) async fn drain(greeter: &GreeterClient, replica: Replica) -> Result<(), BoxError> {
    let seen = Arc::new(Seen::default());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(keep_calling(
            greeter.clone(),
            replica.name,
            Arc::clone(&seen),
        ));
    }

    eventually(|| seen.ok.load(SeqCst) >= 100).await;
    let report = replica.server.stop().await;
    seen.stopped.store(true, SeqCst);
    println!(
        "   {} stopped under {CALLERS} callers: {} running calls finished, {} aborted",
        replica.name, report.finished, report.aborted
    );
    eventually(|| seen.by_other.load(SeqCst) >= 100 || seen.failed.load(SeqCst) > 0).await;
    seen.enough.store(true, SeqCst);
    while let Some(caller) = callers.join_next().await {
        caller?;
    }

    let (ok, failed) = (seen.ok.load(SeqCst), seen.failed.load(SeqCst));
    println!("   {ok} calls answered, {failed} failed; the other replica goes on");
    ensure(failed == 0, "no call fails")?;
    ensure(report.aborted == 0, "no call is aborted")
}

async fn keep_calling(greeter: GreeterClient, stopping: &'static str, seen: Arc<Seen>) {
    while !seen.enough.load(SeqCst) {
        let after_stop = seen.stopped.load(SeqCst);
        match greeter.hello(hello("owl")).response().await {
            Ok(reply) if after_stop && replica_of(&reply) == stopping => {
                println!("   a stopped replica answered");
                seen.failed.fetch_add(1, SeqCst);
            }
            Ok(_) => {
                seen.ok.fetch_add(1, SeqCst);
                if after_stop {
                    seen.by_other.fetch_add(1, SeqCst);
                }
            }
            Err(error) => {
                println!("   a call failed: {error}");
                seen.failed.fetch_add(1, SeqCst);
            }
        }
    }
}
