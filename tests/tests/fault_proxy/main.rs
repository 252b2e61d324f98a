//! Calls over a connection that is slow, in pieces, cut, silent or damaged.
//!
//! What a transport promises, whatever the network does to its bytes:
//! 1. Delay, jitter, slices and a narrow line change when answers come and nothing else.
//! 2. Every call ends: with its answer, or with an error by its deadline or by keep-alive.
//! 3. A connection that breaks never looks like the end of a stream or like an answer.
//! 4. A call that the server may have begun is never said not to have begun.
//! 5. After bits were turned over on the way, no task panics and other connections are fine. That
//!    an answer is the one that was sent is *not* promised: without TLS or signatures nothing
//!    guards the bytes of a message but TCP, and this proxy sits above it.
//!
//! Each test has a proxy and a server of its own, and a probe that calls on a connection beside the
//! proxy all the while and must not fail once. To run all of it on another transport, add a line at
//! the end of this file.

mod bed;
mod endings;
mod flips;
mod ledger;
mod outages;
mod shapes;
mod silence;

use bed::Wire;

/// Every test of this suite, on one transport.
macro_rules! suite {
    ($name:ident, $wire:expr) => {
        mod $name {
            use super::*;

            suite! { @tests $wire =>
                shapes::calls_of_all_kinds_are_right_in_slices_of_one_byte;
                shapes::calls_of_all_kinds_are_right_in_slices_of_any_size;
                shapes::calls_of_all_kinds_are_right_under_latency_and_jitter;
                shapes::calls_of_all_kinds_are_right_over_a_narrow_line;
                shapes::calls_at_once_are_right_with_everything_together;
                endings::a_reset_in_mid_call_is_unavailable_and_the_call_was_begun;
                endings::a_close_in_mid_call_is_unavailable_and_the_call_was_begun;
                endings::a_half_close_from_the_server_ends_what_runs;
                endings::a_half_close_from_the_client_ends_what_runs;
                endings::a_stream_that_breaks_off_is_never_complete;
                endings::requests_that_break_off_are_never_complete;
                endings::a_connection_cut_at_any_byte_gives_no_wrong_answer;
                silence::a_black_hole_ends_at_the_deadline_of_a_call;
                silence::a_black_hole_is_found_by_the_keep_alive_of_the_client;
                silence::a_black_hole_is_found_by_the_keep_alive_of_the_server;
                silence::a_black_hole_that_answers_no_greeting_is_not_connected_to;
                silence::a_pause_that_ends_loses_nothing;
                silence::a_sender_does_not_run_ahead_of_a_pause;
                outages::a_closed_port_is_unavailable_and_nothing_was_begun;
                outages::a_channel_finds_its_way_back_after_a_reset;
                outages::a_channel_finds_its_way_back_after_an_outage;
                outages::a_slow_server_is_connected_to_in_time_or_not_at_all;
                outages::a_duplicate_connection_changes_no_answer;
                ledger::a_call_said_not_to_have_begun_may_be_repeated;
                ledger::a_reply_that_is_cut_off_leaves_the_outcome_open;
                flips::a_bit_turned_over_anywhere_on_its_way_up_ends_in_something;
                flips::a_bit_turned_over_anywhere_on_its_way_down_ends_in_something;
                flips::a_line_that_turns_bits_over_by_chance_harms_nobody_else;
            }
        }
    };
    (@tests $wire:expr => $($module:ident::$test:ident;)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                super::$module::$test($wire).await;
            }
        )*
    };
}

suite!(grpc, Wire::tcp("grpc"));
suite!(grpc_unix, Wire::unix("grpc+unix"));
suite!(tcp, Wire::tcp("tcp"));
suite!(unix, Wire::unix("unix"));
