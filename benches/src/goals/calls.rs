//! Goals of the closed loop.

use gufo_benches::load::Runtime;
use gufo_benches::scenario::Scenario;

use super::{Goal, Limit};
use crate::peers::{BASELINE, FLOOR, FOREIGN, GRPC, GRPC_FULL, NATIVE, TARPC};
use crate::report::{Block, Figure, P50, PER_CPU_SECOND, PER_SECOND, Report};
use crate::stats::Spread;

/// The floor is honest when it does so many times the baseline's small calls per server-CPU second.
const HONEST: f64 = 15.0;
/// A peer that reaches this share of another ties with it: less than a run's own noise apart.
const TIE: f64 = 0.95;

const SMALL: [usize; 2] = [64, 1024];
const LARGE: usize = 64 * 1024;
const CPU: &str = "requests per server-CPU second";

/// Why the goals of a run do not count, or nothing when they do.
pub(crate) fn honesty(report: &Report) -> Option<String> {
    let goal = floor(report.on(Runtime::CurrentThread));
    match (goal.is_met(), goal.measured) {
        (Some(true), _) => None,
        (_, Some(measured)) => Some(format!(
            "this run does not count: its floor is {measured:.1} × tonic at 64 B 64/1 per server-CPU second, below the \
             {HONEST} of an honest one"
        )),
        (_, None) => Some(
            "this run does not count: without the floor and tonic at 64 B 64/1 nobody knows whether its floor is honest"
                .to_owned(),
        ),
    }
}

/// Every goal of calls, whether or not it was measured.
pub(crate) fn of_calls(report: &Report) -> Vec<Goal> {
    let one = report.on(Runtime::CurrentThread);
    let two = report.on(Runtime::Multi2);
    let mut goals = vec![floor(one)];
    goals.extend(native_under_load(one));
    goals.extend(native_one_at_a_time(one));
    goals.extend(native_two_workers(two));
    goals.extend(native_large(one));
    goals.extend(ahead_of_all(one));
    goals.extend(grpc(one, "one thread"));
    goals.extend(grpc(two, "two workers"));
    goals.extend(grpc_dressed(one));
    goals
}

fn floor(block: Option<&Block>) -> Goal {
    let label = Scenario::unary(64, 64, 1).label();
    let spread = ratio(block, &label, FLOOR, BASELINE, PER_CPU_SECOND);
    let what = format!("an honest floor: {FLOOR} × {BASELINE}, {CPU}, {label}");
    Goal::spread(what, Limit::AtLeast(HONEST), spread)
}

fn native_under_load(block: Option<&Block>) -> Vec<Goal> {
    let mut goals = Vec::new();
    for payload in SMALL {
        for (calls, of_floor) in [(64, 0.5), (256, 0.35)] {
            let label = Scenario::unary(payload, calls, 1).label();
            for (other, least) in [(BASELINE, 8.0), (TARPC, 1.5), (FLOOR, of_floor)] {
                goals.push(Goal::spread(
                    format!("{NATIVE} × {other}, {CPU}, {label}"),
                    Limit::AtLeast(least),
                    ratio(block, &label, NATIVE, other, PER_CPU_SECOND),
                ));
            }
        }
    }
    goals
}

fn native_one_at_a_time(block: Option<&Block>) -> Vec<Goal> {
    let goals = SMALL.map(|payload| {
        let label = Scenario::unary(payload, 1, 1).label();
        Goal::spread(
            format!("{NATIVE} × {FLOOR}, p50, {label}"),
            Limit::AtMost(1.25),
            ratio(block, &label, NATIVE, FLOOR, P50),
        )
    });
    goals.into()
}

fn native_two_workers(block: Option<&Block>) -> Vec<Goal> {
    let label = Scenario::unary(64, 64, 1).label();
    let goals = [(BASELINE, 8.0), (TARPC, 2.5)].map(|(other, least)| {
        Goal::spread(
            format!("{NATIVE} × {other}, requests/s, two workers, {label}"),
            Limit::AtLeast(least),
            ratio(block, &label, NATIVE, other, PER_SECOND),
        )
    });
    goals.into()
}

fn native_large(block: Option<&Block>) -> Vec<Goal> {
    let mut goals = Vec::new();
    for calls in [64, 256] {
        let label = Scenario::unary(LARGE, calls, 1).label();
        for (other, least) in [(FLOOR, 0.85), (BASELINE, 2.0)] {
            goals.push(Goal::spread(
                format!("{NATIVE} × {other}, {CPU}, {label}"),
                Limit::AtLeast(least),
                ratio(block, &label, NATIVE, other, PER_CPU_SECOND),
            ));
        }
    }
    let stream = block.and_then(|block| {
        let mut labels = block.scenarios.iter().map(|scenario| &scenario.label);
        labels.find(|label| label.starts_with("stream"))
    });
    let spread = stream.and_then(|label| ratio(block, label, NATIVE, BASELINE, PER_SECOND));
    goals.push(Goal::spread(
        format!("{NATIVE} × {BASELINE}, messages/s, stream of 16 B messages"),
        Limit::AtLeast(10.0),
        spread,
    ));
    goals
}

/// Ahead of everybody else under load, and at least tied with the best of them one call at a time.
fn ahead_of_all(block: Option<&Block>) -> Vec<Goal> {
    let mut goals = Vec::new();
    for payload in [SMALL[0], SMALL[1], LARGE] {
        for calls in [1, 64, 256] {
            let label = Scenario::unary(payload, calls, 1).label();
            let others = FOREIGN.map(|(name, _)| name).into_iter().chain([BASELINE]);
            let closest = others
                .filter_map(|other| {
                    let spread = ratio(block, &label, NATIVE, other, PER_CPU_SECOND)?;
                    Some((other, spread))
                })
                .min_by(|(_, one), (_, other)| one.median.total_cmp(&other.median));
            let (rival, spread) = closest.unzip();
            let rival = rival.unwrap_or("the best of all others");
            let least = if calls == 1 { TIE } else { 1.0 };
            goals.push(Goal::spread(
                format!("{NATIVE} × the closest peer ({rival}), {CPU}, {label}"),
                Limit::AtLeast(least),
                spread,
            ));
        }
    }
    goals
}

fn grpc(block: Option<&Block>, runtime: &str) -> Vec<Goal> {
    let mut goals = Vec::new();
    for payload in SMALL {
        for (calls, connections) in [(64, 1), (64, 8), (256, 1), (256, 8)] {
            let label = Scenario::unary(payload, calls, connections).label();
            goals.push(Goal::spread(
                format!("{GRPC} × {BASELINE}, {CPU}, {runtime}, {label}"),
                Limit::AtLeast(1.25),
                ratio(block, &label, GRPC, BASELINE, PER_CPU_SECOND),
            ));
        }
    }
    goals
}

/// With deadline, metadata and interceptors, which tonic has not in this run.
fn grpc_dressed(block: Option<&Block>) -> Vec<Goal> {
    let goals = SMALL.map(|payload| {
        let label = Scenario::unary(payload, 64, 1).label();
        Goal::spread(
            format!("{GRPC_FULL} × {BASELINE}, {CPU}, {label}"),
            Limit::AtLeast(1.0),
            ratio(block, &label, GRPC_FULL, BASELINE, PER_CPU_SECOND),
        )
    });
    goals.into()
}

fn ratio(
    block: Option<&Block>,
    label: &str,
    ours: &str,
    theirs: &str,
    figure: Figure,
) -> Option<Spread> {
    block?.scenario(label)?.ratio(ours, theirs, figure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{block, measured, report};

    fn run(raw: u64, tonic: u64, tarpc: u64, native: u64) -> Report {
        let scenario = measured(
            &Scenario::unary(64, 64, 1),
            &[
                (FLOOR, &[Some(raw)]),
                (BASELINE, &[Some(tonic)]),
                (TARPC, &[Some(tarpc)]),
                (NATIVE, &[Some(native)]),
            ],
        );
        report(vec![block(Runtime::CurrentThread, vec![scenario])])
    }

    fn goal(report: &Report, start: &str) -> Goal {
        let goals = of_calls(report);
        let found = goals.iter().find(|goal| goal.what.starts_with(start));
        found.cloned().unwrap()
    }

    #[test]
    fn a_run_with_a_slow_floor_does_not_count() {
        assert!(honesty(&run(1500, 100, 500, 800)).is_none());
        assert!(
            honesty(&run(1499, 100, 500, 800))
                .unwrap()
                .contains("does not count")
        );
        assert!(honesty(&report(Vec::new())).is_some());
    }

    #[test]
    fn the_native_transport_is_held_against_baseline_floor_and_closest_peer() {
        let report = run(2000, 100, 600, 900);

        assert_eq!(
            goal(&report, "gufo-tcp × tonic, requests per").is_met(),
            Some(true)
        );
        assert_eq!(goal(&report, "gufo-tcp × raw").is_met(), Some(false));
        let closest = goals_with(&report, "the closest peer (tarpc)");
        assert_eq!(closest.len(), 1);
        assert_eq!(closest[0].measured, Some(1.5));
    }

    fn goals_with(report: &Report, part: &str) -> Vec<Goal> {
        let goals = of_calls(report).into_iter();
        goals.filter(|goal| goal.what.contains(part)).collect()
    }

    #[test]
    fn what_was_not_measured_is_still_a_goal() {
        let unmeasured = of_calls(&report(Vec::new()));

        assert_eq!(unmeasured.len(), of_calls(&run(1500, 100, 500, 800)).len());
        assert!(unmeasured.iter().all(|goal| goal.is_met().is_none()));
    }
}
