//! Goals of the open loop.

use gufo_benches::scenario::{Pace, Scenario};

use super::{Goal, Limit};
use crate::latency::OPEN;
use crate::peers::{FLOOR, NATIVE};
use crate::report::{P99, Report};

/// The tail at half of each one's own peak.
pub(crate) fn of_latency(report: &Report) -> Vec<Goal> {
    let goals = [64, 1024].map(|payload| {
        let label = Scenario::open(payload, Pace::HalfPeak).label();
        let block = report.titled(OPEN);
        let scenario = block.and_then(|block| block.scenario(&label));
        Goal::spread(
            format!("{NATIVE} × {FLOOR}, p99, {label} of each"),
            Limit::AtMost(2.0),
            scenario.and_then(|scenario| scenario.ratio(NATIVE, FLOOR, P99)),
        )
    });
    goals.into()
}
