//! The final table: what was seen, put into the rows of `suites.rs`.

use crate::suites::Suite;
use crate::test::seen::{Outcome, Seen};

/// What a row of the table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All its tests passed.
    Passed(usize),
    /// Some failed or were ignored: passed, failed.
    Failed(usize, usize),
    /// None of its tests was seen: the reason.
    NotRun(String),
}

/// One line of the printed table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) suite: String,
    pub(crate) backend: String,
    pub(crate) verdict: Verdict,
}

/// The table of what was seen: the rows of `suites` in order, then what no row claims per
/// package. `none_seen` is the reason shown for a row without tests.
pub(crate) fn table(suites: &[Suite], seen: &[Seen], none_seen: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for (index, suite) in suites.iter().enumerate() {
        let own = seen.iter().filter(|test| {
            suite.claims(test)
                && (test.outcome == Outcome::Crashed
                    || !suites[..index].iter().any(|other| other.claims(test)))
        });
        let verdict = verdict(own, none_seen);
        rows.push(Row {
            suite: suite.suite.into(),
            backend: suite.backend.into(),
            verdict,
        });
    }
    let rest: Vec<&Seen> = seen
        .iter()
        .filter(|test| !suites.iter().any(|suite| suite.claims(test)))
        .collect();
    let mut packages: Vec<&str> = rest.iter().map(|test| test.package.as_str()).collect();
    packages.sort_unstable();
    packages.dedup();
    for package in packages {
        let own = rest.iter().copied().filter(|test| test.package == package);
        rows.push(Row {
            suite: "other tests".into(),
            backend: package.into(),
            verdict: verdict(own, none_seen),
        });
    }
    rows
}

fn verdict<'a>(tests: impl Iterator<Item = &'a Seen>, none_seen: &str) -> Verdict {
    let (mut passed, mut failed) = (0, 0);
    for test in tests {
        match test.outcome {
            Outcome::Passed => passed += 1,
            Outcome::Failed | Outcome::Crashed | Outcome::Ignored => failed += 1,
        }
    }
    match (passed, failed) {
        (0, 0) => Verdict::NotRun(none_seen.into()),
        (_, 0) => Verdict::Passed(passed),
        _ => Verdict::Failed(passed, failed),
    }
}

/// The table as text, one line per row.
pub(crate) fn print(rows: &[Row]) {
    let width = |cell: fn(&Row) -> &String, title: &str| {
        rows.iter()
            .map(|row| cell(row).len())
            .max()
            .unwrap_or(0)
            .max(title.len())
    };
    let (first, second) = (
        width(|row| &row.suite, "suite"),
        width(|row| &row.backend, "backend"),
    );
    println!("{:first$}  {:second$}  result", "suite", "backend");
    println!("{:-<first$}  {:-<second$}  ------", "", "");
    for row in rows {
        let result = match &row.verdict {
            Verdict::Passed(passed) => format!("passed ({passed})"),
            Verdict::Failed(passed, failed) => format!("FAILED ({failed} of {})", passed + failed),
            Verdict::NotRun(reason) => format!("not run: {reason}"),
        };
        println!("{:first$}  {:second$}  {result}", row.suite, row.backend);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suites::{ANY, DOC, row};
    use crate::test::seen::Kind;

    const ROWS: &[Suite] = &[
        row("codec", "json", "gufo-core", "codec").named("json"),
        row("codec", "raw", "gufo-core", "codec").named("raw"),
        row("interop", "python", "gufo-tests", "python"),
        row("doctests", "all", ANY, DOC),
    ];

    fn test(package: &str, target: &str, name: &str, outcome: Outcome) -> Seen {
        Seen {
            package: package.into(),
            target: target.into(),
            kind: Kind::Other,
            name: name.into(),
            outcome,
        }
    }

    fn verdicts(seen: &[Seen]) -> Vec<Verdict> {
        table(ROWS, seen, "no test seen")
            .into_iter()
            .map(|row| row.verdict)
            .collect()
    }

    fn none() -> Verdict {
        Verdict::NotRun("no test seen".into())
    }

    #[test]
    fn a_suite_without_tests_is_not_run() {
        assert_eq!(verdicts(&[]), [none(), none(), none(), none()]);
    }

    #[test]
    fn tests_are_counted_in_their_row_alone() {
        let seen = [
            test("gufo-core", "codec", "json::round_trip", Outcome::Passed),
            test("gufo-core", "codec", "json::depth", Outcome::Failed),
            test("gufo-core", "codec", "raw::round_trip", Outcome::Passed),
            test("gufo-server", "codec", "raw::round_trip", Outcome::Passed),
        ];

        assert_eq!(
            verdicts(&seen),
            [
                Verdict::Failed(1, 1),
                Verdict::Passed(1),
                none(),
                none(),
                Verdict::Passed(1)
            ]
        );
    }

    #[test]
    fn an_ignored_test_fails_its_row() {
        let seen = [
            test("gufo-tests", "python", "unary", Outcome::Passed),
            test("gufo-tests", "python", "stream", Outcome::Ignored),
        ];

        assert_eq!(verdicts(&seen)[2], Verdict::Failed(1, 1));
    }

    #[test]
    fn a_crash_fails_every_row_of_its_target() {
        let seen = [
            test("gufo-core", "codec", "json::round_trip", Outcome::Passed),
            test(
                "gufo-core",
                "codec",
                "ended without a result",
                Outcome::Crashed,
            ),
        ];

        assert_eq!(
            verdicts(&seen)[..2],
            [Verdict::Failed(1, 1), Verdict::Failed(0, 1)]
        );
    }

    #[test]
    fn doctests_and_unclaimed_tests_have_rows() {
        let doc = Seen {
            kind: Kind::Doc,
            ..test("gufo-core", "gufo_core", "src/lib.rs", Outcome::Passed)
        };
        let unit = Seen {
            kind: Kind::Lib,
            ..test("gufo-core", "gufo_core", "json::x", Outcome::Passed)
        };

        let rows = table(ROWS, &[doc, unit], "no test seen");

        assert_eq!(rows[3].verdict, Verdict::Passed(1));
        assert_eq!(
            (rows[4].suite.as_str(), rows[4].backend.as_str()),
            ("other tests", "gufo-core")
        );
    }
}
