//! The suite every codec has to pass: what the contract of [`Codec`](super::Codec) promises, as one
//! test per promise.
//!
//! A codec's whole test file is one line:
//!
//! ```no_run
//! # mod acme {
//! #     use gufo_core::{Status, codec::{AnySerialize, Codec, DecodeSeed}};
//! #     #[derive(Debug)]
//! #     pub struct Cbor;
//! #     impl Codec for Cbor {
//! #         fn name(&self) -> &str { "cbor" }
//! #         fn encode(&self, _: &dyn AnySerialize, _: &mut Vec<u8>) -> Result<(), Status> { Ok(()) }
//! #         fn decode(&self, _: &[u8], _: &mut DecodeSeed<'_>) -> Result<(), Status> { Ok(()) }
//! #     }
//! # }
//! gufo_core::codec::conformance::suite!(gufo_core::Format::Custom(std::sync::Arc::new(acme::Cbor)));
//! # fn main() {}
//! ```
//!
//! It expands to one `#[test]` per check, in modules, so that filters work; put it in a module of its
//! own when a file has several. A second argument changes the [`Suite`]:
//! `suite!(format, |suite| suite.golden(include_bytes!("golden/cbor.bin")))`. [`run`] gives the same
//! as a [`Report`].
//!
//! Differences between formats are declared in [`Capabilities`] and nowhere else; what a format cannot
//! do is checked to be refused, never skipped, and answered as [`Outcome::NotDeclared`].
//!
//! # How codecs fail
//! A panic, a wrong code and a call that never ends fail the check. Each check runs on a thread of its
//! own with a stack of 256 MiB, so that a codec without a limit of depth is reported instead of ending
//! the process, and reads what nests on an ordinary stack of 2 MiB only after that; a thread that hangs
//! is left behind. What is made by chance follows from a seed, which
//! every failure names and [`Suite::seed`] sets.
//!
//! `garbage::truncated` or `nesting::bombs` not ending is mostly an error that quotes itself: the text of
//! an error is written anew at every level of nesting, so a library whose errors escape their own text
//! doubles it each time.
//!
//! Memory that is reserved by a stated length is seen in two ways: lengths up to 2^64 are stated, which
//! panics where they are believed, and what a [`Meter`] counts is bounded. Without a meter a codec
//! that believes a length of 4 GiB, and is given the memory, goes unnoticed.
//!
//! # What is not tested here
//! What a codec does not decide: how messages are framed, split and skipped in a stream (K5, K7, K14)
//! is a matter of transports, the JSON mapping of generated protobuf types (K4) one of their code, and
//! the limit of a message's size (K9) is enforced before a codec sees it.

mod bed;
mod capabilities;
mod checks;
mod list;
mod messages;
mod stack;
mod suite;

pub use capabilities::{Capabilities, EmptyBody, End, Fields};
pub use list::CHECKS;
pub use suite::{Meter, Suite, run};

#[doc(inline)]
pub use crate::conformance::{Check, Failure, Outcome, Report, Verdict};

#[doc(inline)]
pub use crate::__codec_suite as suite;
