//! What the examples share: the greeter and the reading of flags.
//!
//! Each program shows one topic and starts with `cargo run -p gufo-examples --bin NAME`:
//!
//! | program | what it shows |
//! |---|---|
//! | `quickstart` | the whole: replicas, registry, transports, plain JSON, streams, cancellation, drain |
//! | `greeter-server`, `greeter-client` | a server and a client as programs of their own |
//! | `streaming` | the three kinds of streams, back-pressure, an error in mid-stream, leaving early |
//! | `interceptor` | advice around calls, on both sides |
//! | `custom-codec` | a format of the application's own |
//! | `custom-registry` | a registry of the application's own, behind a URL scheme of its own |
//! | `tonic-interop` | gufo and tonic, either one as server, either one as client |
//! | `testing` | how a service is tested |
//!
//! `examples/consumer` is a crate outside the workspace that does without the facade.

pub mod args;
mod documents;
mod greeter;

pub use greeter::{
    ChatMessage, CountReply, CountRequest, GREETER_METHODS, Greeter, GreeterClient, GreeterServer,
    HelloReply, HelloRequest, Polite, SumReply, SumRequest,
};

/// Why an example gave up.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Turns a promise that does not hold into an error.
///
/// # Errors
/// The text, unless `holds`.
pub fn ensure(holds: bool, promise: impl Into<String>) -> Result<(), BoxError> {
    if holds {
        Ok(())
    } else {
        Err(format!("not as promised: {}", promise.into()).into())
    }
}
