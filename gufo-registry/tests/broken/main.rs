//! The suite is tested too: registries that are wrong in one way must each be caught, and by the check that is about it.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod lease;
mod registry;
mod watch;

use std::collections::BTreeSet;

use gufo_registry::conformance::{CHECKS, Suite};
use registry::Broken;

/// Declares the ways to be wrong, each with the check that must notice.
macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident $test:ident by $check:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Fault {
            /// Nothing wrong: the control.
            Nothing,
            $($(#[$doc])* $fault,)*
        }

        const FAULTS: &[Fault] = &[$(Fault::$fault),*];

        $(#[test]
        fn $test() {
            let verdict = suite(Fault::$fault).run($check);
            assert!(verdict.is_err(), "{} takes {:?} for correct: {verdict:?}", $check, Fault::$fault);
        })*
    };
}

faults! {
    /// X1
    NeverLapses a_lease_that_never_lapses_is_caught by "lease::lapses_without_keep_alive";
    /// X2
    LapsesEarly a_lease_that_lapses_early_is_caught by "lease::holds_with_keep_alive";
    /// X3
    KeepAliveRevives a_keep_alive_that_revives_is_caught by "lease::revoke_beats_keep_alive";
    /// X4
    DuplicatesOnReRegister duplicates_are_caught by "registry::re_register_replaces";
    /// X5
    SilentExpiry silent_expiry_is_caught by "registry::expiry_is_a_change";
    /// X6
    ListsEmptyServices empty_services_are_caught by "registry::no_empty_services";
    /// X8
    DropsChangesAtTheStart a_gap_at_the_start_is_caught by "watch::no_gap_between_snapshot_and_changes";
    /// X9
    DropsChangesForSlowReaders a_gap_for_slow_readers_is_caught by "watch::last_state_wins";
    /// X10
    ReordersChanges reordered_changes_are_caught by "watch::per_node_order";
    /// X13
    MixesPrefixes mixed_prefixes_are_caught by "registry::names_isolated";
    /// X48
    UndeclaredSucceeds undeclared_success_is_caught by "common::undeclared_is_unimplemented";

    CancelPoisons a_handle_poisoned_by_a_cancel_is_caught by "common::cancel_safe";
    IgnoresNamespace mixed_namespaces_are_caught by "common::namespaces_isolated";
    ForgetsVersion a_forgotten_version_is_caught by "registry::versions_accumulate";
    CutsMetadata cut_metadata_is_caught by "registry::endpoints_round_trip";
    ForgetsZone a_forgotten_field_is_caught by "registry::node_round_trip";
    KeepsOneNode a_node_that_displaces_another_is_caught by "registry::nodes_merge";
    LosesConcurrent lost_concurrent_registrations_are_caught by "registry::concurrent_registrations";
    RefusesTooLate a_refusal_that_leaves_something_is_caught by "registry::metadata_limits";
    ListsNothing an_empty_list_is_caught by "registry::list_totals";
    UnknownIsNotFound an_error_for_the_unknown_is_caught by "registry::unknown_service_is_empty";
    SecondHandleIsBlind a_blind_second_handle_is_caught by "registry::visible_from_second_handle";
    RegistersNothing a_registration_without_effect_is_caught by "registry::visible_within_settle";
    KeepAliveDoesNothing a_keep_alive_without_effect_is_caught by "registry::renewal_keeps_alive";
    RevokeRemovesAll a_withdrawal_of_other_nodes_is_caught by "registry::withdraw_is_complete";
    RevokeDoesNothing a_revoke_without_effect_is_caught by "lease::revoke_removes";
    RevokeOfUnknownFails a_failing_withdrawal_of_the_unknown_is_caught by "registry::withdraw_unknown_ok";
    RoundsTtlDown a_cut_ttl_is_caught by "lease::ttl_is_not_cut";
    UpdatesInTwoSteps an_update_in_two_steps_is_caught by "lease::update_is_atomic";
    SupersededRemoves a_superseded_lease_that_removes_is_caught by "lease::superseded_lease_is_harmless";
    WatchEndsAtOnce a_watch_that_ends_by_itself_is_caught by "registry::watch_close_unblocks";
    WatchSeesEverything a_watch_on_everything_is_caught by "registry::watch_filter";
    WatchStripsNodes stripped_changes_are_caught by "watch::changes_are_complete";
    FirstWatcherOnly a_deaf_second_watcher_is_caught by "watch::many_watchers";
}

fn suite(fault: Fault) -> Suite {
    Suite::new(move |namespace| async move { Broken::open(fault, &namespace) }).paused()
}

#[test]
fn the_wrapper_with_nothing_wrong_passes() {
    let report = suite(Fault::Nothing).report();

    assert_eq!(report.failed().count(), 0, "{report}");
}

#[test]
fn every_check_catches_some_broken_registry() {
    let mut blind: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();

    for fault in FAULTS {
        for check in suite(*fault).report().failed() {
            blind.remove(check.name);
        }
    }

    assert!(blind.is_empty(), "no broken registry fails {blind:?}");
}

#[test]
fn names_and_ids_of_checks_are_unique() {
    let names: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();
    let ids: BTreeSet<_> = CHECKS.iter().map(|check| check.id).collect();

    assert_eq!((names.len(), ids.len()), (CHECKS.len(), CHECKS.len()));
}

#[test]
fn a_check_that_does_not_exist_is_a_failure() {
    assert!(
        suite(Fault::NeverLapses)
            .run("registry::no_such_check")
            .is_err()
    );
}
