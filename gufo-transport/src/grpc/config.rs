//! What a `grpc://` URL says.

use std::{fmt, path::PathBuf};

use gufo_core::{BackendUrl, Error, Result};

use crate::web::escape::escape_path;

/// Where to connect or to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// `host:port`, as the resolver takes it.
    Tcp(String),
    /// Path of a socket.
    Unix(PathBuf),
}

impl Address {
    /// Reads `grpc://host:port` or `grpc+unix:///path`.
    pub(super) fn parse(url: &BackendUrl) -> Result<Self> {
        let mut reader = url.reader();
        if reader.take_tls() {
            return Err(Error::unimplemented(
                "grpc+tls is not available in this version; use grpc:// on a trusted network",
            ));
        }
        let address = if let Some(path) = reader.take_socket() {
            Self::Unix(PathBuf::from(path))
        } else {
            let host = reader
                .take_host()?
                .ok_or_else(|| Error::invalid_argument("grpc:// needs a host and a port"))?;
            let port = host.port().ok_or_else(|| {
                Error::invalid_argument(format!("grpc://{} needs a port", host.name()))
            })?;
            Self::Tcp(host.with_port(port))
        };
        reader.finish()?;
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host) => write!(f, "grpc://{host}"),
            Self::Unix(path) => {
                let mut encoded = String::new();
                escape_path(&mut encoded, &path.to_string_lossy());
                write!(f, "grpc+unix://{encoded}")
            }
        }
    }
}
