//! What was measured, and on what: printed beside every number.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// Packages of this workspace whose version matters for the numbers.
const PACKAGES: [&str; 7] = [
    "tokio",
    "tonic",
    "h2",
    "hyper",
    "prost",
    "bytes",
    "serde_json",
];
/// Packages of the foreign peers whose version matters.
const FOREIGN: [&str; 5] = ["tarpc", "volo-grpc", "volo-thrift", "async-nats", "tokio"];

/// The lock file this binary was built with.
const LOCK: &str = include_str!("../../Cargo.lock");
/// The lock file of the foreign peers.
const FOREIGN_LOCK: &str = include_str!("../peers/Cargo.lock");
/// The manifest that says how everything is compiled.
const MANIFEST: &str = include_str!("../../Cargo.toml");

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
    /// How the kernel paces TCP, also over loopback.
    pub(crate) tcp: String,
    pub(crate) rustc: String,
    /// How all peers were compiled.
    pub(crate) profile: String,
    pub(crate) versions: BTreeMap<String, String>,
    /// Of the peers in a crate of their own, with what they say of themselves.
    pub(crate) foreign: Vec<String>,
}

impl Facts {
    /// Asks the machine; peers may know versions that no lock file tells.
    pub(crate) fn collect(told: &[String]) -> Self {
        let foreign = FOREIGN
            .iter()
            .filter_map(|name| Some(format!("{name} {}", locked(FOREIGN_LOCK, name)?)));
        Self {
            profile: profile(),
            foreign: foreign.chain(told.iter().cloned()).collect(),
            date: output("date", &["-u", "+%F"]),
            commit: commit(),
            processor: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory: gibibytes(&field("/proc/meminfo", "MemTotal")),
            kernel: release(&line("/proc/sys/kernel/osrelease")),
            tcp: line("/proc/sys/net/ipv4/tcp_congestion_control"),
            rustc: output("rustc", &["--version"]),
            versions: PACKAGES
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), locked(LOCK, name)?)))
                .collect(),
        }
    }
}

/// The release profile, with what the environment changes in it.
fn profile() -> String {
    if cfg!(debug_assertions) {
        return "not optimised: these are no measurements".to_owned();
    }
    let settings = section(MANIFEST, "[profile.release]");
    let changed = env::vars().filter_map(|(key, value)| {
        let name = key.strip_prefix("CARGO_PROFILE_RELEASE_")?;
        Some(format!("{} = {value}", name.to_lowercase()))
    });
    let flags = env::var("RUSTFLAGS").ok().filter(|flags| !flags.is_empty());
    let all = settings.into_iter().chain(changed);
    let all = all.chain(flags.map(|flags| format!("RUSTFLAGS {flags}")));
    all.collect::<Vec<_>>().join(", ")
}

/// The lines of a section of a manifest.
fn section(manifest: &str, head: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != head).skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
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

/// A file of one line.
fn line(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| UNKNOWN.to_owned(), |text| text.trim().to_owned())
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
    fn foreign_peers_are_compiled_as_everything_here() {
        let head = "[profile.release]";
        let theirs = section(include_str!("../peers/Cargo.toml"), head);

        assert!(!theirs.is_empty());
        assert_eq!(theirs, section(MANIFEST, head));
    }

    #[test]
    fn the_versions_of_the_peers_are_known() {
        let facts = Facts::collect(&["nats-server 2.9.10".to_owned()]);
        let versions = facts.versions;

        for package in ["tarpc ", "volo-grpc ", "volo-thrift ", "nats-server "] {
            let known = facts.foreign.iter().any(|line| line.starts_with(package));
            assert!(known, "{package} is not in {:?}", facts.foreign);
        }

        for package in ["tokio", "tonic", "h2"] {
            assert!(
                versions.contains_key(package),
                "{package} is not in {versions:?}"
            );
        }
    }
}
