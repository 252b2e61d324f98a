//! Bodies: gRPC frames, compression, lines, REST bindings.

use gufo_core::{Code, Compression, RestBinding, Status};
use gufo_transport::fuzzing;

use crate::text;

const LIMIT: usize = 1024;

/// The first byte chooses the compression, the next ones how the rest is split.
pub(crate) fn frames(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else {
        return;
    };
    let compression = match choice % 3 {
        0 => None,
        1 => Some(Compression::Gzip),
        _ => Some(Compression::Zstd),
    };
    let (stream, chunks) = chunks(rest);
    let whole = fuzzing::frames(&[stream], LIMIT, compression);
    let split = fuzzing::frames(&chunks, LIMIT, compression);
    assert_eq!(split.messages, whole.messages);
    assert_eq!(split.clean, whole.clean);
    assert_eq!(code(split.error.as_ref()), code(whole.error.as_ref()));
    assert!(whole.messages.iter().all(|message| message.len() <= LIMIT));
    if compression.is_none() {
        let framed = fuzzing::write_frames(&whole.messages).expect("messages are small");
        assert!(stream.starts_with(&framed));
        assert_eq!(
            whole.clean,
            whole.error.is_none() && framed.len() == stream.len()
        );
    }
}

/// The first byte chooses the compression; whatever comes out is under the limit.
pub(crate) fn compression(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else {
        return;
    };
    let compression = if choice % 2 == 0 {
        Compression::Gzip
    } else {
        Compression::Zstd
    };
    match fuzzing::decompress(compression, rest, LIMIT) {
        Ok(message) => assert!(message.len() <= LIMIT),
        Err(status) => {
            assert!([Code::InvalidArgument, Code::ResourceExhausted].contains(&status.code()));
        }
    }
    let small = fuzzing::compress(compression, rest).expect("anything can be compressed");
    let again = fuzzing::decompress(compression, &small, rest.len()).expect("it was compressed");
    assert_eq!(again, rest);
    if let Some(limit) = rest.len().checked_sub(1) {
        let status = fuzzing::decompress(compression, &small, limit).expect_err("one too many");
        assert_eq!(status.code(), Code::ResourceExhausted);
    }
}

/// The first bytes choose how the rest is split; the lines are the same as in one piece.
pub(crate) fn lines(input: &[u8]) {
    const LIMIT: usize = 64;
    let (stream, chunks) = chunks(input);
    let (whole, error) = fuzzing::lines(&[stream], LIMIT);
    let (split, split_error) = fuzzing::lines(&chunks, LIMIT);
    assert_eq!(split, whole);
    assert_eq!(code(split_error.as_ref()), code(error.as_ref()));
    let mut expected: Vec<&[u8]> = stream.split(|byte| *byte == b'\n').collect();
    if expected.last().is_some_and(|last| last.is_empty()) {
        expected.pop();
    }
    let legal = expected
        .iter()
        .take_while(|line| line.len() <= LIMIT)
        .count();
    assert_eq!(whole, expected[..legal]);
    assert_eq!(error.is_some(), legal < expected.len());
    for line in &whole {
        for events in [false, true] {
            match fuzzing::reply_line(line, events) {
                None => assert!(events || line.trim_ascii().is_empty()),
                Some(Ok(message)) => {
                    assert!(!message.is_empty() && message == message.trim_ascii())
                }
                Some(Err(status)) => assert_ne!(status.code(), Code::Ok),
            }
        }
    }
}

/// Three lines: a path template, what the body is, and a message; the message is bound to known
/// templates as well, whose shape no value may change.
pub(crate) fn rest(input: &[u8]) {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let (template, body) = (parts.next().and_then(text), parts.next().and_then(text));
    let message = parts.next().unwrap_or_default();
    if let (Some(template), Some(body)) = (template, body) {
        let mut binding = RestBinding::new("POST", "", "");
        binding.path = template.to_owned().into();
        binding.body = body.to_owned().into();
        let _ = fuzzing::bind(&binding, message);
    }
    for (template, body) in [
        ("/hello/{name}", ""),
        ("/v1/{name}:sing", "*"),
        ("/v1/{name=owls/**}/x", "text"),
    ] {
        let binding = RestBinding::new("GET", template, body);
        let request = match fuzzing::bind(&binding, message) {
            Ok(request) => request,
            Err(status) => {
                assert_eq!(status.code(), Code::InvalidArgument);
                continue;
            }
        };
        check_path(&request.path, template);
        assert_eq!(request.body.is_some(), !body.is_empty());
        if let Some(body) = &request.body {
            assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok());
        }
    }
}

fn check_path(path: &str, template: &str) {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._~%/?&=:".contains(c);
    assert!(path.chars().all(legal), "{path}");
    let (path, _) = path.split_once('?').unwrap_or((path, ""));
    let segments: Vec<&str> = path.split('/').collect();
    if !template.contains('*') {
        assert_eq!(segments.len(), template.split('/').count(), "{path}");
    }
    assert!(
        !segments.iter().any(|segment| [".", ".."].contains(segment)),
        "{path}"
    );
}

/// Splits an input: its first byte says how many of the next ones are lengths of chunks.
pub(crate) fn chunks(input: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let Some((count, rest)) = input.split_first() else {
        return (&[], Vec::new());
    };
    let (lengths, stream) = rest.split_at(usize::from(count % 16).min(rest.len()));
    let (mut chunks, mut left) = (Vec::new(), stream);
    for length in lengths {
        let (chunk, after) = left.split_at(usize::from(*length).min(left.len()));
        chunks.push(chunk);
        left = after;
    }
    chunks.push(left);
    (stream, chunks)
}

fn code(status: Option<&Status>) -> Option<Code> {
    status.map(Status::code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_the_stream_in_pieces() {
        let (stream, chunks) = chunks(&[2, 1, 3, b'a', b'b', b'c', b'd', b'e']);

        assert_eq!(stream, b"abcde");
        assert_eq!(chunks, [&b"a"[..], b"bcd", b"e"]);
        assert_eq!(chunks.concat(), stream);
    }
}
