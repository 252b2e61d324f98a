//! `docs/benchmarks.md`, written from result files and never by hand.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::args::{Pinning, Runtime};
use crate::machine::Facts;
use crate::report::{Method, Report};
use crate::{Result, build_time, goals, memory_use, micro, plot, rpc, tables};

const HEAD: &str = "\
# Benchmarks

<!-- Written by `cargo run --release -p gufo-benches -- rpc --write-docs`: do not edit. -->

Only ratios inside one table mean anything: absolute numbers belong to the machine named beside them. Repeat them with
`cargo run --release -p gufo-benches -- help`.
";

/// Stands above numbers that only show that the harness works.
const QUICK: &str = "**The calls were measured in a quick run, which is not to be quoted.**\n\n";

/// Writes the document and its plot from the results in `folder`.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let (mut reached, mut body, mut warning) = (Vec::new(), String::new(), "");
    if let Some(report) = load::<Report>(&folder.join(rpc::RESULT))? {
        reached.extend(goals::of_calls(&report));
        warning = if report.method.quick { QUICK } else { "" };
        body.push_str(&calls(&report));
        fs::write(docs.join("benchmarks.svg"), plot::draw(&report))?;
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
        "{HEAD}\n## Goals\n\n{warning}{}{body}",
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

fn calls(report: &Report) -> String {
    let mut text = String::from("\n## Calls\n\n");
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        text,
        "{}\n\n{}\n",
        method(&report.method),
        machine(&report.facts)
    );
    for peer in &report.peers {
        let _ = writeln!(text, "- **{}**: {}", peer.name, peer.about);
    }
    for failure in &report.failures {
        let _ = writeln!(text, "- not measured: {failure}");
    }
    text.push_str(
        "\nA scenario is called by its payload, calls in flight and connections: `64 B 256/8` is 256 calls over 8\n\
         connections. Figures are medians over the rounds; a ratio is the median of the ratios of each round.\n\
         \n![Requests per second of server processor time](benchmarks.svg)\n\n### Ratios\n\n",
    );
    text.push_str(&tables::ratios(report));
    text.push_str("\n### Figures\n");
    for scenario in &report.scenarios {
        let _ = write!(
            text,
            "\n**{}**\n\n{}",
            scenario.label,
            tables::figures(scenario)
        );
    }
    text
}

fn memory(report: &memory_use::Report) -> String {
    format!(
        "\n## Memory of idle connections and streams\n\nGrowth of the server's anonymous memory while {} are open at \
         once, each after one call or one\nmessage each way; streams over ten connections. Median of {} rounds, least \
         to most in brackets.\n\n{}\n\n{}",
        report.count,
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

fn method(method: &Method) -> String {
    let runtime = match method.runtime {
        Runtime::CurrentThread => "one thread each (tokio's current-thread runtime)",
        Runtime::MultiThread => "tokio's multi-thread runtime with two workers each",
    };
    let pinning = match method.pinning {
        Pinning::Pinned => "each pinned to a core of its own",
        Pinning::Free => "not pinned",
    };
    let warning = if method.quick { QUICK } else { "" };
    format!(
        "{warning}Server and load generator are separate processes on loopback, {runtime}, {pinning}. Closed loop, \
         fresh processes for each measurement, peers interleaved: {} rounds of {} s after {} s of warm-up.",
        method.rounds, method.measured_seconds, method.warm_up_seconds,
    )
}

fn machine(facts: &Facts) -> String {
    let versions: Vec<String> = facts
        .versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    format!(
        "Commit {} on {}. {} ({} cores, {} memory), Linux {}, {}, {}.",
        facts.commit,
        facts.date,
        facts.processor,
        facts.cores,
        facts.memory,
        facts.kernel,
        facts.rustc,
        versions.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    #[test]
    fn the_document_says_how_it_was_measured_and_has_every_scenario() {
        let report = report();

        let text = calls(&report);

        assert!(
            text.contains(QUICK) && text.contains("1 rounds of 1 s"),
            "{text}"
        );
        for scenario in &report.scenarios {
            assert!(
                text.contains(&format!("**{}**", scenario.label)),
                "{}",
                scenario.label
            );
        }
    }

    #[test]
    fn a_report_is_the_same_after_it_was_written_and_read() {
        let report = report();

        let written = serde_json::to_string(&report).unwrap();
        let read: Report = serde_json::from_str(&written).unwrap();

        assert_eq!(calls(&read), calls(&report));
    }
}
