//! The registry suite: what the contract of [`Registry`] promises, as one test per promise.
//!
//! The whole test file of a registry of your own:
//!
//! ```no_run
//! # mod acme {
//! #     pub async fn open(url: &str) -> gufo_core::Result<std::sync::Arc<dyn gufo_core::Registry>> {
//! #         gufo_registry::open(url).await
//! #     }
//! # }
//! gufo_registry::conformance::suite!(|namespace| async move {
//!     acme::open(&format!("acme://127.0.0.1:2379/{namespace}")).await
//! });
//! # fn main() {}
//! ```
//!
//! It expands to one `#[test]` per check, in modules `common`, `registry`, `lease` and `watch`, so that filters work; put it
//! in a module of its own when a file has several. A second argument changes the [`Suite`]:
//! `suite!(open, |suite| suite.paused())`. [`Suite::report`] runs all checks and answers a table.
//!
//! Each check opens handles on a fresh random namespace, so checks run in parallel and on a server shared with others. Where a
//! capability is not declared, a check asserts `Unimplemented` instead and answers [`Outcome::NotDeclared`]. A check that
//! needs a fault of the network or the server (an outage, a lost connection) is not in this suite.

mod checks;
mod common;
mod harness;
mod lease;
mod registry;
mod suite;
mod watch;

pub use checks::CHECKS;
pub use harness::{Harness, Tolerance};
pub use suite::Suite;

#[doc(inline)]
pub use gufo_core::conformance::{Check, Failure, Outcome, Report, Verdict};

#[doc(hidden)]
pub use gufo_core::__conformance_tests as __tests;

#[doc(inline)]
pub use crate::__registry_suite as suite;

#[cfg(doc)]
use gufo_core::Registry;
