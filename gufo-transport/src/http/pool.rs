//! Sockets of one host that are kept alive between calls.

use std::sync::Arc;

use gufo_core::{Cancel, ConnectOptions, Error, Result, Retry, Status};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::body::RequestBody;

pub(super) struct Pool {
    authority: String,
    pub(super) options: ConnectOptions,
    idle: Mutex<Vec<SendRequest<RequestBody>>>,
    calls: Arc<Semaphore>,
    capacity: usize,
    /// The host refused a connection: whoever holds this pool had better reconnect.
    gone: Cancel,
    /// This side wants no further calls.
    left: Cancel,
}

/// A socket in use by one call.
pub(super) struct Lent {
    pub(super) sender: SendRequest<RequestBody>,
    pub(super) _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) async fn open(authority: &str, options: ConnectOptions) -> Result<Self> {
        let deadline = options.deadline;
        let capacity = usize::try_from(options.limits.calls)
            .unwrap_or(usize::MAX)
            .clamp(1, Semaphore::MAX_PERMITS);
        let pool = Self {
            authority: authority.to_owned(),
            options,
            idle: Mutex::default(),
            calls: Arc::new(Semaphore::new(capacity)),
            capacity,
            gone: Cancel::new(),
            left: Cancel::new(),
        };
        let sender = tokio::select! {
            sender = pool.connect() => sender?,
            () = deadline.reached() => return Err(pool.unavailable("no connection in time")),
        };
        pool.idle.lock().push(sender);
        Ok(pool)
    }

    async fn connect(&self) -> Result<SendRequest<RequestBody>> {
        let socket = TcpStream::connect(&self.authority)
            .await
            .map_err(|error| self.unavailable(&error).source(error))?;
        socket
            .set_nodelay(true)
            .map_err(|error| self.unavailable(&error).source(error))?;
        let (sender, connection) = http1::handshake(TokioIo::new(socket))
            .await
            .map_err(|error| self.unavailable(&error).source(error))?;
        // The task ends with the socket, or when its sender is dropped.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "HTTP/1.1 connection failed");
            }
        });
        Ok(sender)
    }

    fn unavailable(&self, cause: impl std::fmt::Display) -> Error {
        Error::unavailable(format!("cannot connect to http://{}", self.authority))
            .operation("connect")
            .context("cause", cause)
            .with_retry(Retry::NotBegun)
    }

    /// A socket for one call: a kept one if it is still open, a new one otherwise.
    pub(super) async fn lend(&self) -> Result<Lent, Status> {
        let closed =
            || Status::unavailable("the connection was closed").with_retry(Retry::NotBegun);
        let calls = Arc::clone(&self.calls);
        let permit = calls.acquire_owned().await.map_err(|_| closed())?;
        if self.left.is_cancelled() {
            return Err(closed());
        }
        loop {
            let Some(mut sender) = self.idle.lock().pop() else {
                break;
            };
            if sender.ready().await.is_ok() {
                return Ok(Lent {
                    sender,
                    _permit: permit,
                });
            }
        }
        match self.connect().await {
            Ok(sender) => Ok(Lent {
                sender,
                _permit: permit,
            }),
            Err(error) => {
                self.gone.cancel();
                let retry = error.retry();
                Err(Status::from(error).with_retry(retry))
            }
        }
    }

    /// Takes a socket back whose answer was read to the end.
    pub(super) fn give_back(&self, lent: Lent) {
        if !lent.sender.is_closed() && self.is_open() {
            self.idle.lock().push(lent.sender);
        }
    }

    /// Takes no further calls; sockets are closed as soon as no call uses them.
    pub(super) fn close(&self) {
        self.left.cancel();
        self.idle.lock().clear();
    }

    pub(super) fn in_flight(&self) -> usize {
        self.capacity - self.calls.available_permits()
    }

    pub(super) fn is_open(&self) -> bool {
        !self.gone.is_cancelled() && !self.left.is_cancelled()
    }

    pub(super) async fn closed(&self) {
        tokio::select! {
            () = self.gone.cancelled() => {}
            () = self.left.cancelled() => {}
        }
    }
}
