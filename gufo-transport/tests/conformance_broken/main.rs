//! Deliberately broken transports: wrappers around memory, each caught by the check named for it.

mod connection;
mod fault;
mod messages;
mod server;
mod transport;

use std::sync::Arc;

use gufo_transport::conformance::{CHECKS, Check, Failure, Outcome, run, run_check};

use self::{fault::Fault, transport::Broken};

fn check(name: &str) -> Check {
    *CHECKS
        .iter()
        .find(|check| check.name == name)
        .unwrap_or_else(|| panic!("there is no check {name}"))
}

async fn verdict(fault: Fault, name: &str) -> Result<Outcome, Failure> {
    run_check(check(name), Arc::new(Broken::new(fault))).await
}

/// One test per fault; `PROVED` lists the checks that catch something.
macro_rules! caught {
    ($($name:ident: $fault:ident => $($check:literal),+;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                for check in [$($check),+] {
                    let verdict = verdict(Fault::$fault, check).await;
                    assert!(verdict.is_err(), "{check} passes with {:?}", Fault::$fault);
                }
            }
        )*

        const PROVED: &[&str] = &[$($($check),+),*];
    };
}

caught! {
    metadata_of_requests_is_dropped: RequestMetadataDropped
        => "calls::echo_with_headers", "metadata::header_names_ignore_case";
    errors_are_empty_successes: ErrorsSwallowed => "calls::handler_error_surfaces";
    headers_leak_into_the_next_call: HeadersLeak => "calls::no_header_leak";
    trailers_are_dropped: TrailersDropped => "calls::unary", "streams::stream_shapes";
    refusals_of_the_unknown_are_internal: UnknownIsInternal
        => "calls::unknown_method", "formats::unknown_codec";

    one_side_at_a_time: HalfDuplex => "streams::messages_arrive_as_they_are_sent";
    a_request_waits_for_a_reply: LockStep => "streams::send_while_receiving";
    the_last_reply_is_lost: LastReplyLost => "streams::stream_shapes";
    an_empty_stream_is_an_error: EmptyIsAnError => "streams::no_message_at_all";
    the_end_of_requests_is_not_told: EndNotTold => "streams::half_close";
    the_first_request_is_lost: FirstRequestLost => "streams::first_message_counts";

    binary_metadata_is_dropped: BinaryDropped => "metadata::metadata_survives";
    details_are_dropped: DetailsDropped => "metadata::status_details_survive";

    the_deadline_is_not_told: DeadlineNotTold => "deadlines::deadline_on_both_sides";
    the_deadline_stops_at_the_head: DeadlineOfTheHead => "deadlines::deadline_in_mid_stream";

    a_dropped_call_runs_on: UnaryRunsOn => "cancel::cancel_reaches_peer";
    a_dropped_stream_opens_anyway: OpeningRunsOn => "cancel::cancel_before_the_head";
    dropped_replies_are_read_on: RepliesReadOn => "cancel::dropping_replies_cancels";
    requests_nobody_wants_are_read_on: RequestsReadOn
        => "cancel::dropping_replies_stops_requests", "endings::write_error_returned";

    an_aborted_request_stream_ends_well: RequestAbortIsAnEnd
        => "endings::failed_requests_are_not_an_end", "endings::dropped_call_is_not_an_end";
    an_aborted_reply_stream_ends_well: ReplyAbortIsAnEnd
        => "endings::failed_replies_are_not_an_end";
    a_server_that_is_gone_is_not_noticed: AbortUnnoticed
        => "endings::close_unblocks_receive", "endings::lost_server_is_not_an_end",
           "shutdown::aborted_server_ends_calls";
    a_panic_truncates_a_stream: PanicTruncates => "endings::panic_is_internal";
    a_panic_hangs_its_caller: PanicHangs => "endings::uncaught_panic_hangs_nobody";

    limits_are_ignored: LimitsIgnored
        => "limits::oversize", "limits::oversize_in_mid_stream",
           "limits::oversize_request_in_mid_stream", "limits::request_metadata_over_the_limit",
           "limits::reply_metadata_over_the_limit",
           "limits::metadata_is_refused_before_it_is_sent",
           "limits::concurrent_calls_are_limited", "formats::compressed_bomb";

    every_call_is_protobuf: OneFormat => "formats::every_format";
    registered_codecs_are_refused: NoCustomCodecs => "formats::registered_codec";
    garbage_is_internal: GarbageIsInternal => "formats::garbage_is_an_argument_error";
    compressed_calls_are_corrupted: CompressionCorrupts => "formats::compression";

    replies_are_mixed_up: RepliesMixedUp => "load::pipelining_keeps_order";
    many_calls_are_too_many: Congested => "load::thousand_concurrent";
    messages_are_reordered: Reorders => "load::ten_thousand_in_order";
    large_messages_are_cut: LargeCut => "load::large_and_empty_messages";
    replies_are_buffered_without_bound: EagerReplies => "load::slow_reader_of_replies";
    requests_are_buffered_without_bound: EagerRequests => "load::slow_reader_of_requests";
    one_failure_fails_all: OneFailsAll => "load::concurrent_streams_isolated";

    an_address_in_use_is_shared: AddressShared => "addresses::port_rules";
    connecting_to_nobody_hangs: RefusedHangs => "addresses::refused";
    a_stated_identity_is_believed: IdentityMadeUp => "addresses::peer_identity";
    peers_are_accepted_one_at_a_time: OneAtATime => "addresses::handshake_off_the_accept_loop";
    the_handshake_is_in_the_accept_loop: HandshakeInAccept
        => "addresses::unfinished_connect_delays_nobody";
    connecting_ignores_its_deadline: ConnectIgnoresDeadline => "addresses::half_open_detected";
    a_dropped_accept_loses_a_peer: AcceptLosesPeer => "addresses::accept_is_cancel_safe";
    unknown_keys_are_ignored: KeysIgnored => "addresses::url_is_used_or_refused";

    a_lost_connection_says_it_is_ready: StateLies => "state::honest_state";
    calls_in_flight_are_never_uncounted: CountLeaks
        => "state::load_returns_to_zero", "state::load_of_streams_returns_to_zero";
    dropped_connections_stay: KeptForEver => "state::drop_releases";

    a_drain_is_ignored: DrainIgnored => "shutdown::shutdown_drains";
    a_drain_kills_running_calls: DrainKills => "shutdown::shutdown_drains";
    a_drain_waits_for_ever: DrainForEver => "shutdown::idle_connections_do_not_hold_a_drain";
    a_refusal_does_not_say_that_nothing_began: RefusalUnclear
        => "shutdown::graceful_close_loses_no_call";
    closing_kills_running_calls: CloseKills => "shutdown::close_lets_calls_finish";
    closing_does_nothing: CloseIgnored => "shutdown::close_lets_calls_finish";

    memory_opens_a_socket: OpensSocket => "memory::memory_has_no_socket";
    memory_encodes_what_it_says_it_hands_over: EncodesSecretly => "memory::memory_skips_codec";
    values_of_another_type_are_lost: ValuesLost => "memory::types_may_differ";
}

/// Promises that core's `Call` keeps on its own: no transport can break them.
const KEPT_BY_CORE: &[&str] = &[
    "deadlines::idle_receive_times_out",
    "deadlines::past_deadline_is_not_sent",
];

#[test]
fn every_check_catches_something() {
    let unproved: Vec<_> = CHECKS
        .iter()
        .map(|check| check.name)
        .filter(|name| !PROVED.contains(name) && !KEPT_BY_CORE.contains(name))
        .collect();

    assert!(unproved.is_empty(), "nothing proves {unproved:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wrapper_without_a_fault_passes() {
    let report = run(Arc::new(Broken::new(Fault::None))).await;

    assert_eq!(report.failed().count(), 0, "{report}");
}
