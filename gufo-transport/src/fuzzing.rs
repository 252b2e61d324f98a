//! What reads bytes, on plain slices: for the fuzz targets, and no part of the interface.

use bytes::Bytes;
use gufo_core::{BackendUrl, Compression, Deadline, Metadata, RestBinding, Result, Status};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    grpc, http as plain,
    web::{headers, json},
};

pub use crate::native::fuzzing as native;

/// What came out of the chunks of a gRPC body.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Frames {
    /// The whole messages, decompressed.
    pub messages: Vec<Bytes>,
    /// What ended the reading before the end of the chunks.
    pub error: Option<Status>,
    /// Whether nothing was left.
    pub clean: bool,
}

/// A message bound to HTTP.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rest {
    /// The HTTP method.
    pub verb: String,
    /// Path and query.
    pub path: String,
    /// The body, if there is one.
    pub body: Option<Bytes>,
}

/// A header: name and value.
pub type Header<'a> = (&'a [u8], &'a [u8]);

/// Takes messages of at most `limit` bytes out of chunks.
#[must_use]
pub fn frames(chunks: &[&[u8]], limit: usize, compression: Option<Compression>) -> Frames {
    grpc::fuzzing::frames(chunks, limit, compression)
}

/// Frames messages, not compressed.
///
/// # Errors
/// `ResourceExhausted` for a message of more than 4 GiB.
pub fn write_frames(messages: &[Bytes]) -> Result<Bytes, Status> {
    grpc::fuzzing::write_frames(messages)
}

/// Decompresses to at most `limit` bytes.
///
/// # Errors
/// `InvalidArgument` for damaged input, `ResourceExhausted` over the limit.
pub fn decompress(compression: Compression, message: &[u8], limit: usize) -> Result<Bytes, Status> {
    grpc::fuzzing::decompress(compression, message, limit)
}

/// Compresses.
///
/// # Errors
/// `Internal` when the library fails.
pub fn compress(compression: Compression, message: &[u8]) -> Result<Bytes, Status> {
    grpc::fuzzing::compress(compression, message)
}

/// Metadata out of those headers that HTTP lets through.
///
/// # Errors
/// `InvalidArgument` for a value that is not legal, `ResourceExhausted` over the limit.
pub fn metadata(from: &[Header<'_>], limit: usize) -> Result<Metadata, Status> {
    headers::metadata(&map(from), limit)
}

/// Metadata as headers.
///
/// # Errors
/// `Internal` for what does not fit into a header.
pub fn write_metadata(metadata: &Metadata) -> Result<Vec<(String, Vec<u8>)>, Status> {
    let mut out = HeaderMap::new();
    headers::put_metadata(&mut out, metadata)?;
    Ok(pairs(&out))
}

/// The outcome of a call out of its trailers; `None` when they have none.
#[must_use]
pub fn outcome(from: &[Header<'_>], limit: usize) -> Option<Result<Metadata, Status>> {
    headers::outcome(&map(from), limit)
}

/// A status as trailers.
#[must_use]
pub fn write_status(status: &Status) -> Vec<(String, Vec<u8>)> {
    let mut out = HeaderMap::new();
    headers::put_status(&mut out, status);
    pairs(&out)
}

/// The deadline out of headers.
///
/// # Errors
/// `InvalidArgument` for a malformed one.
pub fn deadline(from: &[Header<'_>]) -> Result<Deadline, Status> {
    headers::deadline(&map(from))
}

/// The subtype of a gRPC content type.
#[must_use]
pub fn grpc_subtype(content_type: &[u8]) -> Option<&str> {
    headers::grpc_subtype(content_type)
}

/// An error as JSON: read as a body, and as the last line of a stream.
#[must_use]
pub fn json_error(body: &[u8]) -> (Option<Status>, Option<Status>) {
    (json::parse(body), json::parse_line(body))
}

/// Writes an error as JSON: as a body, and as the last line of a stream.
#[must_use]
pub fn write_json_error(status: &Status) -> (String, String) {
    (json::error(status), json::error_line(status))
}

/// Binds a JSON message to HTTP.
///
/// # Errors
/// `InvalidArgument` for a message that does not fit the binding, `Internal` for a binding that
/// makes no sense.
pub fn bind(binding: &RestBinding, message: &[u8]) -> Result<Rest, Status> {
    plain::fuzzing::bind(binding, message)
}

/// Takes lines of at most `limit` bytes out of chunks, and what ended the reading too early.
#[must_use]
pub fn lines(chunks: &[&[u8]], limit: usize) -> (Vec<Bytes>, Option<Status>) {
    plain::fuzzing::lines(chunks, limit)
}

/// What a line of a streamed reply says, as JSON or as a server-sent event.
#[must_use]
pub fn reply_line(line: &Bytes, events: bool) -> Option<Result<Bytes, Status>> {
    plain::fuzzing::message(line, events)
}

/// Where a URL leads, for `grpc` and for `http`.
pub fn addresses(url: &BackendUrl) -> [Result<String>; 2] {
    [grpc::fuzzing::address(url), plain::fuzzing::target(url)]
}

/// The headers; those HTTP itself would refuse are left out.
fn map(from: &[Header<'_>]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in from {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            map.append(name, value);
        }
    }
    map
}

fn pairs(map: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    map.iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect()
}
