//! What idle connections and streams cost a server.

use std::fs;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::args::Options;
use crate::goals;
use crate::load::{Held, HoldJob, ServeJob, ServerAt};
use crate::machine::Facts;
use crate::peers::{Grpc, Peer, Tonic};
use crate::process::{self, Role, Worker};
use crate::stats::Spread;
use crate::text::{digits, table};

/// The name of the result file in the output folder.
pub(crate) const RESULT: &str = "memory-use.json";

/// Peers whose connections and streams can idle.
const NAMES: [&str; 2] = [Tonic::NAME, Grpc::NAME];
const COUNT: usize = 1000;

/// Everything a run found out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) facts: Facts,
    pub(crate) rounds: usize,
    /// How many were open at once.
    pub(crate) count: usize,
    pub(crate) peers: Vec<PeerReport>,
}

/// The cost of one idle thing at one peer's server, in KiB.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PeerReport {
    pub(crate) peer: String,
    pub(crate) connection: Spread,
    pub(crate) stream: Spread,
}

/// Measures, prints, and writes JSON.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut peers = Vec::new();
    for peer in NAMES.into_iter().filter(|name| options.includes(name)) {
        peers.push(PeerReport {
            peer: peer.to_owned(),
            connection: measure(peer, Held::Connections, options)?,
            stream: measure(peer, Held::Streams, options)?,
        });
    }
    let report = Report {
        facts: Facts::collect(),
        rounds: options.rounds,
        count: COUNT,
        peers,
    };
    println!(
        "\n{}\n{}",
        tabulate(&report),
        goals::tabulate(&goals::of_memory(&report))
    );
    fs::create_dir_all(&options.out)?;
    fs::write(
        options.out.join(RESULT),
        serde_json::to_string_pretty(&report)?,
    )?;
    Ok(())
}

fn measure(peer: &str, what: Held, options: &Options) -> Result<Spread> {
    let mut kibibytes = Vec::new();
    for round in 1..=options.rounds {
        let bytes = once(peer, what, options)?;
        eprintln!(
            "round {round}, {peer}, idle {what:?}: {} KiB each",
            digits(bytes / 1024.0)
        );
        kibibytes.push(bytes / 1024.0);
    }
    Spread::of(kibibytes).ok_or_else(|| "nothing was measured".into())
}

fn once(peer: &str, what: Held, options: &Options) -> Result<f64> {
    let (runtime, pinning) = (options.runtime, process::possible(options.pinning));
    let job = ServeJob {
        peer: peer.to_owned(),
        runtime,
    };
    let mut server = Worker::start(Role::Serve, &job, pinning)?;
    let at = ServerAt {
        address: server.line()?,
        pid: server.id(),
    };
    let job = HoldJob {
        peer: peer.to_owned(),
        runtime,
        server: at,
        what,
        count: COUNT,
    };
    let bytes = Worker::start(Role::Hold, &job, pinning)?.finish()?;
    Ok(serde_json::from_str(&bytes)?)
}

/// A row for each peer.
pub(crate) fn tabulate(report: &Report) -> String {
    let cell = |spread: &Spread| {
        format!(
            "{} ({} to {})",
            digits(spread.median),
            digits(spread.min),
            digits(spread.max)
        )
    };
    let rows = report.peers.iter().map(|peer| {
        vec![
            peer.peer.clone(),
            cell(&peer.connection),
            cell(&peer.stream),
        ]
    });
    table(
        &["peer", "KiB per idle connection", "KiB per idle stream"],
        &rows.collect::<Vec<_>>(),
    )
}
