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
mod docs;
mod driver;
mod goals;
mod hold;
mod load;
mod machine;
mod memory_use;
mod micro;
mod peers;
mod plot;
mod process;
mod procfs;
mod report;
mod rpc;
mod scenario;
mod stats;
mod tables;
mod text;
mod worker;

use std::process::ExitCode;

/// What goes wrong in a measurement is told to a person, so text is enough.
pub(crate) type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

const USAGE: &str = "\
usage: gufo-benches COMMAND [OPTION...]

commands
  rpc            unary echo and a bidi stream, every peer in one interleaved run
  memory-use     what 1,000 idle connections and 1,000 idle streams cost the server, each
  micro          codec, metadata, router, interceptors and memory://, one step at a time
  build-time     clean build of a small program on bare tonic and on the facade

options
  --quick        short rounds: validates the harness in under three minutes, do not quote its numbers
  --rounds N     rounds per scenario (5; quick: 3)
  --seconds S    measured seconds per scenario, peer and round (1.5; quick: 0.25)
  --only A,B     measure only these peers
  --scenario S   measure only scenarios with S in their name, as in '64 B 64/'
  --runtime R    current (one thread each, default) or multi (two workers each, not pinned)
  --no-pin       leave server and client wherever the scheduler puts them
  --out DIR      where results are written (bench-results)
  --write-docs   write docs/benchmarks.md from all results in DIR";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
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
    // Not in the usage text: how this binary starts its own children.
    match (command.as_str(), rest) {
        ("serve", [job]) => return worker::serve(&serde_json::from_str(job)?),
        ("drive", [job]) => return worker::drive(&serde_json::from_str(job)?),
        ("hold", [job]) => return worker::hold(&serde_json::from_str(job)?),
        _ => {}
    }
    if matches!(command.as_str(), "help" | "--help" | "-h") {
        println!("{USAGE}");
        return Ok(());
    }
    let options = args::Options::parse(rest).map_err(|error| format!("{error}\n\n{USAGE}"))?;
    match command.as_str() {
        "rpc" => rpc::run(&options)?,
        "memory-use" => memory_use::run(&options)?,
        "micro" => micro::run(&options)?,
        "build-time" => build_time::run(&options)?,
        other => return Err(format!("unknown command '{other}'\n\n{USAGE}").into()),
    }
    if options.write_docs {
        docs::write(&options.out)?;
    }
    Ok(())
}
