//! The list of checks: the one place that names them all.

use gufo_core::BoxFuture;
use gufo_core::conformance::Verdict;

use super::{Harness, common, lease, registry, watch};

/// Hands the list to the macro `$then`: `number name "promise";`, by module.
#[doc(hidden)]
#[macro_export]
macro_rules! __registry_checks {
    ($($then:tt)+) => {
        $($then)+! {
            common {
                "A2" undeclared_is_unimplemented "An operation whose capability is not declared answers `Unimplemented` at once and changes nothing.";
                "A10" cancel_safe "Dropping the future of any operation leaves the handle usable.";
                "A13" namespaces_isolated "Two handles on different namespaces never see each other's nodes.";
            }
            registry {
                "R1" versions_accumulate "Registering N versions of a service one after another makes lookup answer 1, 2, ... N versions.";
                "R2" list_totals "After each registration and withdrawal the list of services has the expected entries.";
                "R3" withdraw_one_version "Withdrawing one version leaves the others; withdrawing all leaves the service unknown.";
                "R4" unknown_service_is_empty "Lookup of a service without a live node answers an empty snapshot without error.";
                "R5" nodes_merge "Several nodes of one version come back together, each once.";
                "R6" node_round_trip "Every field of a node comes back unchanged, addresses such as [::]:10004 included.";
                "R7" endpoints_round_trip "Several endpoints and structured metadata come back unchanged and in order.";
                "R8" ttl_removes_nodes "Without keep-alive nodes disappear by TTL, also while 1000 readers look them up.";
                "R9" renewal_keeps_alive "Renewing before the TTL keeps a node visible without a gap; a permanent one stays until withdrawn.";
                "R10" watch_sees_create_then_remove "For four services registered and withdrawn in turn, a watcher sees Added and then Removed for each.";
                "R11" watch_filter "A watch on one service sees no change of another.";
                "R12" watch_close_unblocks "A watch waits until it is closed, which ends the wait; closing twice is harmless.";
                "R13" visible_from_second_handle "What one handle registers, a second handle on the same namespace sees.";
                "R15" withdraw_unknown_ok "Withdrawing a node that is already gone is not an error.";
                "R21" expiry_is_a_change "Expiry of a node is Removed to watchers, exactly like a withdrawal.";
                "R23" no_empty_services "No answer ever contains a service without nodes.";
                "R26" visible_within_settle "A registered node is found within settle.";
                "R27" re_register_replaces "Registering the same node again replaces its record; no duplicate appears.";
                "R28" names_isolated "Services whose names are prefixes of each other never mix.";
                "R29" metadata_limits "Unicode metadata comes back unchanged; metadata over the declared limit is refused and leaves nothing behind.";
                "R30" concurrent_registrations "64 concurrent registrations of different nodes are all visible afterwards.";
                "R33" withdraw_is_complete "Withdrawing removes everything the registration wrote, and nothing of other owners.";
                "R34" same_name_is_not_same_node "Two nodes of one service in one process live and die independently.";
            }
            lease {
                "L1" lapses_without_keep_alive "Without keep-alive a lease lapses not before its TTL and not after TTL and settle.";
                "L2" holds_with_keep_alive "With keep-alive a lease holds through three TTLs, continuously visible.";
                "L3" revoke_removes "Revoking removes the node within settle.";
                "L4" revoke_is_idempotent "Revoking twice, or after lapsing, is not an error.";
                "L5" drop_stops_keep_alive "Dropping a lease stops its keep-alive, and the node lapses by TTL.";
                "L6" revoke_beats_keep_alive "A keep-alive in flight during a revoke never brings the node back.";
                "L9" ttl_is_not_cut "A TTL that is too short or too fine is raised or refused, never cut.";
                "L10" update_is_atomic "An update appears to watchers as one Updated, never as Removed and Added.";
                "L12" superseded_lease_is_harmless "A lease whose node was registered again neither extends nor removes the new record.";
            }
            watch {
                "W1" no_gap_between_snapshot_and_changes "A change that races with the start of a watch is in the snapshot or follows it.";
                "W2" last_state_wins "Changes may be skipped, but the last state a reader sees is the registry's.";
                "W3" changes_are_complete "Every change carries the whole node, for Removed the last known one.";
                "W4" per_node_order "Changes of one node arrive in the order in which they happened.";
                "W9" starts_empty "A watch on an unknown service starts empty and then sees the first node.";
                "W10" many_watchers "64 watchers of one service all see every node come and go.";
            }
        }
    };
}

/// One `#[test]` per check; see the [module](crate::conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! __registry_suite {
    ($open:expr $(,)?) => {
        $crate::conformance::suite!($open, |suite| suite);
    };
    ($open:expr, $configure:expr $(,)?) => {
        fn __check(name: &str) -> $crate::conformance::Verdict {
            let configure: fn($crate::conformance::Suite) -> $crate::conformance::Suite =
                $configure;
            configure($crate::conformance::Suite::new($open)).run(name)
        }

        $crate::__registry_checks!($crate::conformance::__tests);
    };
}

type Run = for<'a> fn(&'a Harness) -> BoxFuture<'a, Verdict>;

macro_rules! run {
    ($check:path) => {
        |harness| Box::pin($check(harness))
    };
}

crate::__registry_checks!(gufo_core::__conformance_table);
