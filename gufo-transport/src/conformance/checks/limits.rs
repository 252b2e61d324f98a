//! Limits: going over one fails the call and nothing else.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use gufo_core::{Cancel, Code, Error, Kind, Metadata, Response, Retry};

use crate::conformance::{
    Outcome::{NotDeclared, Passed},
    Verdict,
    bed::{Bed, expect_code},
    ensure, ensure_eq,
    message::{CLIENT_STREAM, Note, SERVER_STREAM, UNARY},
    plan::Plan,
    raw::sizes,
};

const LIMIT: usize = 64 * 1024;

/// Where a limit of messages is set.
#[derive(Clone, Copy, Debug)]
enum Side {
    ClientSends,
    ServerReceives,
    ServerSends,
    ClientReceives,
}

const SIDES: [Side; 4] = [
    Side::ClientSends,
    Side::ServerReceives,
    Side::ServerSends,
    Side::ClientReceives,
];

impl Side {
    fn limit(self, plan: Plan) -> Plan {
        match self {
            Self::ClientSends => plan.connect(|options| options.limits.send = LIMIT),
            Self::ServerReceives => plan.listen(|options| options.limits.receive = LIMIT),
            Self::ServerSends => plan.listen(|options| options.limits.send = LIMIT),
            Self::ClientReceives => plan.connect(|options| options.limits.receive = LIMIT),
        }
    }

    /// The sizes of request and reply, one of which this side looks at.
    const fn sizes(self, size: usize) -> (usize, usize) {
        match self {
            Self::ClientSends | Self::ServerReceives => (size, 1),
            Self::ServerSends | Self::ClientReceives => (1, size),
        }
    }
}

pub(crate) async fn oversize(bed: Bed) -> Verdict {
    for side in SIDES {
        for (size, fits) in [(LIMIT, true), (LIMIT + 1, false), (16 * LIMIT, false)] {
            let (request, reply) = side.sizes(size);
            let plan = side.limit(Plan::new().route(&UNARY, sizes([reply])));
            let (_server, client) = bed.pair(plan).await?;

            let call = bed.raw_unary(&client, &UNARY, request);
            let answer = bed.within("an answer", call).await?;

            if fits {
                ensure_eq!(answer?, reply, "the size of a reply where {side:?} {size}");
            } else {
                expect_code(answer, Code::ResourceExhausted, "a large message")?;
            }
            bed.within("a reply", client.echo(Note::default()))
                .await??;
        }
    }
    Ok(Passed)
}

pub(crate) async fn oversize_in_mid_stream(bed: Bed) -> Verdict {
    for side in [Side::ServerSends, Side::ClientReceives] {
        let plan = side.limit(Plan::new().route(&SERVER_STREAM, sizes([1, LIMIT, LIMIT + 1])));
        let Some((_server, client)) = bed.pair_for(Kind::ServerStream, plan).await? else {
            return Ok(NotDeclared);
        };

        let call = bed.raw_stream(&client, &SERVER_STREAM, vec![1]);
        let mut replies = bed.within("a stream", call).await??.messages;
        for _ in 0..2 {
            let next = bed.within("a message", replies.next()).await?;
            ensure!(matches!(next, Some(Ok(_))), "{next:?} instead of a message");
        }
        let failed = bed.within("the end", replies.next()).await?.transpose();
        let failed = failed.map_err(Error::from);
        expect_code(failed, Code::ResourceExhausted, "a large message")?;
        bed.within("a reply", client.echo(Note::default()))
            .await??;
    }
    Ok(Passed)
}

pub(crate) async fn oversize_request_in_mid_stream(bed: Bed) -> Verdict {
    for side in [Side::ClientSends, Side::ServerReceives] {
        let plan = side.limit(Plan::new().route(&CLIENT_STREAM, sizes([1])));
        let Some((_server, client)) = bed.pair_for(Kind::ClientStream, plan).await? else {
            return Ok(NotDeclared);
        };

        let call = bed.raw_stream(&client, &CLIENT_STREAM, vec![1, LIMIT, LIMIT + 1]);
        let answered = async {
            let mut replies = call.await?.messages;
            replies.next().await.transpose()
        };
        let failed = bed
            .within("an answer", answered)
            .await?
            .map_err(Error::from);
        expect_code(failed, Code::ResourceExhausted, "a large request")?;
        bed.within("a reply", client.echo(Note::default()))
            .await??;
    }
    Ok(Passed)
}

/// Metadata of about this many bytes.
fn large(size: usize) -> Result<Metadata, Error> {
    let mut metadata = Metadata::new();
    for index in 0..8 {
        metadata.insert(&format!("x-{index}"), &"v".repeat(size / 8))?;
    }
    Ok(metadata)
}

const METADATA: usize = 8 * 1024;

pub(crate) async fn metadata_is_refused_before_it_is_sent(bed: Bed) -> Verdict {
    let plan = Plan::new()
        .unary(|_, note| async move {
            let mut response = Response::new(note);
            response.trailers = large(METADATA)?;
            Ok(response)
        })
        .listen(|options| options.limits.metadata = METADATA)
        .connect(|options| options.limits.metadata = 2 * METADATA);
    let (server, client) = bed.pair(plan).await?;
    let narrow = Plan::new().connect(|options| options.limits.metadata = METADATA / 4);
    let narrow = server.connecting(&narrow);
    let narrow = server.client(bed.within("a connection", narrow).await??);

    let call = narrow.echo(Note::default());
    let refused = bed.within("a refusal", call.metadata_all(large(METADATA / 2)?));
    expect_code(refused.await?, Code::ResourceExhausted, "a large request")?;
    let refused = bed.within("a refusal", client.unary(Note::default()));
    expect_code(refused.await?, Code::ResourceExhausted, "a large reply")?;

    for client in [narrow, client] {
        bed.within("a reply", client.echo(Note::default()))
            .await??;
    }
    Ok(Passed)
}

pub(crate) async fn request_metadata_over_the_limit(bed: Bed) -> Verdict {
    for size in [METADATA, 2 * METADATA, 3 * METADATA] {
        let plan = Plan::new()
            .listen(|options| options.limits.metadata = METADATA)
            .connect(|options| options.limits.metadata = 8 * METADATA);
        let (_server, client) = bed.pair(plan).await?;

        let call = client.echo(Note::default()).metadata_all(large(size)?);
        let refused = bed.within("a refusal", call).await?;

        expect_code(refused, Code::ResourceExhausted, "large metadata")?;
        let call = client
            .echo(Note::default())
            .metadata_all(large(METADATA / 2)?);
        bed.within("a reply", call).await??;
    }
    Ok(Passed)
}

pub(crate) async fn reply_metadata_over_the_limit(bed: Bed) -> Verdict {
    for size in [METADATA, 2 * METADATA, 3 * METADATA] {
        for trailers in [false, true] {
            let plan = Plan::new()
                .unary(move |_, note| async move {
                    let mut response = Response::new(note);
                    let side = if trailers {
                        &mut response.trailers
                    } else {
                        &mut response.metadata
                    };
                    *side = large(size)?;
                    Ok(response)
                })
                .listen(|options| options.limits.metadata = 8 * METADATA)
                .connect(|options| options.limits.metadata = METADATA);
            let (_server, client) = bed.pair(plan).await?;

            let refused = bed
                .within("a refusal", client.unary(Note::default()))
                .await?;

            let code = refused.err().map(|error| error.code());
            ensure!(
                matches!(code, Some(Code::ResourceExhausted | Code::Internal)),
                "{size} bytes of metadata over the limit give {code:?}"
            );
            bed.within("a reply", client.echo(Note::default()))
                .await??;
        }
    }
    Ok(Passed)
}

/// Calls that run at the same time.
#[derive(Default)]
struct Crowd {
    running: AtomicUsize,
    most: AtomicUsize,
    open: Cancel,
}

/// A plan whose calls wait until they are let through.
fn crowded(crowd: &Arc<Crowd>) -> Plan {
    let crowd = Arc::clone(crowd);
    Plan::new().unary(move |_, note| {
        let now = crowd.running.fetch_add(1, Ordering::AcqRel) + 1;
        crowd.most.fetch_max(now, Ordering::AcqRel);
        let crowd = Arc::clone(&crowd);
        async move {
            crowd.open.cancelled().await;
            crowd.running.fetch_sub(1, Ordering::AcqRel);
            Ok(note)
        }
    })
}

pub(crate) async fn concurrent_calls_are_limited(bed: Bed) -> Verdict {
    let crowd = Arc::<Crowd>::default();
    let plan = crowded(&crowd)
        .listen(|options| options.limits.calls = 4)
        .connect(|options| options.limits.calls = 4);
    let (_server, client) = bed.pair(plan).await?;

    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..32 {
        calls.spawn(client.unary(Note::default()).into_future());
    }
    let four = || crowd.running.load(Ordering::Acquire) >= 4;
    bed.eventually("four calls", four).await?;
    bed.pause().await;
    crowd.open.cancel();

    while let Some(call) = bed.within("all calls", calls.join_next()).await? {
        if let Err(error) = call? {
            let not_begun = error.retry() == Retry::NotBegun;
            let refused = error.code() == Code::ResourceExhausted || not_begun;
            ensure!(refused, "a call over the limit ends with {error:?}");
        }
    }
    let most = crowd.most.load(Ordering::Acquire);
    ensure_eq!(most, 4, "calls at the same time");
    Ok(Passed)
}
