//! The result of a run: figures of every scenario and peer, their spread, and the ratios.

use serde::{Deserialize, Serialize};

use crate::args::{Pinning, Runtime};
use crate::load::{Latency, Measurement};
use crate::machine::Facts;
use crate::peers;
use crate::scenario::Scenario;
use crate::stats::Spread;

/// Everything a run found out, as it is written to `rpc.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) facts: Facts,
    pub(crate) method: Method,
    pub(crate) peers: Vec<About>,
    pub(crate) scenarios: Vec<ScenarioReport>,
    /// Measurements that did not come to an end.
    pub(crate) failures: Vec<String>,
}

/// How a run was done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Method {
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    pub(crate) warm_up_seconds: f64,
    pub(crate) measured_seconds: f64,
    pub(crate) runtime: Runtime,
    pub(crate) pinning: Pinning,
}

/// A peer in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) name: String,
    pub(crate) about: String,
}

/// One scenario with every peer that was measured in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ScenarioReport {
    pub(crate) label: String,
    pub(crate) scenario: Scenario,
    pub(crate) peers: Vec<PeerReport>,
}

/// The figures of one peer in one scenario over all rounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PeerReport {
    pub(crate) peer: String,
    pub(crate) per_second: Spread,
    pub(crate) per_cpu_second: Spread,
    pub(crate) server_micros: Spread,
    pub(crate) client_micros: Spread,
    /// Microseconds.
    pub(crate) p50: Option<Spread>,
    pub(crate) p99: Option<Spread>,
    pub(crate) p999: Option<Spread>,
    pub(crate) server_peak_mebibytes: Spread,
    pub(crate) errors: u64,
    pub(crate) to_baseline: Option<Ratio>,
    pub(crate) to_floor: Option<Ratio>,
}

/// How many times another peer's figure this peer reaches, round by round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ratio {
    pub(crate) per_cpu_second: Spread,
    pub(crate) per_second: Spread,
}

/// What one peer did in one scenario, by round; `None` where the measurement failed.
pub(crate) type Rounds = Vec<Option<Measurement>>;

impl ScenarioReport {
    /// From the rounds of every peer.
    pub(crate) fn of(scenario: &Scenario, peers: &[(&str, Rounds)]) -> Self {
        let rounds_of = |name: &str| {
            peers
                .iter()
                .find(|(peer, _)| *peer == name)
                .map(|(_, rounds)| rounds)
        };
        let (baseline, floor) = (rounds_of(peers::BASELINE), rounds_of(peers::FLOOR));
        let peers = peers.iter().filter_map(|(peer, rounds)| {
            let mut report = PeerReport::of(peer, rounds)?;
            report.to_baseline = baseline.and_then(|other| Ratio::of(rounds, other));
            report.to_floor = floor.and_then(|other| Ratio::of(rounds, other));
            Some(report)
        });
        Self {
            label: scenario.label(),
            scenario: scenario.clone(),
            peers: peers.collect(),
        }
    }

    /// The figures of one peer.
    pub(crate) fn peer(&self, name: &str) -> Option<&PeerReport> {
        self.peers.iter().find(|peer| peer.peer == name)
    }
}

impl PeerReport {
    fn of(peer: &str, rounds: &Rounds) -> Option<Self> {
        let spread = |figure: &dyn Fn(&Measurement) -> f64| {
            Spread::of(rounds.iter().flatten().map(figure).collect())
        };
        let quantile = |figure: fn(Latency) -> f64| {
            Spread::of(
                rounds
                    .iter()
                    .flatten()
                    .filter_map(|round| round.latency.map(figure))
                    .collect(),
            )
        };
        Some(Self {
            peer: peer.to_owned(),
            per_second: spread(&Measurement::per_second)?,
            per_cpu_second: spread(&Measurement::per_cpu_second)?,
            server_micros: spread(&Measurement::server_micros)?,
            client_micros: spread(&Measurement::client_micros)?,
            p50: quantile(|latency| latency.p50),
            p99: quantile(|latency| latency.p99),
            p999: quantile(|latency| latency.p999),
            server_peak_mebibytes: spread(&|round| {
                round.server_peak_memory as f64 / f64::from(1 << 20)
            })?,
            errors: rounds.iter().flatten().map(|round| round.errors).sum(),
            to_baseline: None,
            to_floor: None,
        })
    }
}

impl Ratio {
    /// Of rounds in which both were measured: what drifts between rounds cancels out.
    fn of(ours: &Rounds, theirs: &Rounds) -> Option<Self> {
        let ratios = |figure: fn(&Measurement) -> f64| {
            let pairs = ours
                .iter()
                .zip(theirs)
                .filter_map(|(ours, theirs)| Some((ours.as_ref()?, theirs.as_ref()?)));
            Spread::of(
                pairs
                    .map(|(ours, theirs)| figure(ours) / figure(theirs))
                    .collect(),
            )
        };
        Some(Self {
            per_cpu_second: ratios(Measurement::per_cpu_second)?,
            per_second: ratios(Measurement::per_second)?,
        })
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

    fn scenario() -> Scenario {
        Scenario::all(1_000_000).remove(0)
    }

    /// A run of two peers in all scenarios.
    pub(crate) fn report() -> Report {
        let about = |name: &str| About {
            name: name.to_owned(),
            about: "a peer".to_owned(),
        };
        let peers = [("tonic", vec![round(2000)]), ("tcp", vec![round(900_000)])];
        let scenarios = Scenario::all(1_000_000);
        Report {
            facts: Facts::collect(),
            method: Method {
                quick: true,
                rounds: 1,
                warm_up_seconds: 0.5,
                measured_seconds: 1.0,
                runtime: Runtime::CurrentThread,
                pinning: Pinning::Pinned,
            },
            peers: vec![about("tonic"), about("tcp")],
            scenarios: scenarios
                .iter()
                .map(|scenario| ScenarioReport::of(scenario, &peers))
                .collect(),
            failures: Vec::new(),
        }
    }

    #[test]
    fn a_ratio_is_the_median_of_ratios_and_not_the_ratio_of_medians() {
        let tonic = vec![round(100), round(1000), round(10)];
        let tcp = vec![round(200), round(3000), round(70)];

        let report = ScenarioReport::of(&scenario(), &[("tonic", tonic), ("tcp", tcp)]);

        let ratio = report.peer("tcp").unwrap().to_baseline.clone().unwrap();
        assert_eq!(ratio.per_second.values, [2.0, 3.0, 7.0]);
        assert_eq!(
            (
                ratio.per_second.median,
                ratio.per_second.min,
                ratio.per_second.max
            ),
            (3.0, 2.0, 7.0)
        );
        assert_eq!(
            report
                .peer("tonic")
                .unwrap()
                .to_baseline
                .clone()
                .unwrap()
                .per_second
                .median,
            1.0
        );
    }

    #[test]
    fn a_round_that_failed_leaves_figures_and_ratios_of_the_others() {
        let tonic = vec![round(100), None];
        let tcp = vec![round(200), round(900)];

        let report = ScenarioReport::of(&scenario(), &[("tonic", tonic), ("tcp", tcp)]);

        let tcp = report.peer("tcp").unwrap();
        assert_eq!(tcp.per_second.values, [200.0, 900.0]);
        assert_eq!(tcp.to_baseline.clone().unwrap().per_second.values, [2.0]);
        assert_eq!(tcp.errors, 2);
    }

    #[test]
    fn a_peer_that_never_came_to_an_end_is_left_out() {
        let report = ScenarioReport::of(
            &scenario(),
            &[("tonic", vec![None]), ("tcp", vec![round(1)])],
        );

        assert!(report.peer("tonic").is_none());
        assert!(report.peer("tcp").unwrap().to_baseline.is_none());
    }
}
