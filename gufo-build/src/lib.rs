//! `build.rs` code for gufo services from `.proto` files, without `protoc`.
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), gufo_build::Error> {
//!     gufo_build::compile(&["proto/greeter.proto"], &["proto"])
//! }
//! ```
//!
//! ```text
//! // src/lib.rs
//! pub mod greeter {
//!     gufo::include_proto!("greeter");
//! }
//! ```
//!
//! # What is generated
//! One file per package, `OUT_DIR/<package>.rs`, with
//! - its messages and enums, by prost; `bytes` fields are `Bytes`;
//! - serde for them by the proto3 JSON mapping; unknown fields are passed over;
//! - each service as a trait under `#[gufo::service]`, the macro one writes by hand as well, which
//!   makes server, client and method table of it;
//! - `FILE_DESCRIPTOR_SET`, where the package has services: its files and all they import.
//!
//! `google.api.http` (additional bindings included), `idempotency_level`, `deprecated` and comments
//! are taken over. Both files of `google/api` are built in; those in an include path are preferred.
//!
//! The package's file names the types of other packages by their place, as `super::other::Type`:
//! nest the modules as the packages are, so that `a.b` is at `a::b`.
//!
//! # What the application depends on
//! `gufo`, or what [`Config::gufo_path`] names instead. Files that use well-known types
//! (`google.protobuf.Timestamp` and so on) need `pbjson-types` too.
//!
//! # Where JSON differs from the mapping
//! A timestamp ends with `+00:00` where the mapping has `Z`. A number of an enum that has no name
//! cannot be written (`INTERNAL`), nor can `NaN` and the infinities; `null` for a scalar cannot be
//! read (`INVALID_ARGUMENT`). Protobuf knows none of these limits.
//!
//! # What is refused
//! Groups, custom HTTP verbs, response bodies, and names that would be generated twice.

mod check;
mod config;
mod emit;
mod error;
mod http;
mod service;
mod source;

pub use config::Config;
pub use error::Error;

use std::path::Path;

/// Compiles `.proto` files and all they import, with the defaults.
///
/// `includes` are the directories in which imports are looked for; each of `protos` must be in one
/// of them.
///
/// # Errors
/// What is wrong in the files, with file and line where there is one.
pub fn compile(protos: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Result<(), Error> {
    configure().compile(protos, includes)
}

/// The defaults, to change.
#[must_use]
pub fn configure() -> Config {
    Config::default()
}
