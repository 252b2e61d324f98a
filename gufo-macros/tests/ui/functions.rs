//! What a function of a service looks like.

use gufo_macros::service;

#[service(name = "a.Qualifiers")]
trait Qualifiers {
    fn not_async(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    async unsafe fn not_safe(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    async extern "C" fn foreign(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    async fn generic<T>(&self, ctx: &Context, request: T) -> Result<u8, Status>;
    async fn lifetime<'a>(&'a self, ctx: &'a Context, request: u8) -> Result<u8, Status>;
    async fn bounded(&self, ctx: &Context, request: u8) -> Result<u8, Status>
    where
        Self: Sized;
}

#[service(name = "a.Receivers")]
trait Receivers {
    async fn none();
    async fn missing(ctx: &Context, request: u8) -> Result<u8, Status>;
    async fn exclusive(&mut self, ctx: &Context, request: u8) -> Result<u8, Status>;
    async fn owned(self, ctx: &Context, request: u8) -> Result<u8, Status>;
    async fn shared(self: std::sync::Arc<Self>, ctx: &Context, request: u8) -> Result<u8, Status>;
}

#[service(name = "a.Arguments")]
trait Arguments {
    async fn nothing(&self) -> Result<u8, Status>;
    async fn no_context(&self, request: u8) -> Result<u8, Status>;
    async fn no_message(&self, ctx: &Context) -> Result<u8, Status>;
    async fn two_messages(&self, ctx: &Context, one: u8, other: u8) -> Result<u8, Status>;
    async fn context_last(&self, request: u8, ctx: &Context) -> Result<u8, Status>;
    async fn context_by_value(&self, ctx: Context, request: u8) -> Result<u8, Status>;
    async fn context_exclusive(&self, ctx: &mut Context, request: u8) -> Result<u8, Status>;
    async fn context_of_another_type(&self, ctx: &str, request: u8) -> Result<u8, Status>;
    async fn pattern(&self, ctx: &Context, (one, other): (u8, u8)) -> Result<u8, Status>;
    async fn mutable(&self, ctx: &Context, mut request: u8) -> Result<u8, Status>;
    async fn borrowed(&self, ctx: &Context, request: &str) -> Result<u8, Status>;
    async fn anything(&self, ctx: &Context, request: impl Send) -> Result<u8, Status>;
}

#[service(name = "a.Answers")]
trait Answers {
    async fn nothing(&self, ctx: &Context, request: u8);
    async fn message(&self, ctx: &Context, request: u8) -> u8;
    async fn tuple(&self, ctx: &Context, request: u8) -> (u8, Status);
    async fn option(&self, ctx: &Context, request: u8) -> Option<u8>;
    async fn other_error(&self, ctx: &Context, request: u8) -> Result<u8, String>;
    async fn alias(&self, ctx: &Context, request: u8) -> gufo_core::Result<u8>;
    async fn borrowed(&self, ctx: &Context, request: u8) -> Result<&str, Status>;
}

#[service(name = "a.Streams")]
trait Streams {
    async fn error(&self, ctx: &Context, requests: Streaming<u8, String>) -> Result<u8, Status>;
    async fn nested(&self, ctx: &Context, request: u8) -> Result<Streaming<Streaming<u8>>, Status>;
    async fn bare(&self, ctx: &Context, requests: Streaming) -> Result<u8, Status>;
}

fn main() {}
