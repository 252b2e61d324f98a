//! Interceptors: advice around every call, on the client and on the server.
//!
//! `cargo run -p gufo-examples --bin interceptor`

#![allow(clippy::print_stdout, reason = "an example that talks to its reader")]

use std::process::ExitCode;

use gufo::{
    Caller, Code, Interceptor, Next, async_trait,
    core::{Messages, Payload, Replies, Reply},
    prelude::*,
};
use gufo_examples::{
    BoxError, CountRequest, GreeterClient, GreeterServer, HelloRequest, Polite, args, ensure,
};
use tokio::time::Instant;

const TOKEN: &str = "open sesame";

/// Server side: says what was called, how it ended, and how long that took.
#[derive(Debug)]
struct Journal;

#[async_trait]
impl Interceptor for Journal {
    async fn unary(&self, ctx: Context, request: Payload, next: Next<'_>) -> Result<Reply, Status> {
        let (method, started) = (ctx.method_ref(), Instant::now());
        let reply = next.unary(ctx, request).await;
        let code = reply.as_ref().map_or_else(Status::code, |_| Code::Ok);
        println!(
            "server: {} ended {code} in {} us",
            method.path(),
            started.elapsed().as_micros()
        );
        reply
    }
}

/// What [`RequireToken`] found out, for the handler.
#[derive(Debug)]
struct KnownUser;

/// Server side: refuses whoever has no token, whatever the kind of the call.
#[derive(Debug)]
struct RequireToken;

impl RequireToken {
    fn check(ctx: &mut Context) -> Result<(), Status> {
        if ctx.metadata().get("authorization") != Some(TOKEN) {
            return Err(Status::unauthenticated("a token is needed"));
        }
        ctx.set_extension(KnownUser);
        Ok(())
    }
}

#[async_trait]
impl Interceptor for RequireToken {
    async fn unary(
        &self,
        mut ctx: Context,
        request: Payload,
        next: Next<'_>,
    ) -> Result<Reply, Status> {
        Self::check(&mut ctx)?;
        next.unary(ctx, request).await
    }

    async fn stream(
        &self,
        mut ctx: Context,
        requests: Messages,
        next: Next<'_>,
    ) -> Result<Replies, Status> {
        Self::check(&mut ctx)?;
        next.stream(ctx, requests).await
    }
}

/// Client side: adds the token to every call.
#[derive(Debug)]
struct AddToken;

#[async_trait]
impl Interceptor for AddToken {
    async fn unary(
        &self,
        mut ctx: Context,
        request: Payload,
        next: Next<'_>,
    ) -> Result<Reply, Status> {
        ctx.metadata_mut().insert("authorization", TOKEN)?;
        next.unary(ctx, request).await
    }

    async fn stream(
        &self,
        mut ctx: Context,
        requests: Messages,
        next: Next<'_>,
    ) -> Result<Replies, Status> {
        ctx.metadata_mut().insert("authorization", TOKEN)?;
        next.stream(ctx, requests).await
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    args::exit(run().await)
}

async fn run() -> Result<(), BoxError> {
    // The first one added is the outermost: the journal sees refused calls too.
    let server = Server::builder()
        .listen("grpc://127.0.0.1:0")
        .interceptor(Journal)
        .interceptor(RequireToken)
        .service(GreeterServer::new(Polite))
        .start()
        .await?;
    let url = server.urls().first().ok_or("the server listens nowhere")?;
    let owl = || HelloRequest { name: "owl".into() };

    let stranger = GreeterClient::connect(url).await?;
    let Err(error) = stranger.hello(owl()).await else {
        return Err("not as promised: a call without a token was answered".into());
    };
    println!("client: without a token: {error}");
    ensure(error.code() == Code::Unauthenticated, "the code says why")?;
    ensure(
        stranger.count(CountRequest { to: 1 }).await.is_err(),
        "streams need the token too",
    )?;

    let channel = gufo::channel()
        .address(url)
        .interceptor(AddToken)
        .connect()
        .await?;
    let known = GreeterClient::from(Caller::from(channel));
    println!(
        "client: with a token: {}",
        known.hello(owl()).await?.message
    );
    let counted = known.count(CountRequest { to: 3 }).await?.collect().await?;
    println!("client: with a token: counted to {}", counted.len());
    ensure(counted.len() == 3, "the stream passes")?;

    server.stop().await;
    Ok(())
}
