//! What reads bytes, on plain slices: for the fuzz targets, and no part of the interface.

use gufo_core::Status;

use crate::web::json;

/// Reads an error as JSON, as a body and as the last line of a stream.
#[must_use]
pub fn json_error(body: &[u8]) -> (Option<Status>, Option<Status>) {
    (json::parse(body), json::parse_line(body))
}

/// Writes an error as JSON.
#[must_use]
pub fn write_json_error(status: &Status) -> String {
    json::error(status)
}
