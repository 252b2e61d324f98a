//! The steps of a test run, each a cargo command whose output is shown and read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use serde::Deserialize;

use super::seen::{Binary, Kind, Outcome, Ran, Reader, Seen};
use crate::metadata::Workspace;
use crate::{Result, process};

/// One test run.
pub(super) struct Run {
    pub(super) workspace: Workspace,
    pub(super) filter: Option<String>,
}

/// The test binaries by the name of their executable, the doctests as `doc:<library>`.
pub(super) type Binaries = BTreeMap<String, Binary>;

/// What every run of the workspace's tests starts with: one set of features, so one build.
const ALL: &[&str] = &["test", "--workspace", "--all-features"];

/// A message of cargo; only that of a finished test binary has all of it.
#[derive(Deserialize)]
struct Message {
    package_id: Option<String>,
    target: Option<MessageTarget>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct MessageTarget {
    name: String,
    kind: Vec<String>,
}

impl Run {
    /// Builds all tests, and says which executable belongs to which target.
    pub(super) fn build(&self) -> Result<Binaries> {
        let args = [
            ALL,
            &["--no-run", "--message-format", "json-render-diagnostics"],
        ]
        .concat();
        let mut binaries = Binaries::new();
        for line in process::stdout(&mut self.cargo(&args))?.lines() {
            let message: Message = serde_json::from_str(line)?;
            let (Some(id), Some(target), Some(path)) =
                (message.package_id, message.target, message.executable)
            else {
                continue;
            };
            let package = self.workspace.members.iter().find(|member| member.id == id);
            let package = package.map_or(id, |member| member.name.clone());
            let file = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let is_lib = is_library(&target.kind);
            let kind = if is_lib { Kind::Lib } else { Kind::Other };
            binaries.insert(
                file,
                Binary {
                    package,
                    target: target.name,
                    kind,
                },
            );
        }
        for member in &self.workspace.members {
            for target in member
                .targets
                .iter()
                .filter(|target| is_library(&target.kind))
            {
                let binary = Binary {
                    package: member.name.clone(),
                    target: target.name.clone(),
                    kind: Kind::Doc,
                };
                binaries.insert(format!("doc:{}", target.name), binary);
            }
        }
        Ok(binaries)
    }

    /// Runs all tests and doctests.
    pub(super) fn tests(&self, binaries: &Binaries) -> Result<Ran> {
        let mut args = [ALL, &["--no-fail-fast"]].concat();
        if let Some(filter) = &self.filter {
            args.extend(["--", filter]);
        }
        read("workspace", self.cargo(&args), binaries)
    }

    /// Tests the crate that stands outside of the workspace and uses gufo as strangers do.
    pub(super) fn consumer(&self) -> Result<Ran> {
        let manifest = "examples/consumer/Cargo.toml";
        if !self.workspace.root.join(manifest).is_file() {
            println!("{manifest} is missing");
            return Ok(Ran::default());
        }
        let args = [
            "test",
            "--no-fail-fast",
            "--manifest-path",
            manifest,
            "--target-dir",
            "target/consumer",
        ];
        let mut ran = read("consumer", self.cargo(&args), &Binaries::new())?;
        ran.seen
            .iter_mut()
            .for_each(|test| test.package = "consumer".into());
        Ok(ran)
    }

    pub(super) fn cargo(&self, args: &[&str]) -> Command {
        let mut command = process::cargo(&self.workspace.root, args);
        command.env("CARGO_TERM_COLOR", "never");
        if std::env::var_os("RUST_TEST_THREADS").is_none() {
            // With one thread the runner prints the name of a test before it runs it, and other
            // output can come between name and outcome; with more it prints whole lines.
            let threads =
                std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
            command.env("RUST_TEST_THREADS", threads.to_string());
        }
        command
    }
}

fn is_library(kinds: &[String]) -> bool {
    kinds
        .iter()
        .any(|kind| kind == "lib" || kind == "proc-macro")
}

/// Runs a `cargo test`. A target that cargo calls failed without a failed test to show for it is
/// itself a failure: doctests that do not compile, for example.
fn read(what: &str, command: Command, binaries: &Binaries) -> Result<Ran> {
    let find = |key: &str| binaries.get(key).cloned();
    let mut reader = Reader::new(&find);
    let mut targets = Vec::new();
    let started = Instant::now();
    let status = process::tee(command, |line| {
        reader.line(line, started.elapsed());
        targets.extend(failed_target(line));
    })?;
    let mut ran = reader.finish(started.elapsed());
    let seen = &mut ran.seen;
    let is_failed = |test: &Seen| matches!(test.outcome, Outcome::Failed | Outcome::Crashed);
    for (package, target) in targets {
        let kind = if target == "--doc" {
            Kind::Doc
        } else {
            Kind::Other
        };
        let explained = |test: &Seen| {
            is_failed(test)
                && test.package == package
                && (test.kind == Kind::Doc) == (kind == Kind::Doc)
        };
        if !seen.iter().any(explained) {
            let name = format!("`{target}` failed without a result");
            seen.push(Seen {
                kind,
                ..seen_step(&package, &name, Outcome::Crashed)
            });
        }
    }
    if !status.success() && !seen.iter().any(is_failed) {
        seen.push(seen_step(
            what,
            &format!("cargo test ended with {status}"),
            Outcome::Failed,
        ));
    }
    Ok(ran)
}

/// The package and target of a line in cargo's list at the end, ``    `-p gufo-core --doc` ``.
fn failed_target(line: &str) -> Option<(String, String)> {
    let target = line.trim().strip_prefix("`-p ")?.strip_suffix('`')?;
    let (package, target) = target.split_once(' ')?;
    Some((package.to_owned(), target.to_owned()))
}

/// A step that counts as one test.
pub(super) fn seen_step(package: &str, name: &str, outcome: Outcome) -> Seen {
    Seen {
        package: package.into(),
        target: "step".into(),
        kind: Kind::Other,
        name: name.into(),
        outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_run_that_fails_without_a_failed_test_is_a_failure() {
        let seen = read("workspace", shell("exit 101"), &Binaries::new())
            .unwrap()
            .seen;

        assert_eq!(seen.len(), 1);
        assert_eq!(
            (seen[0].package.as_str(), &seen[0].outcome),
            ("workspace", &Outcome::Failed)
        );
    }

    #[test]
    fn doctests_that_do_not_compile_are_a_failure_of_their_package() {
        let script = "echo '   Doc-tests gufo_examples'; echo 'error: 1 target failed:'; \
            echo '    `-p gufo-examples --doc`'; exit 101";

        let binary = Binary {
            package: "gufo-examples".into(),
            target: "gufo_examples".into(),
            kind: Kind::Doc,
        };
        let binaries = Binaries::from([("doc:gufo_examples".into(), binary)]);

        let seen = read("workspace", shell(script), &binaries).unwrap().seen;

        assert_eq!(seen.len(), 1);
        assert_eq!(
            (seen[0].package.as_str(), seen[0].kind),
            ("gufo-examples", Kind::Doc)
        );
        assert_eq!(seen[0].outcome, Outcome::Crashed);
    }

    #[test]
    fn a_run_is_read_with_the_binaries_of_the_build() {
        let binary = Binary {
            package: "gufo-core".into(),
            target: "codec".into(),
            kind: Kind::Other,
        };
        let script = "echo '     Running tests/codec.rs (target/debug/deps/codec-1)' >&2; \
            echo 'test json::x ... ok'; echo 'test result: ok. 1 passed; 0 failed; 0 ignored'";

        let seen = read(
            "workspace",
            shell(script),
            &Binaries::from([("codec-1".into(), binary)]),
        )
        .unwrap()
        .seen;

        assert_eq!(seen.len(), 1);
        assert_eq!(
            (seen[0].package.as_str(), seen[0].target.as_str()),
            ("gufo-core", "codec")
        );
    }
}
