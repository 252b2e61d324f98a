//! The loop that drives one HTTP/1.1 connection, through hyper.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use bytes::Bytes;
use gufo_core::{Cancel, Status};
use http::Request;
use http_body::Body as _;
use hyper::{body::Incoming as HyperBody, server::conn::http1::Builder, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};

use super::{Shared, plain};
use crate::grpc::io::{Prefixed, Socket};

/// What hyper may buffer of a request's head, beside metadata.
const HEADER_ROOM: usize = 8 * 1024;

impl plain::Source for HyperBody {
    fn poll_chunk(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Bytes, Status>>> {
        loop {
            let frame = match ready!(Pin::new(&mut *self).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    let status =
                        Status::cancelled("the caller's request broke off").with_source(error);
                    return Poll::Ready(Some(Err(status)));
                }
                None => return Poll::Ready(None),
            };
            if let Ok(data) = frame.into_data() {
                return Poll::Ready(Some(Ok(data)));
            }
        }
    }
}

pub(super) async fn serve(socket: Prefixed<Socket>, shared: Arc<Shared>, drain: Cancel) {
    let options = Arc::clone(&shared.options);
    let service = service_fn(move |request: Request<HyperBody>| {
        let shared = Arc::clone(&shared);
        async move {
            let (parts, body) = request.into_parts();
            let route = shared.dispatch.route(parts.uri.path());
            Ok::<_, Infallible>(plain::answer(&shared, route, &parts, body).await)
        }
    });
    let connection = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_buf_size((options.limits.metadata + HEADER_ROOM).max(HEADER_ROOM))
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "HTTP/1.1 connection failed");
    }
}
