//! The result of a run: every measurement of every round, and figures and ratios made of them.

use gufo_benches::About;
use gufo_benches::load::{Latency, Measurement, Runtime};
use gufo_benches::scenario::Scenario;
use serde::{Deserialize, Serialize};

use crate::args::Pinning;
use crate::cast::Absent;
use crate::machine::Facts;
use crate::stats::Spread;

/// Everything a run found out, as it is written to a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) facts: Facts,
    /// Short rounds, whose numbers are not to be quoted.
    pub(crate) quick: bool,
    pub(crate) peers: Vec<About>,
    pub(crate) absent: Vec<Absent>,
    pub(crate) blocks: Vec<Block>,
    /// Measurements that did not come to an end.
    pub(crate) failures: Vec<String>,
}

/// Scenarios that were measured in the same way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) title: String,
    pub(crate) runtime: Runtime,
    pub(crate) pinning: Pinning,
    pub(crate) rounds: usize,
    pub(crate) warm_up_seconds: f64,
    pub(crate) measured_seconds: f64,
    pub(crate) scenarios: Vec<ScenarioReport>,
}

/// One scenario with every peer that was measured in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ScenarioReport {
    pub(crate) label: String,
    pub(crate) scenario: Scenario,
    pub(crate) peers: Vec<PeerRounds>,
}

/// What one peer did in one scenario, by round; `None` where the measurement failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PeerRounds {
    pub(crate) peer: String,
    pub(crate) rounds: Vec<Option<Measurement>>,
}

/// A figure of one measurement, where it has it.
pub(crate) type Figure = fn(&Measurement) -> Option<f64>;

/// Units of work per second.
pub(crate) const PER_SECOND: Figure = |round| Some(round.per_second());
/// Units of work per second of the server's processor time, where its clock has ticked at all.
pub(crate) const PER_CPU_SECOND: Figure =
    |round| (!round.server_cpu.is_zero()).then(|| round.per_cpu_second());
/// Half of the calls are faster, in microseconds.
pub(crate) const P50: Figure = |round| quantile(round, |latency| latency.p50);
/// 99 % of the calls are faster, in microseconds.
pub(crate) const P99: Figure = |round| quantile(round, |latency| latency.p99);
/// 99.9 % of the calls are faster, in microseconds.
pub(crate) const P999: Figure = |round| quantile(round, |latency| latency.p999);

fn quantile(round: &Measurement, figure: fn(&Latency) -> f64) -> Option<f64> {
    round.latency.as_ref().map(figure)
}

impl Report {
    /// The first block on a runtime.
    pub(crate) fn on(&self, runtime: Runtime) -> Option<&Block> {
        self.blocks.iter().find(|block| block.runtime == runtime)
    }

    /// The block of this title.
    pub(crate) fn titled(&self, title: &str) -> Option<&Block> {
        self.blocks.iter().find(|block| block.title == title)
    }
}

impl Block {
    /// The scenario of this label.
    pub(crate) fn scenario(&self, label: &str) -> Option<&ScenarioReport> {
        self.scenarios
            .iter()
            .find(|scenario| scenario.label == label)
    }

    /// Whether any peer was measured here under this name.
    pub(crate) fn has(&self, peer: &str) -> bool {
        self.scenarios
            .iter()
            .any(|scenario| scenario.figure(peer, PER_SECOND).is_some())
    }
}

impl ScenarioReport {
    fn rounds(&self, peer: &str) -> Option<&[Option<Measurement>]> {
        let found = self.peers.iter().find(|rounds| rounds.peer == peer)?;
        Some(&found.rounds)
    }

    /// One figure of one peer over all rounds that came to an end.
    pub(crate) fn figure(&self, peer: &str, figure: Figure) -> Option<Spread> {
        let rounds = self.rounds(peer)?.iter().flatten();
        Spread::of(rounds.filter_map(figure).collect())
    }

    /// How many times another peer's figure this peer has, round by round: what drifts between rounds cancels out.
    pub(crate) fn ratio(&self, ours: &str, theirs: &str, figure: Figure) -> Option<Spread> {
        let pairs = self.rounds(ours)?.iter().zip(self.rounds(theirs)?);
        let ratios = pairs
            .filter_map(|(ours, theirs)| Some(figure(ours.as_ref()?)? / figure(theirs.as_ref()?)?));
        Spread::of(ratios.collect())
    }

    /// Errors of one peer over all rounds.
    pub(crate) fn errors(&self, peer: &str) -> u64 {
        let rounds = self.rounds(peer).unwrap_or_default();
        rounds.iter().flatten().map(|round| round.errors).sum()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;

    /// A round with this many requests in one second of wall time and one of processor time.
    pub(crate) fn round(completed: u64) -> Option<Measurement> {
        Some(Measurement {
            completed,
            errors: 1,
            elapsed: Duration::from_secs(1),
            offered: None,
            latency: Some(Latency {
                p50: 1.0,
                p99: 2.0,
                p999: 3.0,
                max: 4.0,
            }),
            server_cpu: Duration::from_secs(1),
            client_cpu: Duration::from_secs(1),
            server_peak_memory: 3 << 20,
        })
    }

    /// A scenario measured with these peers, which have so many requests in each round.
    pub(crate) fn measured(
        scenario: &Scenario,
        peers: &[(&str, &[Option<u64>])],
    ) -> ScenarioReport {
        let peers = peers.iter().map(|(peer, rounds)| PeerRounds {
            peer: (*peer).to_owned(),
            rounds: rounds.iter().map(|count| round((*count)?)).collect(),
        });
        ScenarioReport {
            label: scenario.label(),
            scenario: scenario.clone(),
            peers: peers.collect(),
        }
    }

    /// A block on a runtime with all these scenarios.
    pub(crate) fn block(runtime: Runtime, scenarios: Vec<ScenarioReport>) -> Block {
        Block {
            title: "pinned".to_owned(),
            runtime,
            pinning: Pinning::Pinned,
            rounds: 1,
            warm_up_seconds: 0.5,
            measured_seconds: 1.0,
            scenarios,
        }
    }

    /// A report of these blocks.
    pub(crate) fn report(blocks: Vec<Block>) -> Report {
        let about = |name: &str| About {
            name: name.to_owned(),
            about: "a peer".to_owned(),
            ..About::default()
        };
        Report {
            facts: Facts::collect(&[]),
            quick: true,
            peers: vec![about("raw"), about("tonic")],
            absent: vec![Absent {
                name: "nats".to_owned(),
                reason: "no broker".to_owned(),
            }],
            blocks,
            failures: Vec::new(),
        }
    }

    /// A run of two peers in two scenarios.
    pub(crate) fn small() -> Report {
        let peers: [(&str, &[Option<u64>]); 2] =
            [("raw", &[Some(900_000)]), ("tonic", &[Some(2000)])];
        let scenarios = [Scenario::unary(64, 64, 1), Scenario::unary(1024, 64, 1)];
        let scenarios = scenarios.map(|scenario| measured(&scenario, &peers));
        report(vec![block(Runtime::CurrentThread, scenarios.to_vec())])
    }

    #[test]
    fn a_ratio_is_the_median_of_ratios_and_not_the_ratio_of_medians() {
        let report = measured(
            &Scenario::unary(64, 1, 1),
            &[
                ("tonic", &[Some(100), Some(1000), Some(10)]),
                ("raw", &[Some(200), Some(3000), Some(70)]),
            ],
        );

        let ratio = report.ratio("raw", "tonic", PER_SECOND).unwrap();

        assert_eq!(ratio.values, [2.0, 3.0, 7.0]);
        assert_eq!((ratio.median, ratio.min, ratio.max), (3.0, 2.0, 7.0));
    }

    #[test]
    fn work_too_short_for_the_clock_of_processor_time_has_no_figure_by_it() {
        let mut measured = round(10).unwrap();
        measured.server_cpu = Duration::ZERO;

        assert_eq!(PER_CPU_SECOND(&measured), None);
        assert_eq!(PER_SECOND(&measured), Some(10.0));
    }

    #[test]
    fn a_round_that_failed_leaves_figures_and_ratios_of_the_others() {
        let report = measured(
            &Scenario::unary(64, 1, 1),
            &[
                ("tonic", &[None, Some(300)]),
                ("raw", &[Some(200), Some(900)]),
            ],
        );

        let figure = report.figure("raw", PER_SECOND).unwrap();
        assert_eq!(figure.values, [200.0, 900.0]);
        assert_eq!(
            report.ratio("raw", "tonic", PER_SECOND).unwrap().values,
            [3.0]
        );
        assert_eq!(report.errors("raw"), 2);
    }

    #[test]
    fn a_peer_that_never_came_to_an_end_has_no_figures() {
        let report = measured(
            &Scenario::unary(64, 1, 1),
            &[("tonic", &[None]), ("raw", &[Some(1)])],
        );

        assert!(report.figure("tonic", PER_SECOND).is_none());
        assert!(report.ratio("raw", "tonic", PER_SECOND).is_none());
    }
}
