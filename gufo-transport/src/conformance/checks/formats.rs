//! Formats and compression.

use gufo_core::{
    Call, Code, Codec, Compression, Format, One, Status, Values,
    codec::{AnySerialize, DecodeSeed, Serde},
};

use crate::conformance::{
    CustomCodecs,
    Outcome::{NotDeclared, Passed},
    Verdict,
    bed::{Bed, expect_code},
    client::Client,
    ensure, ensure_eq,
    message::{Note, UNARY},
    plan::Plan,
};

const BUILT_IN: [Format; 3] = [Format::Protobuf, Format::Json, Format::MessagePack];

fn note() -> Note {
    Note {
        text: "ü \"owl\" \u{0}".to_owned(),
        number: u64::MAX,
        data: vec![0, 159, 146, 150],
    }
}

/// A plan that answers with the note and the format it was asked in.
fn names_the_format() -> Plan {
    Plan::new().unary(|ctx, note: Note| async move {
        let mut response = gufo_core::Response::new(note);
        response.metadata.insert("x-format", ctx.format().name())?;
        Ok(response)
    })
}

pub(crate) async fn every_format(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(names_the_format()).await?;

    for format in BUILT_IN {
        let call = client.unary(note()).format(format.clone());
        let answer = bed.within("an answer", call.response()).await?;
        if bed.capabilities.formats.contains(&format) {
            let response = answer?;
            ensure_eq!(response.message, note(), "the message in {format}");
            let seen = response.metadata.get("x-format");
            ensure_eq!(seen, Some(format.name()), "the format of the handler");
        } else {
            expect_code(answer, Code::Unimplemented, "a format not declared")?;
        }
    }
    Ok(Passed)
}

/// JSON under another name.
#[derive(Debug)]
struct Owl;

impl Codec for Owl {
    fn name(&self) -> &str {
        "x-owl"
    }

    fn encode(&self, value: &dyn AnySerialize, out: &mut Vec<u8>) -> Result<(), Status> {
        serde_json::to_writer(out, value).map_err(|error| Status::internal(error.to_string()))
    }

    fn decode(&self, bytes: &[u8], seed: &mut DecodeSeed<'_>) -> Result<(), Status> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        seed.read(&mut deserializer)
            .map_err(|error| Status::invalid_argument(error.to_string()))
    }
}

fn in_owl(client: &Client) -> Call<Serde, One<Note>, One<Note>> {
    Call::new(&client.caller, &UNARY, One(note())).format(Format::Custom(std::sync::Arc::new(Owl)))
}

pub(crate) async fn registered_codec(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(names_the_format().codec(Owl)).await?;

    let answer = bed.within("an answer", in_owl(&client).response()).await?;

    if bed.capabilities.custom_codecs == CustomCodecs::Refused {
        expect_code(answer, Code::Unimplemented, "a codec not declared")?;
        return Ok(NotDeclared);
    }
    let response = answer?;
    ensure_eq!(response.message, note(), "the message");
    let seen = response.metadata.get("x-format");
    ensure_eq!(seen, Some("x-owl"), "the format of the handler");
    Ok(Passed)
}

pub(crate) async fn unknown_codec(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(names_the_format()).await?;

    let refused = bed.within("a refusal", in_owl(&client)).await?;

    expect_code(refused, Code::Unimplemented, "a codec the server lacks")?;
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    Ok(Passed)
}

pub(crate) async fn garbage_is_an_argument_error(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(names_the_format()).await?;

    // Field 1 of a note is text, which ones are not.
    let refused = bed.raw_unary(&client, &UNARY, 100);
    let refused = bed.within("a refusal", refused).await?;

    expect_code(refused, Code::InvalidArgument, "garbage")?;
    bed.within("a reply", client.echo(Note::default()))
        .await??;
    Ok(Passed)
}

pub(crate) async fn compression(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(Plan::mirrors()).await?;
    let note = Note::sized(1 << 20);

    for compression in [Compression::Gzip, Compression::Zstd] {
        for sent in [note.clone(), Note::default()] {
            let call = client.unary(sent.clone()).compress(compression);
            let reply = bed.within("a reply", call).await??;
            ensure!(reply == sent, "{compression:?} changes a message");
        }
        if bed
            .capabilities
            .kinds
            .contains(&gufo_core::Kind::ServerStream)
        {
            let call = client
                .server_stream(Note::number(100))
                .compress(compression);
            let replies = bed.within("a stream", call).await??;
            let all = bed.within("all messages", replies.collect()).await??;
            ensure_eq!(all.len(), 100, "messages with {compression:?}");
        }
    }
    Ok(Passed)
}

pub(crate) async fn compressed_bomb(bed: Bed) -> Verdict {
    let plan = Plan::mirrors()
        .listen(|options| options.limits.receive = 64 << 10)
        .connect(|options| options.limits.send = 4 << 20);
    let (_server, client) = bed.pair(plan).await?;

    for compression in [Compression::Gzip, Compression::Zstd] {
        let bomb = client.unary(Note::sized(2 << 20)).compress(compression);
        let answer = bed.within("an answer", bomb).await?;
        if bed.capabilities.values == Values::HandOver {
            answer?; // A value has no size.
        } else {
            expect_code(answer, Code::ResourceExhausted, "a bomb")?;
        }
        bed.within("a reply", client.echo(Note::default()))
            .await??;
    }
    Ok(Passed)
}
