//! The service on a port of this process.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use gufo_core::{ListenOptions, Service};
use gufo_server::{RunningServer, Server, ServerOptions};

use crate::{Probe, Seen, service};

/// A server under attack.
#[derive(Debug)]
pub struct Target {
    /// The server.
    pub server: RunningServer,
    /// What its handlers saw.
    pub seen: Arc<Seen>,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Starts the service at `grpc://127.0.0.1:0` with default options.
pub async fn serve() -> Target {
    serve_with(ListenOptions::default(), ServerOptions::default()).await
}

/// Starts the service at `grpc://127.0.0.1:0`.
///
/// # Panics
/// When no port can be had.
pub async fn serve_with(listen: ListenOptions, options: ServerOptions) -> Target {
    let (server, seen) = serve_at("grpc://127.0.0.1:0", [], listen, options).await;
    let url = server.urls()[0].clone();
    let address = url
        .strip_prefix("grpc://")
        .and_then(|address| address.parse().ok())
        .expect("an address in the url");
    Target {
        server,
        seen,
        address,
    }
}

/// Starts the service, and others beside it, at any URL of a transport.
///
/// # Panics
/// When the server cannot listen there.
pub async fn serve_at(
    url: &str,
    others: impl IntoIterator<Item = Service>,
    listen: ListenOptions,
    mut options: ServerOptions,
) -> (RunningServer, Arc<Seen>) {
    // Attacks leave calls behind; no test waits for them.
    options.drain_timeout = Duration::from_millis(100);
    let (service, seen) = service();
    let builder = Server::builder()
        .transports(gufo_transport::builtin())
        .listen(url)
        .listen_options(listen)
        .options(options)
        .service(service);
    let builder = others
        .into_iter()
        .fold(builder, |builder, other| builder.service(other));
    (builder.start().await.expect("a free address"), seen)
}

impl Target {
    /// `grpc://…` of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("grpc://{}", self.address)
    }

    /// A well-behaved client that goes on calling on a connection of its own.
    pub async fn probe(&self) -> Probe {
        Probe::start(&self.url()).await
    }
}
