//! Where peers arrive: a TCP port or a Unix socket.

use std::{fmt, io, net::SocketAddr, path::PathBuf, sync::Arc};

use gufo_core::{Error, ListenOptions, Result, Sharing};
use tokio::{
    net::{TcpListener, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{Address, Socket, address::Place};

/// Connections the kernel holds until they are accepted.
const BACKLOG: u32 = 1024;

/// A port or a socket file where peers arrive.
pub(crate) struct SocketListener {
    url: String,
    listener: Bound,
    options: Arc<ListenOptions>,
    handshakes: Arc<Semaphore>,
}

/// A peer that has arrived.
pub(crate) struct Arrived {
    pub(crate) socket: Socket,
    pub(crate) address: Option<SocketAddr>,
    /// A place among those in their handshake; without one the peer is turned away.
    pub(crate) handshake: Option<OwnedSemaphorePermit>,
    pub(crate) options: Arc<ListenOptions>,
}

enum Bound {
    Tcp(TcpListener),
    Unix {
        listener: UnixListener,
        _file: RemoveOnDrop,
    },
}

/// A socket file outlives its socket unless somebody removes it.
#[derive(Debug)]
struct RemoveOnDrop(PathBuf);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        // It may have been removed by hand, which is what is wanted.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl SocketListener {
    pub(crate) async fn bind(address: &Address, options: ListenOptions) -> Result<Self> {
        let failed = |error: io::Error| {
            let message = format!("cannot listen at {address}");
            let error_of = match error.kind() {
                io::ErrorKind::AddrInUse => Error::already_exists,
                io::ErrorKind::PermissionDenied => Error::permission_denied,
                _ => Error::unavailable,
            };
            error_of(message).context("cause", &error).source(error)
        };
        let shared = options.sharing == Sharing::Shared;
        let (listener, url) = match address.place() {
            Place::Tcp(host) => {
                let reuse_port = shared || address.reuse_port;
                let listener = listen_tcp(host, reuse_port).await.map_err(failed)?;
                let local = listener.local_addr().map_err(failed)?;
                (
                    Bound::Tcp(listener),
                    format!("{}://{local}", address.scheme()),
                )
            }
            Place::Unix(_) if shared => {
                return Err(Error::unimplemented(format!(
                    "{address} has one listener: the path of a socket cannot be shared"
                )));
            }
            Place::Unix(path) => {
                remove_stale(path).await.map_err(failed)?;
                let (listener, _file) = listen_unix(path).map_err(failed)?;
                (Bound::Unix { listener, _file }, address.to_string())
            }
        };
        Ok(Self {
            url,
            listener,
            handshakes: Arc::new(Semaphore::new(
                options.handshakes.min(Semaphore::MAX_PERMITS),
            )),
            options: Arc::new(options),
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn accept(&mut self) -> io::Result<Arrived> {
        let (socket, address) = match &self.listener {
            Bound::Tcp(listener) => {
                let (socket, address) = listener.accept().await?;
                socket.set_nodelay(true)?;
                (Socket::Tcp(socket), Some(address))
            }
            Bound::Unix { listener, .. } => (Socket::Unix(listener.accept().await?.0), None),
        };
        Ok(Arrived {
            socket,
            address,
            handshake: Arc::clone(&self.handshakes).try_acquire_owned().ok(),
            options: Arc::clone(&self.options),
        })
    }
}

impl fmt::Debug for SocketListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SocketListener").field(&self.url).finish()
    }
}

/// Binds the first address a host resolves to that can be bound.
async fn listen_tcp(host: &str, reuse_port: bool) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address");
    for address in tokio::net::lookup_host(host).await? {
        let bound = (|| {
            let socket = socket2::Socket::new(
                socket2::Domain::for_address(address),
                socket2::Type::STREAM,
                None,
            )?;
            // A restart must not wait for connections in TIME_WAIT.
            socket.set_reuse_address(true)?;
            socket.set_reuse_port(reuse_port)?;
            socket.set_nonblocking(true)?;
            socket.bind(&address.into())?;
            socket.listen(BACKLOG as i32)?;
            TcpListener::from_std(socket.into())
        })();
        match bound {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn listen_unix(path: &std::path::Path) -> io::Result<(UnixListener, RemoveOnDrop)> {
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&socket2::SockAddr::unix(path)?)?;
    // The file is there from here on, whatever becomes of the listener.
    let file = RemoveOnDrop(path.to_owned());
    socket.listen(BACKLOG as i32)?;
    Ok((UnixListener::from_std(socket.into())?, file))
}

/// Removes a socket file nobody listens at any more; one in use stays, and so does anything that is
/// no socket.
async fn remove_stale(path: &std::path::Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt as _;

    match std::fs::symlink_metadata(path) {
        Ok(file) if file.file_type().is_socket() => {}
        Ok(_) => return Err(io::ErrorKind::AddrInUse.into()),
        Err(_) => return Ok(()),
    }
    match tokio::net::UnixStream::connect(path).await {
        Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_listener_that_cannot_be_registered_leaves_no_file() {
        let name = format!("gufo-unregistered-{}.sock", std::process::id());
        let path = std::env::temp_dir().join(name);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime without I/O");

        let listening = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async { listen_unix(&path).map(drop) })
        }));

        assert!(listening.is_err(), "tokio has no I/O to register it with");
        assert!(!path.exists(), "{} is left", path.display());
    }
}
