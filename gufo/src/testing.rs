//! Testing: a service and its client in one process, without sockets.
//!
//! See [`client`].

use std::sync::{Arc, Mutex};

use gufo_client::Channel;
use gufo_core::{
    Answer, Caller, Context, Error, Handler, Messages, Payload, Replies, Reply, Result, Service,
    TypedClient, Values,
};
use gufo_server::RunningServer;

use crate::Server;

/// Serves a service over `memory://`, under a name of its own, and connects a client to it. The
/// server ends with the last clone of the client.
///
/// ```
/// # use gufo::{Context, Status, Streaming};
/// # #[derive(serde::Serialize, serde::Deserialize)] pub struct HelloRequest { pub name: String }
/// # #[derive(serde::Serialize, serde::Deserialize)] pub struct HelloReply { pub message: String }
/// # #[gufo::service(name = "greeter.Greeter")]
/// # pub trait Greeter {
/// #     async fn hello(&self, ctx: &Context, request: HelloRequest) -> Result<HelloReply, Status>;
/// # }
/// # struct Polite;
/// # impl Greeter for Polite {
/// #     async fn hello(&self, _: &Context, request: HelloRequest) -> Result<HelloReply, Status> {
/// #         Ok(HelloReply { message: format!("hello {}", request.name) })
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> gufo::Result<()> {
/// let greeter: GreeterClient = gufo::testing::client(GreeterServer::new(Polite)).await?;
/// let reply = greeter.hello(HelloRequest { name: "owl".into() }).await?;
/// assert_eq!(reply.message, "hello owl");
/// # Ok(()) }
/// ```
///
/// # Errors
/// What the server says when it cannot start, such as `AlreadyExists` for a method served twice.
///
/// # Cancel safety
/// Dropping the future ends what was started.
pub async fn client<C: TypedClient>(service: impl Into<Service>) -> Result<C> {
    Ok(C::from(caller(service).await?))
}

/// As [`client`], for untyped calls.
///
/// # Errors
/// As [`client`].
///
/// # Cancel safety
/// Dropping the future ends what was started.
pub async fn caller(service: impl Into<Service>) -> Result<Caller> {
    let server = Server::builder()
        .listen("memory://")
        .service(service)
        .start()
        .await?;
    let Some(url) = server.urls().first() else {
        return Err(Error::internal("the server listens nowhere"));
    };
    let channel = crate::channel().address(url).connect().await?;
    Ok(Caller::new(Arc::new(Served {
        channel,
        _server: Mutex::new(server),
    })))
}

/// A channel together with the server behind it.
struct Served {
    channel: Channel,
    /// Held to end with the client; the lock is only there because a handler is shared.
    _server: Mutex<RunningServer>,
}

impl Handler for Served {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        self.channel.unary(ctx, request)
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        self.channel.stream(ctx, requests)
    }

    fn values(&self) -> Values {
        self.channel.values()
    }
}
