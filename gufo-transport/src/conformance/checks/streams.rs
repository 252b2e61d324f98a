//! Calls that stream.

use gufo_core::{Kind, Response, Streaming};

use crate::conformance::{
    Outcome::{NotDeclared, Passed},
    StreamTrailers,
    bed::Bed,
    failure::{ensure, ensure_eq},
    message::{Note, numbered},
    plan::Plan,
    report::Verdict,
};

pub(crate) async fn stream_shapes(bed: Bed) -> Verdict {
    let plan = Plan::mirrors().server_stream(|_, note: Note| async move {
        let mut response = Response::new(Streaming::iter(numbered(note.number)));
        response.metadata.insert("x-ahead", "first")?;
        response.trailers.insert("x-after", "last")?;
        Ok(response)
    });
    let (_server, client) = bed.pair(plan).await?;
    let kinds = &bed.capabilities.kinds;

    if kinds.contains(&Kind::ClientStream) {
        let sum = client.client_stream(Streaming::iter(numbered(100)));
        ensure_eq!(bed.within("a sum", sum).await??.number, 4950, "the sum");
    }
    if kinds.contains(&Kind::ServerStream) {
        let call = client.server_stream(Note::number(100)).response();
        let mut response = bed.within("a stream", call).await??;
        ensure_eq!(response.metadata.get("x-ahead"), Some("first"), "metadata");
        for wanted in numbered(100) {
            let next = bed.within("a message", response.message.next()).await??;
            ensure_eq!(next, Some(wanted), "the next message");
        }
        let end = bed.within("the end", response.message.next()).await??;
        ensure_eq!(end, None, "what follows the last message");
        let wanted = match bed.capabilities.stream_trailers {
            StreamTrailers::Carried => Some("last"),
            StreamTrailers::Dropped => None,
        };
        let trailers = response.message.trailers();
        ensure_eq!(trailers.get("x-after"), wanted, "the trailers");
    }
    if kinds.contains(&Kind::Bidi) {
        let call = client.bidi(Streaming::iter(numbered(100)));
        let replies = bed.within("a stream", call).await??;
        let all = bed.within("all messages", replies.collect()).await??;
        ensure!(all.into_iter().eq(numbered(100)), "not what was sent");
    }
    Ok(Passed)
}

pub(crate) async fn half_close(bed: Bed) -> Verdict {
    let plan = Plan::new().bidi(|_, mut notes: Streaming<Note>| async move {
        let mut count = 0;
        while notes.next().await?.is_some() {
            count += 1;
        }
        Ok(Streaming::iter(numbered(count)))
    });
    let Some((_server, client)) = bed.pair_for(Kind::Bidi, plan).await? else {
        return Ok(NotDeclared);
    };

    let call = client.bidi(Streaming::iter(numbered(3)));
    let replies = bed.within("a stream", call).await??;
    let all = bed.within("all messages", replies.collect()).await??;

    ensure_eq!(all.len(), 3, "messages sent after the client's end");
    Ok(Passed)
}
