//! Children: binaries with peers, pinned, and ended when their owner is dropped.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::Serialize;

use crate::Result;
use crate::args::Pinning;

/// The core of every server.
const SERVER_CORE: &str = "0";
/// The core of every load generator.
const CLIENT_CORE: &str = "1";
/// Takes as many descriptors as it may, then becomes the program: the id of the child is the id of the worker.
const ALL_DESCRIPTORS: &str = r#"ulimit -n "$(ulimit -Hn)"; exec "$@""#;

/// Which of the children a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Listens.
    Serve,
    /// Calls.
    Drive,
    /// Keeps open what it opened.
    Hold,
}

/// A running child. Dropping it ends it and waits for its end.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a binary in the given role.
    pub(crate) fn start(
        binary: &Path,
        role: Role,
        job: &impl Serialize,
        pinning: Pinning,
    ) -> Result<Self> {
        let (word, core) = match role {
            Role::Serve => ("serve", SERVER_CORE),
            Role::Drive => ("drive", CLIENT_CORE),
            Role::Hold => ("hold", CLIENT_CORE),
        };
        let mut command = Command::new("sh");
        command.args(["-c", ALL_DESCRIPTORS, "sh"]);
        if pinning == Pinning::Pinned {
            command.args(["taskset", "-c", core]);
        }
        // The pipe stays open as long as this process lives: its end is what ends an orphan.
        let mut child = command
            .arg(binary)
            .args([word, &serde_json::to_string(job)?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("starting a {word} process: {error}"))?;
        let output = child
            .stdout
            .take()
            .expect("invariant: the output was asked for as a pipe");
        Ok(Self {
            child,
            output: BufReader::new(output),
        })
    }

    /// Waits for one line of output.
    pub(crate) fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.trim_end() {
            "" => Err("the process ended before it was ready".into()),
            line => Ok(line.to_owned()),
        }
    }

    /// Waits for the end of the process and returns all it said.
    pub(crate) fn finish(mut self) -> Result<String> {
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        let status = self.child.wait()?;
        if status.success() {
            Ok(text)
        } else {
            Err(format!("the process ended with {status}").into())
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail only when the child has ended already, which is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pinning as far as this machine can do it.
pub(crate) fn possible(wanted: Pinning) -> Pinning {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let taskset = env::split_paths(&path).any(|folder| folder.join("taskset").is_file());
    if cores >= 2 && taskset {
        wanted
    } else {
        Pinning::Free
    }
}
