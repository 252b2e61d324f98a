//! Metadata, statuses and the headers that carry them.

use gufo_core::{Bytes, Code, Key, Metadata, Retry, Status};
use gufo_transport::fuzzing::{self, Header};

use crate::text;

const LIMIT: usize = 2048;
/// What `grpc-message` is cut to.
const MESSAGE_LIMIT: usize = 2048;

/// The first line is a name, the rest a value.
pub(crate) fn entry(input: &[u8]) {
    let (name, value) = split_at(input, b'\n');
    let Some(name) = text(name) else { return };
    let key = match Key::parse(name) {
        Ok(key) => key,
        Err(error) => return assert_eq!(error.code(), Code::InvalidArgument),
    };
    assert!(key.as_str().eq_ignore_ascii_case(name));
    let value = Bytes::copy_from_slice(value);
    let mut received = Metadata::new();
    if received.push(key.clone(), value.clone()).is_ok() {
        assert_eq!(received.iter().next(), Some((&key, &value)));
        let found = match key.is_binary() {
            true => received.get_bin(name).map(|value| &value[..]),
            false => received.get(name).map(str::as_bytes),
        };
        assert_eq!(found, Some(&value[..]));
    } else {
        assert!(received.is_empty());
    }
    let mut own = Metadata::new();
    let set = match text(&value) {
        Some(text) if !key.is_binary() => own.insert(name, text),
        _ => own.insert_bin(name, value.clone()),
    };
    assert_eq!(set.is_ok(), own.len() == 1);
    assert!(own.is_empty() || (!key.is_reserved() && !received.is_empty()));
    assert_eq!(own.check_size(LIMIT).is_ok(), own.size() <= LIMIT);
}

/// Lines of `name: value`: what was read as metadata comes back from headers.
pub(crate) fn headers(input: &[u8]) {
    let headers = header_lines(input);
    let metadata = match fuzzing::metadata(&headers, LIMIT) {
        Ok(metadata) => metadata,
        Err(status) => {
            return assert!(
                [Code::InvalidArgument, Code::ResourceExhausted].contains(&status.code())
            );
        }
    };
    assert!(metadata.size() <= LIMIT);
    assert_eq!(through_headers(&metadata), metadata);
}

/// Lines of `name: value`: the outcome that was read as a status comes back from trailers.
pub(crate) fn trailers(input: &[u8]) {
    match fuzzing::outcome(&header_lines(input), LIMIT) {
        None => {}
        Some(Ok(metadata)) => assert_eq!(through_headers(&metadata), metadata),
        Some(Err(status)) => {
            let trailers = fuzzing::write_status(&status);
            let again = fuzzing::outcome(&borrowed(&trailers), LIMIT);
            let again = again.expect("a status").expect_err("an error stays one");
            same_status(&again, &status);
            assert_eq!(again.metadata(), status.metadata());
            // The wire counts in milliseconds of 32 bits.
            let retry = match status.retry() {
                Retry::After(wait) => {
                    Retry::After(wait.min(std::time::Duration::from_millis(u32::MAX.into())))
                }
                retry => retry,
            };
            assert_eq!(again.retry(), retry);
        }
    }
}

/// A message of any text comes back from `grpc-message`, whole or cut at a character.
pub(crate) fn message(input: &[u8]) {
    let raw = [(&b"grpc-status"[..], &b"2"[..]), (b"grpc-message", input)];
    let read = fuzzing::outcome(&raw, LIMIT).expect("a status");
    let read = read.expect_err("unknown is an error");
    assert!(read.message().len() <= 3 * input.len());
    let status = Status::unknown(String::from_utf8_lossy(input));
    let trailers = fuzzing::write_status(&status);
    let again = fuzzing::outcome(&borrowed(&trailers), LIMIT).expect("a status");
    same_status(&again.expect_err("unknown is an error"), &status);
}

fn same_status(again: &Status, status: &Status) {
    assert_eq!(again.code(), status.code());
    assert_ne!(again.code(), Code::Ok);
    assert_eq!(again.details(), status.details());
    if status.message().len() <= MESSAGE_LIMIT {
        assert_eq!(again.message(), status.message());
    } else {
        assert!(status.message().starts_with(again.message()));
        assert!(again.message().len() + 4 > MESSAGE_LIMIT);
    }
}

/// Details that were read come back from `google.rpc.Status`; damaged ones change nothing.
pub(crate) fn status_details(input: &[u8]) {
    let status = Status::internal("owl").with_encoded_details(input);
    assert_eq!((status.code(), status.message()), (Code::Internal, "owl"));
    let encoded = status.encode_details();
    let again = Status::internal("owl").with_encoded_details(&encoded);
    assert_eq!(again.details(), status.details());
}

/// An error that was read from JSON comes back from JSON, as a body and as a line.
pub(crate) fn json_error(input: &[u8]) {
    let (body, line) = fuzzing::json_error(input);
    for status in body.into_iter().chain(line) {
        assert_ne!(status.code(), Code::Ok);
        let (body, line) = fuzzing::write_json_error(&status);
        let read = [
            fuzzing::json_error(body.as_bytes()).0,
            fuzzing::json_error(line.as_bytes()).1,
        ];
        for again in read {
            let again = again.expect("what was written is an error");
            assert_eq!(
                (again.code(), again.message()),
                (status.code(), status.message())
            );
            let details = || again.details().iter().zip(status.details());
            assert_eq!(again.details().len(), status.details().len());
            assert!(details().all(|(again, detail)| again.value == detail.value));
            // Of a type only what follows the last slash is written.
            assert!(details().all(|(again, detail)| {
                detail
                    .type_url
                    .ends_with(again.type_url.trim_start_matches("type.googleapis.com/"))
            }));
        }
    }
}

fn through_headers(metadata: &Metadata) -> Metadata {
    let headers = fuzzing::write_metadata(metadata).expect("what was read can be written");
    fuzzing::metadata(&borrowed(&headers), LIMIT).expect("what was written can be read")
}

fn borrowed(headers: &[(String, Vec<u8>)]) -> Vec<Header<'_>> {
    headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), &value[..]))
        .collect()
}

fn header_lines(input: &[u8]) -> Vec<Header<'_>> {
    input
        .split(|byte| *byte == b'\n')
        .map(|line| split_at(line, b':'))
        .map(|(name, value)| (name, value.trim_ascii_start()))
        .collect()
}

fn split_at(bytes: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == separator) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}
