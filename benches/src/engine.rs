//! The interleaved run: every scenario against every peer within each round.

use std::time::Duration;

use gufo_benches::load::{DriveJob, Measurement, Runtime};
use gufo_benches::scenario::{Pace, Scenario, Shape};
use gufo_benches::{About, Streams};

use crate::Result;
use crate::args::{Options, Pinning};
use crate::cast::{Cast, Member};
use crate::machine::Facts;
use crate::process;
use crate::report::{Block, PER_SECOND, PeerRounds, Report, ScenarioReport};
use crate::text;

/// A peer that failed so often in one scenario is not tried again in it.
const ENOUGH_FAILURES: usize = 2;

/// Scenarios to be measured in the same way.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) title: &'static str,
    pub(crate) runtime: Runtime,
    pub(crate) rounds: usize,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
    pub(crate) scenarios: Vec<Scenario>,
}

/// What the options leave of plans.
///
/// # Errors
/// When that is nothing.
pub(crate) fn chosen(
    options: &Options,
    plans: impl IntoIterator<Item = Plan>,
) -> Result<Vec<Plan>> {
    let mut left: Vec<Plan> = plans.into_iter().collect();
    for plan in &mut left {
        plan.scenarios
            .retain(|scenario| scenario.label().contains(&options.scenario));
    }
    left.retain(|plan| !plan.scenarios.is_empty());
    if left.is_empty() {
        return Err(format!("no scenario has '{}' in its name", options.scenario).into());
    }
    Ok(left)
}

/// A run that grows block by block.
pub(crate) struct Run<'a> {
    options: &'a Options,
    cast: Cast,
    report: Report,
}

impl<'a> Run<'a> {
    /// Without a block so far.
    pub(crate) fn new(options: &'a Options, cast: Cast) -> Self {
        let abouts: Vec<About> = cast
            .members
            .iter()
            .map(|member| member.about.clone())
            .collect();
        let versions: Vec<String> = abouts
            .iter()
            .flat_map(|about| about.versions.clone())
            .collect();
        let report = Report {
            facts: Facts::collect(&versions),
            quick: options.quick,
            peers: abouts,
            absent: cast.absent.clone(),
            blocks: Vec::new(),
            failures: Vec::new(),
        };
        Self {
            options,
            cast,
            report,
        }
    }

    /// Measures one more block.
    pub(crate) fn measure(&mut self, plan: &Plan) {
        let wanted = self.options.pinning(plan.runtime);
        let pinning = process::possible(wanted);
        if pinning != wanted {
            eprintln!("not pinned: that takes two cores and the taskset command");
        }
        let mut turns = Vec::new();
        for scenario in &plan.scenarios {
            let peers = self.cast.members.iter().filter_map(|member| {
                let per_second = self.rate(member, scenario)?;
                Some(Turn {
                    member: member.clone(),
                    per_second,
                    rounds: Vec::new(),
                })
            });
            turns.push(peers.collect::<Vec<_>>());
        }
        let total = plan.rounds * turns.iter().map(Vec::len).sum::<usize>();
        let mut done = 0;
        for round in 0..plan.rounds {
            for (scenario, turns) in plan.scenarios.iter().zip(&mut turns) {
                let peers = turns.len();
                for turn in 0..peers {
                    // Another peer goes first in each round, so that none always follows the same one.
                    let turn = &mut turns[(turn + round) % peers];
                    done += 1;
                    let what = format!(
                        "[{done:>3}/{total}] {}, round {}, {}, {}",
                        plan.title,
                        round + 1,
                        scenario.label(),
                        turn.member.about.name
                    );
                    if let Some(failure) = turn.take(plan, scenario, pinning, &what) {
                        self.report.failures.push(failure);
                    }
                }
            }
        }
        let scenarios = plan.scenarios.iter().zip(turns);
        self.report.blocks.push(Block {
            title: plan.title.to_owned(),
            runtime: plan.runtime,
            pinning,
            rounds: plan.rounds,
            warm_up_seconds: plan.warm_up.as_secs_f64(),
            measured_seconds: plan.measured.as_secs_f64(),
            scenarios: scenarios
                .map(|(scenario, turns)| ScenarioReport {
                    label: scenario.label(),
                    scenario: scenario.clone(),
                    peers: turns.into_iter().map(Turn::end).collect(),
                })
                .collect(),
        });
    }

    /// What was measured.
    pub(crate) fn end(self) -> Report {
        self.report
    }

    /// The rate of an open loop, or `Some(None)` for a closed one; `None` when the peer has no part in the scenario.
    fn rate(&self, member: &Member, scenario: &Scenario) -> Option<Option<f64>> {
        /// Nobody keeps up with more of its own peak than this.
        const SUSTAINED: f64 = 0.9;
        let streams = member.about.streams != Streams::None;
        match (scenario.shape, scenario.pace) {
            (Shape::Stream { .. }, _) => streams.then_some(None),
            (Shape::Unary, Pace::Closed) => Some(None),
            (Shape::Unary, Pace::PerSecond(rate)) => {
                let rate = f64::from(rate);
                (rate <= SUSTAINED * self.peak(member, scenario)?).then_some(Some(rate))
            }
            (Shape::Unary, Pace::HalfPeak) => Some(Some(self.peak(member, scenario)? / 2.0)),
        }
    }

    /// What a peer reached in a closed loop of 64 calls on one connection, in a block before.
    fn peak(&self, member: &Member, scenario: &Scenario) -> Option<f64> {
        let label = Scenario::unary(scenario.payload, 64, 1).label();
        let mut blocks = self.report.blocks.iter();
        let found = blocks.find_map(|block| {
            block
                .scenario(&label)?
                .figure(&member.about.name, PER_SECOND)
        });
        found.map(|spread| spread.median)
    }
}

/// One peer in one scenario.
struct Turn {
    member: Member,
    per_second: Option<f64>,
    rounds: Vec<Option<Measurement>>,
}

impl Turn {
    /// One round; what went wrong, if it did.
    fn take(
        &mut self,
        plan: &Plan,
        scenario: &Scenario,
        pinning: Pinning,
        what: &str,
    ) -> Option<String> {
        let failed = self.rounds.iter().filter(|round| round.is_none()).count();
        if failed >= ENOUGH_FAILURES {
            self.rounds.push(None);
            return None;
        }
        let job = DriveJob {
            peer: self.member.about.name.clone(),
            runtime: plan.runtime,
            server: None,
            scenario: scenario.clone(),
            per_second: self.per_second,
            warm_up: plan.warm_up,
            measured: plan.measured,
        };
        match self.member.drive(job, pinning) {
            Ok(measurement) => {
                eprintln!("{what}: {}", progress(scenario, &measurement));
                self.rounds.push(Some(measurement));
                None
            }
            Err(error) => {
                eprintln!("{what}: FAILED: {error}");
                self.rounds.push(None);
                Some(format!("{what}: {error}"))
            }
        }
    }

    fn end(self) -> PeerRounds {
        PeerRounds {
            peer: self.member.about.name,
            rounds: self.rounds,
        }
    }
}

fn progress(scenario: &Scenario, measurement: &Measurement) -> String {
    let latency = measurement.latency.map_or_else(String::new, |latency| {
        format!(", p99 {} µs", text::digits(latency.p99))
    });
    format!(
        "{} {}/s, {} µs server{latency}, {} errors",
        text::rate(measurement.per_second()),
        scenario.unit(),
        text::digits(measurement.server_micros()),
        measurement.errors,
    )
}
