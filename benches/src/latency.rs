//! Calls in an open loop: how long they take at rates that do not depend on the answers.

use std::fs;
use std::time::Duration;

use gufo_benches::load::Runtime;
use gufo_benches::scenario::{Pace, Scenario};

use crate::Result;
use crate::args::Options;
use crate::cast::Cast;
use crate::engine::{Plan, Run, chosen};
use crate::{goals, rpc, tables};

/// The name of the result file in the output folder.
pub(crate) const RESULT: &str = "latency.json";
/// The block that finds the peaks.
pub(crate) const PEAK: &str = "peak rates";
/// The block of the open loop.
pub(crate) const OPEN: &str = "by the clock";

const PAYLOADS: [usize; 2] = [64, 1024];
/// Calls per second; peers that cannot keep up are left out.
const RATES: [u32; 3] = [5_000, 20_000, 100_000];

/// Measures, prints, and writes JSON.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options
        .runtime
        .is_some_and(|runtime| runtime != Runtime::CurrentThread)
    {
        return Err("the open loop needs a core for its pacer: it runs on one thread only".into());
    }
    let [peaks, open] = plans(options);
    let open = chosen(options, [open])?;
    let cast = Cast::assemble(options, |name| !options.quick || rpc::QUICK.contains(&name))?;
    let mut run = Run::new(options, cast);
    run.measure(&peaks);
    for plan in &open {
        run.measure(plan);
    }
    let report = run.end();
    if let Some(block) = report.titled(OPEN) {
        for scenario in &block.scenarios {
            println!("\n{}\n{}", scenario.label, tables::latencies(scenario));
        }
    }
    println!("\n{}", goals::summary(goals::of_latency(&report)));

    fs::create_dir_all(&options.out)?;
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

fn plans(options: &Options) -> [Plan; 2] {
    let plan = |title, rounds, scenarios| Plan {
        title,
        runtime: Runtime::CurrentThread,
        rounds,
        warm_up: Duration::from_millis(if options.quick { 100 } else { 300 }),
        measured: options
            .measured
            .unwrap_or(Duration::from_millis(if options.quick {
                400
            } else {
                1500
            })),
        scenarios,
    };
    let peaks = PAYLOADS.map(|payload| Scenario::unary(payload, 64, 1));
    let mut open = Vec::new();
    for payload in PAYLOADS {
        for rate in RATES {
            open.push(Scenario::open(payload, Pace::PerSecond(rate)));
        }
        open.push(Scenario::open(payload, Pace::HalfPeak));
    }
    [
        plan(PEAK, if options.quick { 1 } else { 3 }, peaks.to_vec()),
        plan(
            OPEN,
            options.rounds.unwrap_or(if options.quick { 3 } else { 9 }),
            open,
        ),
    ]
}
