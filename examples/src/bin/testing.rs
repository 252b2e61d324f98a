//! Testing: what a service does, and what its callers do when it fails, without sockets.
//!
//! `cargo test -p gufo-examples --bin testing` runs the tests at the end of this file;
//! `cargo run -p gufo-examples --bin testing` shows the tested service at work.

#![allow(clippy::print_stdout, reason = "an example that talks to its reader")]

use std::{process::ExitCode, time::Duration};

use gufo::prelude::*;
use gufo_examples::{BoxError, GreeterClient, GreeterServer, HelloRequest, Polite, args};
use serde::{Deserialize, Serialize};

/// Whom to welcome.
#[derive(Debug, Serialize, Deserialize)]
pub struct Guests {
    /// Their names.
    pub names: Vec<String>,
}

/// What was said.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcomed {
    /// A line for each guest.
    pub lines: Vec<String>,
}

/// Welcomes guests at the door.
#[gufo::service(name = "door.Door")]
pub trait Door {
    /// Has every guest greeted.
    async fn welcome(&self, ctx: &Context, guests: Guests) -> Result<Welcomed, Status>;
}

/// A door that calls another service for each guest.
struct FrontDoor {
    greeter: GreeterClient,
}

impl Door for FrontDoor {
    async fn welcome(&self, ctx: &Context, guests: Guests) -> Result<Welcomed, Status> {
        let mut lines = Vec::new();
        for name in guests.names {
            let call = self.greeter.hello(HelloRequest { name });
            // At most a second, and no longer than what is left of this call, whose trace and
            // cancellation are passed on too. `within` comes last: it bounds what was set before.
            let call = call.timeout(Duration::from_secs(1)).within(ctx);
            lines.push(call.await?.message);
        }
        Ok(Welcomed { lines })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    args::exit(run().await)
}

async fn run() -> Result<(), BoxError> {
    let greeter = gufo::testing::client(GreeterServer::new(Polite)).await?;
    let door: DoorClient = gufo::testing::client(DoorServer::new(FrontDoor { greeter })).await?;
    let names = vec!["owl".into(), "lynx".into()];
    for line in door.welcome(Guests { names }).await?.lines {
        println!("{line}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use gufo::{
        Streaming,
        core::{Deadline, NESTED_MARGIN},
    };
    use gufo_examples::{
        ChatMessage, CountReply, CountRequest, Greeter, HelloReply, SumReply, SumRequest,
    };

    use super::*;

    /// The door, with a greeter behind it that a test has chosen.
    async fn door(greeter: impl Greeter) -> gufo::Result<DoorClient> {
        let greeter = gufo::testing::client(GreeterServer::new(greeter)).await?;
        gufo::testing::client(DoorServer::new(FrontDoor { greeter })).await
    }

    fn guests(names: &[&str]) -> Guests {
        Guests {
            names: names.iter().map(|&name| name.into()).collect(),
        }
    }

    /// A greeter for tests: its `hello` is a function, it streams nothing.
    struct Fake<F>(F);

    impl<F, Fut> Greeter for Fake<F>
    where
        F: Fn(Deadline) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HelloReply, Status>> + Send,
    {
        async fn hello(&self, ctx: &Context, _: HelloRequest) -> Result<HelloReply, Status> {
            self.0(ctx.deadline()).await
        }

        async fn count(
            &self,
            _: &Context,
            _: CountRequest,
        ) -> Result<Streaming<CountReply>, Status> {
            Err(Status::unimplemented("not needed here"))
        }

        async fn sum(&self, _: &Context, _: Streaming<SumRequest>) -> Result<SumReply, Status> {
            Err(Status::unimplemented("not needed here"))
        }

        async fn chat(
            &self,
            _: &Context,
            _: Streaming<ChatMessage>,
        ) -> Result<Streaming<ChatMessage>, Status> {
            Err(Status::unimplemented("not needed here"))
        }
    }

    #[tokio::test]
    async fn every_guest_is_greeted() -> Result<(), Error> {
        let door = door(Polite).await?;

        let welcomed = door.welcome(guests(&["owl", "lynx"])).await?;

        assert_eq!(welcomed.lines, ["hello owl", "hello lynx"]);
        Ok(())
    }

    #[tokio::test]
    async fn a_greeter_that_is_away_makes_the_door_unavailable() -> Result<(), Error> {
        let away = Fake(|_| async { Err(Status::unavailable("the greeter sleeps")) });
        let door = door(away).await?;

        let error = door
            .welcome(guests(&["owl"]))
            .await
            .expect_err("nobody greets");

        assert_eq!(error.code(), Code::Unavailable);
        assert_eq!(error.message(), "the greeter sleeps");
        Ok(())
    }

    // The clock is paused: the second that the door waits takes no time.
    #[tokio::test(start_paused = true)]
    async fn a_greeter_that_hangs_is_given_up_after_a_second() -> Result<(), Error> {
        let door = door(Fake(|_| std::future::pending())).await?;
        let started = tokio::time::Instant::now();

        let error = door
            .welcome(guests(&["sloth"]))
            .await
            .expect_err("too slow");

        assert_eq!(error.code(), Code::DeadlineExceeded);
        assert_eq!(started.elapsed().as_secs(), 1);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn the_greeter_gets_what_is_left_of_the_callers_deadline() -> Result<(), Error> {
        let (tell, told) = std::sync::mpsc::channel();
        let door = door(Fake(move |deadline: Deadline| {
            tell.send(deadline.remaining()).expect("the test listens");
            async { Ok(HelloReply::default()) }
        }))
        .await?;
        let wait = Duration::from_millis(500);

        door.welcome(guests(&["owl"])).timeout(wait).await?;

        assert_eq!(told.recv().expect("called"), Some(wait - NESTED_MARGIN));
        Ok(())
    }
}
