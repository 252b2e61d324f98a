//! `memory://name`: calls inside one process, without sockets.
//!
//! A call runs in the caller's own task, straight into the server's handler. Messages are handed
//! over as values where both ends share the type and encoded otherwise, so that the outcome is the
//! same as over a wire. `memory://name?encode=true` always encodes.
//!
//! `memory://name` is one listener per name in the process, gone with its server; listening at
//! `memory://` picks a free name. This table is the only process-wide state of gufo.

mod connection;
mod listener;

use std::sync::Arc;

use gufo_core::{
    BackendUrl, BoxFuture, ConnectOptions, Connection, Error, ListenOptions, Listener, Result,
    Sharing, Transport,
};

use self::{connection::MemoryConnection, listener::MemoryListener};

/// The transport behind `memory://`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct MemoryTransport;

impl MemoryTransport {
    /// The transport.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

struct Target {
    name: String,
    encode: bool,
}

fn target(url: &BackendUrl) -> Result<Target> {
    let mut reader = url.reader();
    let name = match reader.take_host()? {
        Some(host) if host.port().is_some() => {
            return Err(Error::invalid_argument(
                "memory:// takes a name, not a port",
            ));
        }
        Some(host) => host.name().to_owned(),
        None => String::new(),
    };
    let encode = reader.take_flag("encode")?.unwrap_or(false);
    reader.finish()?;
    Ok(Target { name, encode })
}

impl Transport for MemoryTransport {
    fn connect(
        &self,
        url: BackendUrl,
        options: ConnectOptions,
    ) -> BoxFuture<'static, Result<Arc<dyn Connection>>> {
        Box::pin(async move {
            let Target { name, encode } = target(&url)?;
            let connection = MemoryConnection::connect(&name, encode, &options).await?;
            Ok(Arc::new(connection) as Arc<dyn Connection>)
        })
    }

    fn listen(
        &self,
        url: BackendUrl,
        options: ListenOptions,
    ) -> BoxFuture<'static, Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let Target { name, encode } = target(&url)?;
            if encode {
                return Err(Error::invalid_argument(
                    "encode is chosen by the client: leave it out of the listener",
                ));
            }
            if options.sharing == Sharing::Shared {
                return Err(Error::unimplemented(
                    "a name in memory has one listener: it cannot be shared",
                ));
            }
            Ok(Box::new(MemoryListener::listen(name, &options)?) as Box<dyn Listener>)
        })
    }

    fn place(&self, _: &BackendUrl) -> Option<String> {
        Some(crate::place::process())
    }
}
