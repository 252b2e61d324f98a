//! Deliberately broken codecs: each wrong in one way, and caught by the check that is about it.

mod codec;
mod tree;

use std::{collections::BTreeSet, time::Duration};

use gufo_core::codec::conformance::{CHECKS, Failure, Outcome, Suite};

use self::codec::Broken;
use crate::{found, meter};

/// Declares the ways to be wrong, each with the checks that must notice.
macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident $test:ident by $($check:literal),+;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault {
            /// Nothing wrong: the control.
            Nothing,
            $($(#[$doc])* $fault,)*
        }

        $(#[test]
        fn $test() {
            for check in [$($check),+] {
                let verdict = verdict(Fault::$fault, check);
                assert!(verdict.is_err(), "{check} takes {:?} for correct: {verdict:?}", Fault::$fault);
            }
        })*

        const PROVED: &[&str] = &[$($($check),+),*];
    };
}

faults! {
    /// X34
    PanicsOnTruncated a_panic_on_truncated_input_is_caught by "garbage::truncated";
    /// X35
    ReservesByLength memory_reserved_by_a_stated_length_is_caught by "memory::stated_length";
    /// X35, for a length no memory is enough for.
    BelievesLength a_believed_length_is_caught_without_a_meter by "memory::stated_length";
    /// X36
    NumbersThroughFloats numbers_through_floats_are_caught by "integers::extremes", "round_trip::serde_shapes";

    AcceptsTruncated accepted_halves_are_caught by "garbage::truncated";
    HangsOnTruncated a_hang_on_truncated_input_is_caught by "garbage::truncated";
    PanicsOnNoise a_panic_on_noise_is_caught by "garbage::noise", "garbage::mutated";
    GarbageIsInternal the_wrong_code_is_caught by "garbage::truncated", "garbage::mutated", "garbage::noise";
    ReadsNothing a_codec_that_reads_nothing_is_caught by "round_trip::empty_message", "bytes::empty_body";
    IgnoresWhatFollows ignored_trailing_garbage_is_caught by "garbage::followed";
    EmptyBodyIsAMessage an_undeclared_empty_body_is_caught by "bytes::empty_body";

    DropsEmptyStrings dropped_empty_strings_are_caught by "round_trip::rich_message";
    ManglesUnicode mangled_unicode_is_caught by "round_trip::rich_message", "round_trip::serde_shapes";
    DropsEmptyMessages dropped_empty_messages_are_caught by "round_trip::empty_message";
    SinglePrecision single_precision_is_caught by "round_trip::floats";
    LosesTheSignOfZero a_zero_without_its_sign_is_caught by "round_trip::floats";
    DropsZeroBytes dropped_zero_bytes_are_caught by "bytes::bytes_survive";
    ClearsTheBuffer a_cleared_buffer_is_caught by "round_trip::encoding_appends";
    WritesOtherwise a_changed_encoding_is_caught by "golden::golden_bytes";
    NeverTheSame an_encoding_by_chance_is_caught by "golden::golden_bytes";

    FieldsByPosition lost_unknown_fields_are_caught by "tolerance::unknown_fields";
    EmptyIsNull missing_fields_that_are_refused_are_caught by "tolerance::missing_fields";
    NullIsText a_null_that_is_something_is_caught by "tolerance::null_fields";
    CutsNumbers cut_numbers_are_caught by "integers::too_large";

    UpperCaseName a_name_in_upper_case_is_caught by "names::content_type";
    WholeContentType a_name_that_is_a_content_type_is_caught by "names::content_type";

    UnlimitedDepth unlimited_depth_is_caught by "nesting::bombs", "nesting::skipped_bombs";
    HighDepthLimit a_limit_of_depth_beyond_the_stack_is_caught by "nesting::bombs", "nesting::skipped_bombs";
    LowDepthLimit a_limit_of_depth_that_is_too_low_is_caught by "round_trip::recursive_message";
}

fn suite(fault: Fault) -> Suite {
    let sound = Suite::new(found(Broken::new(Fault::Nothing)));
    let golden = sound.sample().expect("the control encodes");
    let suite = Suite::new(found(Broken::new(fault))).golden(&golden);
    match fault {
        // Without a meter, and with a limit that is reached.
        Fault::BelievesLength => suite,
        Fault::HangsOnTruncated => suite.limit(Duration::from_secs(1)).meter(meter),
        Fault::UnlimitedDepth | Fault::HighDepthLimit => {
            suite.bomb(crate::compact::bomb()).meter(meter)
        }
        _ => suite.meter(meter),
    }
}

fn verdict(fault: Fault, check: &str) -> Result<Outcome, Failure> {
    suite(fault).run(check)
}

#[test]
fn the_control_with_nothing_wrong_passes() {
    let report = suite(Fault::Nothing).report();

    assert_eq!(report.failed().count(), 0, "{report}");
}

#[test]
fn every_check_catches_some_broken_codec() {
    let proved: BTreeSet<_> = PROVED.iter().copied().collect();
    let all: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();

    assert_eq!(proved, all);
}

#[test]
fn names_of_checks_are_unique() {
    let names: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();

    assert_eq!(names.len(), CHECKS.len());
}

#[test]
fn a_check_that_does_not_exist_is_a_failure() {
    let verdict = verdict(Fault::Nothing, "round_trip::no_such_check");

    assert!(verdict.is_err());
}

#[test]
fn a_failure_names_the_seed_that_repeats_it() {
    let failing = || {
        suite(Fault::GarbageIsInternal)
            .seed(7)
            .run("garbage::noise")
    };

    let failures =
        [failing(), failing()].map(|verdict| verdict.expect_err("noise is internal").to_string());

    assert_eq!(failures[0], failures[1]);
    assert!(failures[0].contains("seed 0x7"), "{}", failures[0]);
}

#[test]
fn a_hang_is_reported_as_one() {
    let failure = verdict(Fault::HangsOnTruncated, "garbage::truncated").expect_err("it hangs");

    assert!(failure.to_string().contains("did not end"), "{failure}");
}
