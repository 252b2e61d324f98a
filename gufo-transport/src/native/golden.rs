//! Golden files: every kind of frame as it is on the wire, in `tests/golden/native`.
//!
//! What this side writes must be these bytes, and what it reads from them must be what was
//! written. They are part of the protocol: a change breaks peers of another version. When it is
//! wanted nevertheless, `GUFO_GOLDEN=write cargo test -p gufo-transport --lib golden` writes them
//! anew, and `docs/native-protocol.md`, which shows them all, has to follow.

use std::{env, fs, path::PathBuf, sync::Arc, time::Duration};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use gufo_core::{
    Code, Compression, Context, Deadline, Format, Formats, Kind as MethodKind, Limits, Metadata,
    Method, Retry, Status,
};

use super::{
    end,
    frame::{self, Frame, Kind, MAX_NAMES, flag},
    hello::Hello,
    link::{Link, Writer, put_go_away},
    messages,
    open::{self, Named, Open},
    out::Out,
    reply,
    server::send_head,
    stream::Stream,
    wire::{self, Names, Numbers},
};

static HELLO: Method = Method::new(MethodKind::Unary, "/greeter.Greeter/Hello");
static CHAT: Method = Method::new(MethodKind::Bidi, "/greeter.Greeter/Chat");

/// Fields of a frame: how long each is, and what it says.
type Fields = &'static [(usize, &'static str)];

fn path(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/native");
    PathBuf::from(folder).join(format!("{name}.hex"))
}

/// Compares bytes with a golden file, field by field; the same bytes as they are in the file.
fn golden(name: &str, bytes: &[u8], fields: Fields) -> BytesMut {
    let mut text = String::new();
    let mut rest = bytes;
    for (length, says) in fields {
        let (field, after) = rest.split_at(*length);
        rest = after;
        check_length(field, says);
        let hex: Vec<_> = field.iter().map(|byte| format!("{byte:02x}")).collect();
        for (index, line) in hex.chunks(16).enumerate() {
            let line = line.join(" ");
            text += &match index {
                0 if line.len() < 24 => format!("{line:<24}# {says}\n"),
                0 => format!("# {says}\n{line}\n"),
                _ => format!("{line}\n"),
            };
        }
    }
    assert!(rest.is_empty(), "{name}: fields are left: {rest:02x?}");
    if env::var("GUFO_GOLDEN").as_deref() == Ok("write") {
        fs::write(path(name), &text).expect("the folder is there");
    }
    let file = fs::read_to_string(path(name)).expect("the file is there");
    assert_eq!(file, text, "{name}");
    unhex(&file)
}

/// What a frame's length is said to be is what it is.
fn check_length(field: &[u8], says: &str) {
    let said = says
        .split_once(" byte")
        .map(|(number, _)| number.parse::<u32>());
    if let (&[a, b, c], Some(Ok(said))) = (field, said) {
        assert_eq!(u32::from_be_bytes([0, a, b, c]), said, "{says}");
    }
}

/// The bytes of a golden file.
fn unhex(text: &str) -> BytesMut {
    let lines = text.lines().map(|line| line.split('#').next());
    let digits = lines.flatten().flat_map(str::split_whitespace);
    digits
        .map(|byte| u8::from_str_radix(byte, 16).expect("a byte in hex"))
        .collect()
}

/// What is written to a connection on which some things have numbers already.
fn written(write: impl FnOnce(&Arc<Link>)) -> Vec<u8> {
    let link = Arc::new(Link::new());
    link.write(|writer| {
        writer.method(HELLO.path());
        writer.name(&entry("x-user", "barn"));
        writer.name(&entry("x-after", "1"));
        writer.out = Out::default();
    });
    write(&link);
    link.write(|writer| writer.out.to_vec())
}

fn entry(name: &str, value: &str) -> Metadata {
    let mut metadata = Metadata::new();
    metadata.append(name, value).expect("legal");
    metadata
}

fn names() -> Names {
    let mut names = Names::default();
    for name in [&b"x-user"[..], b"x-after"] {
        names.define(name, MAX_NAMES).expect("room");
    }
    names
}

/// The next frame.
fn next(bytes: &mut BytesMut) -> Frame {
    frame::take(bytes).expect("legal").expect("whole")
}

/// The only frame, without its head.
fn only(mut bytes: BytesMut, kind: Kind, call: u32) -> Bytes {
    let frame = next(&mut bytes);
    assert_eq!((frame.kind, frame.call), (kind, call));
    assert!(bytes.is_empty());
    frame.body
}

#[test]
fn hello() {
    let hello = Hello::new(&Formats::builtin(), &Limits::default());
    let bytes = hello.write_as("gufo/0.1.0").to_vec();

    let mut read = golden(
        "hello",
        &bytes,
        &[
            (6, "the magic, GUFO CR LF"),
            (2, "speaks versions 1 to 1"),
            (3, "81 bytes"),
            (1, "HELLO"),
            (4, "no call"),
            (2, "FORMATS, 31 bytes"),
            (31, "proto,json,msgpack,octet-stream"),
            (2, "COMPRESSIONS, 9 bytes"),
            (9, "gzip,zstd"),
            (2, "AGENT, 10 bytes"),
            (10, "gufo/0.1.0"),
            (2, "MESSAGE, 4 bytes"),
            (4, "4194304"),
            (2, "METADATA, 3 bytes"),
            (3, "16384"),
            (2, "CALLS, 2 bytes"),
            (2, "1000"),
            (2, "FRAME, 3 bytes"),
            (3, "131072"),
            (2, "CREDIT, 3 bytes"),
            (3, "262144"),
        ],
    );

    read.advance(8);
    let body = only(read, Kind::Hello, 0);
    assert_eq!(Hello::read(body), Ok(hello));
}

#[test]
fn define() {
    let link = Link::new();
    link.write(|writer| {
        writer.method(HELLO.path());
        writer.name(&entry("x-user", "barn"));
    });
    let bytes = link.write(|writer| writer.out.to_vec());

    let mut read = golden(
        "define",
        &bytes,
        &[
            (3, "23 bytes"),
            (1, "DEFINE"),
            (4, "no call"),
            (1, "a method; its number is 1"),
            (22, "/greeter.Greeter/Hello"),
            (3, "7 bytes"),
            (1, "DEFINE"),
            (4, "no call"),
            (1, "a name of metadata; its number is 1"),
            (6, "x-user"),
        ],
    );

    assert_eq!(next(&mut read).body, "\x01/greeter.Greeter/Hello");
    assert_eq!(only(read, Kind::Define, 0), "\x02x-user");
}

#[tokio::test(start_paused = true)]
async fn open() {
    let formats = ["proto".to_owned(), "json".to_owned()];
    let mut ctx = Context::new(&HELLO, Format::Protobuf);
    *ctx.metadata_mut() = entry("x-user", "barn");
    ctx.set_deadline(Deadline::after(Duration::from_secs(5)));
    let message = Bytes::from_static(b"\x0a\x03owl");
    let bytes = written(|link| {
        link.write(|writer| open::put(writer, 3, &ctx, &formats, Some(&message), true));
    });

    let read = golden(
        "open",
        &bytes,
        &[
            (3, "21 bytes"),
            (1, "OPEN"),
            (4, "call 3"),
            (1, "LAST, MESSAGE, METADATA, DEADLINE"),
            (1, "compression: none"),
            (1, "method 1"),
            (1, "format 1"),
            (4, "5000000 microseconds are left"),
            (1, "metadata, 7 bytes"),
            (1, "1 entry"),
            (1, "name 1"),
            (1, "a value of 4 bytes"),
            (4, "barn"),
            (5, "the message"),
        ],
    );

    let mut body = only(read, Kind::Open, 3);
    let open = Open::read(&mut body).expect("legal");
    assert_eq!(body, message);
    assert_eq!(
        open.flags,
        flag::LAST | flag::MESSAGE | flag::METADATA | flag::DEADLINE
    );
    assert_eq!(
        (open.method, open.format),
        (Named::Number(1), Named::Number(1))
    );
    assert_eq!(open.deadline.remaining(), Some(Duration::from_secs(5)));
    let metadata = wire::metadata(open.metadata, &names(), 1024).expect("legal");
    assert_eq!(metadata.expect("small"), entry("x-user", "barn"));
}

#[test]
fn open_by_text() {
    let mut ctx = Context::new(&CHAT, Format::MessagePack);
    *ctx.metadata_mut() = entry("x-other", "1");
    ctx.set_compression(Some(Compression::Zstd));
    let without_numbers = |writer: &mut Writer| {
        writer.methods = Numbers::new(0);
        writer.names = Numbers::new(0);
        open::put(writer, 4, &ctx, &["proto".to_owned()], None, false);
    };
    let bytes = written(|link| link.write(without_numbers));

    let read = golden(
        "open_by_text",
        &bytes,
        &[
            (3, "47 bytes"),
            (1, "OPEN"),
            (4, "call 4"),
            (1, "METADATA: messages follow"),
            (1, "compression: zstd"),
            (2, "a method by its path, 21 bytes"),
            (21, "/greeter.Greeter/Chat"),
            (2, "a format by its name, 7 bytes"),
            (7, "msgpack"),
            (1, "metadata, 12 bytes"),
            (1, "1 entry"),
            (2, "a name by its text, 7 bytes"),
            (7, "x-other"),
            (1, "a value of 1 byte"),
            (1, "1"),
        ],
    );

    let mut body = only(read, Kind::Open, 4);
    let open = Open::read(&mut body).expect("legal");
    assert!(body.is_empty());
    assert_eq!(open.method, Named::Text(CHAT.path().to_owned()));
    assert_eq!(open.format, Named::Text("msgpack".to_owned()));
    assert_eq!(open.compression().expect("known"), Some(Compression::Zstd));
    assert_eq!(open.deadline.remaining(), None);
}

/// A message larger than a frame is not for a file, so its parts are small here.
#[tokio::test]
async fn data() {
    let bytes = written(|link| {
        let stream = Stream::new(4, Arc::clone(link), 1024, 1024);
        let whole = Bytes::from_static(b"owl");
        let sent = messages::send_large(&stream, whole, false);
        let mut sent = std::pin::pin!(sent);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(sent.as_mut().poll(&mut cx).is_ready());
        link.write(|writer| {
            let more = flag::MESSAGE | flag::COMPRESSED | flag::MORE;
            let mut part = |flags, total: Option<u64>, part| {
                let fill = |out: &mut BytesMut| {
                    out.put_u8(flags);
                    if let Some(total) = total {
                        wire::put_varint(out, total);
                    }
                };
                let part = Bytes::from_static(part);
                frame::put(&mut writer.out, Kind::Data, 4, fill, part);
            };
            part(more, Some(300), b"ow");
            part(flag::MESSAGE | flag::COMPRESSED, None, b"l");
            part(flag::LAST, None, b"");
        });
    });

    let mut read = golden(
        "data",
        &bytes,
        &[
            (3, "4 bytes"),
            (1, "DATA"),
            (4, "call 4"),
            (1, "MESSAGE: all of it"),
            (3, "owl"),
            (3, "5 bytes"),
            (1, "DATA"),
            (4, "call 4"),
            (1, "MESSAGE, COMPRESSED, MORE: the first part"),
            (2, "of 300 bytes"),
            (2, "2 of them"),
            (3, "2 bytes"),
            (1, "DATA"),
            (4, "call 4"),
            (1, "MESSAGE, COMPRESSED: the last part"),
            (1, "1 byte of it"),
            (3, "1 byte"),
            (1, "DATA"),
            (4, "call 4"),
            (1, "LAST: the client sends no more"),
        ],
    );

    let mut body = next(&mut read).body;
    assert_eq!(body.split_to(1), [flag::MESSAGE][..]);
    assert_eq!(body, "owl");
    let mut first = next(&mut read).body.slice(1..);
    assert_eq!(
        (wire::varint(&mut first), &first[..]),
        (Ok(300), &b"ow"[..])
    );
    assert_eq!(next(&mut read).body.slice(1..), "l");
    assert_eq!(only(read, Kind::Data, 4), [flag::LAST][..]);
}

#[test]
fn head() {
    let bytes = written(|link| {
        let stream = Stream::new(4, Arc::clone(link), 1024, 1024);
        send_head(&stream, &entry("x-user", "barn"));
        send_head(&stream, &Metadata::new());
    });

    let mut read = golden(
        "head",
        &bytes,
        &[
            (3, "9 bytes"),
            (1, "HEAD"),
            (4, "call 4"),
            (1, "METADATA"),
            (8, "7 bytes: 1 entry, name 1, 4 bytes, barn"),
            (3, "1 byte"),
            (1, "HEAD"),
            (4, "call 4"),
            (1, "no metadata"),
        ],
    );

    let mut body = next(&mut read).body.slice(1..);
    let block = wire::bytes(&mut body).expect("a block");
    let metadata = wire::metadata(block, &names(), 1024).expect("legal");
    assert_eq!(metadata.expect("small"), entry("x-user", "barn"));
    assert_eq!(only(read, Kind::Head, 4), [0][..]);
}

#[test]
fn reply() {
    let message = Bytes::from_static(b"\x0a\x09hello owl");
    let (metadata, trailers) = (entry("x-user", "barn"), entry("x-after", "1"));
    let bytes = written(|link| {
        link.write(|writer| {
            reply::put_bare(&mut writer.out, 3, message.clone(), false);
            reply::put(writer, 5, message.clone(), false, &metadata, &trailers);
        });
    });

    let mut read = golden(
        "reply",
        &bytes,
        &[
            (3, "12 bytes"),
            (1, "REPLY"),
            (4, "call 3"),
            (1, "no metadata, no trailers"),
            (11, "the message"),
            (3, "25 bytes"),
            (1, "REPLY"),
            (4, "call 5"),
            (1, "METADATA, TRAILERS"),
            (8, "7 bytes: 1 entry, name 1, 4 bytes, barn"),
            (5, "4 bytes: 1 entry, name 2, 1 byte, 1"),
            (11, "the message"),
        ],
    );

    let bare = reply::read(next(&mut read).body, &names(), 1024).expect("legal");
    assert_eq!(bare.expect("a reply").message, message);
    let rich = reply::read(only(read, Kind::Reply, 5), &names(), 1024).expect("legal");
    let rich = rich.expect("a reply");
    assert_eq!((rich.metadata, rich.trailers), (metadata, trailers));
    assert_eq!((rich.message, rich.compressed), (message, false));
}

#[test]
fn end() {
    let status = Status::unavailable("no owl")
        .with_detail("a.b/C", &b"xyz"[..])
        .with_metadata(entry("x-after", "1"))
        .with_retry(Retry::After(Duration::from_millis(250)));
    let ends = [
        Ok(Metadata::new()),
        Ok(entry("x-after", "1")),
        Err(Status::not_found("no owl")),
        Err(status),
    ];
    let bytes = written(|link| {
        for (call, end) in (6..).zip(&ends) {
            link.write(|writer| end::put(writer, call, end));
        }
    });

    let mut read = golden(
        "end",
        &bytes,
        &[
            (3, "2 bytes"),
            (1, "END"),
            (4, "call 6"),
            (1, "no trailers"),
            (1, "OK"),
            (3, "7 bytes"),
            (1, "END"),
            (4, "call 7"),
            (1, "TRAILERS"),
            (5, "4 bytes: 1 entry, name 2, 1 byte, 1"),
            (1, "OK"),
            (3, "11 bytes"),
            (1, "END"),
            (4, "call 8"),
            (1, "no trailers"),
            (1, "NOT_FOUND"),
            (7, "6 bytes: no owl"),
            (1, "no details"),
            (1, "advice: what the code says"),
            (3, "42 bytes"),
            (1, "END"),
            (4, "call 9"),
            (1, "TRAILERS"),
            (5, "4 bytes: 1 entry, name 2, 1 byte, 1"),
            (1, "UNAVAILABLE"),
            (7, "6 bytes: no owl"),
            (1, "details, 24 bytes"),
            (24, "a google.rpc.Status"),
            (1, "advice: after a time"),
            (2, "250 milliseconds"),
        ],
    );

    for (call, end) in (6..).zip(ends) {
        let frame = next(&mut read);
        assert_eq!((frame.kind, frame.call), (Kind::End, call));
        let read = end::read(frame.body, &names(), 1024).expect("legal");
        match (read, end) {
            (Ok(read), Ok(trailers)) => assert_eq!(read, trailers),
            (Err(read), Err(status)) => {
                assert_eq!((read.code(), read.message()), (status.code(), "no owl"));
                assert_eq!(read.details(), status.details());
                assert_eq!(read.metadata(), status.metadata());
                assert_eq!(read.retry(), status.retry());
                assert!([Code::NotFound, Code::Unavailable].contains(&read.code()));
            }
            (read, end) => panic!("{read:?} in place of {end:?}"),
        }
    }
}

#[test]
fn credit() {
    let bytes = written(|link| {
        let stream = Stream::new(4, Arc::clone(link), 1024, 1024);
        // The least that is worth a frame.
        stream.taken(131_072);
    });

    let read = golden(
        "credit",
        &bytes,
        &[
            (3, "3 bytes"),
            (1, "CREDIT"),
            (4, "call 4"),
            (3, "131072 more"),
        ],
    );

    let mut body = only(read, Kind::Credit, 4);
    assert_eq!(wire::varint(&mut body), Ok(131_072));
}

#[test]
fn cancel() {
    let mut out = Out::default();
    frame::put_small(&mut out, Kind::Cancel, 4, |_| {});

    let read = golden(
        "cancel",
        &out.to_vec(),
        &[(3, "0 bytes"), (1, "CANCEL"), (4, "call 4")],
    );

    assert_eq!(only(read, Kind::Cancel, 4), "");
}

#[test]
fn ping() {
    let mut out = Out::default();
    frame::put(
        &mut out,
        Kind::Ping,
        0,
        |_| {},
        Bytes::from_static(b"12345678"),
    );

    let read = golden(
        "ping",
        &out.to_vec(),
        &[(3, "8 bytes"), (1, "PING"), (4, "no call"), (8, "anything")],
    );

    assert_eq!(only(read, Kind::Ping, 0), "12345678");
}

#[test]
fn pong() {
    let mut out = Out::default();
    frame::put(
        &mut out,
        Kind::Pong,
        0,
        |_| {},
        Bytes::from_static(b"12345678"),
    );

    let read = golden(
        "pong",
        &out.to_vec(),
        &[
            (3, "8 bytes"),
            (1, "PONG"),
            (4, "no call"),
            (8, "what the PING carried"),
        ],
    );

    assert_eq!(only(read, Kind::Pong, 0), "12345678");
}

#[test]
fn go_away() {
    let mut out = Out::default();
    put_go_away(&mut out, 0, "bye");
    put_go_away(&mut out, 1, "a second HELLO");

    let mut read = golden(
        "go_away",
        &out.to_vec(),
        &[
            (3, "4 bytes"),
            (1, "GOAWAY"),
            (4, "no call"),
            (1, "in good order"),
            (3, "bye"),
            (3, "15 bytes"),
            (1, "GOAWAY"),
            (4, "no call"),
            (1, "the connection is broken"),
            (14, "a second HELLO"),
        ],
    );

    assert_eq!(next(&mut read).body, "\0bye");
    assert_eq!(only(read, Kind::GoAway, 0), "\x01a second HELLO");
}
