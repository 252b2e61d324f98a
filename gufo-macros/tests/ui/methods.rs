//! Arguments of `#[method]`.

use gufo_macros::service;

#[service(name = "a.Arguments")]
trait Arguments {
    #[method]
    async fn empty(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(idempotnet)]
    async fn unknown(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(head = "/a")]
    async fn verb(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(name = "Say/Hello")]
    async fn name(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(name = "A", name = "B")]
    async fn two_names(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(idempotent, no_side_effects)]
    async fn contradiction(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(idempotent = true)]
    async fn value(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
}

#[service(name = "a.Bindings")]
trait Bindings {
    #[method(get)]
    async fn no_path(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(get = "hello")]
    async fn relative(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(get = "/hello/{name")]
    async fn open(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(get = "/hello/name}")]
    async fn closed(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(get = "/hello/{}")]
    async fn nameless(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(get = "/{a}/{a}")]
    async fn repeated(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(get = "/hello?name={name}")]
    async fn query(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(body = "*")]
    async fn body_alone(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(put = "/a", body = "a", body = "b")]
    async fn two_bodies(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
    #[method(put = "/a", body = "a b")]
    async fn body_of_words(&self, ctx: &Context, request: u8) -> Result<u8, Status>;
}

fn main() {}
