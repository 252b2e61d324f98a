//! A fixed list of endpoints, read from a URL.

use gufo_core::value::FromValue;
use gufo_core::{BackendUrl, Endpoint, Error, Result, ServiceName, Version};
use serde::Deserialize;

/// The configuration of a [`FixedRegistry`](super::FixedRegistry).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// One node for each; at least one is needed.
    pub endpoints: Vec<Endpoint>,
    /// The service at these endpoints; `None`, the default, is every service that is asked for.
    pub service: Option<ServiceName>,
    /// The version of every node; `0.0.0` by default.
    pub version: Version,
}

/// The scheme of the endpoints.
struct TransportScheme(String);

impl FromValue for TransportScheme {
    fn from_value(text: &str) -> Result<Self> {
        if !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::invalid_argument(
            "expected the scheme of a transport without modifiers, such as grpc",
        ))
    }
}

impl Config {
    /// Reads `fixed[+tls]://host[:port]{,host[:port]}[/service][?transport=grpc&version=1.2.3]`.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`, naming the part or key that is wrong, missing or unknown.
    pub fn from_url(url: &BackendUrl) -> Result<Self> {
        let mut reader = url.reader();
        let tls = if reader.take_tls() { "+tls" } else { "" };
        let hosts = reader.take_hosts();
        let service = reader.take_path().map(ServiceName::parse).transpose()?;
        let transport = reader
            .take::<TransportScheme>("transport")?
            .map_or_else(|| "grpc".to_owned(), |scheme| scheme.0);
        let version = reader.take("version")?.unwrap_or_default();
        reader.finish()?;
        let endpoint = |host| Endpoint::parse(&format!("{transport}{tls}://{host}"));
        let endpoints = hosts.iter().map(endpoint).collect::<Result<_>>()?;
        Ok(Self {
            endpoints,
            service,
            version,
        })
    }
}
