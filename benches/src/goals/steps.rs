//! Goals of memory, single steps and builds.

use super::{Goal, Limit};
use crate::peers::{GRPC, NATIVE};
use crate::stats::Spread;
use crate::{build_time, memory_use, micro};

/// Idle connections and streams.
pub(crate) fn of_memory(report: &memory_use::Report) -> Vec<Goal> {
    let figure = |name: &str, figure: fn(&memory_use::PeerReport) -> &Option<Spread>| {
        let found = report.peers.iter().find(|peer| peer.peer == name)?;
        figure(found).clone()
    };
    vec![
        Goal::spread(
            format!("MiB resident on the server with 10,000 idle connections, {NATIVE}"),
            Limit::AtMost(100.0),
            figure(NATIVE, |peer| &peer.crowd),
        ),
        Goal::spread(
            format!("KiB of an idle connection on the server, {GRPC}"),
            Limit::AtMost(40.0),
            figure(GRPC, |peer| &peer.connection),
        ),
        Goal::spread(
            format!("KiB of an idle stream on the server, {GRPC}"),
            Limit::AtMost(16.0),
            figure(GRPC, |peer| &peer.stream),
        ),
    ]
}

/// Interceptors and calls in memory.
pub(crate) fn of_steps(report: &micro::Report) -> Vec<Goal> {
    let nanos = |name: &str| {
        let mut steps = report.groups.iter().flat_map(|group| &group.steps);
        steps
            .find(|step| step.name == name)
            .map(|step| step.nanos.median)
    };
    let mut goals = Vec::new();
    if let (Some(none), Some(empty), Some(one), Some(three)) = (
        nanos(micro::NO_CHAIN),
        nanos(&micro::chain_of(0)),
        nanos(&micro::chain_of(1)),
        nanos(&micro::chain_of(3)),
    ) {
        // The same code with and without an empty chain: all that is left is noise.
        let noise = Limit::AtMost(none * 0.1);
        goals.push(Goal::new(
            "ns that an empty interceptor chain adds",
            noise,
            empty - none,
        ));
        goals.push(Goal::new(
            "ns that one no-op interceptor adds",
            Limit::AtMost(100.0),
            one - none,
        ));
        goals.push(Goal::new(
            "ns that each of three no-op interceptors adds",
            Limit::AtMost(100.0),
            (three - none) / 3.0,
        ));
    }
    if let Some(call) = nanos(micro::IN_MEMORY) {
        goals.push(Goal::new(
            "ns of a unary call over memory://",
            Limit::AtMost(1000.0),
            call,
        ));
    }
    goals
}

/// The facade against the baseline.
pub(crate) fn of_builds(report: &build_time::Report) -> Vec<Goal> {
    let [baseline, facade] = report.programs.as_slice() else {
        return Vec::new();
    };
    let ratio = facade.wall_seconds / baseline.wall_seconds;
    vec![Goal::new(
        "clean build of the facade × bare tonic, wall time",
        Limit::AtMost(2.5),
        ratio,
    )]
}
