//! Proxies that are each wrong in one way: if a check is happy with one, the check is worth nothing.

use std::{future::Future, num::NonZeroU64, pin::Pin, time::Duration};

use gufo_testkit::proxy::{After, Connecting, Counts, Direction, Faults, Flow, Step};

use crate::{
    bed::{Bed, Wrong},
    carrying, doors, endings, flows, scripts, shapes, times,
};

type Check = fn(Bed) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// A check, as a function whose future has no name.
macro_rules! check {
    ($($path:tt)*) => {
        (|bed| Box::pin($($path)*(bed))) as Check
    };
}

/// How often a check may be happy before it is taken at its word. A busy machine is slow enough by
/// itself to pass for a proxy that is too fast; once in so many times it is not.
const TRIES: usize = 50;

/// Each check fails on a proxy that is wrong so.
async fn are_caught(wrong: Wrong, checks: &[Check]) {
    let checked: Vec<_> = checks
        .iter()
        .map(|check| (check, tokio::spawn(check(Bed::wrong(wrong)))))
        .collect();
    for (index, (check, mut running)) in checked.into_iter().enumerate() {
        let mut tries = 1;
        while !running.await.is_err_and(|error| error.is_panic()) {
            assert!(tries < TRIES, "check {index} is happy with it");
            tries += 1;
            running = tokio::spawn(check(Bed::wrong(wrong)));
        }
    }
}

const fn step(step: fn(Step) -> Option<Step>) -> Wrong {
    Wrong { step, ..Wrong::NOT }
}

const fn counts(counts: fn(&mut Counts)) -> Wrong {
    Wrong {
        counts,
        ..Wrong::NOT
    }
}

/// Changes what faults are set to.
fn faults(step: Step, change: impl FnOnce(&mut Faults)) -> Option<Step> {
    Some(match step {
        Step::Faults(direction, mut faults) => {
            change(&mut faults);
            Step::Faults(direction, faults)
        }
        other => other,
    })
}

macro_rules! broken {
    ($($name:ident: $wrong:expr => $($checks:expr),+;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                are_caught($wrong, &[$($checks),+]).await;
            }
        )*
    };
}

broken! {
    one_that_ignores_faults_altogether:
        step(|step| faults(step, |faults| *faults = Faults::default())) =>
        check!(times::latency_keeps_bytes_back_in_its_direction),
        check!(times::jitter_keeps_some_back_and_others_not),
        check!(times::bandwidth_takes_its_time),
        check!(times::a_gap_follows_each_slice),
        check!(times::a_slow_close_is_later_than_bytes),
        check!(shapes::slices_are_as_many_as_they_must_be),
        check!(shapes::a_flip_changes_one_bit_at_its_place),
        check!(shapes::a_share_of_connections_is_befallen),
        check!(shapes::faults_act_together),
        check!(flows::a_black_hole_swallows_bytes_in_its_direction_only),
        check!(flows::a_black_hole_swallows_what_comes_down),
        check!(flows::a_black_hole_tells_nobody_of_an_end),
        check!(flows::a_black_hole_tells_nobody_of_a_reset),
        check!(flows::a_pause_holds_everything_and_loses_nothing),
        check!(flows::what_is_held_is_bounded_and_then_nothing_more_is_read),
        check!(endings::a_cut_comes_after_its_bytes_and_not_one_more),
        check!(endings::a_cut_may_be_a_reset),
        check!(endings::a_cut_may_be_a_half_close),
        check!(endings::a_cut_may_be_silent),
        check!(endings::a_cut_after_no_byte_is_at_the_begin),
        check!(endings::a_cut_may_come_after_some_time),
        check!(scripts::a_script_sets_and_lifts_faults);

    one_that_takes_one_direction_for_the_other:
        step(|step| Some(match step {
            Step::Faults(direction, faults) => Step::Faults(direction.opposite(), faults),
            Step::HalfClose(direction) => Step::HalfClose(direction.opposite()),
            Step::Bytes(direction, count) => Step::Bytes(direction.opposite(), count),
            Step::Arrival(direction) => Step::Arrival(direction.opposite()),
            other => other,
        })) =>
        check!(times::latency_keeps_bytes_back_in_its_direction),
        check!(shapes::slices_are_as_many_as_they_must_be),
        check!(shapes::a_flip_changes_one_bit_at_its_place),
        check!(flows::a_black_hole_swallows_bytes_in_its_direction_only),
        check!(flows::a_black_hole_swallows_what_comes_down),
        check!(endings::a_half_close_up_lets_answers_come_down),
        check!(endings::a_half_close_down_lets_questions_go_up),
        check!(scripts::after_connections_and_bytes_comes_a_reset),
        check!(scripts::a_reply_can_be_cut_off_before_its_first_byte);

    one_that_is_only_half_as_slow:
        step(|step| match step {
            Step::Elapsed(time) => Some(Step::Elapsed(time / 2)),
            Step::Connecting(mut how) => {
                how.delay /= 2;
                Some(Step::Connecting(how))
            }
            step => faults(step, |faults| {
                faults.latency /= 2;
                faults.close_delay /= 2;
                faults.bandwidth = faults.bandwidth.and_then(|rate| NonZeroU64::new(rate.get() * 2));
                if let Some(slices) = &mut faults.slices {
                    slices.gap /= 2;
                }
                if let Some(cut) = &mut faults.cut && let After::Time(time) = &mut cut.after {
                    *time /= 2;
                }
            }),
        }) =>
        check!(times::latency_keeps_bytes_back_in_its_direction),
        check!(times::bandwidth_takes_its_time),
        check!(times::a_gap_follows_each_slice),
        check!(times::a_slow_close_is_later_than_bytes),
        check!(times::a_slow_connection_is_made_later),
        check!(endings::a_cut_may_come_after_some_time),
        check!(scripts::a_script_waits_for_time);

    one_whose_latency_outlives_its_end:
        step(|step| (step != Step::Heal).then_some(step)) =>
        check!(times::a_latency_that_ends_lets_go_what_it_kept),
        check!(flows::a_pause_holds_everything_and_loses_nothing);

    one_that_has_constant_latency_in_place_of_jitter:
        step(|step| faults(step, |faults| {
            faults.latency += std::mem::take(&mut faults.jitter);
        })) =>
        check!(times::jitter_keeps_some_back_and_others_not);

    one_whose_pause_loses:
        step(|step| faults(step, |faults| if faults.flow == Flow::Hold {
            faults.flow = Flow::Swallow;
        })) =>
        check!(flows::a_pause_holds_everything_and_loses_nothing),
        check!(flows::what_is_held_is_bounded_and_then_nothing_more_is_read);

    one_whose_black_hole_only_holds:
        step(|step| faults(step, |faults| if faults.flow == Flow::Swallow {
            faults.flow = Flow::Hold;
        })) =>
        check!(flows::a_black_hole_swallows_bytes_in_its_direction_only),
        check!(flows::a_black_hole_swallows_what_comes_down),
        check!(scripts::a_script_sets_and_lifts_faults);

    one_whose_black_hole_tells_of_ends:
        step(|step| match step {
            Step::Faults(direction, faults) if faults.flow == Flow::Swallow =>
                Some(Step::HalfClose(direction)),
            other => Some(other),
        }) =>
        check!(flows::a_black_hole_tells_nobody_of_an_end),
        check!(flows::a_black_hole_tells_nobody_of_a_reset);

    one_whose_slices_are_too_large:
        step(|step| faults(step, |faults| if let Some(slices) = &mut faults.slices {
            slices.size += 1;
        })) =>
        check!(shapes::slices_are_as_many_as_they_must_be);

    one_that_flips_the_neighbour:
        step(|step| faults(step, |faults| for flip in &mut faults.flips {
            flip.offset += 1;
        })) =>
        check!(shapes::a_flip_changes_one_bit_at_its_place),
        check!(doors::a_duplicate_sees_the_same_bytes_and_its_answers_are_dropped);

    one_that_flips_another_bit:
        step(|step| faults(step, |faults| for flip in &mut faults.flips {
            flip.mask = flip.mask.rotate_left(1);
        })) =>
        check!(shapes::a_flip_changes_one_bit_at_its_place);

    one_that_spares_nobody:
        step(|step| faults(step, |faults| faults.share = 1.0)) =>
        check!(shapes::a_share_of_connections_is_befallen);

    one_that_closes_in_place_of_a_reset:
        step(|step| Some(if step == Step::Reset { Step::Close } else { step })) =>
        check!(endings::a_reset_is_one_at_both_ends_of_every_connection),
        check!(doors::a_duplicate_is_reset_with_its_connection),
        check!(scripts::after_connections_and_bytes_comes_a_reset),
        check!(scripts::a_reply_can_be_cut_off_before_its_first_byte);

    one_that_resets_in_place_of_a_close:
        step(|step| Some(if step == Step::Close { Step::Reset } else { step })) =>
        check!(endings::a_close_is_an_orderly_end_at_both_ends),
        check!(scripts::a_script_waits_for_time);

    one_that_closes_in_place_of_a_half_close:
        step(|step| Some(match step {
            Step::HalfClose(_) => Step::Close,
            other => other,
        })) =>
        check!(endings::a_half_close_up_lets_answers_come_down),
        check!(endings::a_half_close_down_lets_questions_go_up);

    one_that_cuts_a_byte_too_late:
        step(|step| faults(step, |faults| if let Some(cut) = &mut faults.cut
            && let After::Bytes(bytes) = &mut cut.after
        {
            *bytes += 1;
        })) =>
        check!(endings::a_cut_comes_after_its_bytes_and_not_one_more),
        check!(endings::a_cut_may_be_a_reset),
        check!(endings::a_cut_may_be_a_half_close),
        check!(endings::a_cut_may_be_silent),
        check!(endings::a_cut_after_no_byte_is_at_the_begin);

    one_that_does_not_refuse:
        step(|step| (step != Step::Refuse).then_some(step)) =>
        check!(doors::a_closed_port_refuses_newcomers_and_keeps_who_is_in),
        check!(scripts::a_script_closes_and_opens_the_door);

    one_that_resets_where_it_should_refuse:
        step(|step| Some(if step == Step::Refuse { Step::Reset } else { step })) =>
        check!(doors::a_closed_port_refuses_newcomers_and_keeps_who_is_in);

    one_that_never_listens_again:
        step(|step| (step != Step::Listen).then_some(step)) =>
        check!(doors::a_closed_port_refuses_newcomers_and_keeps_who_is_in),
        check!(scripts::a_script_closes_and_opens_the_door);

    one_that_connects_as_ever:
        step(|step| (!matches!(step, Step::Connecting(Connecting { .. }))).then_some(step)) =>
        check!(times::a_slow_connection_is_made_later),
        check!(doors::a_duplicate_sees_the_same_bytes_and_its_answers_are_dropped),
        check!(doors::new_connections_go_where_the_proxy_is_told);

    one_whose_script_counts_wrong:
        step(|step| Some(match step {
            Step::Connections(count) => Step::Connections(count - 1),
            Step::Bytes(direction, count) => Step::Bytes(direction, count + 1),
            other => other,
        })) =>
        check!(scripts::after_connections_and_bytes_comes_a_reset),
        check!(scripts::a_script_sets_and_lifts_faults);

    one_that_plays_once_where_it_should_repeat:
        step(|step| (!matches!(step, Step::Repeat(_))).then_some(step)) =>
        check!(scripts::a_reply_can_be_cut_off_before_its_first_byte);

    one_that_counts_nothing:
        counts(|counts| *counts = Counts::default()) =>
        check!(carrying::bytes_and_ends_go_both_ways),
        check!(carrying::a_reset_of_either_end_reaches_the_other),
        check!(shapes::slices_are_as_many_as_they_must_be),
        check!(shapes::a_flip_changes_one_bit_at_its_place),
        check!(endings::a_half_close_up_lets_answers_come_down),
        check!(endings::a_half_close_down_lets_questions_go_up),
        check!(doors::a_closed_port_refuses_newcomers_and_keeps_who_is_in);

    one_that_counts_faults_it_has_not:
        counts(|counts| {
            for direction in Direction::BOTH {
                let lane = match direction {
                    Direction::Up => &mut counts.up,
                    Direction::Down => &mut counts.down,
                };
                lane.flips += 1;
                lane.slices += 1;
                lane.delayed += 1;
                lane.swallowed += 1;
            }
            counts.resets += 1;
        }) =>
        check!(carrying::bytes_and_ends_go_both_ways),
        check!(carrying::a_reset_of_either_end_reaches_the_other),
        check!(shapes::slices_are_as_many_as_they_must_be),
        check!(shapes::a_flip_changes_one_bit_at_its_place),
        check!(times::latency_keeps_bytes_back_in_its_direction);
}

/// Slowness beyond any patience ends checks too.
#[tokio::test]
async fn one_that_is_endlessly_slow() {
    let slow = step(|step| faults(step, |faults| faults.latency = Duration::MAX));

    let check = check!(shapes::slices_are_as_many_as_they_must_be);
    are_caught(slow, &[check]).await;
}
