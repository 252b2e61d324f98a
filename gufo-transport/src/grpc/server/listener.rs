//! Where peers arrive: a TCP port or a Unix socket.

use std::{fmt, io, path::PathBuf, sync::Arc};

use gufo_core::{BoxFuture, Error, Incoming, ListenOptions, Listener, Peer, Result};
use tokio::{
    net::{TcpListener, UnixListener},
    sync::Semaphore,
};

use super::GrpcIncoming;
use crate::grpc::{config::Address, io::Socket};

/// Connections the kernel holds until they are accepted.
const BACKLOG: u32 = 1024;

pub(in crate::grpc) struct GrpcListener {
    url: String,
    listener: Bound,
    options: Arc<ListenOptions>,
    handshakes: Arc<Semaphore>,
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

impl GrpcListener {
    pub(in crate::grpc) async fn bind(address: &Address, options: ListenOptions) -> Result<Self> {
        let failed = |error: io::Error| {
            let message = format!("cannot listen at {address}");
            let error_of = match error.kind() {
                io::ErrorKind::AddrInUse => Error::already_exists,
                io::ErrorKind::PermissionDenied => Error::permission_denied,
                _ => Error::unavailable,
            };
            error_of(message).context("cause", &error).source(error)
        };
        let (listener, url) = match address {
            Address::Tcp(host) => {
                let listener = listen_tcp(host).await.map_err(failed)?;
                let url = format!("grpc://{}", listener.local_addr().map_err(failed)?);
                (Bound::Tcp(listener), url)
            }
            Address::Unix(path) => {
                remove_stale(path).await.map_err(failed)?;
                let listener = UnixListener::bind(path).map_err(failed)?;
                let url = address.to_string();
                let _file = RemoveOnDrop(path.clone());
                (Bound::Unix { listener, _file }, url)
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
}

/// Binds the first address a host resolves to that can be bound.
async fn listen_tcp(host: &str) -> io::Result<TcpListener> {
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

impl Listener for GrpcListener {
    fn url(&self) -> &str {
        &self.url
    }

    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Incoming>>> {
        Box::pin(async move {
            let (socket, peer) = match &self.listener {
                Bound::Tcp(listener) => {
                    let (socket, address) = listener.accept().await?;
                    socket.set_nodelay(true)?;
                    (Socket::Tcp(socket), Peer::new("grpc", Some(address)))
                }
                Bound::Unix { listener, .. } => {
                    let (socket, _) = listener.accept().await?;
                    (Socket::Unix(socket), Peer::new("grpc+unix", None))
                }
            };
            Ok(Box::new(GrpcIncoming {
                socket,
                peer,
                handshake: Arc::clone(&self.handshakes).try_acquire_owned().ok(),
                options: Arc::clone(&self.options),
            }) as Box<dyn Incoming>)
        })
    }
}

impl fmt::Debug for GrpcListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GrpcListener").field(&self.url).finish()
    }
}
