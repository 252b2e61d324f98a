//! NATS request-reply: a broker in a process of its own, a responder, and the caller.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::{Client, ConnectOptions};
use bytes::Bytes;
use futures_util::StreamExt;
use gufo_benches::{About, At, Caller, Peer, Result, Serving};

const SUBJECT: &str = "bench.echo";
/// Larger than every scenario.
const LARGEST: usize = 8 << 20;
/// Starts the broker, says which process it is, and ends it when the responder is gone in whatever way.
const KEEPER: &str = r#""$@" >/dev/null 2>&1 & echo $!; cat >/dev/null; kill $!"#;

/// `nats-server` and async-nats.
pub struct Nats;

impl Peer for Nats {
    type Caller = NatsCaller;

    fn about(&self) -> About {
        let found = broker();
        let version = found.as_ref().and_then(|path| {
            let output = Command::new(path).arg("--version").output().ok()?;
            Some(
                String::from_utf8_lossy(&output.stdout)
                    .trim()
                    .replace(": v", " "),
            )
        });
        About {
            name: "nats".to_owned(),
            about: "request-reply through a nats-server of its own, async-nats on both sides; broker and responder \
                    share the server's core and both count as server; no streams"
                .to_owned(),
            absent: found.is_none().then(|| "no nats-server on the path".to_owned()),
            versions: version.into_iter().collect(),
            ..About::default()
        }
    }

    async fn serve(&self, at: At) -> Result<Serving> {
        if at != At::Free {
            return Err("a broker does not share its port".into());
        }
        let broker = Broker::start().await?;
        let client = connect(&broker.address).await?;
        let mut requests = client.subscribe(SUBJECT).await?;
        client.flush().await?;
        Ok(Serving {
            address: broker.address.clone(),
            helpers: vec![broker.pid],
            ended: Box::pin(async move {
                let _broker = broker;
                while let Some(request) = requests.next().await {
                    let reply = request
                        .reply
                        .ok_or("a request without a place for its reply")?;
                    client.publish(reply, request.payload).await?;
                }
                Err("the broker ended".into())
            }),
        })
    }

    async fn connect(&self, address: &str) -> Result<NatsCaller> {
        Ok(NatsCaller(connect(address).await?))
    }
}

async fn connect(address: &str) -> Result<Client> {
    let options = ConnectOptions::new()
        .client_capacity(16_384)
        .subscription_capacity(65_536)
        .request_timeout(Some(Duration::from_secs(30)));
    Ok(options.connect(address).await?)
}

fn broker() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    // Where distributions put daemons.
    folders.push(PathBuf::from("/usr/sbin"));
    let mut candidates = folders.iter().map(|folder| folder.join("nats-server"));
    candidates.find(|file| file.is_file())
}

/// A running broker, which ends with its owner.
struct Broker {
    keeper: Child,
    pid: u32,
    address: String,
}

impl Broker {
    async fn start() -> Result<Self> {
        let program = broker().ok_or("no nats-server on the path")?;
        let folder = env::temp_dir().join(format!("gufo-bench-nats-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let config = folder.join("nats.conf");
        std::fs::write(
            &config,
            format!("max_payload: {LARGEST}\nmax_pending: 268435456\n"),
        )?;
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(program)
            .args(["--addr", "127.0.0.1", "--port", "-1", "--config"])
            .arg(&config)
            .arg("--ports_file_dir")
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = keeper.stdout.take().ok_or("the keeper has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let pid: u32 = line.trim().parse()?;
        let mut this = Self {
            keeper,
            pid,
            address: String::new(),
        };
        this.address = this.listening(&folder).await?;
        std::fs::remove_dir_all(&folder)?;
        Ok(this)
    }

    /// The broker chooses its port and writes it into a file.
    async fn listening(&mut self, folder: &std::path::Path) -> Result<String> {
        let file = folder.join(format!("nats-server_{}.ports", self.pid));
        for _ in 0..1000 {
            if let Ok(text) = std::fs::read_to_string(&file) {
                let start = text.find("nats://").map(|start| &text[start..]);
                if let Some(url) = start.and_then(|text| text.split('"').next()) {
                    return Ok(url.to_owned());
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err("nats-server did not say where it listens within 10 s".into())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Closing its input is what ends the keeper, and that ends the broker.
        drop(self.keeper.stdin.take());
        // An error means that it has ended before.
        let _ = self.keeper.wait();
    }
}

#[derive(Clone)]
pub struct NatsCaller(Client);

impl Caller for NatsCaller {
    async fn unary(&mut self, body: Bytes) -> Result<Bytes> {
        Ok(self.0.request(SUBJECT, body).await?.payload)
    }
}
