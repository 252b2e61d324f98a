//! What of plain HTTP reads bytes, for the fuzz targets.

use bytes::Bytes;
use gufo_core::{BackendUrl, RestBinding, Result, Status};

use super::{body, rest};
use crate::web::lines::Lines;

pub(crate) fn bind(binding: &RestBinding, message: &[u8]) -> Result<crate::fuzzing::Rest, Status> {
    let request = rest::bind(binding, message)?;
    Ok(crate::fuzzing::Rest {
        verb: request.verb.to_string(),
        path: request.path,
        body: request.body,
    })
}

/// The lines, up to the first that is too long.
pub(crate) fn lines(chunks: &[&[u8]], limit: usize) -> (Vec<Bytes>, Option<Status>) {
    let mut lines = Lines::new(limit);
    let mut found = Vec::new();
    for chunk in chunks {
        lines.push(chunk);
        loop {
            match lines.next() {
                Ok(Some(line)) => found.push(line),
                Ok(None) => break,
                Err(status) => return (found, Some(status)),
            }
        }
    }
    found.extend(lines.rest());
    (found, None)
}

pub(crate) fn message(line: &Bytes, events: bool) -> Option<Result<Bytes, Status>> {
    body::message(line, events)
}

pub(crate) fn target(url: &BackendUrl) -> Result<String> {
    super::target(url).map(|target| format!("http://{}{}", target.authority, target.base))
}
