//! The checks that run a tool of the toolchain; each shows its own output.

use super::Finding;
use crate::metadata::{Package, Workspace};
use crate::{Result, process};

/// `cargo fmt`.
pub(crate) fn fmt(workspace: &Workspace) -> Result<Finding> {
    cargo(workspace, &[&["fmt", "--all", "--check"]], &[])
}

/// clippy over everything; missing docs and `unwrap` in libraries are among its warnings.
pub(crate) fn clippy(workspace: &Workspace) -> Result<Finding> {
    let args = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ];
    cargo(workspace, &[&args], &[])
}

/// The documentation, with broken links as errors.
pub(crate) fn doc(workspace: &Workspace) -> Result<Finding> {
    let args = ["doc", "--workspace", "--no-deps", "--all-features"];
    cargo(workspace, &[&args], &[("RUSTDOCFLAGS", "-Dwarnings")])
}

/// Every published library with no feature, and with each of its features alone.
pub(crate) fn features(workspace: &Workspace) -> Result<Finding> {
    let runs: Vec<Vec<&str>> = workspace.published().flat_map(feature_runs).collect();
    let runs: Vec<&[&str]> = runs.iter().map(Vec::as_slice).collect();
    cargo(workspace, &runs, &[])
}

fn feature_runs(package: &Package) -> Vec<Vec<&str>> {
    let bare = vec![
        "check",
        "--quiet",
        "-p",
        &package.name,
        "--no-default-features",
    ];
    let alone = package
        .features
        .keys()
        .filter(|feature| *feature != "default");
    let alone = alone.map(|feature| [bare.as_slice(), &["--features", feature]].concat());
    std::iter::once(bare.clone()).chain(alone).collect()
}

fn cargo(workspace: &Workspace, runs: &[&[&str]], variables: &[(&str, &str)]) -> Result<Finding> {
    let failed = failures(runs, |args| {
        println!("        cargo {}", args.join(" "));
        let mut command = process::cargo(&workspace.root, args);
        process::succeeds(command.envs(variables.iter().copied()))
    })?;
    Ok(Finding::of(failed, || match runs {
        [_] => "passes".into(),
        runs => format!("{} builds", runs.len()),
    }))
}

/// Runs all commands, even after one failed: the next one may fail for another reason.
fn failures(
    runs: &[&[&str]],
    mut succeeds: impl FnMut(&[&str]) -> Result<bool>,
) -> Result<Vec<String>> {
    let mut failed = Vec::new();
    for args in runs {
        if !succeeds(args)? {
            failed.push(format!("`cargo {}` failed", args.join(" ")));
        }
    }
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_but_the_default_is_built_alone() {
        let features = ["default", "grpc", "http"].map(|feature| (feature.to_owned(), Vec::new()));
        let package = Package {
            name: "x".into(),
            features: features.into(),
            ..Package::default()
        };

        let ends: Vec<String> = feature_runs(&package)
            .iter()
            .map(|run| run[4..].join(" "))
            .collect();

        assert_eq!(
            ends,
            [
                "--no-default-features",
                "--no-default-features --features grpc",
                "--no-default-features --features http"
            ]
        );
    }

    #[test]
    fn a_command_that_fails_is_reported_and_the_next_one_still_runs() {
        let mut ran = 0;

        let failed = failures(&[&["check", "-p", "a"], &["check", "-p", "b"]], |args| {
            ran += 1;
            Ok(args[2] != "a")
        });

        assert_eq!(failed.unwrap(), ["`cargo check -p a` failed"]);
        assert_eq!(ran, 2);
    }
}
