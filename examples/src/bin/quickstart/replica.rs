//! One replica of the greeter: it signs its replies, and tells when a handler is dropped.

use std::{sync::Arc, time::Duration};

use gufo::{
    Interceptor, Next, Registry, Response, async_trait,
    core::{Payload, Reply},
    prelude::*,
};
use gufo_examples::{
    BoxError, ChatMessage, CountReply, CountRequest, Greeter, GreeterServer, HelloReply,
    HelloRequest, Polite, SumReply, SumRequest,
};
use tokio::sync::Notify;

/// Who is greeted slowly: the handler waits for ever.
pub(crate) const SLOTH: &str = "sloth";

/// The metadata that names the replica.
const REPLICA: &str = "x-replica";

/// A server of the greeter.
pub(crate) struct Replica {
    pub(crate) name: &'static str,
    pub(crate) server: gufo::RunningServer,
}

impl Replica {
    /// Listens on two free ports and in memory, and registers all three.
    pub(crate) async fn start(
        name: &'static str,
        registry: &Arc<dyn Registry>,
        witness: &Witness,
    ) -> gufo::Result<Self> {
        let server = Server::builder()
            .listen("tcp://127.0.0.1:0")
            .listen("grpc://127.0.0.1:0")
            .listen(format!("memory://quickstart-{}", name.to_lowercase()))
            .registry(Arc::clone(registry))
            .interceptor(Signs(name))
            .service(GreeterServer::new(Unhurried {
                witness: witness.clone(),
            }))
            .start()
            .await?;
        Ok(Self { name, server })
    }

    /// Host and port of gRPC.
    pub(crate) fn address(&self) -> Result<&str, BoxError> {
        let mut urls = self.server.urls().iter();
        let address = urls.find_map(|url| url.strip_prefix("grpc://"));
        Ok(address.ok_or("the replica does not listen for gRPC")?)
    }
}

/// Who answered.
pub(crate) fn replica_of<T>(reply: &Response<T>) -> &str {
    reply.metadata.get(REPLICA).unwrap_or("nobody")
}

/// Adds the name of the replica to every reply of a unary method.
#[derive(Debug)]
struct Signs(&'static str);

#[async_trait]
impl Interceptor for Signs {
    async fn unary(&self, ctx: Context, request: Payload, next: Next<'_>) -> Result<Reply, Status> {
        let mut reply = next.unary(ctx, request).await?;
        reply.metadata.insert(REPLICA, self.0)?;
        Ok(reply)
    }
}

/// A greeter that thinks for 2 ms, and about the sloth for ever.
struct Unhurried {
    witness: Witness,
}

impl Greeter for Unhurried {
    async fn hello(&self, ctx: &Context, request: HelloRequest) -> Result<HelloReply, Status> {
        if request.name == SLOTH {
            let _seen = self.witness.begin();
            return std::future::pending().await;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        Polite.hello(ctx, request).await
    }

    async fn count(
        &self,
        ctx: &Context,
        request: CountRequest,
    ) -> Result<Streaming<CountReply>, Status> {
        Polite.count(ctx, request).await
    }

    async fn sum(
        &self,
        ctx: &Context,
        requests: Streaming<SumRequest>,
    ) -> Result<SumReply, Status> {
        Polite.sum(ctx, requests).await
    }

    async fn chat(
        &self,
        ctx: &Context,
        lines: Streaming<ChatMessage>,
    ) -> Result<Streaming<ChatMessage>, Status> {
        Polite.chat(ctx, lines).await
    }
}

/// Sees slow handlers begin and sees them dropped.
#[derive(Clone, Default)]
pub(crate) struct Witness(Arc<Seen>);

#[derive(Default)]
struct Seen {
    begun: Notify,
    dropped: Notify,
}

impl Witness {
    fn begin(&self) -> Beginning {
        self.0.begun.notify_one();
        Beginning(self.clone())
    }

    /// Waits until a slow handler has begun.
    pub(crate) async fn begun(&self) {
        self.0.begun.notified().await;
    }

    /// Waits until a slow handler was dropped.
    pub(crate) async fn dropped(&self) {
        self.0.dropped.notified().await;
    }
}

/// Lives as long as a slow handler.
struct Beginning(Witness);

impl Drop for Beginning {
    fn drop(&mut self) {
        self.0.0.dropped.notify_one();
    }
}
