//! Child processes: cargo without the environment of this run, output shown and read at once.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::Result;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .parent()
        .expect("invariant: xtask lies one folder below the root")
        .to_path_buf()
}

/// A cargo command at the root, free of the variables that `cargo run` set for this program:
/// they would make build scripts that watch them run again.
pub(crate) fn cargo(root: &Path, args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root).args(args);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command with its output going to the terminal; true when it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    Ok(status(command.stdin(Stdio::null()).status(), command)?.success())
}

/// Runs a command and returns its standard output; standard error goes to the terminal.
pub(crate) fn stdout(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let output = output.map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        return Err(format!("`{}` ended with {}", shown(command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a command, prints both of its outputs in the order they were written, and hands every
/// line to `read`.
pub(crate) fn tee(mut command: Command, mut read: impl FnMut(&str)) -> Result<ExitStatus> {
    let (from, into) = std::io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(into.try_clone()?)
        .stderr(into);
    let mut child = command
        .spawn()
        .map_err(|error| cannot_start(&command, &error))?;
    // The command holds the writing ends; the pipe ends only once they are gone.
    drop(command);
    for line in BufReader::new(from).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        read(&line);
    }
    Ok(child.wait()?)
}

/// True when `program` can be found and answers `args` with success.
pub(crate) fn answers(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A duration as it stands in the reports: `4.2 s` or `3 min 07 s`.
pub(crate) fn took(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0..=99 => format!("{:.1} s", elapsed.as_secs_f64()),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

fn status(status: std::io::Result<ExitStatus>, command: &Command) -> Result<ExitStatus> {
    Ok(status.map_err(|error| cannot_start(command, &error))?)
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start `{}`: {error}", shown(command))
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words = program.file_name().into_iter().chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tee_reads_both_outputs_in_order() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo one; echo two >&2; echo three; exit 3"]);
        let mut lines = Vec::new();

        let status = tee(shell, |line| lines.push(line.to_owned())).unwrap();

        assert_eq!(lines, ["one", "two", "three"]);
        assert_eq!(status.code(), Some(3));
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_with_its_name() {
        let error = stdout(&mut Command::new("no-such-program-here")).unwrap_err();

        assert!(
            error.to_string().contains("no-such-program-here"),
            "{error}"
        );
    }
}
