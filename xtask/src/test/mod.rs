//! `cargo xtask test`: builds once with all features, runs everything, prints the table.
//!
//! The steps: install what is missing (when asked), build, run the tests, test the consumer crate,
//! check the packages. What the table says is read from the output of the runner (`seen.rs`), never
//! from what was meant to run. Nothing is run twice: a test that fails once has failed.

mod install;
mod package;
mod python;
pub(crate) mod seen;
mod steps;
mod times;

use std::time::Instant;

use crate::metadata::Workspace;
use crate::suites::SUITES;
use crate::table::{self, Row, Verdict};
use crate::{Result, process};
use seen::{Outcome, Ran, Seen};

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Install what is missing first.
    install: bool,
    /// Run the tests alone whose name contains this.
    filter: Option<String>,
}

impl Options {
    /// Reads the arguments after `test`.
    pub(crate) fn parse(args: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        for arg in args {
            match *arg {
                "--install" => options.install = true,
                flag if flag.starts_with('-') => {
                    return Err(format!("unknown flag `{flag}`: try `cargo xtask help`").into());
                }
                filter if options.filter.is_none() => options.filter = Some(filter.to_owned()),
                more => return Err(format!("one filter at most, `{more}` is one more").into()),
            }
        }
        Ok(options)
    }
}

/// Runs everything; true when it may count as a success: nothing failed, and in CI nothing was
/// left out either.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let root = process::root();
    if options.install {
        step("install what is missing", || install::run(&root))?;
    }
    let run = steps::Run {
        workspace: Workspace::load(&root)?,
        filter: options.filter.clone(),
    };

    let binaries = step("build all tests, all features", || run.build())?;
    let Ran { mut seen, times } = step("run the tests", || run.tests(&binaries))?;
    if options.filter.is_none() {
        let consumer = step("test the consumer outside of the workspace", || {
            run.consumer()
        })?;
        seen.extend(consumer.seen);
        seen.extend(step("package the published crates", || package::run(&run))?);
    }

    let in_ci = std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false");
    let none_seen = options
        .filter
        .as_ref()
        .map_or("no test seen".into(), |filter| {
            format!("nothing in it matches `{filter}`")
        });
    let mut rows = table::table(SUITES, &seen, &none_seen);
    if options.filter.is_some() && !in_ci {
        rows.retain(|row| row.verdict != Verdict::NotRun(none_seen.clone()));
    }
    println!();
    table::print(&rows);
    println!();
    println!("slowest test targets");
    let slowest = times::slowest(times);
    slowest.iter().for_each(|line| println!("{line}"));
    println!();
    let failed = failures(&seen);
    failed.iter().for_each(|name| println!("failed: {name}"));
    let passed = seen
        .iter()
        .filter(|test| test.outcome == Outcome::Passed)
        .count();
    let good = is_good(&rows, in_ci);
    if !good && failed.is_empty() {
        println!("in CI a suite that was not run counts as a failure");
    }
    println!("{passed} passed, {} failed", failed.len());
    Ok(good)
}

/// A line for every test that did not pass. An ignored test is one: what it lacks would go
/// unnoticed.
fn failures(seen: &[Seen]) -> Vec<String> {
    let line = |test: &Seen| {
        let name = format!("{} {}: {}", test.package, test.target, test.name);
        match test.outcome {
            Outcome::Passed => None,
            Outcome::Failed | Outcome::Crashed => Some(name),
            Outcome::Ignored => Some(format!(
                "{name} is ignored: remove the attribute, and let the test itself fail and say what to install"
            )),
        }
    };
    seen.iter().filter_map(line).collect()
}

fn is_good(rows: &[Row], in_ci: bool) -> bool {
    rows.iter().all(|row| match row.verdict {
        Verdict::Passed(_) => true,
        Verdict::Failed(..) => false,
        Verdict::NotRun(_) => !in_ci,
    })
}

fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("== {name}");
    let started = Instant::now();
    let done = work().map_err(|error| format!("{name}: {error}"))?;
    println!("== {name}: {}", process::took(started.elapsed()));
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seen::Kind;

    fn row(verdict: Verdict) -> Row {
        Row {
            suite: "interop".into(),
            backend: "python".into(),
            verdict,
        }
    }

    fn test(name: &str, outcome: Outcome) -> Seen {
        Seen {
            package: "p".into(),
            target: "t".into(),
            kind: Kind::Other,
            name: name.into(),
            outcome,
        }
    }

    #[test]
    fn a_failure_is_never_good() {
        for in_ci in [true, false] {
            assert!(!is_good(
                &[row(Verdict::Passed(3)), row(Verdict::Failed(3, 1))],
                in_ci
            ));
        }
    }

    #[test]
    fn a_suite_left_out_is_good_outside_of_ci_alone() {
        let rows = [
            row(Verdict::Passed(3)),
            row(Verdict::NotRun("no test seen".into())),
        ];

        assert!(is_good(&rows, false));
        assert!(!is_good(&rows, true));
        assert!(is_good(&rows[..1], true));
    }

    #[test]
    fn what_failed_is_named_and_what_is_ignored_with_the_way_out() {
        let seen = [
            test("a", Outcome::Passed),
            test("b", Outcome::Failed),
            test("c", Outcome::Ignored),
        ];

        let failures = failures(&seen);

        assert_eq!(failures.len(), 2);
        assert_eq!(failures[0], "p t: b");
        assert!(
            failures[1].starts_with("p t: c is ignored: remove the attribute"),
            "{failures:?}"
        );
    }

    #[test]
    fn arguments_are_used_or_refused() {
        let all = Options {
            install: true,
            filter: Some("codec".into()),
        };

        assert_eq!(Options::parse(&["--install", "codec"]).unwrap(), all);
        assert!(Options::parse(&["--instal"]).is_err());
        assert!(Options::parse(&["codec", "grpc"]).is_err());
    }
}
