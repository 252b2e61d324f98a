//! Goals of the curves: nothing collapses anywhere on them.

use super::{Goal, Limit};
use crate::peers::{FLOOR, NATIVE};
use crate::report::{Block, P99, PER_SECOND, Report};
use crate::scaling::{CONNECTIONS, IN_FLIGHT, PAYLOAD};

/// Half of the floor's rate makes a closed loop's latency twice the floor's; a tail may be twice that again.
const TAIL: f64 = 4.0;
/// More load may cost so much of the best rate.
const KEPT: f64 = 0.5;

/// Rate and tail at the worst point of each curve.
pub(crate) fn of_scaling(report: &Report) -> Vec<Goal> {
    let mut goals = Vec::new();
    for title in [CONNECTIONS, IN_FLIGHT, PAYLOAD] {
        let block = report.titled(title);
        goals.push(Goal::new(
            format!("{NATIVE} × {FLOOR}, p99 at the worst point over {title}"),
            Limit::AtMost(TAIL),
            block.and_then(worst_tail),
        ));
        // Over payloads the rate falls by itself.
        if title != PAYLOAD {
            goals.push(Goal::new(
                format!("{NATIVE}: what is left of its best rate further up, over {title}"),
                Limit::AtLeast(KEPT),
                block.and_then(kept),
            ));
        }
    }
    goals
}

fn worst_tail(block: &Block) -> Option<f64> {
    let ratios = block.scenarios.iter().filter_map(|scenario| {
        let ratio = scenario.ratio(NATIVE, FLOOR, P99)?;
        Some(ratio.median)
    });
    ratios.max_by(f64::total_cmp)
}

/// The least rate over the best one before it.
fn kept(block: &Block) -> Option<f64> {
    let mut best: f64 = 0.0;
    let mut least: Option<f64> = None;
    for scenario in &block.scenarios {
        let Some(rate) = scenario.figure(NATIVE, PER_SECOND) else {
            continue;
        };
        best = best.max(rate.median);
        let share = rate.median / best;
        least = Some(least.map_or(share, |least| least.min(share)));
    }
    least
}

#[cfg(test)]
mod tests {
    use gufo_benches::load::Runtime;
    use gufo_benches::scenario::Scenario;

    use super::*;
    use crate::report::tests::{block, measured};

    #[test]
    fn a_rate_that_falls_behind_its_best_is_seen_and_one_that_grows_is_not() {
        let curve = |rates: &[u64]| {
            let scenarios = rates.iter().enumerate().map(|(index, rate)| {
                measured(
                    &Scenario::unary(64, index + 1, 1),
                    &[(NATIVE, &[Some(*rate)])],
                )
            });
            kept(&block(Runtime::CurrentThread, scenarios.collect()))
        };

        assert_eq!(curve(&[100, 200, 400]), Some(1.0));
        assert_eq!(curve(&[100, 400, 100, 300]), Some(0.25));
        assert_eq!(curve(&[]), None);
    }
}
