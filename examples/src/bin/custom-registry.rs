//! A registry of the application's own, behind a URL scheme of its own: `hosts:///path/to/file`.
//!
//! The file has one node a line, `SERVICE URL`. It is read-only for gufo and watched for changes.
//! The tests at the end run the public conformance suite on it.
//!
//! `cargo run -p gufo-examples --bin custom-registry`

#![allow(clippy::print_stdout, reason = "an example that talks to its reader")]

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use gufo::{
    BackendUrl, Caller, Channel, Error, Registry, RunningServer, Server, ServiceName, async_trait,
    core::{
        Endpoint, Node, NodeId, Schemes, Tasks,
        registry::{Capabilities, Lease, RegisterOptions, Snapshot, Watch, WatchSender},
    },
};
use gufo_examples::{BoxError, GreeterClient, GreeterServer, HelloRequest, Polite, args, ensure};

/// How often the file is looked at.
const POLL: Duration = Duration::from_millis(200);

/// Nodes in a text file.
#[derive(Debug)]
struct HostsRegistry {
    path: PathBuf,
    /// Follow the file, one task per watch; they end with the registry or with their watch.
    watching: Tasks,
}

impl HostsRegistry {
    /// Opens `hosts:///path/to/file`.
    fn open(url: &BackendUrl) -> gufo::Result<Self> {
        let mut reader = url.reader();
        let path = reader.take_path().ok_or_else(|| {
            Error::invalid_argument("hosts:// needs a path: hosts:///path/to/file")
        })?;
        let path = Path::new("/").join(path);
        reader.finish()?;
        Ok(Self {
            path,
            watching: Tasks::new(),
        })
    }
}

/// The nodes of a service in a file.
async fn read(path: &Path, service: &ServiceName) -> gufo::Result<Snapshot> {
    // Unreadable is an outage, and never "no nodes".
    let text = tokio::fs::read_to_string(path).await.map_err(|error| {
        Error::unavailable("cannot read the hosts file")
            .context("path", path.display())
            .source(error)
    })?;
    let mut nodes = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(url)) = (words.next(), words.next()) else {
            continue;
        };
        if name == service.as_str() {
            let endpoint = Endpoint::parse(url)?;
            let address = url.split_once("://").map_or(url, |(_, address)| address);
            let node = Node::new(service.clone(), NodeId::parse(address)?);
            nodes.push(Arc::new(node.with_endpoint(endpoint)));
        }
    }
    Ok(Snapshot::new(nodes))
}

/// Shows the file to one watch until nobody reads it.
async fn follow(path: PathBuf, service: ServiceName, sender: WatchSender) {
    loop {
        tokio::select! {
            () = sender.closed() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        // Equal snapshots are not shown twice; an outage keeps the last nodes, marked stale.
        match read(&path, &service).await {
            Ok(snapshot) => sender.publish(snapshot),
            Err(_) => sender.mark_stale(),
        };
    }
}

#[async_trait]
impl Registry for HostsRegistry {
    async fn register(&self, _: Node, _: RegisterOptions) -> gufo::Result<Lease> {
        Err(Error::unimplemented(
            "a hosts file is read-only: edit it to add a node",
        ))
    }

    async fn lookup(&self, service: &ServiceName) -> gufo::Result<Snapshot> {
        read(&self.path, service).await
    }

    async fn watch(&self, service: &ServiceName) -> gufo::Result<Watch> {
        let (sender, watch) = Watch::channel(read(&self.path, service).await?);
        let following = follow(self.path.clone(), service.clone(), sender);
        self.watching.spawn("hosts-watch", following);
        Ok(watch)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
}

/// The registries of this application: the bundled ones and its own.
fn registries() -> Schemes<Arc<dyn Registry>> {
    gufo::open::registries().with("hosts", |url: BackendUrl| async move {
        Ok(Arc::new(HostsRegistry::open(&url)?) as Arc<dyn Registry>)
    })
}

#[tokio::main]
async fn main() -> ExitCode {
    let file = std::env::temp_dir().join(format!("gufo-hosts-{}", std::process::id()));
    let result = run(&file).await;
    let removed = tokio::fs::remove_file(&file).await;
    args::exit(result.and(removed.map_err(BoxError::from)))
}

async fn run(file: &Path) -> Result<(), BoxError> {
    let (one, two) = (greeter().await?, greeter().await?);
    let line = |server: &RunningServer| format!("greeter.Greeter {}\n", server.urls().concat());
    tokio::fs::write(file, line(&one)).await?;

    let registry = registries()
        .open(&format!("hosts://{}", file.display()))
        .await?;
    let service = ServiceName::parse("greeter.Greeter")?;
    let channel = gufo::channel()
        .registry(registry, service)
        .connect()
        .await?;
    let greeter = GreeterClient::from(Caller::from(&channel));
    let owl = || HelloRequest { name: "owl".into() };
    println!("one node: {}", greeter.hello(owl()).await?.message);

    tokio::fs::write(file, line(&one) + &line(&two)).await?;
    has_connections(&channel, 2).await?;
    println!(
        "a line added: the channel has {} connections",
        channel.connections()
    );

    tokio::fs::write(file, line(&two)).await?;
    has_connections(&channel, 1).await?;
    one.stop().await;
    println!(
        "a line removed, its server stopped: {}",
        greeter.hello(owl()).await?.message
    );
    two.stop().await;
    Ok(())
}

async fn greeter() -> gufo::Result<RunningServer> {
    let builder = Server::builder().listen("grpc://127.0.0.1:0");
    builder.service(GreeterServer::new(Polite)).start().await
}

/// Waits until the channel follows the file.
async fn has_connections(channel: &Channel, count: usize) -> Result<(), BoxError> {
    let follows = async {
        while channel.connections() != count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(10), follows).await;
    ensure(in_time.is_ok(), "the channel follows the file")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The suite that every bundled registry passes, on a file with two nodes.
    mod conformance {
        gufo_registry::conformance::suite!(|_| async {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hosts.txt");
            super::super::registries()
                .open(&format!("hosts://{file}"))
                .await
        });
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_an_outage() {
        let registry = registries()
            .open("hosts:///no/such/file")
            .await
            .expect("opens");
        let service = ServiceName::parse("greeter").expect("legal");

        let error = registry.lookup(&service).await.expect_err("no file");

        assert_eq!(error.code(), gufo::Code::Unavailable);
    }
}
