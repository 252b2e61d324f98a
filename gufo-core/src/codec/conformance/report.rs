//! Checks, and what came out.

use std::fmt;

use super::{Failure, bed::Bed};

/// What a check says.
pub(super) type Verdict = Result<Outcome, Failure>;

/// One promise of the contract and the test of it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// The number of the statement, such as `K11`; several checks may be about one.
    pub id: &'static str,
    /// `module::name`.
    pub name: &'static str,
    /// The promise in one sentence.
    pub promise: &'static str,
    pub(super) run: fn(&Bed) -> Verdict,
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
    /// The format does not declare what the promise is about, and refused it as it must.
    NotDeclared,
}

/// How every check ended; `Display` is a table.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The checks in the order of the suite.
    pub results: Vec<(Check, Result<Outcome, Failure>)>,
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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, result) in &self.results {
            let (id, name) = (check.id, check.name);
            match result {
                Ok(Outcome::Passed) => writeln!(f, "{id:4} {name:40} passed")?,
                Ok(Outcome::NotDeclared) => writeln!(f, "{id:4} {name:40} not declared")?,
                Err(failure) => writeln!(f, "{id:4} {name:40} FAILED: {failure}")?,
            }
        }
        Ok(())
    }
}
