//! Transports of gufo: how calls cross from one process to another, chosen by the scheme of a URL.
//!
//! | URL | what |
//! |---|---|
//! | `memory://name` | inside one process, without sockets |
//! | `grpc://host:port`, `grpc+unix:///path` | gRPC over HTTP/2; the same port answers plain JSON over HTTP/1.1 and HTTP/2 |
//! | `tcp://host:port`, `unix:///path` | gufo's own frames: the fastest way between services of one platform |
//! | `http://host:port` | client only: foreign services that speak plain JSON |
//!
//! Each backend lives in its own module behind a feature of its name, uses nothing but `gufo-core`
//! and its vendor crates, and keeps their types to itself.

#[cfg(feature = "messages")]
mod compress;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "messages")]
mod encoding;
#[cfg(any(feature = "web", feature = "socket"))]
mod escape;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "grpc")]
pub mod grpc;
#[cfg(feature = "http")]
pub mod http;
pub mod memory;
#[cfg(feature = "native")]
pub mod native;
mod place;
#[cfg(feature = "socket")]
mod socket;
#[cfg(feature = "web")]
mod web;

use std::sync::Arc;

use gufo_core::Transports;

/// All transports compiled in, and the names of those that are not: the order is that in which a
/// client prefers them, the fastest first.
#[must_use]
pub fn builtin() -> Transports {
    let table = Transports::new().with("memory", Arc::new(memory::MemoryTransport::new()));
    #[cfg(feature = "native")]
    let table = table
        .with("unix", Arc::new(native::NativeTransport::new()))
        .with("tcp", Arc::new(native::NativeTransport::new()));
    #[cfg(not(feature = "native"))]
    let table = table.without("unix", "native").without("tcp", "native");
    #[cfg(feature = "grpc")]
    let table = table.with("grpc", Arc::new(grpc::GrpcTransport::new()));
    #[cfg(not(feature = "grpc"))]
    let table = table.without("grpc", "grpc");
    #[cfg(feature = "http")]
    let table = table.with("http", Arc::new(http::HttpTransport::new()));
    #[cfg(not(feature = "http"))]
    let table = table.without("http", "http");
    table
}
