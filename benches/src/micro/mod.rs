//! Single steps of a call, timed in this process.

mod codec;
mod interceptors;
mod metadata;
mod router;
mod timer;

use std::fs;

use serde::{Deserialize, Serialize};

pub(crate) use self::interceptors::{NO_CHAIN, NoOp, chain_of};
pub(crate) use self::router::IN_MEMORY;
use self::timer::Group;
use crate::Result;
use crate::args::Options;
use crate::goals;
use crate::machine::Facts;
use crate::stats::Spread;
use crate::text::{digits, table};

/// The name of the result file in the output folder.
pub(crate) const RESULT: &str = "micro.json";

/// Everything a run found out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) facts: Facts,
    pub(crate) samples: usize,
    pub(crate) groups: Vec<GroupReport>,
}

/// Steps that are compared with each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GroupReport {
    pub(crate) title: String,
    pub(crate) steps: Vec<Step>,
}

/// The time of one step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) nanos: Spread,
}

/// Measures, prints, and writes JSON.
pub(crate) fn run(options: &Options) -> Result<()> {
    let samples = if options.quick { 5 } else { 31 };
    let mut groups = Vec::new();
    for group in [
        codec::group()?,
        metadata::group()?,
        router::lookup()?,
        interceptors::group()?,
        router::memory()?,
    ] {
        let report = group.measure(samples)?;
        println!("\n{}\n{}", report.title, tabulate(&report));
        groups.push(report);
    }
    let report = Report {
        facts: Facts::collect(&[]),
        samples,
        groups,
    };
    println!("\n{}", goals::summary(goals::of_steps(&report)));
    fs::create_dir_all(&options.out)?;
    fs::write(
        options.out.join(RESULT),
        serde_json::to_string_pretty(&report)?,
    )?;
    Ok(())
}

/// A row for each step.
pub(crate) fn tabulate(group: &GroupReport) -> String {
    let rows = group.steps.iter().map(|step| {
        let Spread {
            median, min, max, ..
        } = &step.nanos;
        vec![
            step.name.clone(),
            digits(*median),
            format!("{} to {}", digits(*min), digits(*max)),
        ]
    });
    table(&["step", "ns", "least to most"], &rows.collect::<Vec<_>>())
}
