//! Runs a target over its corpus and over mutations of it.

use std::{
    error::Error,
    fmt::{self, Write},
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use crate::mutate::Mutator;

/// An input a target panicked on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The input.
    pub input: Vec<u8>,
    /// What the panic said.
    pub message: String,
    /// How many inputs went well before it.
    pub round: usize,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "input {} in hex: {}\n{}",
            self.round,
            hex(&self.input),
            self.message
        )
    }
}

impl Error for Failure {}

/// Where the corpus of a target is.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name)
}

/// The files of a corpus, by their names.
///
/// # Errors
/// When the folder cannot be read, or holds no file.
pub fn corpus(folder: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        files.push((path.clone(), fs::read(path)?));
    }
    if files.is_empty() {
        return Err(io::Error::other("the folder is empty"));
    }
    files.sort();
    Ok(files)
}

/// Runs the corpus, then `rounds` mutations of it.
///
/// # Errors
/// The first input the target panicked on.
pub fn run(
    target: impl Fn(&[u8]),
    corpus: &[Vec<u8>],
    seed: u64,
    rounds: usize,
) -> Result<(), Failure> {
    let mut mutator = Mutator::new(corpus, seed);
    let mutated = (0..rounds).map(|_| mutator.next_input());
    for (round, input) in corpus.iter().cloned().chain(mutated).enumerate() {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
            let message = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_else(|| "a panic without a message".to_owned());
            return Err(Failure {
                input,
                message,
                round,
            });
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
