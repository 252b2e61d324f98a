//! tonic on both sides: [`mount`] a tonic-generated service on a gufo server; put a gufo channel
//! under a tonic-generated client with [`TonicChannel`].
//!
//! Messages pass as protobuf bytes, in every kind of call; metadata, deadlines, cancellation and
//! statuses with their details cross unchanged. Two things do not: tonic's services know protobuf
//! only, and tonic's server side has no trailers for calls that end well.

mod channel;
mod codec;
mod convert;
mod mount;

pub use channel::TonicChannel;
pub use mount::mount;
