//! Tasks of the project: `cargo xtask tidy` and `cargo xtask test`.
//!
//! Start reading in [`mod@tidy`] for the checks and in [`mod@test`] for the test run and its table; the
//! rows of that table stand in `suites.rs`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a command-line program: it prints, blocks, and measures wall time"
)]

mod metadata;
mod process;
mod suites;
mod table;
mod test;
mod tidy;

use std::process::ExitCode;

/// What a task ends with: the text says what was attempted.
pub(crate) type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

const USAGE: &str = "\
usage: cargo xtask <task>

  tidy [--quick]              check edges, public types, licences, advisories, text, fmt, clippy,
                              docs and every feature alone; --quick leaves out what compiles
  test [--install] [filter]   build once, run everything, print the table of suites and backends;
                              --install first installs what is missing (apt packages, Python venv)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["tidy"] => tidy::run(tidy::Extent::Full),
        ["tidy", "--quick"] => tidy::run(tidy::Extent::Quick),
        ["test", rest @ ..] => test::Options::parse(rest).and_then(|options| test::run(&options)),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => Err(format!("unknown task `{}`\n\n{USAGE}", args.join(" ")).into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
