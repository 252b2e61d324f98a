//! Checks, and what came out.

use std::fmt;

use super::Failure;

/// One promise of a contract that is checked.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// The number of the statement, such as `R27`; never reused. Several checks may be about one.
    pub id: &'static str,
    /// `module::name`.
    pub name: &'static str,
    /// The promise in one sentence.
    pub promise: &'static str,
}

impl Check {
    /// A check of this number, name and promise.
    #[must_use]
    pub const fn new(id: &'static str, name: &'static str, promise: &'static str) -> Self {
        Self { id, name, promise }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({} {})", self.id, self.name)
    }
}

/// How a check ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The promise held.
    Passed,
    /// What is under test does not declare what the promise is about, and refused it as it must.
    NotDeclared,
}

/// What a check says.
pub type Verdict = Result<Outcome, Failure>;

/// How every check ended; `Display` is a table.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The checks in the order of the suite.
    pub results: Vec<(Check, Verdict)>,
}

impl Report {
    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.results
            .iter()
            .filter(|(_, result)| result.is_err())
            .map(|(check, _)| check)
    }
}

impl FromIterator<(Check, Verdict)> for Report {
    fn from_iter<T: IntoIterator<Item = (Check, Verdict)>>(results: T) -> Self {
        Self {
            results: results.into_iter().collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, result) in &self.results {
            let (id, name) = (check.id, check.name);
            match result {
                Ok(Outcome::Passed) => writeln!(f, "{id:4} {name:45} passed")?,
                Ok(Outcome::NotDeclared) => writeln!(f, "{id:4} {name:45} not declared")?,
                Err(failure) => writeln!(f, "{id:4} {name:45} FAILED: {failure}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_table_and_knows_what_failed() {
        let checks =
            ["a::held", "a::undeclared", "a::broken"].map(|name| Check::new("N1", name, ""));
        let verdicts = [
            Ok(Outcome::Passed),
            Ok(Outcome::NotDeclared),
            Err(Failure::new("no owl")),
        ];

        let report: Report = checks.into_iter().zip(verdicts).collect();

        let table = report.to_string();
        let lines: Vec<_> = table.lines().collect();
        let name = |name: &str| format!("N1   {name:45} ");
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], name("a::held") + "passed");
        assert_eq!(lines[1], name("a::undeclared") + "not declared");
        assert!(lines[2].starts_with(&(name("a::broken") + "FAILED: no owl (at ")));
        assert_eq!(report.failed().count(), 1);
    }
}
