//! The suite every transport has to pass.
//!
//! A transport's whole test file is a harness and one line:
//!
//! ```ignore
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
//! ```
//!
//! It expands to one test per check. [`run`] gives the same as a [`Report`].
//!
//! The suite brings its own server: a loop over [`Listener::accept`](gufo_core::Listener::accept)
//! that serves each peer in a task of its own, behind a dispatch that turns a handler's panic into
//! `Internal`, as `gufo-server` does. Differences between transports are declared in
//! [`Capabilities`] and [`Tolerance`] and nowhere else; what is not declared is checked to be
//! refused, never skipped.

mod bed;
mod capabilities;
mod checks;
mod client;
mod failure;
mod guard;
mod message;
mod report;

pub use capabilities::{Address, Capabilities, Harness, KeepAlive, Tolerance};
pub use checks::CHECKS;
pub use failure::{Failure, Verdict};
pub use report::{Check, Outcome, Report, run, run_check, test};

/// One test per check of the suite, on the harness an expression makes.
#[doc(inline)]
pub use crate::__transport_suite as suite;

/// Expands to one test per check.
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_suite {
    ($harness:expr) => {
        $crate::__transport_checks! { $crate::__transport_tests [$harness] }
    };
}

/// One `#[test]` for each name of the list.
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_tests {
    ([$harness:expr] $($id:literal $module:ident::$name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::conformance::test(stringify!($name), $harness);
            }
        )*
    };
}
