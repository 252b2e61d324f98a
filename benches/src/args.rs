//! The options of the command line.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::peers;

/// The runtime that server and client each run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Runtime {
    /// One thread.
    CurrentThread,
    /// tokio's default runtime with two workers: what most users run.
    MultiThread,
}

/// Whether server and client are each bound to a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Pinning {
    /// Server on core 0, client on core 1.
    Pinned,
    /// Wherever the scheduler puts them.
    Free,
}

/// What the user asked for, with defaults filled in.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    /// The measured time of each scenario, peer and round.
    pub(crate) measured: Duration,
    pub(crate) only: Vec<String>,
    /// A part of the label of every scenario that takes part.
    pub(crate) scenario: String,
    pub(crate) runtime: Runtime,
    pub(crate) pinning: Pinning,
    pub(crate) out: PathBuf,
    pub(crate) write_docs: bool,
}

impl Options {
    /// Reads everything after the command.
    pub(crate) fn parse(words: &[String]) -> Result<Self> {
        let quick = words.iter().any(|word| word == "--quick");
        let mut options = Self {
            quick,
            rounds: if quick { 3 } else { 5 },
            measured: Duration::from_millis(if quick { 250 } else { 1500 }),
            only: Vec::new(),
            scenario: String::new(),
            runtime: Runtime::CurrentThread,
            pinning: Pinning::Pinned,
            out: PathBuf::from("bench-results"),
            write_docs: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--quick" => {}
                "--rounds" => options.rounds = rounds(value()?)?,
                "--seconds" => options.measured = seconds(value()?)?,
                "--only" => options.only = only(value()?)?,
                "--scenario" => options.scenario = value()?.clone(),
                "--runtime" => options.runtime = runtime(value()?)?,
                "--no-pin" => options.pinning = Pinning::Free,
                "--out" => options.out = PathBuf::from(value()?),
                "--write-docs" => options.write_docs = true,
                other => return Err(format!("unknown option '{other}'").into()),
            }
        }
        // Two workers on one core would measure the scheduler.
        if options.runtime == Runtime::MultiThread {
            options.pinning = Pinning::Free;
        }
        Ok(options)
    }

    /// Whether this peer takes part.
    pub(crate) fn includes(&self, peer: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == peer)
    }
}

fn rounds(text: &str) -> Result<usize> {
    match text.parse() {
        Ok(rounds) if rounds > 0 => Ok(rounds),
        _ => Err(format!("--rounds takes a whole number above zero, not '{text}'").into()),
    }
}

fn seconds(text: &str) -> Result<Duration> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("--seconds takes a number above zero, not '{text}'").into())
}

fn only(text: &str) -> Result<Vec<String>> {
    let names: Vec<String> = text.split(',').map(str::to_owned).collect();
    for name in &names {
        if !peers::NAMES.contains(&name.as_str()) {
            return Err(format!(
                "unknown peer '{name}': there are {}",
                peers::NAMES.join(", ")
            )
            .into());
        }
    }
    Ok(names)
}

fn runtime(text: &str) -> Result<Runtime> {
    match text {
        "current" => Ok(Runtime::CurrentThread),
        "multi" => Ok(Runtime::MultiThread),
        other => Err(format!("--runtime takes current or multi, not '{other}'").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn quick_shortens_what_is_not_given_in_either_order() {
        let options = parse("--seconds 2 --quick").unwrap();

        assert_eq!(options.rounds, 3);
        assert_eq!(options.measured, Duration::from_secs(2));
    }

    #[test]
    fn several_workers_are_never_pinned_to_one_core() {
        assert_eq!(parse("").unwrap().pinning, Pinning::Pinned);
        assert_eq!(parse("--runtime multi").unwrap().pinning, Pinning::Free);
    }

    #[test]
    fn an_unknown_peer_is_refused_with_the_known_ones() {
        let error = parse("--only tonic,telepathy").unwrap_err().to_string();

        assert!(
            error.contains("telepathy") && error.contains("tcp"),
            "{error}"
        );
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for line in [
            "--rounds 0",
            "--seconds -1",
            "--seconds NaN",
            "--seconds",
            "--fast",
            "--runtime green",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
