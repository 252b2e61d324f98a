//! The list of checks: the one place that names them all.

use gufo_core::BoxFuture;

use super::{
    Verdict,
    bed::Bed,
    checks::{
        addresses, calls, cancel, deadlines, endings, formats, limits, load, memory, metadata,
        shutdown, state, streams,
    },
};

/// Hands the list to the macro `$then`: `number name "promise";`, by module.
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_checks {
    ($($then:tt)+) => {
        $($then)+! {
            calls {
                "T1" echo_with_headers "Body and headers come back unchanged.";
                "T2" handler_error_surfaces "A failing handler is an error with its code and message at the caller, never an empty success.";
                "T9" no_header_leak "Calls sharing a connection never see headers, ids or user metadata of another call.";
                "T10" unary "A unary call returns message, headers and trailers.";
                "T38" unknown_method "An unknown service or method gives `Unimplemented`.";
            }
            streams {
                "T5" send_while_receiving "Sending repeatedly while a receive is pending works.";
                "T11" stream_shapes "Client, server and bidirectional streams each deliver every message in order and end with status and trailers.";
                "T11" no_message_at_all "A stream without any message ends as regularly as another.";
                "T13" half_close "After the client half-closes, the server sees the end and can still send.";
                "T30" first_message_counts "The first message of a stream reaches the handler.";
                "T30" messages_arrive_as_they_are_sent "A message of a stream arrives without waiting for the next one.";
            }
            metadata {
                "T31" header_names_ignore_case "Header look-up ignores case.";
                "T31" metadata_survives "Binary values, several values of a name and every printable character survive, in both directions.";
                "E1" status_details_survive "Details and metadata of a status survive.";
            }
            deadlines {
                "T3" idle_receive_times_out "Receiving on an idle stream ends with the configured timeout.";
                "T14" deadline_on_both_sides "At the deadline the caller gets `DeadlineExceeded` and the handler is told.";
                "T14" deadline_in_mid_stream "The deadline covers the whole stream, not only its head.";
                "T14" past_deadline_is_not_sent "A call whose deadline has passed reaches no handler.";
            }
            cancel {
                "T15" cancel_reaches_peer "Dropping a call cancels the handler within settle.";
                "T15" cancel_before_the_head "Dropping a streaming call before its first answer cancels the handler within settle.";
                "T15" dropping_replies_cancels "Dropping the receiving half of a stream cancels the handler within settle.";
                "T15" dropping_replies_stops_requests "Dropping the receiving half of a stream stops the requests as well.";
            }
            endings {
                "T4" close_unblocks_receive "Closing while a receive is pending wakes it with an error.";
                "T20" failed_requests_are_not_an_end "Requests that fail at the client are an error at the server and never taken for a regular end.";
                "T20" dropped_call_is_not_an_end "The requests of a call that was given up are an error at the server and never taken for a regular end.";
                "T20" failed_replies_are_not_an_end "Replies that fail at the server give the client those before and then the status.";
                "T20" lost_server_is_not_an_end "A server that goes away in mid-stream is an error at the client and never taken for a regular end.";
                "T21" panic_is_internal "A panic in a handler gives `Internal`, also in mid-stream; other calls on the connection are untouched.";
                "T21" uncaught_panic_hangs_nobody "A panic that no guard catches ends its call and leaves the listener in order.";
                "T29" write_error_returned "A sender whose reader has gone is told, and never hangs.";
            }
            limits {
                "T16" oversize "A message over the limit gives `ResourceExhausted`, sending or receiving, and the connection stays usable.";
                "T16" oversize_in_mid_stream "A reply over the limit in mid-stream follows those before it as `ResourceExhausted`.";
                "T16" oversize_request_in_mid_stream "A request over the limit in mid-stream ends the call with `ResourceExhausted`.";
                "E12" request_metadata_over_the_limit "Request metadata over the limit gives `ResourceExhausted`, and the connection stays usable.";
                "E12" reply_metadata_over_the_limit "Reply metadata over the limit of the client fails the call, and the connection stays usable.";
                "E12" metadata_is_refused_before_it_is_sent "Metadata over the limit of its sender gives `ResourceExhausted`.";
                "T16" concurrent_calls_are_limited "Calls over the limit of a connection wait or are refused; they never run.";
            }
            formats {
                "SX7" every_format "Each call may choose its format, and is answered in it.";
                "SX7" registered_codec "A codec that both sides registered is used like a built-in one.";
                "SX7" unknown_codec "A codec the server does not know gives `Unimplemented`.";
                "K6" garbage_is_an_argument_error "A request that does not decode gives `InvalidArgument`, and the connection stays usable.";
                "T1" compression "A call that asks for compression gives what it gives without.";
                "K9" compressed_bomb "A compressed message over the limit gives `ResourceExhausted`, and the connection stays usable.";
            }
            load {
                "T6" pipelining_keeps_order "101 calls without waiting are each matched to their reply.";
                "T11" ten_thousand_in_order "Streams of 10,000 messages arrive complete and in order.";
                "T11" large_and_empty_messages "Messages of no byte and of a mebibyte survive in both directions.";
                "T12" thousand_concurrent "1000 concurrent calls all succeed.";
                "T28" slow_reader_of_replies "A client that does not read stops the handler at a bounded buffer; other calls keep moving.";
                "T28" slow_reader_of_requests "A handler that does not read stops the client at a bounded buffer; other calls keep moving.";
                "T36" concurrent_streams_isolated "Aborting or failing one stream leaves the others on the connection intact.";
            }
            addresses {
                "T8" port_rules "An address in use gives an error; port 0 picks one and the listener reports the real address.";
                "T17" refused "A refused connection gives `Unavailable`.";
                "T19" peer_identity "The handler sees its peer, and no identity that nobody verified.";
                "T22" handshake_off_the_accept_loop "A peer that never finishes its handshake delays no other accept and is cut after the handshake timeout.";
                "T22" unfinished_connect_delays_nobody "A client that stops in the middle of connecting delays no other.";
                "T27" half_open_detected "A peer that vanished without closing is noticed by keep-alive and calls end by their deadline.";
                "A10" accept_is_cancel_safe "Dropping an accept loses no peer.";
                "A11" url_is_used_or_refused "An unknown key of a URL gives `InvalidArgument`.";
            }
            state {
                "T25" honest_state "A connection to a server that is gone reports not ready within settle.";
                "T37" load_returns_to_zero "The number of calls in flight is zero when nothing runs, whatever way calls ended.";
                "T37" load_of_streams_returns_to_zero "The number of calls in flight is zero when nothing runs, whatever way streams ended.";
                "A9" drop_releases "After the last handle is dropped the server serves the peer no longer.";
            }
            shutdown {
                "T18" shutdown_drains "Shutdown refuses new calls as not begun and lets running ones finish.";
                "T18" idle_connections_do_not_hold_a_drain "A drain ends at once when nothing runs.";
                "T18" aborted_server_ends_calls "A server that is dropped ends at once, whatever its calls do.";
                "T39" graceful_close_loses_no_call "A call racing with the server's orderly close either completes or fails as safely repeatable.";
                "A8" close_lets_calls_finish "Closing twice is harmless; running calls finish and later ones are refused as not begun.";
            }
            memory {
                "T34" memory_has_no_socket "A transport inside the process opens no socket.";
                "T35" memory_skips_codec "Where both sides share the message type it is handed over, if declared; results equal the encoded path.";
                "T35" types_may_differ "Two sides that know a message by different types understand each other.";
            }
        }
    };
}

/// One `#[test]` per check; see the [module](crate::conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_suite {
    ($harness:expr) => {
        fn __check(name: &str) -> $crate::conformance::Verdict {
            $crate::conformance::verdict(name, $harness)
        }

        $crate::__transport_checks!($crate::conformance::__tests);
    };
}

type Run = fn(Bed) -> BoxFuture<'static, Verdict>;

macro_rules! run {
    ($check:path) => {
        |bed| Box::pin($check(bed))
    };
}

crate::__transport_checks!(gufo_core::__conformance_table);
