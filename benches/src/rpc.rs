//! Calls in a closed loop: what a peer can do, and what it costs.

use std::fs;
use std::time::Duration;

use gufo_benches::load::Runtime;
use gufo_benches::scenario::Scenario;

use crate::Result;
use crate::args::Options;
use crate::cast::Cast;
use crate::engine::{Plan, Run, chosen};
use crate::peers::{BASELINE, FLOOR, GRPC, NATIVE, TARPC, UNIX};
use crate::{goals, plot, tables};

/// The name of the result file in the output folder.
pub(crate) const RESULT: &str = "rpc.json";
/// The name of the plot in the output folder.
pub(crate) const PLOT: &str = "rpc.svg";

const STREAM_MESSAGES: u64 = 1_000_000;
/// Who takes part in quick runs.
pub(crate) const QUICK: [&str; 6] = [FLOOR, BASELINE, UNIX, NATIVE, GRPC, TARPC];

/// Measures, prints, and writes JSON and plot.
pub(crate) fn run(options: &Options) -> Result<()> {
    let plans = chosen(options, plans(options))?;
    let cast = Cast::assemble(options, |name| !options.quick || QUICK.contains(&name))?;
    let mut run = Run::new(options, cast);
    for plan in &plans {
        run.measure(plan);
    }
    let report = run.end();
    for block in &report.blocks {
        println!("\n# {}", block.title);
        for scenario in &block.scenarios {
            println!("\n{}\n{}", scenario.label, tables::figures(scenario));
        }
        println!("\n{}", tables::ratios(block, &report.peers));
    }
    println!("\n{}", goals::summary(goals::of_calls(&report)));
    if let Some(reason) = goals::honesty(&report) {
        println!("{reason}\n");
    }

    fs::create_dir_all(&options.out)?;
    fs::write(
        options.out.join(RESULT),
        serde_json::to_string_pretty(&report)?,
    )?;
    fs::write(options.out.join(PLOT), plot::bars::draw(&report))?;
    println!("written: {0}/{RESULT}, {0}/{PLOT}", options.out.display());
    if report.failures.is_empty() {
        Ok(())
    } else {
        Err(report.failures.join("\n").into())
    }
}

/// One runtime if that was asked for; else one pinned thread, and what most users run beside it.
fn plans(options: &Options) -> Vec<Plan> {
    let plan = |title, runtime, scenarios| Plan {
        title,
        runtime,
        rounds: options.rounds.unwrap_or(if options.quick { 3 } else { 5 }),
        warm_up: Duration::from_millis(if options.quick { 150 } else { 300 }),
        measured: options
            .measured
            .unwrap_or(Duration::from_millis(if options.quick {
                600
            } else {
                1500
            })),
        scenarios,
    };
    let (one, two, many) = ("one thread each", "two workers each", "a thread per core");
    match options.runtime {
        Some(Runtime::CurrentThread) => {
            vec![plan(one, Runtime::CurrentThread, all(options))]
        }
        Some(Runtime::Multi2) => vec![plan(two, Runtime::Multi2, all(options))],
        Some(Runtime::PerCore) => vec![plan(many, Runtime::PerCore, all(options))],
        None => vec![
            plan(one, Runtime::CurrentThread, all(options)),
            plan(two, Runtime::Multi2, under_load(options)),
        ],
    }
}

/// Every payload, concurrency and number of connections, and a stream.
fn all(options: &Options) -> Vec<Scenario> {
    if options.quick && options.scenario.is_empty() {
        return vec![Scenario::unary(64, 64, 1), Scenario::unary(1024, 64, 1)];
    }
    let mut scenarios = Vec::new();
    for payload in [64, 1024, 64 * 1024] {
        // One call in flight uses one connection whatever the number of connections is.
        for (concurrency, connections) in [(1, 1), (64, 1), (64, 8), (256, 1), (256, 8)] {
            scenarios.push(Scenario::unary(payload, concurrency, connections));
        }
    }
    scenarios.push(Scenario::stream(STREAM_MESSAGES));
    scenarios
}

/// Small messages and many calls: where a runtime with several workers differs.
fn under_load(options: &Options) -> Vec<Scenario> {
    if options.quick && options.scenario.is_empty() {
        return vec![Scenario::unary(64, 64, 1)];
    }
    let mut scenarios = Vec::new();
    for payload in [64, 1024] {
        for (concurrency, connections) in [(64, 1), (64, 8), (256, 1), (256, 8)] {
            scenarios.push(Scenario::unary(payload, concurrency, connections));
        }
    }
    scenarios
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers;

    fn options(line: &str) -> Options {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words).unwrap()
    }

    #[test]
    fn a_quick_run_has_few_peers_and_scenarios_but_both_runtimes() {
        let plans = plans(&options("--quick"));

        let runs: usize = plans
            .iter()
            .map(|plan| plan.rounds * plan.scenarios.len() * QUICK.len())
            .sum();
        let seconds: f64 = plans
            .iter()
            .map(|plan| (plan.warm_up + plan.measured).as_secs_f64())
            .sum::<f64>()
            / plans.len() as f64;
        // Starting processes takes about as long again on a slow machine.
        assert!(runs as f64 * seconds < 90.0, "{runs} of {seconds} s");
        assert_eq!(plans.len(), 2);
        assert!(
            QUICK
                .iter()
                .all(|name| peers::names().iter().any(|known| known == name))
        );
    }

    #[test]
    fn a_runtime_that_is_asked_for_is_the_only_one_and_has_every_scenario() {
        let plans = plans(&options("--runtime multi-2"));

        assert_eq!(plans.len(), 1);
        assert_eq!(plans[0].runtime, Runtime::Multi2);
        assert_eq!(plans[0].scenarios.len(), 16);
    }
}
