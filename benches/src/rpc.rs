//! Calls: every scenario against every peer, interleaved within each round.

use std::fs;
use std::time::Duration;

use crate::args::{Options, Pinning};
use crate::load::{DriveJob, Measurement, ServeJob, ServerAt};
use crate::machine::Facts;
use crate::peers::{self, Home};
use crate::process::{self, Role, Worker};
use crate::report::{About, Method, Report, Rounds, ScenarioReport};
use crate::scenario::Scenario;
use crate::{Result, goals, plot, tables, text};

/// The name of the result file in the output folder.
pub(crate) const RESULT: &str = "rpc.json";
/// The name of the plot in the output folder.
pub(crate) const PLOT: &str = "rpc.svg";

const STREAM_MESSAGES: u64 = 1_000_000;
const WARM_UP: Duration = Duration::from_millis(300);
const QUICK_WARM_UP: Duration = Duration::from_millis(100);

/// Measures, prints, and writes JSON and plot.
pub(crate) fn run(options: &Options) -> Result<()> {
    let report = Run::new(options)?.measure();
    for scenario in &report.scenarios {
        println!("\n{}\n{}", scenario.label, tables::figures(scenario));
    }
    println!("\n{}", tables::ratios(&report));
    println!("\n{}", goals::tabulate(&goals::of_calls(&report)));

    fs::create_dir_all(&options.out)?;
    fs::write(
        options.out.join(RESULT),
        serde_json::to_string_pretty(&report)?,
    )?;
    fs::write(options.out.join(PLOT), plot::draw(&report))?;
    println!("written: {0}/{RESULT}, {0}/{PLOT}", options.out.display());
    if report.failures.is_empty() {
        Ok(())
    } else {
        Err(report.failures.join("\n").into())
    }
}

struct Run<'a> {
    options: &'a Options,
    pinning: Pinning,
    warm_up: Duration,
    peers: Vec<&'static str>,
    scenarios: Vec<Scenario>,
}

impl<'a> Run<'a> {
    fn new(options: &'a Options) -> Result<Self> {
        let pinning = process::possible(options.pinning);
        if pinning != options.pinning {
            eprintln!("not pinned: that takes two cores and the taskset command");
        }
        let peers: Vec<_> = peers::NAMES
            .into_iter()
            .filter(|name| options.includes(name))
            .collect();
        let warm_up = if options.quick {
            QUICK_WARM_UP
        } else {
            WARM_UP
        };
        let mut scenarios = Scenario::all(STREAM_MESSAGES);
        scenarios.retain(|scenario| scenario.label().contains(&options.scenario));
        if scenarios.is_empty() {
            return Err(format!("no scenario has '{}' in its name", options.scenario).into());
        }
        Ok(Self {
            options,
            pinning,
            warm_up,
            peers,
            scenarios,
        })
    }

    fn measure(&self) -> Report {
        let mut failures = Vec::new();
        let mut results: Vec<Vec<(&str, Rounds)>> = self
            .scenarios
            .iter()
            .map(|_| self.peers.iter().map(|peer| (*peer, Vec::new())).collect())
            .collect();
        let total = self.options.rounds * self.scenarios.len() * self.peers.len();
        let mut done = 0;
        for round in 0..self.options.rounds {
            for (scenario, result) in self.scenarios.iter().zip(&mut results) {
                for turn in 0..result.len() {
                    // Another peer goes first in each round, so that none always follows the same one.
                    let index = (turn + round) % result.len();
                    let (peer, rounds) = &mut result[index];
                    let outcome = self.once(peer, scenario);
                    done += 1;
                    let what = format!(
                        "[{done:>3}/{total}] round {}, {}, {peer}",
                        round + 1,
                        scenario.label()
                    );
                    match &outcome {
                        Ok(measurement) => eprintln!("{what}: {}", progress(scenario, measurement)),
                        Err(error) => {
                            eprintln!("{what}: FAILED: {error}");
                            failures.push(format!("{what}: {error}"));
                        }
                    }
                    rounds.push(outcome.ok());
                }
            }
        }
        let scenarios = self
            .scenarios
            .iter()
            .zip(&results)
            .map(|(scenario, peers)| ScenarioReport::of(scenario, peers));
        Report {
            facts: Facts::collect(),
            method: Method {
                quick: self.options.quick,
                rounds: self.options.rounds,
                warm_up_seconds: self.warm_up.as_secs_f64(),
                measured_seconds: self.options.measured.as_secs_f64(),
                runtime: self.options.runtime,
                pinning: self.pinning,
            },
            peers: self
                .peers
                .iter()
                .filter_map(|name| about(name).ok())
                .collect(),
            scenarios: scenarios.collect(),
            failures,
        }
    }

    /// One measurement with fresh processes.
    fn once(&self, peer: &str, scenario: &Scenario) -> Result<Measurement> {
        let runtime = self.options.runtime;
        let mut server = match peers::home(peer)? {
            Home::SameProcess => None,
            Home::OwnProcess => Some(Worker::start(
                Role::Serve,
                &ServeJob {
                    peer: peer.to_owned(),
                    runtime,
                },
                self.pinning,
            )?),
        };
        let job = DriveJob {
            peer: peer.to_owned(),
            runtime,
            server: match &mut server {
                Some(server) => Some(ServerAt {
                    address: server.line()?,
                    pid: server.id(),
                }),
                None => None,
            },
            scenario: scenario.clone(),
            warm_up: self.warm_up,
            measured: self.options.measured,
        };
        let measured = Worker::start(Role::Drive, &job, self.pinning)?.finish()?;
        let measurement: Measurement = serde_json::from_str(&measured)?;
        if measurement.completed == 0 {
            return Err(format!("nothing was answered, with {} errors", measurement.errors).into());
        }
        Ok(measurement)
    }
}

fn about(name: &str) -> Result<About> {
    Ok(About {
        name: name.to_owned(),
        about: peers::about(name)?.to_owned(),
    })
}

fn progress(scenario: &Scenario, measurement: &Measurement) -> String {
    format!(
        "{} {}/s, {} µs server, {} errors",
        text::rate(measurement.per_second()),
        scenario.unit(),
        text::digits(measurement.server_micros()),
        measurement.errors,
    )
}
