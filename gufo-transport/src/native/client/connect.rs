//! From an address to a connection that is ready.

use std::sync::Arc;

use bytes::BytesMut;
use gufo_core::{Cancel, ConnectOptions, Error, Formats, Result, Retry};

use super::{NativeConnection, Shared, driver, slots::Slots};
use crate::{
    native::{
        hello::{self, Hello},
        link::Link,
    },
    socket::Address,
};

pub(in crate::native) async fn connect(
    address: Address,
    options: ConnectOptions,
) -> Result<NativeConnection> {
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

async fn try_connect(address: Address, options: ConnectOptions) -> Result<NativeConnection> {
    let mut socket = address
        .open()
        .await
        .map_err(|error| unreachable(&address, &error).source(error))?;
    let ours = Hello::new(&Formats::builtin(), &options.limits);
    let mut buffer = BytesMut::new();
    let server = async {
        hello::send(&mut socket, &ours).await?;
        hello::read(&mut socket, &mut buffer, options.keep_alive_timeout).await
    }
    .await
    .map_err(|refused| unreachable(&address, refused))?;
    let calls = options.limits.calls.min(server.calls);
    let shared = Arc::new(Shared {
        link: Arc::new(Link::new()),
        slots: Slots::new(calls),
        server,
        options,
        draining: Cancel::new(),
        closed: Cancel::new(),
    });
    // The driver ends by itself: with the socket, or once this side leaves and its calls are done.
    tokio::spawn(driver::drive(socket, buffer, Arc::clone(&shared)));
    Ok(NativeConnection { address, shared })
}
