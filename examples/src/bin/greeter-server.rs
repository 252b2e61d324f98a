//! A greeter as a program: listens, registers, and stops in order.
//!
//! `cargo run -p gufo-examples --bin greeter-server -- --listen tcp://127.0.0.1:50052 grpc://127.0.0.1:50051`

#![allow(clippy::print_stdout, reason = "an example that talks to its reader")]

use std::{io, process::ExitCode};

use gufo::{HealthHandle, Server};
use gufo_examples::{
    BoxError, GreeterServer, Polite,
    args::{self, Args},
};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
greeter-server --listen URL... [--registry URL] [--name greeter] [--version V] [--zone Z]
               [--threads N]

  --listen    where to listen, such as tcp://127.0.0.1:0, grpc://127.0.0.1:0 or
              unix:///tmp/greeter.sock; several are one server
  --registry  where to register
  --name      the name to register under, greeter by default
  --version   the version in the registry, such as 1.2.3
  --zone      the zone in the registry
  --threads   serve on this many threads of its own, each with a runtime and listeners of its own";

#[tokio::main]
async fn main() -> ExitCode {
    args::exit(run().await)
}

async fn run() -> Result<(), BoxError> {
    let Some(mut args) = Args::read(USAGE)? else {
        return Ok(());
    };
    let addresses = args.all("listen")?;
    let registry: Option<String> = args.one("registry")?;
    let name: Option<String> = args.one("name")?;
    let version: Option<String> = args.one("version")?;
    let zone: Option<String> = args.one("zone")?;
    let threads: Option<usize> = args.one("threads")?;
    args.finish()?;

    let mut builder = Server::builder()
        .service(GreeterServer::new(Polite))
        .health(&HealthHandle::new())
        .reflection()
        .name(name.as_deref().unwrap_or("greeter"));
    for address in addresses {
        builder = builder.listen(address);
    }
    if let Some(url) = registry {
        builder = builder.registry(gufo::open::registry(&url).await?);
    }
    if let Some(version) = version {
        builder = builder.version(&version);
    }
    if let Some(zone) = zone {
        builder = builder.zone(zone);
    }
    if let Some(threads) = threads {
        builder = builder.threads(threads);
    }

    // Before anybody can know that the server is up, so that no signal is missed.
    let stop = stop_signal()?;
    let server = builder.start().await?;
    for url in server.urls() {
        println!("listening at {url}");
    }
    for node in server.nodes() {
        let endpoints: Vec<_> = node.endpoints.iter().map(ToString::to_string).collect();
        let at = endpoints.join(" and ");
        println!("registered as {} {} at {at}", node.service, node.version);
    }

    stop.await;
    println!("stopping, {} calls run", server.calls());
    let report = server.stop().await;
    println!(
        "stopped: {} calls finished, {} aborted",
        report.finished, report.aborted
    );
    Ok(())
}

/// Ends at Ctrl-C and at SIGTERM.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
