//! Attacks on `tcp://` and `unix://`, and on clients of them.

mod bed;
mod bounds;
mod calls;
mod client;
mod frames;
mod handshakes;
mod slow;

use bed::Wire;

/// Every attack on a server, on one kind of sockets.
macro_rules! suite {
    ($name:ident, $wire:expr) => {
        mod $name {
            use super::*;

            suite! { @tests $wire =>
                handshakes::garbage_is_closed_without_a_word;
                handshakes::half_a_handshake_is_closed_after_its_timeout;
                handshakes::a_handshake_that_trickles_does_not_outlast_its_timeout;
                handshakes::a_handshake_byte_by_byte_is_one;
                handshakes::http1_is_refused_in_its_own_words;
                handshakes::http2_is_refused_in_words_people_can_read;
                handshakes::curl_shows_the_refusal;
                handshakes::versions_nobody_speaks_are_named;
                handshakes::a_peer_that_speaks_more_versions_is_answered_in_this_one;
                handshakes::a_hello_that_is_wrong_is_told_why;
                handshakes::a_hello_with_settings_nobody_knows_is_one;
                handshakes::a_second_hello_ends_the_connection;
                handshakes::too_many_handshakes_at_once_are_turned_away;
                frames::a_frame_over_the_limit_ends_the_connection_before_it_comes;
                frames::an_open_that_lies_ends_the_connection;
                frames::frames_without_what_they_must_have_end_the_connection;
                frames::definitions_over_their_limits_end_the_connection;
                frames::definitions_up_to_their_limits_are_used;
                frames::what_only_servers_send_ends_the_connection;
                frames::the_number_of_a_running_call_used_again_ends_the_connection;
                frames::a_violation_ends_the_calls_of_its_connection_and_no_others;
                frames::the_reason_arrives_though_the_peer_sends_on;
                frames::the_number_of_a_call_over_the_limit_ends_the_connection;
                frames::a_call_after_goaway_ends_the_connection;
                frames::a_client_that_leaves_gets_its_answers_and_is_closed;
                frames::frames_for_calls_that_do_not_run_are_ignored;
                frames::frames_and_flags_nobody_knows_are_skipped;
                frames::a_ping_comes_back_with_what_it_carries;
                frames::sending_more_than_was_granted_ends_the_connection;
                frames::what_was_granted_may_be_used_to_its_end;
                frames::more_credit_than_a_call_can_have_ends_the_connection;
                frames::messages_that_lie_about_their_length_end_the_connection;
                frames::a_message_in_parts_is_put_together;
                frames::parts_of_calls_mix;
                frames::metadata_by_text_and_by_number_is_read;
                calls::methods_and_formats_nobody_knows_are_unimplemented;
                calls::a_message_over_the_limit_is_refused_before_it_comes;
                calls::compressed_bombs_stop_at_the_limit;
                calls::messages_that_are_not_compressed_as_they_say_are_refused;
                calls::a_plain_message_in_a_compressed_call_is_fine;
                calls::requests_that_are_not_one_message_are_refused;
                calls::messages_that_are_damaged_or_nest_too_deep_are_refused;
                calls::metadata_over_the_limit_is_refused;
                calls::metadata_that_is_no_text_is_refused;
                calls::a_deadline_that_has_passed_ends_a_call_that_never_runs;
                calls::a_deadline_beyond_all_time_is_none;
                calls::a_deadline_ends_a_request_that_does_not_come;
                calls::panics_are_internal_also_in_mid_stream;
                calls::a_cancelled_call_drops_its_handler_and_frees_its_number;
                calls::data_after_the_last_is_ignored;
                calls::replies_nobody_grants_credit_for_wait_and_their_neighbours_do_not;
                calls::echoes_of_large_messages_are_right;
                slow::a_connection_without_calls_is_told_to_go_away;
                slow::a_connection_with_short_calls_is_not_idle;
                slow::a_connection_without_calls_that_will_not_go_away_is_closed;
                slow::a_connection_that_is_silent_after_its_handshake_stays;
                slow::a_peer_that_answers_no_ping_is_closed;
                slow::a_peer_that_answers_pings_stays;
                slow::a_half_closed_connection_is_over;
                slow::a_request_that_does_not_come_ends_without_its_handler;
                slow::a_request_of_empty_parts_stalls;
                slow::a_request_that_comes_in_small_parts_is_answered;
                slow::frames_byte_by_byte_are_frames;
                slow::a_frame_that_trickles_for_ever_does_not_keep_a_connection;
                slow::a_peer_that_reads_nothing_is_cut_off;
                slow::a_peer_that_reads_late_gets_everything;
                slow::a_thousand_idle_connections_keep_nobody_out;
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

suite!(tcp, Wire::Tcp);
suite!(unix, Wire::Unix);
