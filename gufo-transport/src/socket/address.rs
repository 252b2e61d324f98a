//! Address: what the URL of a socket says.

use std::{fmt, io, path::PathBuf};

use gufo_core::{BackendUrl, Error, Result};
use tokio::net::{TcpStream, UnixStream};

use super::Socket;
use crate::escape::escape_path;

/// Where to connect or to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// As peers see it: the scheme of the URL.
    scheme: &'static str,
    place: Place,
    /// Several listeners of one process share the port.
    pub(super) reuse_port: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `host:port`, as the resolver takes it.
    Tcp(String),
    /// Path of a socket.
    Unix(PathBuf),
}

impl Address {
    /// Reads `{tcp}://host:port`, or `{unix}:///path` where that scheme says `+unix` or is one of
    /// its own.
    pub(crate) fn parse(url: &BackendUrl, tcp: &'static str, unix: &'static str) -> Result<Self> {
        let mut reader = url.reader();
        if reader.take_tls() {
            return Err(Error::unimplemented(format!(
                "{tcp}+tls is not available in this version; use {tcp}:// on a trusted network"
            )));
        }
        let path = match reader.take_socket() {
            Some(path) => Some(path.to_owned()),
            None if url.scheme() == unix => {
                let path = reader.take_path().ok_or_else(|| {
                    Error::invalid_argument(format!("{unix}:// needs the path of a socket"))
                })?;
                Some(format!("/{path}"))
            }
            None => None,
        };
        let (scheme, place) = if let Some(path) = path {
            (unix, Place::Unix(PathBuf::from(path)))
        } else {
            let host = reader.take_host()?.ok_or_else(|| {
                Error::invalid_argument(format!("{tcp}:// needs a host and a port"))
            })?;
            let port = host.port().ok_or_else(|| {
                Error::invalid_argument(format!("{tcp}://{} needs a port", host.name()))
            })?;
            (tcp, Place::Tcp(host.with_port(port)))
        };
        let reuse_port = match &place {
            Place::Tcp(_) => reader.take_flag("reuse-port")?.unwrap_or_default(),
            Place::Unix(_) => false,
        };
        reader.finish()?;
        Ok(Self {
            scheme,
            place,
            reuse_port,
        })
    }

    /// The scheme of the URL.
    pub(crate) const fn scheme(&self) -> &'static str {
        self.scheme
    }

    pub(super) const fn place(&self) -> &Place {
        &self.place
    }

    /// `host:port`; `None` for the path of a socket.
    #[cfg(feature = "grpc")]
    pub(crate) fn host(&self) -> Option<&str> {
        match &self.place {
            Place::Tcp(host) => Some(host),
            Place::Unix(_) => None,
        }
    }

    /// Connects.
    pub(crate) async fn open(&self) -> io::Result<Socket> {
        match &self.place {
            Place::Tcp(host) => {
                let socket = TcpStream::connect(host.as_str()).await?;
                socket.set_nodelay(true)?;
                Ok(Socket::Tcp(socket))
            }
            Place::Unix(path) => Ok(Socket::Unix(UnixStream::connect(path).await?)),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Tcp(host) => write!(f, "{}://{host}", self.scheme),
            Place::Unix(path) => {
                let mut encoded = String::new();
                escape_path(&mut encoded, &path.to_string_lossy());
                write!(f, "{}://{encoded}", self.scheme)
            }
        }
    }
}
