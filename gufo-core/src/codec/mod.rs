//! Codecs: how a message becomes bytes, chosen per call by content type.
//!
//! [`Format`] names a codec at run time; [`Wire`] says at compile time which formats a message
//! type has and goes straight to the right library. Formats gufo does not know are added by
//! implementing [`Codec`], which works for every serde type.

mod custom;
mod format;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "msgpack")]
mod msgpack;
mod wire;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use custom::{Codec, DecodeError, DecodeSeed};
/// A value of any serde type, as [`Codec::encode`] gets it.
pub use erased_serde::Serialize as AnySerialize;
pub use format::{Format, Formats};
#[cfg(feature = "protobuf")]
pub use wire::{Prost, ProstSerde};
pub use wire::{Raw, Serde, Wire};

/// How deep messages may nest in protobuf and MessagePack; JSON has serde_json's own limit of 128. A deeper one is `InvalidArgument`.
pub const MAX_DEPTH: usize = 100;
