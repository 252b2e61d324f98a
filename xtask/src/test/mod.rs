//! `cargo xtask test`: builds once with all features, runs everything, prints the table.
//!
//! The steps: install what is missing (when asked), build, run the tests, run the ignored ones
//! whose needs are met, test the consumer crate, check the packages. What the table says is
//! read from the output of the runner (`seen.rs`), never from what was meant to run.

mod install;
mod package;
mod python;
pub(crate) mod seen;
mod steps;

use std::time::Instant;

use crate::metadata::Workspace;
use crate::suites::{Need, SUITES};
use crate::table::{self, Row, Verdict};
use crate::{Result, process};
use seen::{Outcome, Seen};

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
    let python = python::ready(&root);
    match &python {
        Ok(path) => println!("python: {}", path.display()),
        Err(reason) => println!("!!! python is not ready: {reason}"),
    }
    let run = steps::Run {
        workspace: Workspace::load(&root)?,
        filter: options.filter.clone(),
        python: python.ok(),
    };

    let binaries = step("build all tests, all features", || run.build())?;
    let mut seen = step("run the tests", || run.tests(&binaries))?;
    let again = step("run the ignored tests whose needs are met", || {
        run.ignored(&binaries, &seen)
    })?;
    replace(&mut seen, again);
    if options.filter.is_none() {
        seen.extend(step("test the consumer outside of the workspace", || {
            run.consumer()
        })?);
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
    let failed = names_of_failed(&seen);
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

/// True when the ignored tests of this target may be run.
fn needs_are_met(run: &steps::Run, test: &Seen) -> bool {
    let need = SUITES
        .iter()
        .find(|suite| suite.claims(test))
        .and_then(|suite| suite.needs);
    match need {
        None => true,
        Some(Need::Python) => run.python.is_some(),
    }
}

/// Puts the outcomes of a second run in the place of those of the first.
fn replace(seen: &mut Vec<Seen>, again: Vec<Seen>) {
    let same = |one: &Seen, other: &Seen| {
        (&one.package, &one.target, &one.name) == (&other.package, &other.target, &other.name)
    };
    seen.retain(|old| !again.iter().any(|new| same(old, new)));
    seen.extend(again);
}

fn names_of_failed(seen: &[Seen]) -> Vec<String> {
    let failed = seen
        .iter()
        .filter(|test| matches!(test.outcome, Outcome::Failed | Outcome::Crashed));
    failed
        .map(|test| format!("{} {}: {}", test.package, test.target, test.name))
        .collect()
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
            row(Verdict::NotRun("no grpcio".into())),
        ];

        assert!(is_good(&rows, false));
        assert!(!is_good(&rows, true));
        assert!(is_good(&rows[..1], true));
    }

    #[test]
    fn a_second_run_replaces_what_was_ignored() {
        let mut seen = vec![
            test("a", Outcome::Passed),
            test("b", Outcome::Ignored("needs x".into())),
        ];

        replace(&mut seen, vec![test("b", Outcome::Failed)]);

        assert_eq!(
            seen,
            [test("a", Outcome::Passed), test("b", Outcome::Failed)]
        );
        assert_eq!(names_of_failed(&seen), ["p t: b"]);
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
