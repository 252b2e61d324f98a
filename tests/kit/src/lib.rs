//! What the suites of gufo are made of: a service to be attacked, server starters, hostile clients,
//! hostile servers, and a probe that goes on calling meanwhile.
//!
//! [`serve`] starts the service in this process, [`Child`] in one of its own, whose memory and
//! descriptors can be told apart. [`raw`] writes what no well-behaved client would: frames by hand,
//! heads that never end, bytes that are not HTTP at all. [`hostile`] is the other side of that: a
//! server that plays a script. [`proxy`] stands between two honest ends and is the network at its
//! worst.

mod child;
mod eventually;
pub mod hostile;
mod probe;
pub mod proxy;
pub mod raw;
mod server;
mod service;

pub use child::{Child, announce};
pub use eventually::{PATIENCE, eventually, within};
pub use probe::{Probe, caller, connect};
pub use server::{Target, serve, serve_at, serve_with};
pub use service::{CHUNK, Seen, Tree, methods, service};
