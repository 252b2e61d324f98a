//! The suite every transport has to pass.
//!
//! A transport's whole test file is a harness and one line:
//!
//! ```no_run
//! use std::sync::Arc;
//! use gufo_core::Transport;
//! use gufo_transport::{conformance::{self, Capabilities, Harness}, memory::MemoryTransport};
//!
//! struct Memory;
//!
//! impl Harness for Memory {
//!     fn transport(&self) -> Arc<dyn Transport> {
//!         Arc::new(MemoryTransport::new())
//!     }
//!     fn listen_url(&self) -> String {
//!         "memory://".to_owned()
//!     }
//!     fn capabilities(&self) -> Capabilities {
//!         Capabilities::in_process()
//!     }
//! }
//!
//! conformance::suite!(Memory);
//! # fn main() {}
//! ```
//!
//! It expands to one `#[test]` per check, in modules, so that filters work; put it in a module of its
//! own when a file has several. [`run`] gives the same as a [`Report`].
//!
//! The suite brings its own server: a loop over [`Listener::accept`](gufo_core::Listener::accept)
//! that serves each peer in a task of its own, behind a dispatch that turns a handler's panic into
//! `Internal`, as `gufo-server` does. Differences between transports are declared in
//! [`Capabilities`] and [`Tolerance`] and nowhere else; what is not declared is checked to be
//! refused, never skipped.
//!
//! # What is tested elsewhere
//! Certificates and their rotation (T23, T24) wait for a transport with TLS; reconnecting, the number
//! of open connections and their age (T26, T32, T33) are promises of `gufo-client`, a listener made by
//! the caller (T7) one of `gufo-server`.

mod bed;
mod capabilities;
mod checks;
mod client;
mod guard;
mod harness;
mod knock;
mod list;
mod message;
mod plan;
mod raw;
mod run;
mod script;

pub use capabilities::{Address, Capabilities, CustomCodecs, KeepAlive, Sockets, StreamTrailers};
pub use harness::{Harness, Tolerance};
pub use list::CHECKS;
pub use run::{run, run_check, verdict};

#[doc(inline)]
pub use gufo_core::conformance::{Check, Failure, Outcome, Report, Verdict};
use gufo_core::conformance::{ensure, ensure_eq};

#[doc(hidden)]
pub use gufo_core::__conformance_tests as __tests;

#[doc(inline)]
pub use crate::__transport_suite as suite;
