//! The loop that drives one HTTP/1.1 connection, through hyper.

use std::{
    convert::Infallible,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context as TaskContext, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use gufo_core::{Cancel, Status};
use http::{HeaderValue, Request, header};
use http_body::Body as _;
use hyper::{body::Incoming as HyperBody, server::conn::http1::Builder, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Shared, plain};
use crate::{grpc::io::Prefixed, socket::Socket};

/// What hyper may buffer of a request's head, beside metadata.
const HEADER_ROOM: usize = 8 * 1024;

/// The body of a request, and whether it was read to its end.
struct RequestBody {
    body: HyperBody,
    read: Arc<AtomicBool>,
}

impl plain::Source for RequestBody {
    fn poll_chunk(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Bytes, Status>>> {
        loop {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    let status =
                        Status::cancelled("the caller's request broke off").with_source(error);
                    return Poll::Ready(Some(Err(status)));
                }
                None => {
                    self.read.store(true, Ordering::Release);
                    return Poll::Ready(None);
                }
            };
            if let Ok(data) = frame.into_data() {
                return Poll::Ready(Some(Ok(data)));
            }
        }
    }
}

/// How long a socket is read on after the last answer, and how much.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 64 << 20;

pub(super) async fn serve(socket: Prefixed<Socket>, shared: Arc<Shared>, drain: Cancel) {
    let options = Arc::clone(&shared.options);
    let begun = Cancel::new();
    let first = begun.clone();
    let service = service_fn(move |request: Request<HyperBody>| {
        first.cancel();
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let route = shared.dispatch.route(parts.uri.path());
            let read = Arc::new(AtomicBool::new(body.is_end_stream()));
            let body = RequestBody {
                body,
                read: Arc::clone(&read),
            };
            let mut response = plain::answer(&shared, route, &parts, body).await;
            if !read.load(Ordering::Acquire) {
                // What is left of the request is not looked for a next one.
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            Ok::<_, Infallible>(response)
        })
    });
    let mut connection = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size((options.limits.metadata + HEADER_ROOM).max(HEADER_ROOM))
        .serve_connection(TokioIo::new(socket), service);
    let late = async {
        tokio::time::timeout(options.handshake_timeout, begun.cancelled())
            .await
            .is_err()
    };
    let mut late = std::pin::pin!(late);
    let mut drained = std::pin::pin!(drain.cancelled());
    let (mut waits, mut draining) = (true, false);
    let served = loop {
        tokio::select! {
            served = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break served,
            late = late.as_mut(), if waits => {
                waits = false;
                if late {
                    tracing::debug!("closed: no HTTP/1.1 request in time");
                    return;
                }
            }
            () = drained.as_mut(), if !draining => {
                draining = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "HTTP/1.1 connection failed");
    }
    linger(connection.into_parts().io.into_inner()).await;
}

/// Closes a socket in a way that the peer gets the last answer: closing it with unread data makes
/// the kernel throw away what was sent.
async fn linger(mut socket: Prefixed<Socket>) {
    let reading = async {
        socket.shutdown().await?;
        tokio::io::copy(&mut socket.take(LINGER_BYTES), &mut tokio::io::sink()).await
    };
    // The peer has its answer or has gone; there is nobody to tell.
    let _ = tokio::time::timeout(LINGER, reading).await;
}
