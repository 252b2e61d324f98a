//! What idle connections and streams cost a server.

use std::fs;

use gufo_benches::load::{Held, HoldJob, Holding, Runtime};
use gufo_benches::{About, Home, Streams};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::args::Options;
use crate::cast::{Absent, Cast, Member};
use crate::goals;
use crate::machine::Facts;
use crate::process;
use crate::stats::Spread;
use crate::text::{digits, table};

/// The name of the result file in the output folder.
pub(crate) const RESULT: &str = "memory-use.json";

/// Connections or streams whose cost is divided by their number.
const COUNT: usize = 1000;
/// Connections that are open for the resident set as a whole.
pub(crate) const CROWD: usize = 10_000;

/// Everything a run found out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) facts: Facts,
    pub(crate) rounds: usize,
    /// How many were open at once.
    pub(crate) count: usize,
    /// How many connections were open for the resident set.
    pub(crate) crowd: usize,
    pub(crate) about: Vec<About>,
    pub(crate) absent: Vec<Absent>,
    pub(crate) peers: Vec<PeerReport>,
    pub(crate) failures: Vec<String>,
}

/// The cost of one idle thing at one peer's server, in KiB.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PeerReport {
    pub(crate) peer: String,
    pub(crate) connection: Option<Spread>,
    pub(crate) stream: Option<Spread>,
    /// The resident set with the crowd connected, in MiB.
    pub(crate) crowd: Option<Spread>,
}

/// Measures, prints, and writes JSON.
pub(crate) fn run(options: &Options) -> Result<()> {
    let cast = Cast::assemble(options, |name| {
        // One of each transport: what calls carry does not change what idles.
        !name.ends_with("-full") && name != "gufo-memory"
    })?;
    let mut failures = Vec::new();
    let mut peers = Vec::new();
    for member in &cast.members {
        let about = &member.about;
        if about.home == Home::SameProcess {
            continue;
        }
        let mut measure = |what, count, figure: fn(&Holding) -> f64| {
            measure(member, what, count, figure, options)
                .map_err(|error| failures.push(format!("{}, {what:?}: {error}", about.name)))
                .ok()
        };
        peers.push(PeerReport {
            peer: about.name.clone(),
            connection: measure(Held::Connections, COUNT, |held| held.bytes_each / 1024.0),
            stream: match about.streams {
                Streams::Many => measure(Held::Streams, COUNT, |held| held.bytes_each / 1024.0),
                _ => None,
            },
            crowd: measure(Held::Connections, CROWD, |held| {
                held.resident as f64 / f64::from(1 << 20)
            }),
        });
    }
    let report = Report {
        facts: Facts::collect(&[]),
        rounds: rounds(options),
        count: COUNT,
        crowd: CROWD,
        about: cast
            .members
            .iter()
            .map(|member| member.about.clone())
            .collect(),
        absent: cast.absent.clone(),
        peers,
        failures,
    };
    println!(
        "\n{}\n{}",
        tabulate(&report),
        goals::summary(goals::of_memory(&report))
    );
    fs::create_dir_all(&options.out)?;
    fs::write(
        options.out.join(RESULT),
        serde_json::to_string_pretty(&report)?,
    )?;
    if report.failures.is_empty() {
        Ok(())
    } else {
        Err(report.failures.join("\n").into())
    }
}

fn rounds(options: &Options) -> usize {
    options.rounds.unwrap_or(if options.quick { 1 } else { 3 })
}

fn measure(
    member: &Member,
    what: Held,
    count: usize,
    figure: fn(&Holding) -> f64,
    options: &Options,
) -> Result<Spread> {
    let runtime = options.runtime.unwrap_or(Runtime::CurrentThread);
    let pinning = process::possible(options.pinning(runtime));
    let mut values = Vec::new();
    for round in 1..=rounds(options) {
        let job = |server| HoldJob {
            peer: member.about.name.clone(),
            runtime,
            server,
            what,
            count,
        };
        let holding = member.hold(job, runtime, pinning)?;
        let value = figure(&holding);
        eprintln!(
            "round {round}, {}, {count} idle {what:?}: {}",
            member.about.name,
            digits(value)
        );
        values.push(value);
    }
    Spread::of(values).ok_or_else(|| "nothing was measured".into())
}

/// A row for each peer.
pub(crate) fn tabulate(report: &Report) -> String {
    let cell = |spread: &Option<Spread>| {
        spread.as_ref().map_or_else(
            || "–".to_owned(),
            |spread| {
                format!(
                    "{} ({} to {})",
                    digits(spread.median),
                    digits(spread.min),
                    digits(spread.max)
                )
            },
        )
    };
    let rows = report.peers.iter().map(|peer| {
        vec![
            peer.peer.clone(),
            cell(&peer.connection),
            cell(&peer.stream),
            cell(&peer.crowd),
        ]
    });
    let crowd = format!("MiB resident with {} connections", report.crowd);
    table(
        &[
            "peer",
            "KiB per idle connection",
            "KiB per idle stream",
            &crowd,
        ],
        &rows.collect::<Vec<_>>(),
    )
}
