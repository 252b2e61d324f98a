//! What a connection says of itself.

use gufo_core::{Cancel, ConnectionState, Kind, Status, Streaming};

use crate::conformance::{
    Failure,
    Outcome::{NotDeclared, Passed},
    Sockets, Verdict,
    bed::Bed,
    client::Client,
    ensure, ensure_eq,
    message::{Note, numbered},
    plan::Plan,
    script::{Then, script},
};

pub(crate) async fn honest_state(bed: Bed) -> Verdict {
    for graceful in [true, false] {
        let (server, client) = bed.pair(Plan::new()).await?;
        bed.within("a reply", client.echo(Note::default()))
            .await??;
        let state = client.connection.state();
        ensure_eq!(state, ConnectionState::Ready, "a connection in use");

        if graceful {
            server.drain();
        } else {
            server.abort();
        }

        if bed.capabilities.sockets == Sockets::PerCall {
            // It is the calls that find out.
            let calling = async {
                while client.connection.state() == ConnectionState::Ready {
                    let _ = client.echo(Note::default()).await; // The last one fails.
                    tokio::task::yield_now().await;
                }
            };
            bed.within("another state than ready", calling).await?;
        }
        bed.eventually("another state than ready", || {
            client.connection.state() != ConnectionState::Ready
        })
        .await?;
        bed.within("the connection's end", client.connection.closed())
            .await?;
        let refused = bed
            .within("a refusal", client.echo(Note::default()))
            .await?;
        ensure!(refused.is_err(), "a call over a lost connection succeeds");
    }
    Ok(Passed)
}

/// Waits until nothing is in flight.
async fn returns_to_zero(bed: &Bed, client: &Client, way: &str) -> Result<(), Failure> {
    let zero = bed.eventually("nothing in flight", || client.connection.in_flight() == 0);
    zero.await.map_err(|_| {
        let count = client.connection.in_flight();
        Failure::new(format!("{count} in flight after calls that {way}"))
    })
}

fn plan() -> Plan {
    Plan::mirrors()
        .unary(|_, note: Note| async move {
            match &*note.text {
                "fail" => return Err(Status::aborted("asked to")),
                "wait" => std::future::pending::<()>().await,
                _ => {}
            }
            Ok(note)
        })
        .server_stream(|_, note: Note| async move {
            let fails = Then::Fail(Status::aborted("asked to"));
            Ok(match &*note.text {
                "fail" => script(2, fails, &Cancel::new()),
                "wait" => script(2, Then::Wait, &Cancel::new()),
                _ => Streaming::iter(numbered(2)),
            })
        })
}

pub(crate) async fn load_returns_to_zero(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(plan()).await?;
    let soon = bed.settle() / 50;

    bed.within("a reply", client.unary(Note::default()))
        .await??;
    returns_to_zero(&bed, &client, "succeeded").await?;
    let failed = bed
        .within("a status", client.unary(Note::text("fail")))
        .await?;
    ensure!(failed.is_err(), "a call that fails succeeds");
    returns_to_zero(&bed, &client, "failed").await?;
    let late = client.unary(Note::text("wait")).timeout(soon);
    ensure!(bed.within("the deadline", late).await?.is_err(), "too late");
    returns_to_zero(&bed, &client, "were late").await?;
    let dropped = tokio::spawn(client.unary(Note::text("wait")).into_future());
    bed.eventually("a call in flight", || client.connection.in_flight() == 1)
        .await?;
    dropped.abort();
    returns_to_zero(&bed, &client, "were given up").await?;
    Ok(Passed)
}

pub(crate) async fn load_of_streams_returns_to_zero(bed: Bed) -> Verdict {
    let Some((_server, client)) = bed.pair_for(Kind::ServerStream, plan()).await? else {
        return Ok(NotDeclared);
    };
    for way in ["end", "fail", "wait"] {
        let call = client.server_stream(Note::text(way));
        let mut replies = bed.within("a stream", call).await??;
        ensure_eq!(client.connection.in_flight(), 1, "streams in flight");
        for _ in 0..2 {
            bed.within("a message", replies.next()).await??;
        }
        if way != "wait" {
            let _ = bed.within("the end", replies.next()).await?; // Each way has its own.
        }
        drop(replies);
        returns_to_zero(&bed, &client, way).await?;
    }
    let late = client.server_stream(Note::text("wait"));
    let replies = bed
        .within("a stream", late.timeout(bed.settle() / 10))
        .await??;
    let late = bed.within("the deadline", replies.collect()).await?;
    ensure!(late.is_err(), "a stream that waits ends well");
    returns_to_zero(&bed, &client, "were late").await?;
    Ok(Passed)
}

pub(crate) async fn drop_releases(bed: Bed) -> Verdict {
    let (server, client) = bed.pair(Plan::new()).await?;
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    ensure_eq!(server.peers(), 1, "peers being served");

    drop(client);

    bed.eventually("no peer", || server.peers() == 0).await?;
    let again = server.connect().await?;
    bed.within("a reply", again.echo(Note::default())).await??;
    Ok(Passed)
}
