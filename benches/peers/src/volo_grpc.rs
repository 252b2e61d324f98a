//! volo-grpc: gRPC over hyper, with code by pilota.

use std::net::SocketAddr;

use bytes::Bytes;
use gufo_benches::{About, At, Caller, Peer, Result, Serving};
use volo::net::incoming::DefaultIncoming;
use volo_grpc::server::{Server, ServiceBuilder};
use volo_grpc::{Request, Response, Status};

mod generated {
    #![allow(warnings, clippy::all)]
    volo::include_service!("volo_grpc_gen.rs");
}
use self::generated::volo_grpc_gen::bench::{
    Echo, EchoClient, EchoClientBuilder, EchoMessage, EchoServer,
};

/// volo-grpc as its generated code runs.
pub struct VoloGrpc;

impl Peer for VoloGrpc {
    type Caller = VoloGrpcCaller;

    fn about(&self) -> About {
        About {
            name: "volo-grpc".to_owned(),
            about: "generated code with a Bytes body, TCP_NODELAY, its defaults otherwise; its streams are not measured".to_owned(),
            ..About::default()
        }
    }

    async fn serve(&self, at: At) -> Result<Serving> {
        let listener = gufo_benches::listen(at)?;
        let address = listener.local_addr()?.to_string();
        let served = Server::new()
            .add_service(ServiceBuilder::new(EchoServer::new(Service)).build())
            .run(DefaultIncoming::from(listener));
        Ok(Serving::new(address, async move {
            Ok(served.await.map_err(|error| error.to_string())?)
        }))
    }

    async fn connect(&self, address: &str) -> Result<VoloGrpcCaller> {
        let address: SocketAddr = address.parse()?;
        let client = EchoClientBuilder::new("bench.Echo")
            .address(address)
            .build();
        Ok(VoloGrpcCaller(client))
    }
}

struct Service;

impl Echo for Service {
    async fn unary(&self, request: Request<EchoMessage>) -> Result<Response<EchoMessage>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}

#[derive(Clone)]
pub struct VoloGrpcCaller(EchoClient);

impl Caller for VoloGrpcCaller {
    async fn unary(&mut self, body: Bytes) -> Result<Bytes> {
        let message = EchoMessage {
            body,
            ..Default::default()
        };
        let reply = self
            .0
            .unary(message)
            .await
            .map_err(|status| status.to_string())?;
        Ok(reply.into_inner().body)
    }
}
