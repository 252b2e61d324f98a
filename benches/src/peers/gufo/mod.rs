//! gufo itself, as an application would use it: the same service and callers over each transport.

mod grpc;
mod memory;

use std::time::Duration;

use bytes::Bytes;
use gufo_client::Channel;
use gufo_core::codec::Prost;
use gufo_core::{Call, Context, Kind, Many, Method, One, Service, Status, Streaming, handler};
use gufo_server::Server;

pub(crate) use self::grpc::Grpc;
pub(crate) use self::memory::Memory;
use super::{Caller, HoldStream, Serving};
use crate::Result;
use crate::micro::NoOp;

static UNARY: Method = Method::new(Kind::Unary, "/bench.Echo/Unary");
static STREAM: Method = Method::new(Kind::Bidi, "/bench.Echo/Stream");

/// Far enough never to pass, close enough to be watched.
const DEADLINE: Duration = Duration::from_secs(30);
/// Interceptors on each side.
const INTERCEPTORS: usize = 3;

#[derive(Clone, PartialEq, prost::Message)]
struct Echo {
    #[prost(bytes = "bytes", tag = "1")]
    body: Bytes,
}

/// What generated code would hand to a server.
fn service() -> Service {
    let unary = |_: Context, request: Echo| async move { Ok(request) };
    let stream = |_: Context, requests: Streaming<Echo>| async move { Ok(requests) };
    Service::new("bench.Echo")
        .route(
            &UNARY,
            handler::unary::<Prost, Echo, Echo, Echo, _, _>(unary),
        )
        .route(
            &STREAM,
            handler::bidi::<Prost, Echo, Echo, Streaming<Echo>, _, _>(stream),
        )
}

/// Serves at a URL, with router, panic guard, deadlines, metadata and no-op interceptors.
async fn serve(url: &str) -> Result<Serving> {
    let mut builder = Server::builder()
        .transports(gufo_transport::builtin())
        .listen(url)
        .service(service());
    for _ in 0..INTERCEPTORS {
        builder = builder.interceptor(NoOp);
    }
    let server = builder.start().await?;
    let address = server
        .urls()
        .first()
        .ok_or("the server listens nowhere")?
        .to_string();
    // It runs as long as it is held.
    let ended = async move {
        let _server = server;
        std::future::pending().await
    };
    Ok(Serving {
        address,
        ended: Box::pin(ended),
    })
}

/// One connection.
async fn connect(url: &str) -> Result<GufoCaller> {
    let mut builder = Channel::builder()
        .transports(gufo_transport::builtin())
        .address(url)
        .connections(1);
    for _ in 0..INTERCEPTORS {
        builder = builder.interceptor(NoOp);
    }
    Ok(GufoCaller(
        builder.timeout(DEADLINE).connect().await?.into(),
    ))
}

/// A channel, with a deadline and a metadata entry on every call.
#[derive(Clone)]
pub(crate) struct GufoCaller(gufo_core::Caller);

impl GufoCaller {
    fn open(&self, requests: Streaming<Echo>) -> Call<Prost, Many<Echo>, Many<Echo>> {
        Call::new(&self.0, &STREAM, Many(requests)).metadata("x-tenant", "owls")
    }
}

impl Caller for GufoCaller {
    async fn unary(&mut self, body: Bytes) -> Result<Bytes> {
        let call: Call<Prost, One<Echo>, One<Echo>> =
            Call::new(&self.0, &UNARY, One(Echo { body }));
        let reply = call.metadata("x-tenant", "owls").await?;
        Ok(reply.body)
    }

    async fn stream(&mut self, body: Bytes, count: u64) -> Result<u64> {
        let sent = (0..count).map(move |_| Echo { body: body.clone() });
        let mut replies = self.open(Streaming::iter(sent)).await?;
        let mut echoed = 0;
        while replies.next().await?.is_some() {
            echoed += 1;
        }
        Ok(echoed)
    }
}

impl HoldStream for GufoCaller {
    async fn hold_stream(&mut self, body: Bytes) -> Result<Box<dyn Send>> {
        let (requests, sent) = Streaming::<Echo, Status>::channel(1);
        requests.send(Echo { body }).await?;
        let mut replies = self.open(sent).timeout(Duration::from_secs(600)).await?;
        replies
            .next()
            .await?
            .ok_or("the stream ended before its first echo")?;
        Ok(Box::new((requests, replies)))
    }
}
