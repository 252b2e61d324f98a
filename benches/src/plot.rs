//! Requests per second of server processor time, as grouped bars on a logarithmic scale.

use std::fmt::Write;

use crate::report::Report;

const COLOURS: [&str; 6] = [
    "#9c9c9c", "#4269d0", "#97bbf5", "#efb118", "#a463f2", "#ff725c",
];
const BAR: f64 = 13.0;
const GAP: f64 = 16.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 64.0;
const HEIGHT: f64 = 320.0;
/// Room for the slanted labels.
const BOTTOM: f64 = 110.0;

/// The whole plot as one SVG document.
pub(crate) fn draw(report: &Report) -> String {
    let names: Vec<&str> = report.peers.iter().map(|peer| peer.name.as_str()).collect();
    let group = BAR * names.len() as f64 + GAP;
    let width = LEFT + group * report.scenarios.len() as f64 + GAP;
    let height = TOP + HEIGHT + BOTTOM;
    let scale = Scale::of(report);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    push(
        &mut svg,
        LEFT,
        22.0,
        "font-size=\"14\"",
        "Requests per second of server processor time (logarithmic)",
    );
    for (index, name) in names.iter().enumerate() {
        let x = LEFT + 110.0 * index as f64;
        bar(
            &mut svg,
            x,
            34.0,
            10.0,
            COLOURS[index % COLOURS.len()],
            name,
        );
        push(&mut svg, x + 16.0, 43.0, "", name);
    }
    for power in scale.lowest..=scale.highest {
        let y = scale.y(10f64.powi(power));
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT:.0}\" x2=\"{width:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>"
        );
        push(
            &mut svg,
            LEFT - 6.0,
            y + 4.0,
            "text-anchor=\"end\"",
            &power_of_ten(power),
        );
    }
    for (place, scenario) in report.scenarios.iter().enumerate() {
        let left = LEFT + GAP / 2.0 + group * place as f64;
        for (index, name) in names.iter().enumerate() {
            let Some(peer) = scenario.peer(name) else {
                continue;
            };
            let y = scale.y(peer.per_cpu_second.median);
            let title = format!(
                "{name}, {}: {:.0} per CPU second",
                scenario.label, peer.per_cpu_second.median
            );
            let x = left + BAR * index as f64;
            bar(
                &mut svg,
                x,
                y,
                TOP + HEIGHT - y,
                COLOURS[index % COLOURS.len()],
                &title,
            );
        }
        let (x, y) = (left + group / 2.0 - GAP / 2.0, TOP + HEIGHT + 12.0);
        let slant = format!("text-anchor=\"end\" transform=\"rotate(-40 {x:.1} {y:.1})\"");
        push(&mut svg, x, y, &slant, &scenario.label);
    }
    svg.push_str("</svg>\n");
    svg
}

/// From a rate to a height.
struct Scale {
    lowest: i32,
    highest: i32,
}

impl Scale {
    /// Whole powers of ten around all values.
    fn of(report: &Report) -> Self {
        let peers = report.scenarios.iter().flat_map(|scenario| &scenario.peers);
        let powers: Vec<f64> = peers
            .map(|peer| peer.per_cpu_second.median.max(1.0).log10())
            .collect();
        let lowest = powers.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let highest = powers.iter().copied().fold(0.0, f64::max).ceil();
        let lowest = if lowest.is_finite() { lowest as i32 } else { 0 };
        Self {
            lowest,
            highest: (highest as i32).max(lowest + 1),
        }
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value.max(1.0).log10() - f64::from(self.lowest))
            / f64::from(self.highest - self.lowest);
        TOP + HEIGHT * (1.0 - share.clamp(0.0, 1.0))
    }
}

fn power_of_ten(power: i32) -> String {
    match power {
        0..=2 => format!("{:.0}", 10f64.powi(power)),
        3..=5 => format!("{:.0} k", 10f64.powi(power - 3)),
        _ => format!("{:.0} M", 10f64.powi(power - 6)),
    }
}

fn bar(svg: &mut String, x: f64, y: f64, height: f64, colour: &str, title: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{colour}\"><title>{}</title></rect>",
        BAR - 1.0,
        escape(title),
    );
}

fn push(svg: &mut String, x: f64, y: f64, attributes: &str, text: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{}</text>",
        escape(text)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    /// Checks that elements nest, attributes are quoted, and nothing stands outside the root.
    fn elements(svg: &str) -> Vec<String> {
        let mut open = Vec::new();
        let mut seen = Vec::new();
        for piece in svg.split('<').skip(1) {
            let (tag, text) = piece.split_once('>').expect("a tag that ends");
            assert!(
                !text.contains('"')
                    && (!open.is_empty() || text.trim().is_empty() || tag.starts_with("svg"))
            );
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(name));
                continue;
            }
            assert!(tag.matches('"').count().is_multiple_of(2), "{tag}");
            let name = tag
                .split_whitespace()
                .next()
                .expect("a name")
                .trim_end_matches('/')
                .to_owned();
            seen.push(name.clone());
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "left open: {open:?}");
        seen
    }

    #[test]
    fn the_plot_is_well_formed_and_has_a_bar_for_each_figure() {
        let report = report();

        let seen = elements(&draw(&report));

        let figures: usize = report
            .scenarios
            .iter()
            .map(|scenario| scenario.peers.len())
            .sum();
        let bars = seen.iter().filter(|name| *name == "title").count();
        assert_eq!(
            bars,
            figures + report.peers.len(),
            "bars and the keys of the legend"
        );
    }

    #[test]
    fn markup_in_a_label_stays_text() {
        let mut report = report();
        report.scenarios[0].label = "<64 B> & \"more\"".to_owned();

        assert!(draw(&report).contains("&lt;64 B&gt; &amp; &quot;more&quot;"));
        elements(&draw(&report));
    }

    #[test]
    fn ten_times_as_much_is_one_step_higher() {
        let scale = Scale {
            lowest: 3,
            highest: 7,
        };

        let steps = [1e3, 1e4, 1e7].map(|value| scale.y(value));

        assert_eq!(steps, [TOP + HEIGHT, TOP + HEIGHT * 0.75, TOP]);
    }

    #[test]
    fn a_run_without_figures_still_draws() {
        let mut report = report();
        report.scenarios.clear();

        elements(&draw(&report));
    }
}
