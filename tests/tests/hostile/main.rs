//! Bad input: each attack gets its documented answer, memory stays bounded, and the connection or
//! the server lives on. Meanwhile a probe calls on a connection of its own and must not fail once.

mod grpc;
mod http;
mod native;

use std::time::Duration;

use gufo_core::ListenOptions;
use gufo_server::ServerOptions;
use gufo_testkit::{Probe, Target, serve_with};

/// A server under attack, and the probe beside it.
struct Attack {
    target: Target,
    probe: Probe,
}

impl Attack {
    async fn begin() -> Self {
        Self::with(ListenOptions::default()).await
    }

    async fn with(listen: ListenOptions) -> Self {
        Self::with_both(listen, ServerOptions::default()).await
    }

    async fn with_both(listen: ListenOptions, options: ServerOptions) -> Self {
        let target = serve_with(listen, options).await;
        let probe = target.probe().await;
        Self { target, probe }
    }

    /// The probe has not failed, and newcomers are served.
    async fn survived(self) {
        self.target.probe().await.finish().await;
        self.probe.finish().await;
    }
}

/// A timeout that attacks are to run into: short, but long enough for the probe.
const SOON: Duration = Duration::from_millis(300);

/// The peak memory an attack may add, in bytes.
const MEMORY: usize = 64 << 20;
