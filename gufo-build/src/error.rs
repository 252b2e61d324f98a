//! Error: why no code was generated.

use std::{fmt, io, path::Path};

/// Why no code was generated, in words for whoever wrote the `.proto` file.
///
/// `Debug` says the same as `Display`, since that is what a `build.rs` that returns it prints.
pub struct Error(String);

impl Error {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// An error of the file system.
    pub(crate) fn file(what: &str, path: &Path, source: &io::Error) -> Self {
        Self(format!("cannot {what} {}: {source}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
