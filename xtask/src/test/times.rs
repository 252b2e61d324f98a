//! How long each test target took.

use std::time::Duration;

use super::seen::{Binary, Kind};
use crate::process;

/// How many targets are shown.
const SHOWN: usize = 10;

/// A test target, and the time from its announcement to the next one: what it took to run, with
/// the compilation of doctests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timed {
    pub(crate) binary: Binary,
    pub(crate) took: Duration,
}

/// The slowest targets, one line for each, the slowest first.
pub(super) fn slowest(mut times: Vec<Timed>) -> Vec<String> {
    // Stable: of two that took the same, the first to run comes first.
    times.sort_by_key(|timed| std::cmp::Reverse(timed.took));
    times.iter().take(SHOWN).map(line).collect()
}

fn line(timed: &Timed) -> String {
    let Binary {
        package,
        target,
        kind,
    } = &timed.binary;
    let target = match kind {
        Kind::Lib => "unit tests",
        Kind::Doc => "doctests",
        Kind::Other => target,
    };
    format!("{:>12}  {package} {target}", process::took(timed.took))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(target: &str, kind: Kind, seconds: u64) -> Timed {
        Timed {
            binary: Binary {
                package: "gufo-core".into(),
                target: target.into(),
                kind,
            },
            took: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn the_slowest_come_first_whatever_kind_they_are() {
        let times = vec![
            timed("gufo_core", Kind::Lib, 1),
            timed("codec", Kind::Other, 130),
            timed("gufo_core", Kind::Doc, 20),
        ];

        assert_eq!(
            slowest(times),
            [
                "  2 min 10 s  gufo-core codec",
                "      20.0 s  gufo-core doctests",
                "       1.0 s  gufo-core unit tests",
            ]
        );
    }

    #[test]
    fn ten_are_shown_at_most() {
        let times: Vec<_> = (0..12).map(|n| timed("x", Kind::Other, n)).collect();

        let shown = slowest(times);

        assert_eq!(shown.len(), 10);
        assert!(shown[9].contains(" 2.0 s"), "{shown:?}");
    }
}
