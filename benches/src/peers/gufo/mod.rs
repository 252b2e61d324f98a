//! gufo itself, as an application would use it: the same service and callers over each transport.

mod caller;
mod service;

use std::env;
use std::time::Duration;

use gufo_benches::{About, At, Home, Peer, Serving, Streams};
use gufo_client::Channel;
use gufo_server::{Server, ServerOptions};

use self::caller::GufoCaller;
use crate::Result;
use crate::micro::NoOp;

/// Far enough never to pass, close enough to be watched.
const DEADLINE: Duration = Duration::from_secs(30);
/// Interceptors on each side of a dressed call.
const INTERCEPTORS: usize = 3;
/// Calls and connections that a server takes; no scenario comes near.
const CAPACITY: usize = 100_000;

/// What a call carries and goes through besides its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dress {
    /// Nothing, as the calls of the other peers: router and guard of the server, pool of the channel.
    Plain,
    /// A deadline, a metadata entry, and three no-op interceptors on each side.
    Full,
}

/// gufo over one transport.
#[derive(Debug)]
pub(crate) struct Gufo {
    pub(crate) name: &'static str,
    /// Where a server listens; a socket file gets its path.
    pub(crate) listen: &'static str,
    pub(crate) dress: Dress,
}

impl Gufo {
    fn scheme(&self) -> &'static str {
        self.listen.split("://").next().unwrap_or_default()
    }

    /// A socket file of this process, or any free port or name.
    fn url(&self, at: At) -> Result<String> {
        match (self.scheme(), at) {
            ("unix", At::Free) => {
                let file = format!("gufo-bench-{}.sock", std::process::id());
                Ok(format!("unix://{}", env::temp_dir().join(file).display()))
            }
            (_, At::Free) => Ok(self.listen.to_owned()),
            ("unix" | "memory", At::Shared(_)) => {
                Err("neither the path of a socket nor a name can be shared".into())
            }
            (scheme, At::Shared(port)) => {
                Ok(format!("{scheme}://127.0.0.1:{port}?reuse-port=true"))
            }
        }
    }

    fn home(&self) -> Home {
        if self.scheme() == "memory" {
            Home::SameProcess
        } else {
            Home::OwnProcess
        }
    }
}

impl Peer for Gufo {
    type Caller = GufoCaller;

    fn about(&self) -> About {
        let transports = gufo_transport::builtin();
        let mut about = format!(
            "gufo over {}://, typed handlers, the message is tonic's, default options but for \
             100,000 connections and calls at a time",
            self.scheme()
        );
        if self.dress == Dress::Full {
            about.push_str(
                "; a deadline and a metadata entry on every call, three no-op interceptors on each side",
            );
        }
        if self.home() == Home::SameProcess {
            about.push_str("; server and client are one process and both in its server time");
        }
        About {
            name: self.name.to_owned(),
            about,
            home: self.home(),
            streams: Streams::Many,
            absent: transports
                .find(self.scheme())
                .err()
                .map(|error| error.to_string()),
            ..About::default()
        }
    }

    async fn serve(&self, at: At) -> Result<Serving> {
        let mut options = ServerOptions::default();
        options.max_connections = CAPACITY;
        options.max_calls = CAPACITY;
        let mut builder = Server::builder()
            .transports(gufo_transport::builtin())
            .options(options)
            .listen(self.url(at)?)
            .service(service::echo());
        if self.dress == Dress::Full {
            for _ in 0..INTERCEPTORS {
                builder = builder.interceptor(NoOp);
            }
        }
        let server = builder.start().await?;
        let address = server
            .urls()
            .first()
            .ok_or("the server listens nowhere")?
            .to_string();
        // It runs as long as it is held.
        Ok(Serving::new(address, async move {
            let _server = server;
            std::future::pending().await
        }))
    }

    async fn connect(&self, address: &str) -> Result<GufoCaller> {
        let mut builder = Channel::builder()
            .transports(gufo_transport::builtin())
            .address(address)
            .connections(1);
        if self.dress == Dress::Full {
            builder = builder.timeout(DEADLINE);
            for _ in 0..INTERCEPTORS {
                builder = builder.interceptor(NoOp);
            }
        }
        Ok(GufoCaller::new(builder.connect().await?.into(), self.dress))
    }
}
