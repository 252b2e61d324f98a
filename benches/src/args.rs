//! The options of the command line.

use std::path::PathBuf;
use std::time::Duration;

use gufo_benches::load::Runtime;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::peers;

/// Whether server and client are each bound to a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Pinning {
    /// Server on core 0, client on core 1.
    Pinned,
    /// Wherever the scheduler puts them.
    Free,
}

/// What the user asked for.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) quick: bool,
    /// Otherwise each command has its own number.
    pub(crate) rounds: Option<usize>,
    /// The measured time of each scenario, peer and round; otherwise each command has its own.
    pub(crate) measured: Option<Duration>,
    pub(crate) only: Vec<String>,
    /// A part of the label of every scenario that takes part.
    pub(crate) scenario: String,
    /// Otherwise each command has its own.
    pub(crate) runtime: Option<Runtime>,
    pub(crate) pinning: Pinning,
    pub(crate) out: PathBuf,
    pub(crate) write_docs: bool,
}

impl Options {
    /// Reads everything after the command.
    pub(crate) fn parse(words: &[String]) -> Result<Self> {
        let mut options = Self {
            quick: false,
            rounds: None,
            measured: None,
            only: Vec::new(),
            scenario: String::new(),
            runtime: None,
            pinning: Pinning::Pinned,
            out: PathBuf::from("bench-results"),
            write_docs: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--quick" => options.quick = true,
                "--rounds" => options.rounds = Some(rounds(value()?)?),
                "--seconds" => options.measured = Some(seconds(value()?)?),
                "--only" => options.only = only(value()?)?,
                "--scenario" => options.scenario = value()?.clone(),
                "--runtime" => options.runtime = Some(runtime(value()?)?),
                "--no-pin" => options.pinning = Pinning::Free,
                "--out" => options.out = PathBuf::from(value()?),
                "--write-docs" => options.write_docs = true,
                other => return Err(format!("unknown option '{other}'").into()),
            }
        }
        Ok(options)
    }

    /// How processes on this runtime are placed: several threads on one core would measure the scheduler.
    pub(crate) fn pinning(&self, runtime: Runtime) -> Pinning {
        match runtime {
            Runtime::CurrentThread => self.pinning,
            Runtime::Multi2 | Runtime::PerCore => Pinning::Free,
        }
    }

    /// Whether this peer takes part among those that a command has by itself.
    pub(crate) fn includes(&self, peer: &str, by_itself: impl FnOnce(&str) -> bool) -> bool {
        if self.only.is_empty() {
            by_itself(peer)
        } else {
            self.only.iter().any(|name| name == peer)
        }
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
    let known = peers::names();
    let names: Vec<String> = text.split(',').map(str::to_owned).collect();
    match names.iter().find(|name| !known.contains(name)) {
        None => Ok(names),
        Some(name) => Err(format!("unknown peer '{name}': there are {}", known.join(", ")).into()),
    }
}

fn runtime(text: &str) -> Result<Runtime> {
    match text {
        "current-thread" => Ok(Runtime::CurrentThread),
        "multi-2" => Ok(Runtime::Multi2),
        "per-core" => Ok(Runtime::PerCore),
        other => Err(
            format!("--runtime takes current-thread, multi-2 or per-core, not '{other}'").into(),
        ),
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
    fn several_workers_are_never_pinned_to_one_core() {
        let options = parse("").unwrap();

        assert_eq!(options.pinning(Runtime::CurrentThread), Pinning::Pinned);
        assert_eq!(options.pinning(Runtime::Multi2), Pinning::Free);
        assert_eq!(options.pinning(Runtime::PerCore), Pinning::Free);
    }

    #[test]
    fn peers_that_are_named_take_part_and_no_others() {
        let options = parse("--only tonic,raw").unwrap();

        assert!(options.includes("raw", |_| false));
        assert!(!options.includes("nats", |_| true));
        assert!(parse("").unwrap().includes("nats", |_| true));
    }

    #[test]
    fn an_unknown_peer_is_refused_with_the_known_ones() {
        let error = parse("--only tonic,telepathy").unwrap_err().to_string();

        assert!(
            error.contains("telepathy") && error.contains("gufo-tcp"),
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
