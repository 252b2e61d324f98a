//! A curve: rate above, 99th percentile below, a line for each peer, both axes logarithmic.

use gufo_benches::About;

use super::svg::{self, Scale};
use crate::report::{Block, Figure, P99, PER_SECOND};

const LEFT: f64 = 64.0;
const TOP: f64 = 64.0;
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 240.0;
/// Between the two panels, and below the second.
const GAP: f64 = 60.0;
/// Room for the legend.
const RIGHT: f64 = 150.0;

/// One block as one SVG document; its scenarios stand at equal distances, in their order.
pub(crate) fn draw(block: &Block, peers: &[About]) -> String {
    let mut svg = svg::begin(LEFT + WIDTH + RIGHT, TOP + 2.0 * (HEIGHT + GAP));
    let title = format!("Requests per second, and p99 in µs, over {}", block.title);
    svg::text(&mut svg, LEFT, 22.0, "font-size=\"14\"", &title);
    panel(&mut svg, block, peers, ("requests/s", PER_SECOND), TOP);
    panel(&mut svg, block, peers, ("p99 µs", P99), TOP + HEIGHT + GAP);
    for (index, peer) in peers.iter().enumerate() {
        let y = TOP + 16.0 * index as f64;
        let x = LEFT + WIDTH + 20.0;
        svg::bar(
            &mut svg,
            (x, y),
            (12.0, 10.0),
            svg::colour(index),
            &peer.name,
        );
        svg::text(&mut svg, x + 18.0, y + 9.0, "", &peer.name);
    }
    svg::end(svg)
}

fn panel(
    svg: &mut String,
    block: &Block,
    peers: &[About],
    (name, figure): (&str, Figure),
    top: f64,
) {
    let points = block.scenarios.len();
    let x = |place: usize| {
        let steps = points.saturating_sub(1).max(1);
        LEFT + 20.0 + (WIDTH - 40.0) * place as f64 / steps as f64
    };
    let value = |place: usize, peer: &About| {
        let spread = block.scenarios.get(place)?.figure(&peer.name, figure)?;
        Some(spread.median)
    };
    let values =
        (0..points).flat_map(|place| peers.iter().filter_map(move |peer| value(place, peer)));
    let scale = Scale::around(values, top, HEIGHT);
    scale.draw(svg, LEFT, LEFT + WIDTH);
    svg::text(svg, LEFT, top - 8.0, "", name);
    for (place, scenario) in block.scenarios.iter().enumerate() {
        let label = "text-anchor=\"middle\"";
        svg::text(svg, x(place), top + HEIGHT + 16.0, label, &scenario.label);
    }
    for (index, peer) in peers.iter().enumerate() {
        let line: Vec<(f64, f64, String)> = (0..points)
            .filter_map(|place| {
                let value = value(place, peer)?;
                let title = format!(
                    "{}, {}: {value:.0}",
                    peer.name, block.scenarios[place].label
                );
                Some((x(place), scale.y(value), title))
            })
            .collect();
        if !line.is_empty() {
            svg::path(svg, &line, svg::colour(index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::svg::tests::elements;
    use super::*;
    use crate::report::tests::small;

    #[test]
    fn each_peer_has_a_line_in_both_panels_and_a_point_for_each_scenario() {
        let report = small();

        let seen = elements(&draw(&report.blocks[0], &report.peers));

        let count = |element: &str| seen.iter().filter(|name| *name == element).count();
        assert_eq!(count("polyline"), 2 * 2);
        assert_eq!(count("circle"), 2 * 2 * 2);
    }

    #[test]
    fn a_block_of_one_point_still_draws() {
        let mut report = small();
        report.blocks[0].scenarios.truncate(1);

        elements(&draw(&report.blocks[0], &report.peers));
    }
}
