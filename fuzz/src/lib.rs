//! Fuzz targets: one for everything of gufo that reads bytes from somebody else.
//!
//! A target is a function of bytes that panics when a promise is broken: that garbage is an error
//! and no panic, that what was read comes back when it is written, that a limit holds. The corpus
//! of each runs as an ordinary test (`tests/corpus.rs`), with mutations of it; `libfuzzer/` runs
//! the same targets under cargo-fuzz. See `README.md`.

mod codec;
mod connection;
mod metadata;
pub mod mutate;
mod names;
mod native;
mod reflection;
pub mod run;
mod url;
mod values;
mod wire;

/// A target and the name of its corpus folder.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("url", url::url),
    ("url_reader", values::url_reader),
    ("endpoint", url::endpoint),
    ("service_name", names::service_name),
    ("topic", names::topic),
    ("topic_filter", names::topic_filter),
    ("value", values::value),
    ("method", values::method),
    ("timeout", values::timeout),
    ("trace", values::trace),
    ("content_type", values::content_type),
    ("metadata_entry", metadata::entry),
    ("headers", metadata::headers),
    ("trailers", metadata::trailers),
    ("grpc_message", metadata::message),
    ("status_details", metadata::status_details),
    ("json_error", metadata::json_error),
    ("json", codec::json),
    ("msgpack", codec::msgpack),
    ("protobuf", codec::protobuf),
    ("node", codec::node),
    ("frames", wire::frames),
    ("compression", wire::compression),
    ("lines", wire::lines),
    ("rest", wire::rest),
    ("native_frames", native::frames),
    ("native_hello", native::hello),
    ("native_open", native::open),
    ("native_end", native::end),
    ("native_reply", native::reply),
    ("native_metadata", native::metadata),
    ("native_numbers", native::numbers),
    ("native_server", connection::server_side),
    ("native_client", connection::client_side),
    ("descriptors", reflection::descriptors),
    ("reflection_answer", reflection::reflection_answer),
];

/// The target of a name.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn target(name: &str) -> fn(&[u8]) {
    match TARGETS.iter().find(|(known, _)| *known == name) {
        Some((_, target)) => *target,
        None => panic!("there is no target {name:?}"),
    }
}

/// The input as text, if it is any.
fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}
