//! Quickstart: everything gufo does for a call, in one program that checks itself.
//!
//! `cargo run --release -p gufo-examples --bin quickstart`
//!
//! It ends by itself, with exit code 0 only if all of it was as promised.

#![allow(clippy::print_stdout, reason = "an example that talks to its reader")]

mod drain;
mod http;
mod replica;

use std::{process::ExitCode, sync::Arc, time::Duration};

use futures_util::future::join_all;
use gufo::{Caller, Code, Response, ServiceName, Streaming, prelude::*};
use gufo_examples::{
    BoxError, ChatMessage, CountRequest, GreeterClient, HelloReply, HelloRequest, SumRequest, args,
    ensure,
};
use replica::{Replica, SLOTH, Witness, replica_of};
use tokio::time::Instant;

/// The whole takes a fraction of a second; whoever waits longer waits in vain.
const LIMIT: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> ExitCode {
    let late = |_| Err("not done within 30 s".into());
    args::exit(
        tokio::time::timeout(LIMIT, run())
            .await
            .unwrap_or_else(late),
    )
}

async fn run() -> Result<(), BoxError> {
    let started = Instant::now();
    println!("gufo quickstart: a service declared once, called through every door\n");

    println!("1. Two replicas of greeter.Greeter, each with three addresses");
    let registry = gufo::open::registry("memory://quickstart").await?;
    let witness = Witness::default();
    let a = Replica::start("A", &registry, &witness).await?;
    let b = Replica::start("B", &registry, &witness).await?;
    for replica in [&a, &b] {
        let urls = replica.server.urls().join(" and ");
        println!("   {} listens at {urls}", replica.name);
    }

    println!("\n2. Found through a registry, called over gufo's own frames");
    let service = ServiceName::parse("greeter.Greeter")?;
    let nodes = registry.lookup(&service).await?;
    println!(
        "   registry memory://quickstart knows {} nodes",
        nodes.len()
    );
    ensure(nodes.len() == 2, "both replicas are registered")?;
    // Within one process memory is the best: what others would see is asked for.
    let discover = || gufo::channel().registry(Arc::clone(&registry), service.clone());
    let channel = discover().prefer(["tcp"]).connect().await?;
    eventually(|| channel.connections() == 2).await;
    for endpoint in channel.endpoints() {
        println!("   connected to {endpoint}");
        ensure(endpoint.starts_with("tcp://"), "the best is taken")?;
    }
    let greeter = GreeterClient::from(Caller::from(&channel));
    let (by_a, by_b) = call_both(&greeter).await?;
    println!("   40 calls: {by_a} answered by A, {by_b} by B");

    println!("\n3. The same client over other transports, and nothing else changes");
    let best = discover().connect().await?;
    let grpc = discover().prefer(["grpc"]).connect().await?;
    for channel in [&best, &grpc] {
        let reply = GreeterClient::from(Caller::from(channel)).hello(hello("owl"));
        let reply = reply.response().await?;
        let endpoint = channel.endpoints().into_iter().next().unwrap_or_default();
        println!(
            "   {} by {}, over {endpoint}",
            reply.message.message,
            replica_of(&reply)
        );
        ensure(
            reply.message.message == "hello owl",
            "the reply is the same",
        )?;
    }

    println!("\n4. Plain JSON over HTTP/1.1, on the port of gRPC");
    http::call(
        a.address()?,
        r#"{"name":"owl"}"#,
        200,
        r#"{"message":"hello owl"}"#,
    )
    .await?;
    http::call(a.address()?, r#"{"name":"#, 400, "INVALID_ARGUMENT").await?;

    println!("\n5. Streams");
    streams(&greeter).await?;

    println!("\n6. A call is cancelled by dropping it");
    cancelled(&greeter, &witness).await?;

    println!("\n7. A deadline holds on both sides");
    deadline(&greeter, &witness).await?;

    println!("\n8. A replica is drained while calls run");
    drain::drain(&greeter, a).await?;
    b.server.stop().await;

    println!("\nall as promised, in {} ms", started.elapsed().as_millis());
    Ok(())
}

fn hello(name: &str) -> HelloRequest {
    HelloRequest { name: name.into() }
}

/// Calls 40 times at once; how many were answered by each replica.
async fn call_both(greeter: &GreeterClient) -> Result<(usize, usize), BoxError> {
    let calls = (0..40).map(|_| greeter.hello(hello("owl")).response());
    let replies: Result<Vec<Response<HelloReply>>, Error> =
        join_all(calls).await.into_iter().collect();
    let replies = replies?;
    let by = |name| replies.iter().filter(|it| replica_of(it) == name).count();
    let (by_a, by_b) = (by("A"), by("B"));
    ensure(by_a + by_b == 40, "every call is answered by a replica")?;
    ensure(by_a > 0 && by_b > 0, "both replicas take their share")?;
    Ok((by_a, by_b))
}

async fn streams(greeter: &GreeterClient) -> Result<(), BoxError> {
    let counted = greeter
        .count(CountRequest { to: 5 })
        .await?
        .collect()
        .await?;
    let counted: Vec<_> = counted.iter().map(|reply| reply.number).collect();
    println!("   server stream: count to 5 gives {counted:?}");
    ensure(counted == [1, 2, 3, 4, 5], "every number arrives, in order")?;

    let numbers = Streaming::iter((1..=100).map(|number| SumRequest { number }));
    let sum = greeter.sum(numbers).await?.total;
    println!("   client stream: the sum of 1 to 100 is {sum}");
    ensure(sum == 5050, "every number was added")?;

    let (lines, requests) = Streaming::channel(1);
    let mut answers = greeter.chat(requests).await?;
    for word in ["hoo", "hoo-hoo"] {
        lines.send(ChatMessage { text: word.into() }).await?;
        let answer = answers.next().await?.map(|line| line.text);
        println!("   both ways: {word:?} is answered by {answer:?}");
        ensure(
            answer == Some(format!("you said {word}")),
            "each line is answered before the next is sent",
        )?;
    }
    drop(lines);
    ensure(answers.next().await?.is_none(), "the chat ends in order")
}

async fn cancelled(greeter: &GreeterClient, witness: &Witness) -> Result<(), BoxError> {
    tokio::select! {
        reply = greeter.hello(hello(SLOTH)) => return Err(format!("not expected: {reply:?}").into()),
        () = witness.begun() => {} // The call is dropped here.
    }
    let since = Instant::now();
    witness.dropped().await;
    println!(
        "   the handler was dropped {} us after the call",
        since.elapsed().as_micros()
    );
    Ok(())
}

async fn deadline(greeter: &GreeterClient, witness: &Witness) -> Result<(), BoxError> {
    let since = Instant::now();
    let call = greeter
        .hello(hello(SLOTH))
        .timeout(Duration::from_millis(100));
    let Err(error) = call.await else {
        return Err("not as promised: a call outlived its deadline".into());
    };
    println!(
        "   100 ms, ended after {} ms: {error}",
        since.elapsed().as_millis()
    );
    ensure(error.code() == Code::DeadlineExceeded, "the code says so")?;
    witness.dropped().await;
    println!("   its handler was dropped as well");
    Ok(())
}

/// Waits until a condition holds; the limit on the whole program bounds it.
async fn eventually(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
