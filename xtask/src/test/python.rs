//! The Python the interop tests use: a virtual environment below `target`.

use std::path::Path;
use std::process::Command;

use crate::{Result, process};

const REQUIREMENTS: &str = "tests/python/requirements.txt";
const VENV: &str = "target/python-venv";
/// A copy of the requirements that were installed, written last.
const STAMP: &str = "installed.txt";

/// Makes the virtual environment, or brings it up to date.
pub(super) fn install(root: &Path) -> Result<()> {
    if is_current(root)? {
        println!("{VENV}: up to date");
        return Ok(());
    }
    let venv = root.join(VENV);
    // A half-made environment can lack pip: start over.
    if venv.exists() {
        std::fs::remove_dir_all(&venv)?;
    }
    must(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    must(
        Command::new(venv.join("bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--progress-bar",
                "off",
                "--requirement",
            ])
            .arg(root.join(REQUIREMENTS)),
    )?;
    std::fs::copy(root.join(REQUIREMENTS), venv.join(STAMP))?;
    Ok(())
}

/// True when the environment has what the requirements ask for.
fn is_current(root: &Path) -> Result<bool> {
    let wanted = std::fs::read_to_string(root.join(REQUIREMENTS))
        .map_err(|error| format!("cannot read {REQUIREMENTS}: {error}"))?;
    let venv = root.join(VENV);
    let installed = std::fs::read_to_string(venv.join(STAMP)).unwrap_or_default();
    Ok(installed == wanted && venv.join("bin/python").is_file())
}

fn must(command: &mut Command) -> Result<()> {
    if process::succeeds(command)? {
        Ok(())
    } else {
        Err(format!("{command:?} failed").into())
    }
}
