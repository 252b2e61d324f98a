//! What a service's trait may hold.

use gufo_macros::service;

#[service(name = "a.B")]
struct NotATrait;

#[service(name = "a.B")]
trait Generic<T> {}

#[service(name = "a.B")]
trait Bounded
where
    Self: Sized,
{
}

#[service(name = "a.B")]
unsafe trait Unsafe {}

#[service(name = "a.B")]
trait Items {
    type Message;
    const LIMIT: usize;
    thing!();

    async fn with_body(&self, ctx: &Context, request: u8) -> Result<u8, Status> {
        Ok(request)
    }
}

#[service(name = "a.B")]
trait Twice {
    async fn hello(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(name = "Hello")]
    async fn hello_again(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
}

#[service(name = "a.B")]
trait Reserved {
    async fn new(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    async fn clone(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
}

#[service(name = "a.B")]
trait Configured {
    #[cfg(test)]
    async fn hello(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
}

fn main() {}
