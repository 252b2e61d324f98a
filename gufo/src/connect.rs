//! Connect: from a URL to a channel or a typed client.

use gufo_client::{Channel, ChannelBuilder};
use gufo_core::{BackendUrl, Caller, Error, Result, ServiceName, TypedClient};

use crate::open;

/// Starts to put a channel together, with every transport compiled in.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> gufo::Result<()> {
/// use std::time::Duration;
///
/// let channel = gufo::channel()
///     .addresses(["tcp://127.0.0.1:50051", "tcp://127.0.0.1:50052"])
///     .timeout(Duration::from_secs(1))
///     .connect_lazy()?;
/// assert_eq!(channel.connections(), 0);
/// # Ok(()) }
/// ```
pub fn channel() -> ChannelBuilder {
    Channel::builder().transports(open::transports())
}

/// A channel to a service: directly where the scheme of the URL is that of a transport, otherwise
/// to the nodes the registry of that scheme knows for the service.
///
/// `memory` is both; here it is the transport. For the registry of that name use
/// [`channel`]`().registry(..)`.
///
/// # Errors
/// `InvalidArgument` for a malformed URL, an unknown scheme or a name that is no service's;
/// `FailedPrecondition`, naming the feature, for a registry that is not compiled in; `Unavailable`
/// when nothing is connected after 5 s.
///
/// # Cancel safety
/// Dropping the future closes what was opened.
pub async fn connect(url: &str, service: &str) -> Result<Channel> {
    let parsed = BackendUrl::parse(url)?;
    let Err(transport) = open::transports().find(parsed.scheme()).cloned() else {
        return channel().address(url).connect().await;
    };
    let service = ServiceName::parse(service)?;
    let registry = match open::registries().open_url(parsed).await {
        Ok(registry) => registry,
        Err(registry) => return Err(neither(url, &transport, registry)),
    };
    channel().registry(registry, service).connect().await
}

/// The error for a scheme that is not a transport's: why it is no registry's either.
fn neither(url: &str, transport: &Error, registry: Error) -> Error {
    let scheme = url.split([':', '+']).next().unwrap_or(url);
    if open::registries().names().any(|known| known == scheme) {
        return registry;
    }
    Error::new(
        registry.code(),
        format!("{}; {}", transport.message(), registry.message()),
    )
}

/// Typed clients by URL: `GreeterClient::connect("tcp://127.0.0.1:50051").await?`.
pub trait Connect: TypedClient {
    /// Connects to the service by the URL of a peer or of a registry, see [`connect`].
    ///
    /// # Errors
    /// As [`connect`].
    ///
    /// # Cancel safety
    /// Dropping the future closes what was opened.
    fn connect(url: &str) -> impl Future<Output = Result<Self>> + Send {
        async move { Ok(Self::from(Caller::from(connect(url, Self::SERVICE).await?))) }
    }
}

impl<C: TypedClient> Connect for C {}
