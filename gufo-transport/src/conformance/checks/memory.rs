//! What transports inside the process promise, and others do not.

use bytes::Bytes;
use gufo_core::{
    Call, Code, Format, Kind, Many, One, Status, Streaming, Values, Wire, codec::ProstSerde,
    handler,
};

use crate::conformance::{
    Address, Failure,
    Outcome::Passed,
    Verdict,
    bed::Bed,
    ensure, ensure_eq,
    message::{BIDI, Note, UNARY, numbered},
    plan::Plan,
};

pub(crate) async fn memory_has_no_socket(bed: Bed) -> Verdict {
    let wanted = bed.capabilities.address == Address::Name;
    // On a runtime without I/O no socket can be used.
    let without_io = move || -> Result<bool, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let works = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(async {
                let (_server, client) = bed.pair(Plan::mirrors()).await?;
                let reply = bed.within("a reply", client.unary(Note::default()));
                reply.await??;
                Ok::<_, Failure>(())
            })
        }));
        Ok(matches!(works, Ok(Ok(()))))
    };

    let works = tokio::task::spawn_blocking(without_io).await??;

    ensure_eq!(works, wanted, "whether it works without any socket");
    Ok(Passed)
}

/// A message that leaves a part of itself behind when it is encoded.
#[derive(Debug)]
struct Token {
    note: Note,
    is_the_value: bool,
}

impl Token {
    fn new(note: Note) -> Self {
        Self {
            note,
            is_the_value: true,
        }
    }
}

#[derive(Debug)]
struct TokenWire;

impl Wire<Token> for TokenWire {
    const PREFERRED: Format = Format::Protobuf;

    fn encode(token: &Token, format: &Format) -> Result<Bytes, Status> {
        <ProstSerde as Wire<Note>>::encode(&token.note, format)
    }

    fn decode(bytes: Bytes, format: &Format) -> Result<Token, Status> {
        Ok(Token {
            note: <ProstSerde as Wire<Note>>::decode(bytes, format)?,
            is_the_value: false,
        })
    }
}

/// A plan that knows the message as a token, which must be handed over or not.
fn tokens(handed_over: bool) -> Plan {
    Plan::new()
        .route(
            &UNARY,
            handler::unary::<TokenWire, Token, Token, _, _, _>(move |_, token| async move {
                if token.is_the_value != handed_over {
                    return Err(Status::failed_precondition("not as declared"));
                }
                Ok(Token::new(token.note))
            }),
        )
        .route(
            &BIDI,
            handler::bidi::<TokenWire, Token, Token, _, _, _>(|_, tokens| async { Ok(tokens) }),
        )
}

pub(crate) async fn memory_skips_codec(bed: Bed) -> Verdict {
    let handed_over = bed.capabilities.values == Values::HandOver;
    let plan = tokens(handed_over);
    let (_server, client) = bed.pair(plan).await?;

    let token = Token::new(Note::text("ü"));
    let call = Call::<TokenWire, One<Token>, One<Token>>::new(&client.caller, &UNARY, One(token));
    let reply = bed.within("a reply", call).await??;
    ensure_eq!(
        reply.is_the_value,
        handed_over,
        "whether the reply is the value"
    );
    ensure_eq!(reply.note.text, "ü", "the message");
    if bed.capabilities.kinds.contains(&Kind::Bidi) {
        let tokens = Many(Streaming::iter(numbered(10).map(Token::new)));
        let call = Call::<TokenWire, Many<Token>, Many<Token>>::new(&client.caller, &BIDI, tokens);
        let replies = bed.within("a stream", call).await??;
        let all = bed.within("all messages", replies.collect()).await??;
        let values = all.iter().filter(|token| token.is_the_value).count();
        ensure_eq!(
            values,
            if handed_over { 10 } else { 0 },
            "messages that are the value"
        );
        let notes = all.into_iter().map(|token| token.note);
        ensure!(notes.eq(numbered(10)), "the messages are changed");
    }
    Ok(Passed)
}

pub(crate) async fn types_may_differ(bed: Bed) -> Verdict {
    // The server knows the message by another type than the client: then it crosses as bytes.
    let plan = Plan::new().route(
        &UNARY,
        handler::unary::<TokenWire, Token, Token, _, _, _>(|_, token| async move {
            if token.is_the_value {
                return Err(Status::failed_precondition("not encoded"));
            }
            Ok(Token::new(token.note))
        }),
    );
    let (_server, client) = bed.pair(plan).await?;

    let note = Note {
        data: vec![0, 255],
        ..Note::text("ü")
    };
    let reply = bed.within("a reply", client.unary(note.clone())).await??;
    ensure_eq!(reply, note, "the message");

    let garbage = bed.within("a refusal", bed.raw_unary(&client, &UNARY, 100));
    let refused = garbage.await?.err().map(|error| error.code());
    ensure_eq!(refused, Some(Code::InvalidArgument), "what garbage gives");
    Ok(Passed)
}
