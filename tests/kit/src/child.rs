//! The service in a process of its own, so that its memory and descriptors are its own too.

use std::{io, net::SocketAddr, process::Stdio};

use gufo_core::ListenOptions;
use gufo_server::ServerOptions;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{ChildStdin, Command},
};

use crate::{Probe, serve_with, within};

/// A server in a process of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    // The child serves until its end.
    _stdin: ChildStdin,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Serves until standard input ends, after a line with the address: the `main` of the program
/// [`Child::start`] is given.
///
/// # Errors
/// When the standard streams cannot be used.
pub async fn announce() -> io::Result<()> {
    let target = serve_with(ListenOptions::default(), ServerOptions::default()).await;
    {
        use io::Write;
        let mut out = io::stdout().lock();
        writeln!(out, "{}", target.address)?;
        out.flush()?;
    }
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await?;
    Ok(())
}

impl Child {
    /// Starts a program whose `main` is [`announce`]. `files` limits how many descriptors it may
    /// have open.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(program: &str, files: Option<u32>) -> Self {
        let mut command = match files {
            None => Command::new(program),
            Some(files) => {
                let mut command = Command::new("sh");
                command.args(["-c", &format!("ulimit -n {files} && exec \"$0\""), program]);
                command
            }
        };
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let stdin = process.stdin.take().expect("stdin is a pipe");
        let stdout = process.stdout.take().expect("stdout is a pipe");
        let mut line = String::new();
        within(
            "the start of the server",
            BufReader::new(stdout).read_line(&mut line),
        )
        .await
        .expect("a line");
        Self {
            process,
            _stdin: stdin,
            address: line.trim().parse().expect("an address"),
        }
    }

    /// A well-behaved client that goes on calling on a connection of its own.
    pub async fn probe(&self) -> Probe {
        Probe::start(&format!("grpc://{}", self.address)).await
    }

    /// The most memory it has held so far, in bytes (`VmHWM`).
    ///
    /// # Panics
    /// When the process is gone.
    #[must_use]
    pub fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(self.proc("status")).expect("the process is there");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("a line of the kernel");
        let kib: usize = line
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("a number");
        kib * 1024
    }

    /// Processor time it has used so far, in ticks of 10 ms.
    ///
    /// # Panics
    /// When the process is gone.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(self.proc("stat")).expect("the process is there");
        let (_, rest) = stat.rsplit_once(')').expect("a line of the kernel");
        let fields: Vec<&str> = rest.split_whitespace().collect();
        [11, 12]
            .into_iter()
            .map(|index: usize| fields[index].parse::<u64>().expect("a number"))
            .sum()
    }

    /// Descriptors it has open.
    ///
    /// # Panics
    /// When the process is gone.
    #[must_use]
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(self.proc("fd"))
            .expect("the process is there")
            .count()
    }

    fn proc(&self, file: &str) -> String {
        let id = self.process.id().expect("the process is there");
        format!("/proc/{id}/{file}")
    }
}
