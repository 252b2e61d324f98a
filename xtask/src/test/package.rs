//! `cargo package`: every published crate builds from its package, against the packages of the
//! others.

use std::path::{Path, PathBuf};

use super::seen::{Outcome, Seen};
use super::steps::{Run, seen_step};
use crate::{Result, process};

/// A target folder of its own: see [`forget`].
const TARGET: &str = "target/packages";

/// Packages the published crates and builds each.
pub(super) fn run(run: &Run) -> Result<Vec<Seen>> {
    let crates: Vec<_> = run.workspace.published().collect();
    let names: Vec<&str> = crates.iter().map(|package| package.name.as_str()).collect();
    let versioned: Vec<String> = crates
        .iter()
        .map(|package| format!("{}-{}", package.name, package.version))
        .collect();
    forget(
        &run.workspace.root.join(TARGET),
        cargo_home(),
        &names,
        &versioned,
    )?;

    let mut args = vec!["package", "--allow-dirty", "--target-dir", TARGET];
    names.iter().for_each(|name| args.extend(["-p", name]));
    let mut command = run.cargo(&args);
    // Nobody debugs these builds.
    command.env("CARGO_PROFILE_DEV_DEBUG", "none");
    let passed = process::succeeds(&mut command)?;
    let whole = if passed {
        names.as_slice()
    } else {
        &["cargo package"]
    };
    let outcome = if passed {
        Outcome::Passed
    } else {
        Outcome::Failed
    };
    Ok(whole
        .iter()
        .map(|name| seen_step("package", name, outcome.clone()))
        .collect())
}

/// Forgets what an earlier run left. Cargo takes our packages for released crates, which never
/// change under the same version: it would neither unpack them again below its home nor build
/// them again.
fn forget(
    target: &Path,
    home: Option<PathBuf>,
    names: &[&str],
    versioned: &[String],
) -> Result<()> {
    let is_ours = |name: &str| names.iter().any(|own| name.starts_with(&format!("{own}-")));
    remove(&target.join("debug/.fingerprint"), is_ours)?;
    let Some(home) = home else { return Ok(()) };
    for registry in folders(&home.join("registry/src"))? {
        // A registry without a host is one that `cargo package` made up.
        if registry
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('-'))
        {
            remove(&registry, |name| versioned.iter().any(|own| own == name))?;
        }
    }
    Ok(())
}

fn cargo_home() -> Option<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))
}

fn remove(folder: &Path, is_ours: impl Fn(&str) -> bool) -> Result<()> {
    for path in folders(folder)? {
        if path
            .file_name()
            .is_some_and(|name| is_ours(&name.to_string_lossy()))
        {
            std::fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

/// The folders in a folder; none when it is not there.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_run_left_of_our_crates_is_forgotten() {
        let place = std::env::temp_dir().join(format!("xtask-package-{}", std::process::id()));
        let kept = [
            "target/debug/.fingerprint/gufonaut-1",
            "target/debug/.fingerprint/tokio-1",
            "home/registry/src/-12/gufo-0.2.0",
            "home/registry/src/index-34/gufo-0.1.0",
        ];
        let gone = [
            "target/debug/.fingerprint/gufo-1",
            "home/registry/src/-12/gufo-0.1.0",
        ];
        for folder in kept.iter().chain(&gone) {
            std::fs::create_dir_all(place.join(folder)).unwrap();
        }

        forget(
            &place.join("target"),
            Some(place.join("home")),
            &["gufo"],
            &["gufo-0.1.0".into()],
        )
        .unwrap();

        let left = |folders: &[&str]| {
            folders
                .iter()
                .filter(|folder| place.join(folder).exists())
                .count()
        };
        let (kept, gone) = (left(&kept), left(&gone));
        std::fs::remove_dir_all(&place).unwrap();
        assert_eq!((kept, gone), (4, 0));
    }
}
