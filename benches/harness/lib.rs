//! The part of the measuring instrument that runs in the children: what a peer is, and the load that is put on it.
//!
//! The command `gufo-benches` and the peers in a crate of their own (`benches/peers`) share it, so that the same load
//! generator and the same clocks measure everybody. A binary hands its peers to [`worker::main`] and is then a child
//! that the command can start: `list`, `serve`, `drive` and `hold`.

pub mod driver;
pub mod hold;
pub mod load;
pub mod peer;
pub mod procfs;
pub mod scenario;
pub mod worker;

pub use peer::{About, At, Caller, Home, Measured, Peer, Serving, Streams, listen};

/// What goes wrong in a measurement is told to a person, so text is enough.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;
