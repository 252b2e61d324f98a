//! The tables of a report, as Markdown that also reads well in a terminal.

use gufo_benches::About;
use gufo_benches::load::Measurement;

use crate::peers;
use crate::report::{Block, Figure, P50, P99, P999, PER_CPU_SECOND, PER_SECOND, ScenarioReport};
use crate::stats::Spread;
use crate::text::{digits, rate, table};

const NONE: &str = "–";
const SERVER_MICROS: Figure = |round| Some(round.server_micros());
const CLIENT_MICROS: Figure = |round| Some(round.client_micros());
const PEAK_MEBIBYTES: Figure =
    |round: &Measurement| Some(round.server_peak_memory as f64 / f64::from(1 << 20));
const OFFERED: Figure = |round| round.offered;

/// All figures of one scenario, a row for each peer that was measured.
pub(crate) fn figures(scenario: &ScenarioReport) -> String {
    let unit = scenario.scenario.unit();
    let (per_second, per_cpu_second) = (format!("{unit}/s"), format!("{unit}/CPU s"));
    let head = [
        "peer",
        &per_second,
        "min to max",
        &per_cpu_second,
        "server µs",
        "client µs",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "peak MiB",
        "errors",
    ];
    let rows = measured(scenario).map(|peer| {
        let median = |figure, show: fn(f64) -> String| cell(scenario.figure(peer, figure), show);
        vec![
            peer.to_owned(),
            median(PER_SECOND, rate),
            range(scenario.figure(peer, PER_SECOND), rate),
            median(PER_CPU_SECOND, rate),
            median(SERVER_MICROS, digits),
            median(CLIENT_MICROS, digits),
            median(P50, digits),
            median(P99, digits),
            median(P999, digits),
            median(PEAK_MEBIBYTES, digits),
            scenario.errors(peer).to_string(),
        ]
    });
    table(&head, &rows.collect::<Vec<_>>())
}

/// One scenario of the open loop, a row for each peer that was measured.
pub(crate) fn latencies(scenario: &ScenarioReport) -> String {
    let head = [
        "peer",
        "offered/s",
        "answered/s",
        "p50 µs",
        "p99 µs",
        "min to max",
        "p99.9 µs",
        "min to max",
        "server µs",
        "errors",
    ];
    let rows = measured(scenario).map(|peer| {
        let median = |figure, show: fn(f64) -> String| cell(scenario.figure(peer, figure), show);
        vec![
            peer.to_owned(),
            median(OFFERED, rate),
            median(PER_SECOND, rate),
            median(P50, digits),
            median(P99, digits),
            range(scenario.figure(peer, P99), digits),
            median(P999, digits),
            range(scenario.figure(peer, P999), digits),
            median(SERVER_MICROS, digits),
            scenario.errors(peer).to_string(),
        ]
    });
    table(&head, &rows.collect::<Vec<_>>())
}

/// Rate and p99 at every point of a curve, a row for each point.
pub(crate) fn curve(block: &Block, peers: &[About]) -> String {
    let names: Vec<&str> = peers
        .iter()
        .map(|about| about.name.as_str())
        .filter(|name| block.has(name))
        .collect();
    let mut head = vec!["requests/s (p99 µs)"];
    head.extend(&names);
    let rows = block.scenarios.iter().map(|scenario| {
        let cells = names.iter().map(|peer| {
            let per_second = cell(scenario.figure(peer, PER_SECOND), rate);
            let slow = cell(scenario.figure(peer, P99), digits);
            if per_second == NONE {
                per_second
            } else {
                format!("{per_second} ({slow})")
            }
        });
        [scenario.label.clone()].into_iter().chain(cells).collect()
    });
    table(&head, &rows.collect::<Vec<_>>())
}

/// Every peer's ratios to the baseline and to the floor, a row for each scenario.
pub(crate) fn ratios(block: &Block, peers: &[About]) -> String {
    let references = [peers::BASELINE, peers::FLOOR].into_iter();
    let tables = references.filter(|reference| block.has(reference));
    let tables = tables.map(|reference| {
        format!(
            "× {reference} (per server-CPU second; per second in brackets)\n\n{}",
            ratios_to(block, peers, reference)
        )
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn ratios_to(block: &Block, peers: &[About], reference: &str) -> String {
    let names: Vec<&str> = peers
        .iter()
        .map(|about| about.name.as_str())
        .filter(|name| *name != reference && block.has(name))
        .collect();
    let mut head = vec!["scenario"];
    head.extend(&names);
    let rows = block.scenarios.iter().map(|scenario| {
        let cells = names.iter().map(|name| {
            let per_cpu_second = scenario.ratio(name, reference, PER_CPU_SECOND);
            let per_second = scenario.ratio(name, reference, PER_SECOND);
            match (per_cpu_second, per_second) {
                (Some(cpu), Some(wall)) => {
                    format!("{} ({})", digits(cpu.median), digits(wall.median))
                }
                _ => NONE.to_owned(),
            }
        });
        [scenario.label.clone()].into_iter().chain(cells).collect()
    });
    table(&head, &rows.collect::<Vec<_>>())
}

fn measured(scenario: &ScenarioReport) -> impl Iterator<Item = &str> {
    let names = scenario.peers.iter().map(|peer| peer.peer.as_str());
    names.filter(|name| scenario.figure(name, PER_SECOND).is_some())
}

fn cell(spread: Option<Spread>, show: fn(f64) -> String) -> String {
    spread.map_or_else(|| NONE.to_owned(), |spread| show(spread.median))
}

fn range(spread: Option<Spread>, show: fn(f64) -> String) -> String {
    spread.map_or_else(
        || NONE.to_owned(),
        |spread| format!("{} to {}", show(spread.min), show(spread.max)),
    )
}

#[cfg(test)]
mod tests {
    use gufo_benches::scenario::Scenario;

    use super::*;
    use crate::report::tests::{measured, small};

    #[test]
    fn the_table_of_a_scenario_has_a_row_for_each_peer_that_was_measured() {
        let report = measured(
            &Scenario::unary(64, 1, 1),
            &[
                ("raw", &[Some(9000)]),
                ("tonic", &[Some(2000)]),
                ("nats", &[None]),
            ],
        );

        let text = figures(&report);

        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 4, "{text}");
        assert!(
            rows[2].contains("raw") && rows[2].contains("9.00 k"),
            "{text}"
        );
        assert!(
            rows[3].contains("tonic") && rows[3].contains("2.00 k"),
            "{text}"
        );
    }

    #[test]
    fn ratios_stand_under_the_peer_they_are_of() {
        let report = small();

        let text = ratios(&report.blocks[0], &report.peers);

        assert!(
            text.contains("× tonic") && text.contains("450 (450)"),
            "{text}"
        );
        assert!(
            text.contains("× raw") && text.contains("0.002 (0.002)"),
            "{text}"
        );
    }
}
