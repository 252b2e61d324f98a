//! `docs/benchmarks.md`, written from result files and never by hand.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gufo_benches::load::Runtime;
use serde::de::DeserializeOwned;

use crate::args::Pinning;
use crate::machine::Facts;
use crate::report::{Block, Report};
use crate::{
    Result, build_time, goals, latency, memory_use, micro, peers, plot, rpc, scaling, tables,
};

const HEAD: &str = "\
# Benchmarks

<!-- Written by `cargo run --release -p gufo-benches -- rpc --write-docs`: do not edit. -->

Only ratios inside one table mean anything: absolute numbers belong to the machine named beside them. Repeat them with
`cargo run --release -p gufo-benches -- help`.
";

const METHOD: &str = "\
Server and load generator are separate processes on one machine, over loopback. Every measurement has fresh processes;
the peers take turns within each round, another one first in each, so that what drifts over time meets all of them.
Server time is what the kernel counts on the processor for all threads of the server's processes; the load generator is
the same program for every peer. A scenario is called by its payload, calls in flight and connections: `64 B 256/8` is
256 calls over 8 connections. Figures are medians over the rounds; a ratio is the median of the ratios of each round.
All peers are compiled alike and use the allocator of the system.
";

/// Stands above numbers that only show that the harness works.
const QUICK: &str = "**Measured in a quick run, which is not to be quoted.**\n\n";

/// Writes the document and its plots from the results in `folder`.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let (mut reached, mut body, mut warning) = (Vec::new(), String::new(), String::new());
    if let Some(report) = load::<Report>(&folder.join(rpc::RESULT))? {
        reached.extend(goals::of_calls(&report));
        if let Some(reason) = goals::honesty(&report) {
            let _ = write!(warning, "**{reason}.**\n\n");
        }
        if report.quick {
            warning.push_str(QUICK);
        }
        body.push_str(&calls(&report));
        fs::write(docs.join("benchmarks.svg"), plot::bars::draw(&report))?;
    }
    if let Some(report) = load::<Report>(&folder.join(latency::RESULT))? {
        reached.extend(goals::of_latency(&report));
        body.push_str(&by_the_clock(&report));
    }
    if let Some(report) = load::<Report>(&folder.join(scaling::RESULT))? {
        reached.extend(goals::of_scaling(&report));
        body.push_str(&curves(&report));
        for block in &report.blocks {
            let name = format!("benchmarks-{}", scaling::plot_name(&block.title));
            fs::write(docs.join(name), plot::curves::draw(block, &report.peers))?;
        }
    }
    if let Some(report) = load::<memory_use::Report>(&folder.join(memory_use::RESULT))? {
        reached.extend(goals::of_memory(&report));
        body.push_str(&memory(&report));
    }
    if let Some(report) = load::<micro::Report>(&folder.join(micro::RESULT))? {
        reached.extend(goals::of_steps(&report));
        body.push_str(&steps(&report));
    }
    if let Some(report) = load::<build_time::Report>(&folder.join(build_time::RESULT))? {
        reached.extend(goals::of_builds(&report));
        body.push_str(&builds(&report));
    }
    let text = format!(
        "{HEAD}\n## Goals\n\n{warning}{}\n## Method\n\n{METHOD}{body}",
        goals::tabulate(&reached)
    );
    fs::write(docs.join("benchmarks.md"), text)?;
    eprintln!("written: docs/benchmarks.md");
    Ok(())
}

/// A result file, or nothing when that was not measured.
fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let result = serde_json::from_str(&text);
            result
                .map_err(|error| format!("reading {}: {error}", path.display()).into())
                .map(Some)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("reading {}: {error}", path.display()).into()),
    }
}

// Writing to a string cannot fail, here and below.

fn calls(report: &Report) -> String {
    let mut text = head("Calls", report);
    text.push_str(&cast(report));
    text.push_str("\n![Requests per second of server processor time](benchmarks.svg)\n");
    for block in &report.blocks {
        let _ = write!(
            text,
            "\n### {}\n\n{}\n\n{}",
            capitalised(&block.title),
            method(block),
            tables::ratios(block, &report.peers)
        );
        for scenario in &block.scenarios {
            let _ = write!(
                text,
                "\n**{}**\n\n{}",
                scenario.label,
                tables::figures(scenario)
            );
        }
    }
    text
}

fn by_the_clock(report: &Report) -> String {
    let mut text = head("Latency at fixed rates", report);
    text.push_str(
        "\nCalls begin by the clock, at equal gaps on one connection, whether or not earlier ones were answered; latency \
         counts\nfrom the moment a call was due. Half peak is half of what the same peer reached in a closed loop of 64 \
         calls on one\nconnection in this run. A peer that cannot keep up with a rate is left out there.\n",
    );
    let Some(block) = report.titled(latency::OPEN) else {
        return text;
    };
    let _ = write!(text, "\n{}\n", method(block));
    for scenario in &block.scenarios {
        let _ = write!(
            text,
            "\n**{}**\n\n{}",
            scenario.label,
            tables::latencies(scenario)
        );
    }
    text
}

fn curves(report: &Report) -> String {
    let mut text = head("Scaling", report);
    for block in &report.blocks {
        let plot = scaling::plot_name(&block.title);
        let _ = write!(
            text,
            "\n### Over {0}\n\n{1}\n\n![Rate and p99 over {0}](benchmarks-{plot})\n\n{2}",
            block.title,
            method(block),
            tables::curve(block, &report.peers)
        );
    }
    text
}

/// Title, warning and machine of a section.
fn head(title: &str, report: &Report) -> String {
    let warning = if report.quick { QUICK } else { "" };
    let mut text = format!("\n## {title}\n\n{warning}{}\n", machine(&report.facts));
    for failure in &report.failures {
        let _ = write!(text, "\n- failed: {failure}");
    }
    if !report.failures.is_empty() {
        text.push('\n');
    }
    text
}

/// Who was measured with which settings, and who was not.
fn cast(report: &Report) -> String {
    let mut text = String::from("\n");
    for peer in &report.peers {
        let _ = writeln!(text, "- **{}**: {}", peer.name, peer.about);
    }
    for absent in &report.absent {
        let _ = writeln!(text, "- not run: {}: {}", absent.name, absent.reason);
    }
    for (name, reason) in peers::NOT_YET {
        let _ = writeln!(text, "- not run: {name}: {reason}");
    }
    text
}

fn memory(report: &memory_use::Report) -> String {
    format!(
        "\n## Memory of idle connections and streams\n\nGrowth of the server's anonymous memory while {} are open at \
         once, each after one call or one\nmessage each way; streams over ten connections; and the whole resident set \
         with {} connections. Median of {} rounds,\nleast to most in brackets.\n\n{}\n\n{}",
        report.count,
        report.crowd,
        report.rounds,
        machine(&report.facts),
        memory_use::tabulate(report),
    )
}

fn steps(report: &micro::Report) -> String {
    let mut text = format!(
        "\n## Single steps\n\nIn one process, median of {} samples.\n\n{}\n",
        report.samples,
        machine(&report.facts),
    );
    for group in &report.groups {
        let _ = write!(text, "\n**{}**\n\n{}", group.title, micro::tabulate(group));
    }
    text
}

fn builds(report: &build_time::Report) -> String {
    format!(
        "\n## Clean builds\n\nOf a program with one unary method, its server and its client ({} profile, everything \
         downloaded before).\n\n{}\n\n{}",
        report.profile,
        machine(&report.facts),
        build_time::tabulate(report),
    )
}

fn method(block: &Block) -> String {
    let runtime = match block.runtime {
        Runtime::CurrentThread => "One thread each (tokio's current-thread runtime)",
        Runtime::Multi2 => "tokio's multi-thread runtime with two workers each",
        Runtime::PerCore => {
            "The server has a current-thread runtime and a listener for each core, the client two workers"
        }
    };
    let pinning = match block.pinning {
        Pinning::Pinned => "server and load generator each pinned to a core of its own",
        Pinning::Free => "not pinned",
    };
    format!(
        "{runtime}, {pinning}: {} rounds of {} s after {} s of warm-up.",
        block.rounds, block.measured_seconds, block.warm_up_seconds,
    )
}

fn machine(facts: &Facts) -> String {
    let versions: Vec<String> = facts
        .versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    format!(
        "Commit {} on {}. {} ({} cores, {} memory), Linux {} (TCP: {}), {}. Profile: {}. {}. Foreign peers: {}.",
        facts.commit,
        facts.date,
        facts.processor,
        facts.cores,
        facts.memory,
        facts.kernel,
        facts.tcp,
        facts.rustc,
        facts.profile,
        versions.join(", "),
        facts.foreign.join(", "),
    )
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::small;

    #[test]
    fn the_document_says_how_it_was_measured_who_was_not_and_has_every_scenario() {
        let report = small();

        let text = calls(&report);

        assert!(
            text.contains(QUICK) && text.contains("1 rounds of 1 s"),
            "{text}"
        );
        assert!(text.contains("not run: nats: no broker"), "{text}");
        assert!(text.contains("### Pinned"), "{text}");
        for scenario in &report.blocks[0].scenarios {
            assert!(
                text.contains(&format!("**{}**", scenario.label)),
                "{}",
                scenario.label
            );
        }
    }

    #[test]
    fn a_report_is_the_same_after_it_was_written_and_read() {
        let report = small();

        let written = serde_json::to_string(&report).unwrap();
        let read: Report = serde_json::from_str(&written).unwrap();

        assert_eq!(calls(&read), calls(&report));
    }
}
