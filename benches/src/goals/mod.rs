//! What gufo set out to reach, held against what was measured.

mod calls;
mod latency;
mod scaling;
mod steps;

pub(crate) use self::calls::{honesty, of_calls};
pub(crate) use self::latency::of_latency;
pub(crate) use self::scaling::of_scaling;
pub(crate) use self::steps::{of_builds, of_memory, of_steps};
use crate::stats::Spread;
use crate::text::{digits, table};

/// A limit and what was measured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Goal {
    what: String,
    limit: Limit,
    /// `None` when it was not measured, which meets nothing.
    measured: Option<f64>,
    /// From round to round, where that is known.
    range: Option<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn new(what: impl Into<String>, limit: Limit, measured: impl Into<Option<f64>>) -> Self {
        Self {
            what: what.into(),
            limit,
            measured: measured.into(),
            range: None,
        }
    }

    /// The median of a spread, with its extremes beside it.
    fn spread(what: impl Into<String>, limit: Limit, spread: Option<Spread>) -> Self {
        Self {
            what: what.into(),
            limit,
            measured: spread.as_ref().map(|spread| spread.median),
            range: spread.map(|spread| (spread.min, spread.max)),
        }
    }

    fn is_met(&self) -> Option<bool> {
        let measured = self.measured?;
        Some(match self.limit {
            Limit::AtLeast(least) => measured >= least,
            Limit::AtMost(most) => measured <= most,
        })
    }
}

/// For a terminal: a row for each goal that was measured, and how many were not.
pub(crate) fn summary(goals: Vec<Goal>) -> String {
    let (measured, missing): (Vec<Goal>, Vec<Goal>) =
        goals.into_iter().partition(|goal| goal.measured.is_some());
    let missing = match missing.len() {
        0 => String::new(),
        count => format!("\n{count} goals were not measured in this run.\n"),
    };
    format!("{}{missing}", tabulate(&measured))
}

/// A row for each goal.
pub(crate) fn tabulate(goals: &[Goal]) -> String {
    const NONE: &str = "–";
    if goals.is_empty() {
        return "No goal was measured.\n".to_owned();
    }
    let rows = goals.iter().map(|goal| {
        let limit = match goal.limit {
            Limit::AtLeast(least) => format!("≥ {}", digits(least)),
            Limit::AtMost(most) => format!("≤ {}", digits(most)),
        };
        let verdict = match goal.is_met() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "not measured",
        };
        let range = goal.range.map_or_else(
            || NONE.to_owned(),
            |(min, max)| format!("{} to {}", digits(min), digits(max)),
        );
        vec![
            goal.what.clone(),
            limit,
            goal.measured.map_or_else(|| NONE.to_owned(), digits),
            range,
            verdict.to_owned(),
        ]
    });
    table(
        &["goal", "wanted", "measured", "min to max", "met"],
        &rows.collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_on_its_limit_and_missed_beyond_it() {
        let met = |limit, measured: f64| Goal::new("", limit, measured).is_met();

        assert_eq!(met(Limit::AtLeast(1.0), 1.0), Some(true));
        assert_eq!(met(Limit::AtLeast(1.0), 0.99), Some(false));
        assert_eq!(met(Limit::AtMost(100.0), 100.0), Some(true));
        assert_eq!(met(Limit::AtMost(100.0), 101.0), Some(false));
    }

    #[test]
    fn a_missed_goal_and_one_that_was_not_measured_are_told_as_such() {
        let goals = [
            Goal::new("KiB", Limit::AtMost(40.0), 57.5),
            Goal::new("MiB", Limit::AtMost(100.0), None),
        ];

        let text = tabulate(&goals);

        assert!(text.contains("**no**"), "{text}");
        assert!(text.contains("not measured"), "{text}");
        assert!(!text.contains("yes"), "{text}");
    }
}
