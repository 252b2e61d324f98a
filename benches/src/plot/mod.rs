//! Plots as SVG documents, written by hand: axes, bars, lines.

pub(crate) mod bars;
pub(crate) mod curves;
mod svg;
