//! Python as a child process.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// Python with the packages of `tests/python/requirements.txt`.
fn interpreter() -> PathBuf {
    let path = std::env::var_os("GUFO_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python-venv/bin/python3"),
        PathBuf::from,
    );
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask test --install`, or name a Python in GUFO_PYTHON",
        path.display()
    );
    path
}

/// The encoded descriptors of `greeter.proto`, as a file.
fn descriptors() -> PathBuf {
    Path::new(env!("OUT_DIR")).join("greeter.descriptors.bin")
}

fn command(script: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let mut command = Command::new(interpreter());
    command
        .arg(folder.join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Runs one check of `client.py` against a gufo server.
pub(crate) async fn run_client(address: &str, check: &'static str) -> Output {
    let mut client = command("client.py");
    client.arg(address).arg(descriptors()).arg(check);
    let run = move || client.output().expect("python starts");
    tokio::task::spawn_blocking(run)
        .await
        .expect("not panicked")
}

/// A grpcio server; it ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut child = command("server.py")
            .arg(descriptors())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let port = line.trim().parse().expect("a port");
        Self { child, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("grpc://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
