//! Which in-process registry to open, and its limits.

use gufo_core::value::ByteSize;
use gufo_core::{BackendUrl, Error, Namespace, Result};
use serde::Deserialize;

/// The configuration of a [`MemoryRegistry`](super::MemoryRegistry).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Opens of one name share one registry within the process; `None`, the default, is a private one. In the URL: the host.
    pub name: Option<String>,
    /// Keeps users of one name apart; needs a name, none by default. In the URL: the path.
    pub namespace: Option<Namespace>,
    /// The most bytes of metadata of one node; 64KiB by default. In the URL: `max_metadata`.
    pub max_metadata: ByteSize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: None,
            namespace: None,
            max_metadata: ByteSize(64 * 1024),
        }
    }
}

impl Config {
    /// Reads `memory://[name][/namespace][?max_metadata=64KiB]`.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`, naming the part or key that is wrong or unknown.
    pub fn from_url(url: &BackendUrl) -> Result<Self> {
        let mut config = Self::default();
        let mut reader = url.reader();
        if let Some(host) = reader.take_host()? {
            if host.port().is_some() {
                return Err(Error::invalid_argument(
                    "`memory` urls take a name without a port",
                ));
            }
            config.name = Some(host.name().to_owned());
        }
        config.namespace = reader.take_namespace()?;
        if let Some(limit) = reader.take("max_metadata")? {
            config.max_metadata = limit;
        }
        reader.finish()?;
        Ok(config)
    }
}
