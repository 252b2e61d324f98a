//! `http://host:port/base`: a client for services that speak plain JSON over HTTP/1.1.
//!
//! A call is `POST /base/package.Service/Method` with the message as JSON. With `?rest=true` the
//! method's REST binding is used instead: fields named in its path template go into the path, the
//! rest into the query or, where the binding has a body, into the body.
//!
//! Replies that stream are read as one JSON message a line or as server-sent events; requests that
//! stream are sent one a line. HTTP/1.1 cannot stream both ways at once: such a call is
//! `Unimplemented`. Errors are read as gufo's JSON errors, or from the HTTP status.

mod body;
mod call;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod pool;
mod rest;

use std::{fmt, sync::Arc};

use gufo_core::{
    Answer, BackendUrl, BoxFuture, ConnectOptions, Connection, ConnectionState, Context, Error,
    Format, Handler, ListenOptions, Listener, Messages, Payload, Replies, Reply, Result, Transport,
};

use self::{call::Target, pool::Pool};
use crate::escape::escape_path;

/// The transport behind `http://`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct HttpTransport;

impl HttpTransport {
    /// The transport.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

fn target(url: &BackendUrl) -> Result<Target> {
    let mut reader = url.reader();
    if reader.take_tls() {
        return Err(Error::unimplemented(
            "http+tls is not available in this version",
        ));
    }
    let host = reader
        .take_host()?
        .ok_or_else(|| Error::invalid_argument("http:// needs a host"))?;
    let authority = host.with_port(80);
    let path = reader.take_path().unwrap_or_default();
    let path = path.trim_end_matches('/');
    let rest = reader.take_flag("rest")?.unwrap_or(false);
    reader.finish()?;
    let mut base = String::new();
    if !path.is_empty() && !path.starts_with('/') {
        base.push('/');
    }
    escape_path(&mut base, path);
    Ok(Target {
        authority,
        base,
        rest,
    })
}

impl Transport for HttpTransport {
    fn connect(
        &self,
        url: BackendUrl,
        options: ConnectOptions,
    ) -> BoxFuture<'static, Result<Arc<dyn Connection>>> {
        Box::pin(async move {
            let target = target(&url)?;
            let pool = Pool::open(&target.authority, options).await?;
            let connection = HttpConnection {
                target: Arc::new(target),
                pool: Arc::new(pool),
            };
            Ok(Arc::new(connection) as Arc<dyn Connection>)
        })
    }

    fn listen(
        &self,
        _: BackendUrl,
        _: ListenOptions,
    ) -> BoxFuture<'static, Result<Box<dyn Listener>>> {
        Box::pin(std::future::ready(Err(Error::unimplemented(
            "http:// is a client; a grpc:// listener answers plain HTTP on the same port",
        ))))
    }
}

/// A client for one host. HTTP/1.1 carries one call at a time, so it keeps as many sockets as
/// calls run at once, up to the limit of calls.
struct HttpConnection {
    target: Arc<Target>,
    pool: Arc<Pool>,
}

impl Handler for HttpConnection {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        Answer::later(call::unary(
            Arc::clone(&self.target),
            Arc::clone(&self.pool),
            ctx,
            request,
        ))
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        Answer::later(call::stream(
            Arc::clone(&self.target),
            Arc::clone(&self.pool),
            ctx,
            requests,
        ))
    }

    fn format(&self) -> Option<Format> {
        Some(Format::Json)
    }
}

impl Connection for HttpConnection {
    fn state(&self) -> ConnectionState {
        if self.pool.is_open() {
            ConnectionState::Ready
        } else {
            ConnectionState::Closed
        }
    }

    fn in_flight(&self) -> usize {
        self.pool.in_flight()
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        let pool = Arc::clone(&self.pool);
        Box::pin(async move { pool.closed().await })
    }

    fn close(&self) {
        self.pool.close();
    }
}

impl fmt::Debug for HttpConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConnection")
            .field("authority", &self.target.authority)
            .field("state", &self.state())
            .field("in_flight", &self.in_flight())
            .finish()
    }
}
