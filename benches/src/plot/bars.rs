//! Requests per second of server processor time, as grouped bars on a logarithmic scale.

use super::svg::{self, Scale};
use crate::report::{PER_CPU_SECOND, Report, ScenarioReport};

const BAR: f64 = 9.0;
const GAP: f64 = 16.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 64.0;
const HEIGHT: f64 = 320.0;
/// Room for the slanted labels.
const BOTTOM: f64 = 110.0;

/// The first block of a run, as one SVG document.
pub(crate) fn draw(report: &Report) -> String {
    let names: Vec<&str> = report.peers.iter().map(|peer| peer.name.as_str()).collect();
    let scenarios: &[ScenarioReport] = report.blocks.first().map_or(&[], |block| &block.scenarios);
    let group = BAR * names.len() as f64 + GAP;
    let legend = 110.0 * names.len() as f64;
    let width = LEFT + (group * scenarios.len() as f64 + GAP).max(legend);
    let value = |scenario: &ScenarioReport, name: &str| {
        let spread = scenario.figure(name, PER_CPU_SECOND)?;
        Some(spread.median)
    };
    let values = scenarios
        .iter()
        .flat_map(|scenario| names.iter().filter_map(|name| value(scenario, name)));
    let scale = Scale::around(values, TOP, HEIGHT);

    let mut svg = svg::begin(width, TOP + HEIGHT + BOTTOM);
    let title = "Requests per second of server processor time (logarithmic)";
    svg::text(&mut svg, LEFT, 22.0, "font-size=\"14\"", title);
    for (index, name) in names.iter().enumerate() {
        let x = LEFT + 110.0 * index as f64;
        svg::bar(&mut svg, (x, 34.0), (12.0, 10.0), svg::colour(index), name);
        svg::text(&mut svg, x + 16.0, 43.0, "", name);
    }
    scale.draw(&mut svg, LEFT, width);
    for (place, scenario) in scenarios.iter().enumerate() {
        let left = LEFT + GAP / 2.0 + group * place as f64;
        for (index, name) in names.iter().enumerate() {
            let Some(value) = value(scenario, name) else {
                continue;
            };
            let y = scale.y(value);
            let title = format!("{name}, {}: {value:.0} per CPU second", scenario.label);
            svg::bar(
                &mut svg,
                (left + BAR * index as f64, y),
                (BAR - 1.0, TOP + HEIGHT - y),
                svg::colour(index),
                &title,
            );
        }
        let (x, y) = (left + group / 2.0 - GAP / 2.0, TOP + HEIGHT + 12.0);
        let slant = format!("text-anchor=\"end\" transform=\"rotate(-40 {x:.1} {y:.1})\"");
        svg::text(&mut svg, x, y, &slant, &scenario.label);
    }
    svg::end(svg)
}

#[cfg(test)]
mod tests {
    use super::super::svg::tests::elements;
    use super::*;
    use crate::report::tests::{report, small};

    #[test]
    fn the_plot_is_well_formed_and_has_a_bar_for_each_figure() {
        let report = small();

        let seen = elements(&draw(&report));

        let bars = seen.iter().filter(|name| *name == "title").count();
        assert_eq!(bars, 4 + 2, "bars and the keys of the legend");
    }

    #[test]
    fn markup_in_a_label_stays_text() {
        let mut report = small();
        report.blocks[0].scenarios[0].label = "<64 B> & \"more\"".to_owned();

        assert!(draw(&report).contains("&lt;64 B&gt; &amp; &quot;more&quot;"));
        elements(&draw(&report));
    }

    #[test]
    fn a_run_without_figures_still_draws() {
        elements(&draw(&report(Vec::new())));
    }
}
