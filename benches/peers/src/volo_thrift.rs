//! volo-thrift, multiplexed: many calls on one connection.

use std::net::SocketAddr;

use bytes::Bytes;
use gufo_benches::{About, At, Caller, Peer, Result, Serving};
use volo::net::incoming::DefaultIncoming;
use volo_thrift::ServerError;

mod generated {
    #![allow(warnings, clippy::all)]
    volo::include_service!("volo_thrift_gen.rs");
}
use self::generated::volo_thrift_gen::bench::{
    Echo, EchoClient, EchoClientBuilder, EchoMessage, EchoServer,
};

/// volo-thrift as its generated code runs, multiplexed.
pub struct VoloThrift;

impl Peer for VoloThrift {
    type Caller = VoloThriftCaller;

    fn about(&self) -> About {
        About {
            name: "volo-thrift".to_owned(),
            about: "TTHeader and framed binary protocol, multiplexed, generated code with a Bytes body; no streams".to_owned(),
            ..About::default()
        }
    }

    async fn serve(&self, at: At) -> Result<Serving> {
        let listener = gufo_benches::listen(at)?;
        let address = listener.local_addr()?.to_string();
        let served = EchoServer::new(Service)
            .multiplex(true)
            .run(DefaultIncoming::from(listener));
        Ok(Serving::new(address, async move {
            Ok(served.await.map_err(|error| error.to_string())?)
        }))
    }

    async fn connect(&self, address: &str) -> Result<VoloThriftCaller> {
        let address: SocketAddr = address.parse()?;
        let client = EchoClientBuilder::new("bench.Echo")
            .address(address)
            .multiplex(true)
            .build();
        Ok(VoloThriftCaller(client))
    }
}

struct Service;

impl Echo for Service {
    async fn unary(&self, message: EchoMessage) -> Result<EchoMessage, ServerError> {
        Ok(message)
    }
}

#[derive(Clone)]
pub struct VoloThriftCaller(EchoClient);

impl Caller for VoloThriftCaller {
    async fn unary(&mut self, body: Bytes) -> Result<Bytes> {
        let reply = self
            .0
            .unary(EchoMessage { body })
            .await
            .map_err(|error| error.to_string())?;
        Ok(reply.body)
    }
}
