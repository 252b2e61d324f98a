//! What a clean build of a small program costs, on a bare tonic and on the facade.

mod children;
mod template;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::Result;
use crate::args::Options;
use crate::goals;
use crate::machine::Facts;
use crate::text::{digits, table};

/// The name of the result file in the output folder.
pub(crate) const RESULT: &str = "build-time.json";

/// Everything a run found out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) facts: Facts,
    pub(crate) profile: String,
    pub(crate) programs: Vec<ProgramReport>,
}

/// One clean build.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProgramReport {
    pub(crate) program: String,
    pub(crate) crates: usize,
    pub(crate) wall_seconds: f64,
    pub(crate) cpu_seconds: f64,
}

/// Builds every program once from nothing, prints, and writes JSON.
pub(crate) fn run(options: &Options) -> Result<()> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()?;
    let profile = if options.quick { "dev" } else { "release" };
    let mut programs = Vec::new();
    for program in template::PROGRAMS {
        eprintln!("building {} from nothing ({profile})", program.name);
        programs.push(build(&program, &workspace, profile)?);
    }
    let report = Report {
        facts: Facts::collect(&[]),
        profile: profile.to_owned(),
        programs,
    };
    println!(
        "\n{}\n{}",
        tabulate(&report),
        goals::summary(goals::of_builds(&report))
    );
    fs::create_dir_all(&options.out)?;
    fs::write(
        options.out.join(RESULT),
        serde_json::to_string_pretty(&report)?,
    )?;
    Ok(())
}

fn build(program: &template::Program, workspace: &Path, profile: &str) -> Result<ProgramReport> {
    let folder = workspace.join("target/build-time").join(program.name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    program.write(&folder, workspace)?;
    // The same versions as everywhere else: cargo drops what the program does not use.
    fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    cargo(&folder, &["fetch"])?;

    let used_before = children::ended_children_cpu_time()?;
    let started = Instant::now();
    cargo(
        &folder,
        &[
            "build",
            "--offline",
            "--quiet",
            "--profile",
            profile,
            "--target-dir",
            "built",
        ],
    )?;
    let wall_seconds = started.elapsed().as_secs_f64();
    let cpu_seconds = (children::ended_children_cpu_time()? - used_before).as_secs_f64();

    let tree = cargo(
        &folder,
        &[
            "tree",
            "--offline",
            "--prefix",
            "none",
            "--edges",
            "normal,build",
        ],
    )?;
    let mut crates: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(" (").next())
        .collect();
    crates.sort_unstable();
    crates.dedup();
    fs::remove_dir_all(&folder)?;
    Ok(ProgramReport {
        program: program.name.to_owned(),
        crates: crates.len(),
        wall_seconds,
        cpu_seconds,
    })
}

fn cargo(folder: &Path, words: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(folder)
        .args(words)
        .stderr(std::process::Stdio::inherit());
    // What a caller set for its own build must not leak into this one.
    command
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("CARGO_TARGET_DIR");
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("cargo {} ended with {}", words.join(" "), output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A row for each program, with ratios to the first.
pub(crate) fn tabulate(report: &Report) -> String {
    let Some(first) = report.programs.first() else {
        return String::new();
    };
    let rows = report.programs.iter().map(|program| {
        vec![
            program.program.clone(),
            program.crates.to_string(),
            digits(program.wall_seconds),
            digits(program.cpu_seconds),
            digits(program.wall_seconds / first.wall_seconds),
            digits(program.cpu_seconds / first.cpu_seconds),
        ]
    });
    let head = [
        "program",
        "crates",
        "wall s",
        "CPU s",
        "wall ratio",
        "CPU ratio",
    ];
    table(&head, &rows.collect::<Vec<_>>())
}
