//! The macros of gufo: a service from a Rust trait, and descriptions of messages.
//!
//! Applications have them from `gufo` or `gufo-server`; beside `gufo-client` alone, this crate is a
//! dependency of its own. The code they emit names `gufo-core` through whichever of these the
//! application depends on, and needs nothing else.

mod describe;
mod expand;
mod krate;
mod model;
mod names;

use proc_macro::TokenStream;

/// Makes a service of a trait: a server, a client, a method table and descriptors.
///
/// ```
/// use gufo_core::{Context, Status, Streaming};
/// # use gufo_macros as gufo;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] pub struct HelloRequest { pub name: String }
/// # #[derive(Serialize, Deserialize)] pub struct HelloReply { pub message: String }
/// # #[derive(Serialize, Deserialize)] pub struct Number { pub number: u32 }
///
/// /// Greets.
/// #[gufo::service(name = "greeter.Greeter")]
/// pub trait Greeter {
///     /// Says hello.
///     #[method(idempotent, get = "/hello/{name}")]
///     async fn hello(&self, ctx: &Context, request: HelloRequest) -> Result<HelloReply, Status>;
///
///     /// Counts up to a number.
///     async fn count(&self, ctx: &Context, to: Number) -> Result<Streaming<Number>, Status>;
/// }
///
/// struct Polite;
///
/// impl Greeter for Polite {
///     async fn hello(&self, _: &Context, request: HelloRequest) -> Result<HelloReply, Status> {
///         Ok(HelloReply { message: format!("hello {}", request.name) })
///     }
///
///     async fn count(&self, _: &Context, to: Number) -> Result<Streaming<Number>, Status> {
///         Ok(Streaming::iter((1..=to.number).map(|number| Number { number })))
///     }
/// }
///
/// let service = gufo_core::Service::from(GreeterServer::new(Polite));
/// assert_eq!(service.name(), "greeter.Greeter");
/// assert_eq!(GREETER_METHODS[0].path(), "/greeter.Greeter/Hello");
/// ```
///
/// # The trait
/// Each function is `async`, takes `&self`, the `&Context` of the call and one message, and returns
/// `Result<_, Status>`. A `Streaming<T>` in place of the message makes that side a stream, and
/// `Response<_>` around the answer lets a handler add metadata. Futures are `Send`; implementations
/// write plain `async fn`. These words are read as they are written: `Streaming`, `Response`,
/// `Result` and `Status` must not be renamed.
///
/// # What is emitted, for a trait `Greeter`
/// - the trait, with `Send + Sync + 'static` above it;
/// - `GreeterServer<S>`, made by `new` or `from_arc`, which turns into a `Service`;
/// - `GreeterClient`, made of anything that is a `Caller`, with a function per method;
/// - `GREETER_METHODS`, the method descriptors in the order of the trait.
///
/// # Arguments
/// - `name = "package.Service"` is required.
/// - `codecs(...)`: what the messages are. `json, msgpack` (default): serde types; every serde
///   format is served, registered ones included, and clients prefer JSON. `protobuf`: prost types.
///   `protobuf, json, msgpack`: both; clients prefer protobuf. `raw`: `Bytes`, passed as they are.
/// - `descriptor = EXPRESSION`: an encoded `FileDescriptorSet`, a `&'static [u8]`. Default: made of
///   the trait, and of the messages that derive `Describe`.
/// - `crate = path`: where `gufo_core` is found. Default: through the dependency on `gufo`,
///   `gufo-server`, `gufo-client` or `gufo-core`, the first there is.
///
/// # Arguments of `#[method(...)]`
/// - `name = "Hello"`. Default: the function's name in upper camel case.
/// - `idempotent`: repeating has the effect of doing it once. `no_side_effects`: no effect at all.
/// - `get`, `put`, `post`, `delete`, `patch` `= "/path/{field}"`: a REST binding in the terms of
///   `google.api.http`; several are allowed, the main one first.
/// - `body = "field"`, after a binding: the field the HTTP body holds, `*` for the whole message,
///   nothing for none. Default: `*` for `put`, `post` and `patch`, none for `get` and `delete`.
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    model::Service::parse(arguments.into(), item.into())
        .map_or_else(syn::Error::into_compile_error, |service| {
            expand::service(&service)
        })
        .into()
}

/// Says what a message looks like, for reflection.
///
/// Works on structs with named fields and on enums without data. Field numbers and types are those
/// of `#[prost(...)]` attributes; without them fields are numbered by position and typed by their
/// Rust type. A field whose type does not implement `Describe` is shown as a message without
/// fields. JSON names are the names of the fields; `#[serde(rename)]` is not looked at.
///
/// `#[describe(crate = path)]` says where `gufo_core` is found, as with `service`.
#[proc_macro_derive(Describe, attributes(describe))]
pub fn derive_describe(item: TokenStream) -> TokenStream {
    describe::derive(item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
