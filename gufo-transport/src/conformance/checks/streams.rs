//! Calls that stream.

use gufo_core::{Kind, Response, Status, Streaming};

use crate::conformance::{
    Outcome::{NotDeclared, Passed},
    StreamTrailers, Verdict,
    bed::Bed,
    ensure, ensure_eq,
    message::{Note, numbered},
    plan::Plan,
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

pub(crate) async fn first_message_counts(bed: Bed) -> Verdict {
    let plan = Plan::new().client_stream(|_, mut notes: Streaming<Note>| async move {
        let first = notes.next().await?;
        while notes.next().await?.is_some() {}
        Ok(first.unwrap_or_default())
    });
    let Some((_server, client)) = bed.pair_for(Kind::ClientStream, plan).await? else {
        return Ok(NotDeclared);
    };

    for count in [1, 2, 100] {
        let notes = (0..count).map(|number| Note::text(format!("note {number}")));
        let call = client.client_stream(Streaming::iter(notes));
        let first = bed.within("a reply", call).await??;
        ensure_eq!(first.text, "note 0", "the first of {count} messages");
    }
    Ok(Passed)
}

pub(crate) async fn no_message_at_all(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(Plan::mirrors()).await?;
    let kinds = &bed.capabilities.kinds;

    if kinds.contains(&Kind::ClientStream) {
        let call = client.client_stream(Streaming::iter([]));
        let sum = bed.within("a sum", call).await??;
        ensure_eq!(sum, Note::default(), "the sum of nothing");
    }
    if kinds.contains(&Kind::ServerStream) {
        let call = client.server_stream(Note::number(0));
        let mut replies = bed.within("a stream", call).await??;
        let end = bed.within("the end", replies.next()).await??;
        ensure_eq!(end, None, "the first message of an empty stream");
    }
    if kinds.contains(&Kind::Bidi) {
        let mut replies = bed
            .within("a stream", client.bidi(Streaming::iter([])))
            .await??;
        let end = bed.within("the end", replies.next()).await??;
        ensure_eq!(end, None, "the echo of an empty stream");
    }
    Ok(Passed)
}

pub(crate) async fn send_while_receiving(bed: Bed) -> Verdict {
    let plan = Plan::new().bidi(|_, mut notes: Streaming<Note>| async move {
        let (sender, replies) = Streaming::channel(1);
        tokio::spawn(async move {
            // The first reply comes after the hundredth request.
            for _ in 0..100 {
                notes.next().await?;
            }
            while let Some(note) = notes.next().await? {
                sender.send(note).await?;
            }
            Ok::<_, Status>(())
        });
        Ok(replies)
    });
    let Some((_server, client)) = bed.pair_for(Kind::Bidi, plan).await? else {
        return Ok(NotDeclared);
    };

    let (sender, requests) = Streaming::channel(1);
    let call = client.bidi(requests);
    let receiving = tokio::spawn(async move { call.await?.collect().await });
    for note in numbered(200) {
        bed.within("room for a request", sender.send(note))
            .await??;
    }
    drop(sender);

    let all = bed.within("all replies", receiving).await???;
    ensure!(
        all.into_iter().eq(numbered(200).skip(100)),
        "not the last hundred"
    );
    Ok(Passed)
}

pub(crate) async fn messages_arrive_as_they_are_sent(bed: Bed) -> Verdict {
    let Some((_server, client)) = bed.pair_for(Kind::Bidi, Plan::mirrors()).await? else {
        return Ok(NotDeclared);
    };

    let (sender, requests) = Streaming::channel(1);
    let mut replies = bed.within("the head", client.bidi(requests)).await??;
    for note in numbered(20) {
        bed.within("room", sender.send(note.clone())).await??;
        let next = bed.within("its echo", replies.next()).await??;
        ensure_eq!(next, Some(note), "the echo before the next request");
    }
    Ok(Passed)
}
