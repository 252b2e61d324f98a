//! The tables of a report, as Markdown that also reads well in a terminal.

use crate::peers;
use crate::report::{PeerReport, Ratio, Report, ScenarioReport};
use crate::stats::Spread;
use crate::text::{digits, rate, table};

/// All figures of one scenario, a row for each peer.
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
    table(
        &head,
        &scenario.peers.iter().map(figures_of).collect::<Vec<_>>(),
    )
}

fn figures_of(peer: &PeerReport) -> Vec<String> {
    let quantile = |spread: &Option<Spread>| {
        spread
            .as_ref()
            .map_or_else(|| "–".to_owned(), |q| digits(q.median))
    };
    vec![
        peer.peer.clone(),
        rate(peer.per_second.median),
        format!(
            "{} to {}",
            rate(peer.per_second.min),
            rate(peer.per_second.max)
        ),
        rate(peer.per_cpu_second.median),
        digits(peer.server_micros.median),
        digits(peer.client_micros.median),
        quantile(&peer.p50),
        quantile(&peer.p99),
        quantile(&peer.p999),
        digits(peer.server_peak_mebibytes.median),
        peer.errors.to_string(),
    ]
}

/// Every peer's ratios to the baseline and to the floor, a row for each scenario.
pub(crate) fn ratios(report: &Report) -> String {
    let others = |reference: &str| -> Vec<String> {
        report
            .peers
            .iter()
            .map(|peer| peer.name.clone())
            .filter(|name| name != reference)
            .collect()
    };
    let of_baseline = |peer: &PeerReport| peer.to_baseline.clone();
    let of_floor = |peer: &PeerReport| peer.to_floor.clone();
    format!(
        "× {} (per server-CPU second; per second in brackets)\n\n{}\n× {} (the same)\n\n{}",
        peers::BASELINE,
        ratios_to(report, &others(peers::BASELINE), of_baseline),
        peers::FLOOR,
        ratios_to(report, &others(peers::FLOOR), of_floor),
    )
}

fn ratios_to(
    report: &Report,
    names: &[String],
    ratio: impl Fn(&PeerReport) -> Option<Ratio>,
) -> String {
    let mut head = vec!["scenario"];
    head.extend(names.iter().map(String::as_str));
    let rows = report.scenarios.iter().map(|scenario| {
        let cells = names.iter().map(|name| {
            let ratio = scenario.peer(name).and_then(&ratio);
            ratio.map_or_else(
                || "–".to_owned(),
                |ratio| {
                    format!(
                        "{} ({})",
                        digits(ratio.per_cpu_second.median),
                        digits(ratio.per_second.median)
                    )
                },
            )
        });
        [scenario.label.clone()].into_iter().chain(cells).collect()
    });
    table(&head, &rows.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::round;
    use crate::scenario::Scenario;

    #[test]
    fn the_table_of_a_scenario_has_a_row_for_each_peer() {
        let scenario = Scenario::all(1_000_000).remove(0);
        let report = ScenarioReport::of(
            &scenario,
            &[("tonic", vec![round(2000)]), ("tcp", vec![round(9000)])],
        );

        let text = figures(&report);

        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 4, "{text}");
        assert!(
            rows[2].contains("tonic") && rows[2].contains("2.00 k"),
            "{text}"
        );
        assert!(
            rows[3].contains("tcp") && rows[3].contains("9.00 k"),
            "{text}"
        );
    }
}
