//! What the conformance suites share: [`Check`]s with their [`Outcome`], the [`Report`] of them all, and
//! the [`Failure`] that [`ensure!`] and [`ensure_eq!`] give.
//!
//! The suites themselves stand with what they test: that of codecs in
//! [`codec::conformance`](crate::codec::conformance), those of transports and registries in their
//! crates.
//!
//! # How a suite is made
//! Its list is one macro, `checks` below, which hands `number name "promise";`, by module, to the macro
//! it is given. `__conformance_table!` makes `CHECKS` of it, and `run_of(name)`, which answers what the
//! local macro `run!` says of a check. `__conformance_tests!` makes a `#[test]` of each check, which asks
//! `__check(name)` beside it for the [`Verdict`].
//!
//! ```
//! # mod acme {
//! use gufo_core::conformance::{Report, Verdict};
//!
//! mod arithmetic {
//!     use gufo_core::conformance::{Outcome, Verdict, ensure_eq};
//!
//!     pub(super) fn sums(add: fn(u8, u8) -> u8) -> Verdict {
//!         ensure_eq!(add(1, 2), 3, "1 and 2");
//!         Ok(Outcome::Passed)
//!     }
//! }
//!
//! macro_rules! checks {
//!     ($($then:tt)+) => {
//!         $($then)+! {
//!             arithmetic {
//!                 "N1" sums "Numbers are added.";
//!             }
//!         }
//!     };
//! }
//!
//! macro_rules! run {
//!     ($check:path) => {
//!         $check
//!     };
//! }
//!
//! type Run = fn(fn(u8, u8) -> u8) -> Verdict;
//!
//! checks!(gufo_core::__conformance_table);
//!
//! pub fn run(add: fn(u8, u8) -> u8) -> Report {
//!     CHECKS.iter().map(|check| (*check, run_of(check.name).and_then(|run| run(add)))).collect()
//! }
//! # }
//! let report = acme::run(u8::wrapping_sub);
//!
//! assert_eq!(report.failed().map(|check| check.name).collect::<Vec<_>>(), ["arithmetic::sums"]);
//! ```

mod failure;
mod list;
mod report;

pub use failure::{Failure, brief};
pub use report::{Check, Outcome, Report, Verdict};

#[doc(inline)]
pub use crate::{__ensure as ensure, __ensure_eq as ensure_eq};
