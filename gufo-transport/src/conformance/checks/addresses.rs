//! Where servers listen, and whether one is there.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use gufo_core::{BackendUrl, Cancel, Code, Deadline, Error};
use tokio::task::JoinSet;

use crate::conformance::{
    Address, Failure, KeepAlive,
    Outcome::Passed,
    Verdict,
    bed::{Bed, Server, expect_code},
    client::Client,
    ensure, ensure_eq,
    knock::Stranger,
    message::{Note, UNARY},
    plan::Plan,
};

pub(crate) async fn port_rules(bed: Bed) -> Verdict {
    let plan = Plan::new();
    let first = bed.listen(&plan).await?;
    let second = bed.listen(&plan).await?;

    ensure!(first.url() != second.url(), "two at {}", first.url());
    if bed.capabilities.address == Address::Port {
        for listener in [&first, &second] {
            let url = BackendUrl::parse(listener.url())?;
            let host = url.reader().take_host()?;
            let port = host.and_then(|host| host.port());
            ensure!(port.is_some_and(|port| port > 0), "{}", listener.url());
        }
    }
    let taken = BackendUrl::parse(first.url())?;
    let transport = bed.harness.listening_transport();
    let refused = transport.listen(taken, plan.listen.clone()).await;
    expect_code(refused.map(drop), Code::AlreadyExists, "an address in use")?;

    // The address in use was not disturbed.
    let server = Server::start(bed.clone(), first, Arc::new(plan));
    let client = server.connect().await?;
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    Ok(Passed)
}

pub(crate) async fn refused(bed: Bed) -> Verdict {
    let plan = Plan::new();
    // Somebody else may take an address that was given back: then another one is tried.
    for _ in 0..5 {
        let url = bed.listen(&plan).await?.url().to_owned();
        let url = BackendUrl::parse(&bed.harness.connect_url(&url))?;
        let transport = bed.harness.transport();
        let connecting = transport.connect(url, plan.connect.clone());
        let connected = bed.within("a refusal", connecting).await?;
        if connected.is_err() {
            expect_code(connected, Code::Unavailable, "nobody's address")?;
            return Ok(Passed);
        }
    }
    Err(Failure::new("connecting to nobody succeeds"))
}

pub(crate) async fn url_is_used_or_refused(bed: Bed) -> Verdict {
    let server = bed.serve(Plan::new()).await?;

    let url = bed.harness.connect_url(&server.url);
    let sign = if url.contains('?') { '&' } else { '?' };
    let url = BackendUrl::parse(&format!("{url}{sign}owls=2"))?;
    let connecting = bed.harness.transport().connect(url, Plan::new().connect);
    let refused = bed.within("a refusal", connecting).await?;
    expect_code(refused, Code::InvalidArgument, "an unknown key")?;

    let url = BackendUrl::parse(&format!("{}?owls=2", bed.harness.listen_url()))?;
    let transport = bed.harness.listening_transport();
    let refused = transport.listen(url, Plan::new().listen).await;
    expect_code(refused.map(drop), Code::InvalidArgument, "an unknown key")?;
    Ok(Passed)
}

pub(crate) async fn peer_identity(bed: Bed) -> Verdict {
    let plan = Plan::new().unary(|ctx, _| async move {
        let peer = ctx.peer();
        Ok(Note {
            text: peer.map(|peer| peer.scheme.to_string()).unwrap_or_default(),
            number: u64::from(peer.is_some_and(|peer| peer.identity.is_some())),
            ..Note::default()
        })
    });
    let (server, client) = bed.pair(plan).await?;

    let call = client.unary(Note::default());
    let seen = bed
        .within("a reply", call.metadata("x-identity", "owl"))
        .await??;

    ensure!(
        !seen.text.is_empty() && server.url.starts_with(&seen.text),
        "the peer of {} has the scheme {:?}",
        server.url,
        seen.text
    );
    ensure_eq!(seen.number, 0, "an identity nobody verified");
    Ok(Passed)
}

pub(crate) async fn handshake_off_the_accept_loop(bed: Bed) -> Verdict {
    let handshake = bed.settle() / 10;
    let plan = Plan::new().listen(|options| options.handshake_timeout = handshake);
    let mut listener = bed.listen(&plan).await?;
    let url = listener.url().to_owned();
    let address = bed.capabilities.address;
    // A peer that is accepted and not served yet.
    let connecting = BackendUrl::parse(&bed.harness.connect_url(&url))?;
    let connecting = bed
        .harness
        .transport()
        .connect(connecting, plan.connect.clone());
    let connecting = tokio::spawn(connecting);
    let held = bed.within("the first peer", listener.accept()).await??;
    // Peers that say nothing, or not enough.
    let mut strangers = Vec::new();
    for bytes in [
        "",
        "PRI * HTTP",
        "POST /",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        if let Some(mut stranger) = Stranger::connect(address, &url)? {
            stranger.send(bytes.as_bytes())?;
            strangers.push(stranger);
        }
    }

    let server = Server::start(bed.clone(), listener, Arc::new(plan));
    let client = server.connect().await?;
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    for stranger in strangers {
        stranger.until_cut(bed.settle()).await?;
    }

    drop(held);
    connecting.abort();
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    Ok(Passed)
}

pub(crate) async fn unfinished_connect_delays_nobody(bed: Bed) -> Verdict {
    let server = bed.serve(Plan::new()).await?;
    let mut unfinished = Vec::new();
    for _ in 0..4 {
        let mut connecting = Box::pin(server.connecting(&Plan::new()));
        let polled = poll_fn(|cx| Poll::Ready(connecting.as_mut().poll(cx).map(drop)));
        let _ = polled.await; // It may be connected already.
        unfinished.push(connecting);
    }

    let client = server.connect().await?;
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    Ok(Passed)
}

pub(crate) async fn half_open_detected(bed: Bed) -> Verdict {
    let plan = Plan::new().connect(|options| {
        options.keep_alive_interval = Duration::from_millis(50);
        options.keep_alive_timeout = Duration::from_millis(50);
        options.deadline = Deadline::after(bed.settle() / 4);
    });
    let mut listener = bed.listen(&plan).await?;
    let url = BackendUrl::parse(&bed.harness.connect_url(listener.url()))?;
    let connecting = bed.harness.transport().connect(url, plan.connect.clone());
    let connecting = tokio::spawn(connecting);
    // Accepted, and never served.
    let _held = bed.within("the peer", listener.accept()).await??;

    let call = async {
        let connection = connecting.await.map_err(|_| lost_task())??;
        let client = Client::new(connection, bed.capabilities.formats.first().cloned());
        let asks = bed.capabilities.keep_alive == KeepAlive::Asks;
        let timeout = bed.settle() / if asks { 2 } else { 4 };
        let call = client.call(&UNARY, Note::default()).timeout(timeout);
        let failed = call.await.map(drop);
        if asks && matches!(&failed, Err(error) if error.code() == Code::DeadlineExceeded) {
            return Ok(()); // Not noticed before the deadline.
        }
        failed
    };

    let error = bed.within("the end of the call", call).await?.err();
    let error = error.ok_or_else(|| Failure::new("a peer that vanished is not noticed"))?;
    ensure!(
        matches!(error.code(), Code::Unavailable | Code::DeadlineExceeded),
        "a peer that vanished is {error:?}"
    );
    Ok(Passed)
}

fn lost_task() -> Error {
    Error::internal("connecting panicked")
}

pub(crate) async fn accept_is_cancel_safe(bed: Bed) -> Verdict {
    let plan = Plan::new();
    let mut listener = bed.listen(&plan).await?;
    let url = BackendUrl::parse(&bed.harness.connect_url(listener.url()))?;
    let transport = bed.harness.transport();
    let connecting = tokio::spawn(transport.connect(url, plan.connect.clone()));

    // Each round drops a future that may be about to answer.
    let accepting = async {
        loop {
            let mut accepting = listener.accept();
            let polled = poll_fn(|cx| Poll::Ready(accepting.as_mut().poll(cx)));
            if let Poll::Ready(incoming) = polled.await {
                return incoming;
            }
            drop(accepting);
            tokio::task::yield_now().await;
        }
    };
    let incoming = bed.within("the peer", accepting).await??;

    let mut serving = JoinSet::new();
    serving.spawn(incoming.serve(Arc::new(plan), Cancel::new()));
    let connection = bed.within("a connection", connecting).await???;
    let client = Client::new(connection, bed.capabilities.formats.first().cloned());
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    Ok(Passed)
}
