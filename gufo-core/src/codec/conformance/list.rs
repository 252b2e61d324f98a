//! The list of checks: the one place that names them all.

use super::{
    bed::Bed,
    checks::{bytes, garbage, golden, integers, memory, names, nesting, round_trip, tolerance},
};
use crate::conformance::Verdict;

/// Hands the list to the macro `$then`: `number name "promise";`, by module.
#[doc(hidden)]
#[macro_export]
macro_rules! __codec_checks {
    ($($then:tt)+) => {
        $($then)+! {
            round_trip {
                "K1" rich_message "A message with fields of every kind, filled and unset, comes back unchanged.";
                "K1" empty_message "A message without fields comes back.";
                "K1" recursive_message "A message that nests 30 deep comes back unchanged.";
                "K1" floats "Floating-point numbers come back bit by bit.";
                "K1" serde_shapes "Every shape serde knows comes back unchanged: enums, tuples, units, characters.";
                "K1" encoding_appends "Encoding appends: what the buffer holds already stays.";
            }
            bytes {
                "K2" empty_body "An empty body is the default message where the format says so, and refused otherwise.";
                "K3" bytes_survive "Binary fields come back byte by byte, and raw bytes pass through unchanged.";
            }
            garbage {
                "K6" truncated "A message cut off anywhere is `InvalidArgument`, or a value where the end is that of the bytes; never a panic.";
                "K6" followed "A message followed by garbage is `InvalidArgument`.";
                "K6" mutated "A damaged message is `InvalidArgument` or a value that can be written; never a panic.";
                "K6" noise "Noise is `InvalidArgument` or a value that can be written; never a panic.";
            }
            golden {
                "K8" golden_bytes "A fixed message is encoded as ever before, and what was encoded before still decodes.";
            }
            memory {
                "K9" stated_length "A length that the input states, and does not have, reserves no memory.";
            }
            tolerance {
                "K10" unknown_fields "Fields the reader does not know are skipped, whatever they hold, or refused where fields are positions.";
                "K10" missing_fields "Fields and collections that are missing have their default.";
                "K10" null_fields "A collection that is null is empty.";
            }
            integers {
                "K11" extremes "64-bit integers come back exactly: 2^53 + 1, and both ends of i64 and u64.";
                "K11" too_large "An integer that does not fit is `InvalidArgument`, where the format knows it for an integer; never a panic.";
            }
            names {
                "K12" content_type "The format is found by its names without regard to case, and by no other.";
            }
            nesting {
                "K13" bombs "A message nested 10,000 deep is `InvalidArgument` before the stack is exhausted.";
                "K13" skipped_bombs "An unknown field nested 10,000 deep does not exhaust the stack.";
            }
        }
    };
}

/// One `#[test]` per check; see the [module](crate::codec::conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! __codec_suite {
    ($format:expr $(,)?) => {
        $crate::codec::conformance::suite!($format, |suite| suite);
    };
    ($format:expr, $configure:expr $(,)?) => {
        fn __check(name: &str) -> $crate::codec::conformance::Verdict {
            let configure: fn(
                $crate::codec::conformance::Suite,
            ) -> $crate::codec::conformance::Suite = $configure;
            configure($crate::codec::conformance::Suite::new($format)).run(name)
        }

        $crate::__codec_checks!($crate::__conformance_tests);
    };
}

type Run = fn(&Bed) -> Verdict;

macro_rules! run {
    ($check:path) => {
        $check
    };
}

crate::__codec_checks!(crate::__conformance_table);
