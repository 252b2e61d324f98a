//! Doors between gufo and its neighbours.
//!
//! - [`wrap`] and [`wrap_service`] put a [`tower::Layer`](tower_layer::Layer) around a client or a
//!   service.
//! - [`tonic`] (feature `tonic`) mounts a tonic-generated service on a gufo server and puts a gufo
//!   channel under a tonic-generated client.
//!
//! These modules are the only ones of gufo whose public signatures name tower's and tonic's types.

mod layer;
#[cfg(feature = "tonic")]
pub mod tonic;

pub use layer::{Request, Response, Routed, wrap, wrap_service};
