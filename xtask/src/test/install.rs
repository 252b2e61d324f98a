//! What a fresh Debian machine with Rust still lacks: asked for by running it, not by name.

use std::path::Path;
use std::process::Command;

use super::python;
use crate::{Result, process};

/// A program, how to ask whether it works, and the packages that bring it.
struct Program {
    name: &'static str,
    asked: &'static [&'static str],
    packages: &'static [&'static str],
}

const PROGRAMS: &[Program] = &[
    Program {
        name: "cc",
        asked: &["--version"],
        packages: &["gcc", "libc6-dev"],
    },
    Program {
        name: "curl",
        asked: &["--version"],
        packages: &["curl"],
    },
    Program {
        name: "git",
        asked: &["--version"],
        packages: &["git"],
    },
    Program {
        name: "python3",
        asked: &["--version"],
        packages: &["python3"],
    },
    Program {
        name: "python3",
        asked: &["-c", "import ensurepip, venv"],
        packages: &["python3-venv"],
    },
];

/// Installs what is missing.
pub(super) fn run(root: &Path) -> Result<()> {
    let missing = missing(PROGRAMS, |program| {
        process::answers(program.name, program.asked)
    });
    if missing.is_empty() {
        println!("packages: nothing is missing");
    } else {
        println!("packages to install: {}", missing.join(" "));
        apt(&["update"])?;
        apt(&[
            &["install", "--yes", "--no-install-recommends"],
            missing.as_slice(),
        ]
        .concat())?;
    }
    python::install(root)
}

fn missing(programs: &[Program], answers: impl Fn(&Program) -> bool) -> Vec<&str> {
    programs
        .iter()
        .filter(|program| !answers(program))
        .flat_map(|program| program.packages.iter().copied())
        .collect()
}

fn apt(args: &[&str]) -> Result<()> {
    let is_root = process::stdout(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = if is_root {
        Command::new("apt-get")
    } else {
        let mut command = Command::new("sudo");
        command.args(["--non-interactive", "apt-get"]);
        command
    };
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
    if process::succeeds(&mut command)? {
        Ok(())
    } else {
        Err(format!(
            "`apt-get {}` failed: install these packages by hand, or run as root",
            args.join(" ")
        )
        .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_of_programs_that_do_not_answer_are_installed() {
        let found = missing(PROGRAMS, |program| program.name != "python3");

        assert_eq!(found, ["python3", "python3-venv"]);
    }
}
