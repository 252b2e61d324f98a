//! What was measured, and on what: printed beside every number.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// Packages whose version matters for the numbers.
const PACKAGES: [&str; 7] = [
    "tokio",
    "tonic",
    "h2",
    "hyper",
    "prost",
    "bytes",
    "serde_json",
];

/// The lock file this binary was built with.
const LOCK: &str = include_str!("../../Cargo.lock");

/// Commit, versions and machine of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Day of the run, UTC.
    pub(crate) date: String,
    /// Short commit id, with `+changes` when the work tree differs from it.
    pub(crate) commit: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    pub(crate) versions: BTreeMap<String, String>,
}

impl Facts {
    /// Asks the machine.
    pub(crate) fn collect() -> Self {
        Self {
            date: output("date", &["-u", "+%F"]),
            commit: commit(),
            processor: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory: gibibytes(&field("/proc/meminfo", "MemTotal")),
            kernel: release(&fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default()),
            rustc: output("rustc", &["--version"]),
            versions: PACKAGES
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), locked(LOCK, name)?)))
                .collect(),
        }
    }
}

fn commit() -> String {
    let commit = output("git", &["rev-parse", "--short", "HEAD"]);
    let changes = output("git", &["status", "--porcelain", "--untracked-files=no"]);
    if changes.is_empty() || changes == UNKNOWN {
        commit
    } else {
        format!("{commit}+changes")
    }
}

const UNKNOWN: &str = "unknown";

fn output(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => UNKNOWN.to_owned(),
    }
}

/// The value of the first `key : value` line of a file.
fn field(path: &str, key: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.split_once(':'));
    line.map_or_else(|| UNKNOWN.to_owned(), |(_, value)| value.trim().to_owned())
}

/// A size as the kernel tells it, `24684092 kB`, in a unit for people.
fn gibibytes(text: &str) -> String {
    let kibibytes = text
        .strip_suffix(" kB")
        .and_then(|number| number.parse::<f64>().ok());
    kibibytes.map_or_else(
        || UNKNOWN.to_owned(),
        |size| format!("{:.0} GiB", size / f64::from(1 << 20)),
    )
}

/// The version of a kernel without what its builder appended.
fn release(text: &str) -> String {
    text.trim().split('-').next().unwrap_or(UNKNOWN).to_owned()
}

/// The version of a package in a lock file.
fn locked(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines
        .nth(1)?
        .strip_prefix("version = \"")?
        .strip_suffix('"')?;
    Some(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_one_of_the_whole_name() {
        let lock = "[[package]]\nname = \"h2-extra\"\nversion = \"9.0.0\"\n\n[[package]]\nname = \"h2\"\nversion = \"0.4.20\"\n";

        assert_eq!(locked(lock, "h2").as_deref(), Some("0.4.20"));
        assert_eq!(locked(lock, "h3"), None);
    }

    #[test]
    fn memory_and_kernel_are_told_in_short() {
        assert_eq!(gibibytes("24684092 kB"), "24 GiB");
        assert_eq!(gibibytes("unknown"), UNKNOWN);
        assert_eq!(release("6.18.44-custom-7\n"), "6.18.44");
    }

    #[test]
    fn the_versions_of_the_peers_are_known() {
        let versions = Facts::collect().versions;

        for package in ["tokio", "tonic", "h2"] {
            assert!(
                versions.contains_key(package),
                "{package} is not in {versions:?}"
            );
        }
    }
}
