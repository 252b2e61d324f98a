//! Curves: what becomes of rate and latency over connections, calls in flight and the size of messages.

use std::fs;
use std::time::Duration;

use gufo_benches::load::Runtime;
use gufo_benches::scenario::Scenario;

use crate::Result;
use crate::args::Options;
use crate::cast::Cast;
use crate::engine::{Plan, Run, chosen};
use crate::{goals, plot, rpc, tables};

/// The name of the result file in the output folder.
pub(crate) const RESULT: &str = "scaling.json";
/// The block over connections.
pub(crate) const CONNECTIONS: &str = "connections";
/// The block over calls in flight.
pub(crate) const IN_FLIGHT: &str = "calls in flight";
/// The block over sizes.
pub(crate) const PAYLOAD: &str = "payload";

/// Calls in flight on the curve over connections: one for each at its end.
const CALLS: usize = 512;

/// Measures, prints, and writes JSON and plots.
pub(crate) fn run(options: &Options) -> Result<()> {
    let plans = chosen(options, plans(options))?;
    let cast = Cast::assemble(options, |name| !options.quick || rpc::QUICK.contains(&name))?;
    let mut run = Run::new(options, cast);
    for plan in &plans {
        run.measure(plan);
    }
    let report = run.end();
    fs::create_dir_all(&options.out)?;
    for block in &report.blocks {
        println!(
            "\n{}\n\n{}",
            block.title,
            tables::curve(block, &report.peers)
        );
        let name = plot_name(&block.title);
        fs::write(
            options.out.join(&name),
            plot::curves::draw(block, &report.peers),
        )?;
        println!("written: {}/{name}", options.out.display());
    }
    println!("\n{}", goals::summary(goals::of_scaling(&report)));
    fs::write(
        options.out.join(RESULT),
        serde_json::to_string_pretty(&report)?,
    )?;
    println!("written: {}/{RESULT}", options.out.display());
    if report.failures.is_empty() {
        Ok(())
    } else {
        Err(report.failures.join("\n").into())
    }
}

/// The file of the plot of a block.
pub(crate) fn plot_name(title: &str) -> String {
    format!("scaling-{}.svg", title.replace(' ', "-"))
}

fn plans(options: &Options) -> [Plan; 3] {
    let plan = |title, scenarios| Plan {
        title,
        runtime: options.runtime.unwrap_or(Runtime::CurrentThread),
        rounds: options.rounds.unwrap_or(if options.quick { 1 } else { 3 }),
        warm_up: Duration::from_millis(if options.quick { 100 } else { 300 }),
        measured: options
            .measured
            .unwrap_or(Duration::from_millis(if options.quick {
                300
            } else {
                1000
            })),
        scenarios,
    };
    let connections: &[usize] = &[1, 8, 64, 512];
    let in_flight: &[usize] = if options.quick {
        &[1, 64, 1000, 10_000]
    } else {
        &[1, 4, 16, 64, 256, 1000, 4000, 10_000]
    };
    let payloads: &[usize] = if options.quick {
        &[64, 4 << 10, 64 << 10, 1 << 20]
    } else {
        &[
            64,
            256,
            1 << 10,
            4 << 10,
            16 << 10,
            64 << 10,
            256 << 10,
            1 << 20,
        ]
    };
    let scenarios = |points: &[usize], scenario: fn(usize) -> Scenario| -> Vec<Scenario> {
        points.iter().copied().map(scenario).collect()
    };
    [
        plan(
            CONNECTIONS,
            scenarios(connections, |count| Scenario::unary(64, CALLS, count)),
        ),
        plan(
            IN_FLIGHT,
            scenarios(in_flight, |count| Scenario::unary(64, count, 1)),
        ),
        plan(
            PAYLOAD,
            scenarios(payloads, |size| Scenario::unary(size, 64, 1)),
        ),
    ]
}
