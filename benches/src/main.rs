//! The measuring instrument of gufo: the same work done by gufo and by its peers, in one interleaved run.
//!
//! `cargo run --release -p gufo-benches -- rpc` measures calls. Server and load generator are separate
//! processes of this same binary, each pinned to a core of its own. Only ratios inside one run mean
//! anything; absolute numbers belong to the machine that is printed beside them.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool reports by printing"
)]

mod args;
mod build_time;
mod cast;
mod docs;
mod engine;
mod goals;
mod latency;
mod machine;
mod memory_use;
mod micro;
mod peers;
mod plot;
mod process;
mod report;
mod rpc;
mod scaling;
mod stats;
mod tables;
mod text;

use std::process::ExitCode;

pub(crate) use gufo_benches::Result;
use gufo_benches::worker;

const USAGE: &str = "\
usage: gufo-benches COMMAND [OPTION...]

commands
  rpc            unary echo and a bidi stream in a closed loop, every peer in one interleaved run
  latency        unary echo in an open loop: p50, p99, p99.9 at fixed rates and at half of each peer's peak
  scaling        curves over 1 to 512 connections, 1 to 10,000 calls in flight, 64 B to 1 MiB
  memory-use     what idle connections and streams cost the server, and 10,000 connections at once
  micro          codec, metadata, router, interceptors and memory://, one step at a time
  build-time     clean build of a small program on bare tonic and on the facade
  all            all of them, one after the other
  docs           only write docs/benchmarks.md from the results in DIR

options
  --quick        few peers and scenarios, short rounds: validates the harness in under three minutes,
                 do not quote its numbers
  --rounds N     rounds per scenario (rpc 5, latency 9, others 3; quick: fewer)
  --seconds S    measured seconds per scenario, peer and round
  --only A,B     measure only these peers; those of benches/peers are built when they are asked for
  --scenario S   measure only scenarios with S in their name, as in '64 B 64/'
  --runtime R    only this: current-thread (one thread each), multi-2 (two workers each, not pinned) or
                 per-core (the server has a runtime and a listener for each core, not pinned)
  --no-pin       leave server and client wherever the scheduler puts them
  --out DIR      where results are written (bench-results)
  --write-docs   write docs/benchmarks.md from all results in DIR";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // Not in the usage text: how this binary starts its own children.
    let outcome = worker::child(&peers::OWN, &words).unwrap_or_else(|| run(&words));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gufo-benches: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<()> {
    let Some((command, rest)) = words.split_first() else {
        return Err(format!("a command is missing\n\n{USAGE}").into());
    };
    if matches!(command.as_str(), "help" | "--help" | "-h") {
        println!("{USAGE}");
        return Ok(());
    }
    let options = args::Options::parse(rest).map_err(|error| format!("{error}\n\n{USAGE}"))?;
    let commands: &[fn(&args::Options) -> Result<()>] = match command.as_str() {
        "rpc" => &[rpc::run],
        "latency" => &[latency::run],
        "scaling" => &[scaling::run],
        "memory-use" => &[memory_use::run],
        "micro" => &[micro::run],
        "build-time" => &[build_time::run],
        "all" => &[
            rpc::run,
            latency::run,
            scaling::run,
            memory_use::run,
            micro::run,
            build_time::run,
        ],
        "docs" => &[],
        other => return Err(format!("unknown command '{other}'\n\n{USAGE}").into()),
    };
    // What fails is told at the end: the others are measured all the same.
    let failures: Vec<String> = commands
        .iter()
        .filter_map(|command| command(&options).err().map(|error| error.to_string()))
        .collect();
    if options.write_docs || command == "docs" {
        docs::write(&options.out)?;
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n").into())
    }
}
