//! What gufo set out to reach, held against what was measured.

use crate::peers::{Grpc, Peer};
use crate::report::Report as Calls;
use crate::text::{digits, table};
use crate::{build_time, memory_use, micro};

/// The peer that is gufo over the wire.
const GUFO: &str = Grpc::NAME;

/// A limit and what was measured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Goal {
    what: String,
    limit: Limit,
    measured: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn new(what: impl Into<String>, limit: Limit, measured: f64) -> Self {
        Self {
            what: what.into(),
            limit,
            measured,
        }
    }

    fn is_met(&self) -> bool {
        match self.limit {
            Limit::AtLeast(least) => self.measured >= least,
            Limit::AtMost(most) => self.measured <= most,
        }
    }
}

/// Requests per processor second against the baseline, at 64 calls in flight.
pub(crate) fn of_calls(report: &Calls) -> Vec<Goal> {
    let scenarios = ["64 B 64/1", "64 B 64/8", "1 KiB 64/1", "1 KiB 64/8"];
    let ratios = scenarios.into_iter().filter_map(|label| {
        let scenario = report
            .scenarios
            .iter()
            .find(|scenario| scenario.label == label)?;
        let ratio = scenario.peer(GUFO)?.to_baseline.as_ref()?;
        let what = format!("gufo over grpc × tonic, requests per server-CPU second, {label}");
        Some(Goal::new(
            what,
            Limit::AtLeast(1.0),
            ratio.per_cpu_second.median,
        ))
    });
    ratios.collect()
}

/// Idle connections and streams.
pub(crate) fn of_memory(report: &memory_use::Report) -> Vec<Goal> {
    let Some(peer) = report.peers.iter().find(|peer| peer.peer == GUFO) else {
        return Vec::new();
    };
    vec![
        Goal::new(
            "KiB of an idle connection on the server",
            Limit::AtMost(40.0),
            peer.connection.median,
        ),
        Goal::new(
            "KiB of an idle stream on the server",
            Limit::AtMost(16.0),
            peer.stream.median,
        ),
    ]
}

/// Interceptors and calls in memory.
pub(crate) fn of_steps(report: &micro::Report) -> Vec<Goal> {
    let nanos = |name: &str| {
        let mut steps = report.groups.iter().flat_map(|group| &group.steps);
        steps
            .find(|step| step.name == name)
            .map(|step| step.nanos.median)
    };
    let mut goals = Vec::new();
    if let (Some(none), Some(empty), Some(one), Some(three)) = (
        nanos(micro::NO_CHAIN),
        nanos(&micro::chain_of(0)),
        nanos(&micro::chain_of(1)),
        nanos(&micro::chain_of(3)),
    ) {
        // The same code with and without an empty chain: all that is left is noise.
        let noise = Limit::AtMost(none * 0.1);
        goals.push(Goal::new(
            "ns that an empty interceptor chain adds",
            noise,
            empty - none,
        ));
        goals.push(Goal::new(
            "ns that one no-op interceptor adds",
            Limit::AtMost(100.0),
            one - none,
        ));
        goals.push(Goal::new(
            "ns that each of three no-op interceptors adds",
            Limit::AtMost(100.0),
            (three - none) / 3.0,
        ));
    }
    if let Some(call) = nanos(micro::IN_MEMORY) {
        goals.push(Goal::new(
            "ns of a unary call over memory://",
            Limit::AtMost(1000.0),
            call,
        ));
    }
    goals
}

/// The facade against the baseline.
pub(crate) fn of_builds(report: &build_time::Report) -> Vec<Goal> {
    let [baseline, facade] = report.programs.as_slice() else {
        return Vec::new();
    };
    let ratio = facade.wall_seconds / baseline.wall_seconds;
    vec![Goal::new(
        "clean build of the facade × bare tonic, wall time",
        Limit::AtMost(2.5),
        ratio,
    )]
}

/// A row for each goal.
pub(crate) fn tabulate(goals: &[Goal]) -> String {
    if goals.is_empty() {
        return "No goal was measured.\n".to_owned();
    }
    let rows = goals.iter().map(|goal| {
        let limit = match goal.limit {
            Limit::AtLeast(least) => format!("≥ {}", digits(least)),
            Limit::AtMost(most) => format!("≤ {}", digits(most)),
        };
        let verdict = if goal.is_met() { "yes" } else { "**no**" };
        vec![
            goal.what.clone(),
            limit,
            digits(goal.measured),
            verdict.to_owned(),
        ]
    });
    table(
        &["goal", "wanted", "measured", "met"],
        &rows.collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_on_its_limit_and_missed_beyond_it() {
        assert!(Goal::new("", Limit::AtLeast(1.0), 1.0).is_met());
        assert!(!Goal::new("", Limit::AtLeast(1.0), 0.99).is_met());
        assert!(Goal::new("", Limit::AtMost(100.0), 100.0).is_met());
        assert!(!Goal::new("", Limit::AtMost(100.0), 101.0).is_met());
    }

    #[test]
    fn a_missed_goal_is_told_as_one() {
        let goals = [Goal::new("KiB", Limit::AtMost(40.0), 57.5)];

        assert!(tabulate(&goals).contains("**no**"), "{}", tabulate(&goals));
    }
}
