//! Where peers arrive.

use std::io;

use gufo_core::{BoxFuture, Incoming, Listener, Peer};

use super::GrpcIncoming;
use crate::socket::SocketListener;

#[derive(Debug)]
pub(in crate::grpc) struct GrpcListener {
    pub(in crate::grpc) sockets: SocketListener,
    pub(in crate::grpc) scheme: &'static str,
}

impl Listener for GrpcListener {
    fn url(&self) -> &str {
        self.sockets.url()
    }

    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Incoming>>> {
        Box::pin(async move {
            let arrived = self.sockets.accept().await?;
            Ok(Box::new(GrpcIncoming {
                socket: arrived.socket,
                peer: Peer::new(self.scheme, arrived.address),
                handshake: arrived.handshake,
                options: arrived.options,
            }) as Box<dyn Incoming>)
        })
    }
}
