//! Raw tonic with a prost message: the peer to beat.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use gufo_benches::{About, At, Caller, Peer, Serving, Streams, listen};
use http::uri::PathAndQuery;
use tonic::body::Body;
use tonic::client::Grpc as ClientGrpc;
use tonic::server::{Grpc as ServerGrpc, NamedService, StreamingService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower_service::Service;

use crate::Result;

const UNARY: &str = "/bench.Echo/Unary";
const STREAM: &str = "/bench.Echo/Stream";

/// tonic as its generated code would use it.
pub(crate) struct Tonic;

impl Peer for Tonic {
    type Caller = TonicCaller;

    fn about(&self) -> About {
        About {
            name: super::BASELINE.to_owned(),
            about: "raw tonic with its router, prost message with a Bytes field, TCP_NODELAY, default windows and \
                    buffers, which are its best for these loads"
                .to_owned(),
            streams: Streams::Many,
            ..About::default()
        }
    }

    async fn serve(&self, at: At) -> Result<Serving> {
        let incoming = TcpIncoming::from(listen(at)?).with_nodelay(Some(true));
        let address = format!("http://{}", incoming.local_addr()?);
        let served = Server::builder()
            .add_service(EchoService)
            .serve_with_incoming(incoming);
        Ok(Serving::new(address, async move { Ok(served.await?) }))
    }

    async fn connect(&self, address: &str) -> Result<TonicCaller> {
        let channel = Endpoint::from_shared(address.to_owned())?
            .tcp_nodelay(true)
            .connect()
            .await?;
        Ok(TonicCaller(ClientGrpc::new(channel)))
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct Echo {
    #[prost(bytes = "bytes", tag = "1")]
    body: Bytes,
}

#[derive(Clone)]
pub(crate) struct TonicCaller(ClientGrpc<Channel>);

impl Caller for TonicCaller {
    async fn unary(&mut self, body: Bytes) -> Result<Bytes> {
        self.0.ready().await?;
        let path = PathAndQuery::from_static(UNARY);
        let reply: Response<Echo> = self
            .0
            .unary(
                Request::new(Echo { body }),
                path,
                ProstCodec::<Echo, Echo>::default(),
            )
            .await?;
        Ok(reply.into_inner().body)
    }

    async fn stream(&mut self, body: Bytes, count: u64) -> Result<u64> {
        self.0.ready().await?;
        let path = PathAndQuery::from_static(STREAM);
        let sent = (0..count).map(move |_| Echo { body: body.clone() });
        let request = Request::new(stream::iter(sent));
        let mut replies: Streaming<Echo> = self
            .0
            .streaming(request, path, ProstCodec::<Echo, Echo>::default())
            .await?
            .into_inner();
        let mut echoed = 0;
        while let Some(reply) = replies.next().await {
            reply?;
            echoed += 1;
        }
        Ok(echoed)
    }

    async fn hold_stream(&mut self, body: Bytes) -> Result<Box<dyn Send>> {
        self.0.ready().await?;
        let path = PathAndQuery::from_static(STREAM);
        let sent = stream::iter([Echo { body }]).chain(stream::pending());
        let mut replies: Streaming<Echo> = self
            .0
            .streaming(
                Request::new(sent),
                path,
                ProstCodec::<Echo, Echo>::default(),
            )
            .await?
            .into_inner();
        replies
            .next()
            .await
            .ok_or("the stream ended before its first echo")??;
        Ok(Box::new(replies))
    }
}

/// What tonic's generator would write for a service with a unary and a streaming method.
#[derive(Clone)]
struct EchoService;

impl NamedService for EchoService {
    const NAME: &'static str = "bench.Echo";
}

impl Service<http::Request<Body>> for EchoService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        match request.uri().path() {
            UNARY => Box::pin(async move {
                let mut grpc = ServerGrpc::new(ProstCodec::<Echo, Echo>::default());
                Ok(grpc.unary(Handler, request).await)
            }),
            STREAM => Box::pin(async move {
                let mut grpc = ServerGrpc::new(ProstCodec::<Echo, Echo>::default());
                Ok(grpc.streaming(Handler, request).await)
            }),
            _ => Box::pin(async { Ok(Status::unimplemented("no such method").into_http()) }),
        }
    }
}

struct Handler;

impl UnaryService<Echo> for Handler {
    type Response = Echo;
    type Future = Ready<Result<Response<Echo>, Status>>;

    fn call(&mut self, request: Request<Echo>) -> Self::Future {
        ready(Ok(Response::new(request.into_inner())))
    }
}

impl StreamingService<Echo> for Handler {
    type Response = Echo;
    type ResponseStream = Streaming<Echo>;
    type Future = Ready<Result<Response<Streaming<Echo>>, Status>>;

    fn call(&mut self, request: Request<Streaming<Echo>>) -> Self::Future {
        ready(Ok(Response::new(request.into_inner())))
    }
}
