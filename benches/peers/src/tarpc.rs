//! tarpc: bincode in length-delimited frames on TCP. No streams.

use bytes::Bytes;
use futures_util::StreamExt;
use gufo_benches::{About, At, Caller, Peer, Result, Serving};
use tarpc::serde_transport;
use tarpc::server::{BaseChannel, Channel, Config};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::LengthDelimitedCodec;
use tarpc::{client, context};
use tokio::net::{TcpListener, TcpStream};

/// More than any scenario has in flight, so that no queue of tarpc's own is what is measured.
const QUEUE: usize = 16_384;

#[tarpc::service]
trait Echo {
    async fn echo(body: Bytes) -> Bytes;
}

/// tarpc as its users run it.
pub struct Tarpc;

impl Peer for Tarpc {
    type Caller = TarpcCaller;

    fn about(&self) -> About {
        About {
            name: "tarpc".to_owned(),
            about: "bincode over TCP, a body as Bytes, TCP_NODELAY, a task per request as its examples have it (all \
                    in one task is within 15 % either way), queues of 16,384, its default deadline of 10 s; no streams"
                .to_owned(),
            ..About::default()
        }
    }

    async fn serve(&self, at: At) -> Result<Serving> {
        let listener: TcpListener = gufo_benches::listen(at)?;
        Ok(Serving::new(
            listener.local_addr()?.to_string(),
            accept(listener),
        ))
    }

    async fn connect(&self, address: &str) -> Result<TarpcCaller> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let framed = LengthDelimitedCodec::builder().new_framed(stream);
        let transport = serde_transport::new(framed, Bincode::default());
        let mut config = client::Config::default();
        config.max_in_flight_requests = QUEUE;
        config.pending_request_buffer = QUEUE;
        Ok(TarpcCaller(EchoClient::new(config, transport).spawn()))
    }
}

async fn accept(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let framed = LengthDelimitedCodec::builder().new_framed(stream);
        let transport = serde_transport::new(framed, Bincode::default());
        let config = Config {
            pending_response_buffer: QUEUE,
        };
        let answers = BaseChannel::new(config, transport).execute(EchoServer.serve());
        tokio::spawn(answers.for_each(|answer| async {
            tokio::spawn(answer);
        }));
    }
}

#[derive(Clone)]
struct EchoServer;

impl Echo for EchoServer {
    async fn echo(self, _: context::Context, body: Bytes) -> Bytes {
        body
    }
}

#[derive(Clone)]
pub struct TarpcCaller(EchoClient);

impl Caller for TarpcCaller {
    async fn unary(&mut self, body: Bytes) -> Result<Bytes> {
        Ok(self.0.echo(context::current(), body).await?)
    }
}
