//! Unary calls.

use gufo_core::{Code, Context, Metadata, Response, Status};

use crate::conformance::{
    Outcome::Passed,
    Verdict,
    bed::{Bed, begin, expect_code},
    client::Client,
    ensure, ensure_eq,
    message::{Note, unknown},
    plan::Plan,
};

/// The entries of metadata that a check set: those whose names begin with `x-`.
pub(super) fn of_user(metadata: &Metadata) -> Metadata {
    let mut user = Metadata::new();
    for (key, value) in metadata.iter() {
        if key.as_str().starts_with("x-") {
            user.push(key.clone(), value.clone())
                .expect("invariant: it was metadata before");
        }
    }
    user
}

/// A handler that gives the request's metadata back, before the message and after it.
pub(super) async fn mirror(ctx: Context, note: Note) -> Result<Response<Note>, Status> {
    Ok(Response {
        message: note,
        metadata: of_user(ctx.metadata()),
        trailers: of_user(ctx.metadata()),
    })
}

pub(crate) async fn echo_with_headers(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(Plan::new().unary(mirror)).await?;
    let note = Note {
        text: "owl ü € 🦉".to_owned(),
        number: u64::MAX,
        data: (0..=255).collect(),
    };

    let call = client.unary(note.clone()).metadata("x-user", "owl, barn");
    let response = bed.within("a reply", call.response()).await??;

    ensure_eq!(response.message, note, "the message");
    let user = response.metadata.get("x-user");
    ensure_eq!(user, Some("owl, barn"), "the header");
    Ok(Passed)
}

pub(crate) async fn unary(bed: Bed) -> Verdict {
    let plan = Plan::new().unary(|_, note: Note| async move {
        let mut response = Response::new(Note::number(note.number + 1));
        response.metadata.insert("x-ahead", "first")?;
        response.trailers.insert("x-after", "last")?;
        Ok(response)
    });
    let (_server, client) = bed.pair(plan).await?;

    let response = bed
        .within("a reply", client.unary(Note::number(1)).response())
        .await??;

    ensure_eq!(response.message.number, 2, "the message");
    let (ahead, after) = (
        response.metadata.get("x-ahead"),
        response.trailers.get("x-after"),
    );
    ensure_eq!(ahead, Some("first"), "the metadata");
    ensure_eq!(after, Some("last"), "the trailers");
    Ok(Passed)
}

pub(crate) async fn handler_error_surfaces(bed: Bed) -> Verdict {
    let plan = Plan::new().unary(|_, note: Note| async move {
        let code = Code::from_number(note.number.cast_signed());
        Err::<Note, _>(Status::new(code, note.text))
    });
    let (_server, client) = bed.pair(plan).await?;

    for number in 1..=16_u64 {
        let code = Code::from_number(number.cast_signed());
        let message = format!("owl {number} 100% ü €\n");
        let note = Note {
            text: message.clone(),
            ..Note::number(number)
        };
        let failed = bed.within("a status", client.unary(note)).await?;
        let error = expect_code(failed, code, "a failing handler")?;
        ensure_eq!(error.message(), message, "the message of {code:?}");
    }
    Ok(Passed)
}

pub(crate) async fn no_header_leak(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(Plan::new().unary(mirror)).await?;

    let with = |client: Client, name: String| async move {
        let call = client.unary(Note::text(&*name)).metadata("x-user", &name);
        (
            call.metadata(&format!("x-{name}"), "1").response().await,
            name,
        )
    };
    for round in 0..3 {
        let mut calls = tokio::task::JoinSet::new();
        for index in 0..32 {
            calls.spawn(with(client.clone(), format!("user-{round}-{index}")));
        }
        while let Some(call) = calls.join_next().await {
            let (response, name) = call?;
            let response = response?;
            for seen in [&response.metadata, &response.trailers] {
                ensure_eq!(seen.len(), 2, "entries of the call of {name}: {seen:?}");
                ensure_eq!(seen.get("x-user"), Some(&*name), "the entry of a call");
            }
        }
        let bare = client.unary(Note::default()).response().await?;
        ensure!(
            of_user(&bare.metadata).is_empty() && of_user(&bare.trailers).is_empty(),
            "a call without metadata sees {:?} and {:?}",
            bare.metadata,
            bare.trailers
        );
    }
    Ok(Passed)
}

pub(crate) async fn unknown_method(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(Plan::new()).await?;

    let nothing = client.call(unknown(gufo_core::Kind::Unary), Note::default());
    let refused = bed.within("a refusal", nothing).await?;
    expect_code(refused, Code::Unimplemented, "an unknown method")?;
    for kind in bed.capabilities.kinds.clone() {
        // The plan has no methods but the echo.
        let refused = bed.within("a refusal", begin(&client, kind)).await?;
        expect_code(refused, Code::Unimplemented, "an unknown method")?;
    }

    bed.within("a reply", client.echo(Note::default()))
        .await??;
    Ok(Passed)
}
