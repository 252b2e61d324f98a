//! The pieces every plot is made of.

use std::fmt::Write;

const COLOURS: [&str; 13] = [
    "#9c9c9c", "#cfcfcf", "#4269d0", "#efb118", "#ff725c", "#d62828", "#f4978e", "#3ca951",
    "#97d8a0", "#a463f2", "#9c6b4e", "#6cc5b0", "#ff8ab7",
];

/// The colour of the peer in this place.
pub(super) fn colour(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}

/// The root with a white ground; `</svg>` is left to [`end`].
pub(super) fn begin(width: f64, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    )
}

pub(super) fn end(mut svg: String) -> String {
    svg.push_str("</svg>\n");
    svg
}

// Writing to a string cannot fail, here and below.

pub(super) fn text(svg: &mut String, x: f64, y: f64, attributes: &str, text: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{}</text>",
        escape(text)
    );
}

/// A filled box with a title that shows under the pointer.
pub(super) fn bar(
    svg: &mut String,
    (x, y): (f64, f64),
    (width, height): (f64, f64),
    colour: &str,
    title: &str,
) {
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"><title>{}</title></rect>",
        escape(title),
    );
}

pub(super) fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" x2=\"{x2:.1}\" y1=\"{y1:.1}\" y2=\"{y2:.1}\" stroke=\"#dddddd\"/>"
    );
}

/// Points joined by a line, each with a title.
pub(super) fn path(svg: &mut String, points: &[(f64, f64, String)], colour: &str) {
    let joined: Vec<String> = points
        .iter()
        .map(|(x, y, _)| format!("{x:.1},{y:.1}"))
        .collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
        joined.join(" ")
    );
    for (x, y, title) in points {
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"{colour}\"><title>{}</title></circle>",
            escape(title)
        );
    }
}

/// From a value to a height, logarithmic, between whole powers of ten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) lowest: i32,
    pub(super) highest: i32,
    pub(super) top: f64,
    pub(super) height: f64,
}

impl Scale {
    /// Whole powers of ten around all values; what is no number, or has no end, is not drawn to scale.
    pub(super) fn around(values: impl Iterator<Item = f64>, top: f64, height: f64) -> Self {
        let powers: Vec<f64> = values
            .filter(|value| value.is_finite())
            .map(|value| value.max(1.0).log10())
            .collect();
        let lowest = powers.iter().copied().fold(f64::INFINITY, f64::min).floor();
        let highest = powers.iter().copied().fold(0.0, f64::max).ceil();
        let lowest = if lowest.is_finite() { lowest as i32 } else { 0 };
        Self {
            lowest,
            highest: (highest as i32).max(lowest + 1),
            top,
            height,
        }
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        let share = (value.max(1.0).log10() - f64::from(self.lowest))
            / f64::from(self.highest - self.lowest);
        self.top + self.height * (1.0 - share.clamp(0.0, 1.0))
    }

    /// Lines and labels at the powers of ten, from one edge to the other.
    pub(super) fn draw(&self, svg: &mut String, left: f64, right: f64) {
        for power in self.lowest..=self.highest {
            let y = self.y(10f64.powi(power));
            line(svg, (left, y), (right, y));
            text(
                svg,
                left - 6.0,
                y + 4.0,
                "text-anchor=\"end\"",
                &power_of_ten(power),
            );
        }
    }
}

fn power_of_ten(power: i32) -> String {
    match power {
        0..=2 => format!("{:.0}", 10f64.powi(power)),
        3..=5 => format!("{:.0} k", 10f64.powi(power - 3)),
        _ => format!("{:.0} M", 10f64.powi(power - 6)),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Checks that elements nest, attributes are quoted, and nothing stands outside the root; gives their names.
    pub(in crate::plot) fn elements(svg: &str) -> Vec<String> {
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
    fn ten_times_as_much_is_one_step_higher() {
        let scale = Scale::around([1e3, 1e7].into_iter(), 64.0, 320.0);

        let steps = [1e3, 1e4, 1e7].map(|value| scale.y(value));

        assert_eq!(steps, [384.0, 304.0, 64.0]);
    }

    #[test]
    fn a_value_without_end_does_not_stretch_the_scale() {
        let values = [2e3, f64::INFINITY, f64::NAN].into_iter();

        let scale = Scale::around(values, 0.0, 100.0);

        assert_eq!((scale.lowest, scale.highest), (3, 4));
    }

    #[test]
    fn a_scale_without_values_still_has_a_step() {
        let scale = Scale::around(std::iter::empty(), 0.0, 100.0);

        assert_eq!((scale.lowest, scale.highest), (0, 1));
    }
}
