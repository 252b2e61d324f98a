//! Fuzz targets: one for everything of gufo that reads bytes from somebody else.
//!
//! A target is a function of bytes that panics when a promise is broken: that garbage is an error
//! and no panic, that what was read comes back when it is written, that a limit holds. The corpus
//! of each runs as an ordinary test (`tests/corpus.rs`), with mutations of it; `libfuzzer/` runs
//! the same targets under cargo-fuzz. See `README.md`.

pub mod mutate;
mod names;
pub mod run;
mod url;

/// A target and the name of its corpus folder.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("url", url::url),
    ("endpoint", url::endpoint),
    ("service_name", names::service_name),
    ("topic", names::topic),
    ("topic_filter", names::topic_filter),
];

/// The input as text, if it is any.
fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}
