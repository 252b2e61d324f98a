//! The service in a process of its own, so that its memory and descriptors are its own too.

use std::{env, io, net::SocketAddr, process::Stdio};

use gufo_core::ListenOptions;
use gufo_server::ServerOptions;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{ChildStdin, Command},
};

use crate::{Probe, serve_at, within};

/// A server in a process of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    // The child serves until its end.
    _stdin: ChildStdin,
    /// Where it listens.
    pub address: SocketAddr,
    url: String,
}

/// Serves at the URL that is the first argument until standard input ends, after a line with the
/// URL of the server: the `main` of the program [`Child::start`] is given.
///
/// # Errors
/// When the standard streams cannot be used.
pub async fn announce() -> io::Result<()> {
    let url = env::args()
        .nth(1)
        .ok_or_else(|| io::Error::other("no url was given"))?;
    let (listen, options) = (ListenOptions::default(), ServerOptions::default());
    let (server, _) = serve_at(&url, [], listen, options).await;
    {
        use io::Write;
        let mut out = io::stdout().lock();
        writeln!(out, "{}", server.urls()[0])?;
        out.flush()?;
    }
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await?;
    Ok(())
}

impl Child {
    /// Starts a program whose `main` is [`announce`], at `grpc://127.0.0.1:0`. `files` limits how
    /// many descriptors it may have open.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(program: &str, files: Option<u32>) -> Self {
        let mut command = match files {
            None => Command::new(program),
            Some(files) => {
                let mut command = Command::new("sh");
                let limited = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
                command.args(["-c", &limited, program]);
                command
            }
        };
        command.arg("grpc://127.0.0.1:0");
        Self::run(command).await
    }

    /// Starts such a program at a URL with host and port.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start_at(program: &str, url: &str) -> Self {
        let mut command = Command::new(program);
        command.arg(url);
        Self::run(command).await
    }

    async fn run(mut command: Command) -> Self {
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
        let url = line.trim().to_owned();
        let (_, address) = url.split_once("://").expect("a url");
        Self {
            process,
            _stdin: stdin,
            address: address.parse().expect("an address"),
            url,
        }
    }

    /// The URL of the server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A well-behaved client that goes on calling on a connection of its own.
    pub async fn probe(&self) -> Probe {
        Probe::start(&self.url).await
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
