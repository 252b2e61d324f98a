//! From an address to a connection that is ready.

use std::sync::{Arc, atomic::AtomicUsize};

use gufo_core::{Cancel, ConnectOptions, Error, Result, Retry};
use http::uri::Authority;
use tokio::sync::oneshot;

use super::{GrpcConnection, Shared, driver};
use crate::grpc::{
    io::coalesce,
    server::{CONNECTION_WINDOW, FRAME_SIZE, SMALL_FRAME_BUDGET, STREAM_WINDOW},
};
use crate::socket::Address;

pub(in crate::grpc) async fn connect(
    address: Address,
    options: ConnectOptions,
) -> Result<GrpcConnection> {
    let deadline = options.deadline;
    tokio::select! {
        connected = try_connect(address.clone(), options) => connected,
        () = deadline.reached() => Err(unreachable(&address, "no connection in time")),
    }
}

fn unreachable(address: &Address, cause: impl std::fmt::Display) -> Error {
    Error::unavailable(format!("cannot connect to {address}"))
        .operation("connect")
        .context("cause", cause)
        .with_retry(Retry::NotBegun)
}

async fn try_connect(address: Address, options: ConnectOptions) -> Result<GrpcConnection> {
    let socket = address
        .open()
        .await
        .map_err(|error| unreachable(&address, &error).source(error))?;
    let authority = match address.host() {
        Some(host) => Authority::try_from(host).map_err(|error| {
            Error::invalid_argument(format!("{host} is not an authority")).source(error)
        })?,
        None => Authority::from_static("localhost"),
    };
    let (coalescing, outgoing) = coalesce(socket);
    let limits = &options.limits;
    let (send, connection) = h2::client::Builder::new()
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME_SIZE)
        .max_header_list_size(
            u32::try_from(limits.metadata)
                .unwrap_or(u32::MAX)
                .saturating_add(2048),
        )
        .initial_max_send_streams(usize::try_from(limits.calls).unwrap_or(usize::MAX))
        .data_frame_budget(SMALL_FRAME_BUDGET)
        .enable_push(false)
        .handshake(coalescing)
        .await
        .map_err(|error| unreachable(&address, &error).source(error))?;
    let shared = Arc::new(Shared {
        authority,
        options,
        in_flight: AtomicUsize::new(0),
        draining: Cancel::new(),
        closed: Cancel::new(),
        leaving: Cancel::new(),
        done: Cancel::new(),
    });
    // The driver ends by itself: with the socket, or once this side leaves and its calls are done.
    let (greeted, answered) = oneshot::channel();
    tokio::spawn(driver::drive(
        connection,
        outgoing,
        send.clone(),
        Arc::clone(&shared),
        greeted,
    ));
    answered
        .await
        .map_err(|_| unreachable(&address, "the peer did not answer as HTTP/2 does"))?;
    Ok(GrpcConnection {
        address,
        send,
        shared,
    })
}
