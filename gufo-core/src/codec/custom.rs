//! Codec: formats gufo does not know.

use std::fmt;

use super::AnySerialize;
use crate::Status;

/// A format for every serde type, registered by an application.
///
/// # Contract
/// 1. `decode(encode(value))` equals `value`, 64-bit integers and binary strings included.
/// 2. Truncated, oversize or garbage input is an error: no panic, no endless loop.
/// 3. No memory is reserved by a length the input merely states.
/// 4. Input nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH) or a limit of its own is an error
///    before the stack is exhausted.
///
/// The suite `codec::conformance` (feature `conformance`) checks all four.
///
/// # Examples
/// See `examples/src/bin/custom-codec.rs`.
pub trait Codec: fmt::Debug + Send + Sync + 'static {
    /// The content subtype, in lower case, e.g. `cbor`.
    fn name(&self) -> &str;

    /// Appends the encoded value.
    ///
    /// # Errors
    /// `Internal` when the value cannot be represented.
    fn encode(&self, value: &dyn AnySerialize, out: &mut Vec<u8>) -> Result<(), Status>;

    /// Reads one value: makes a deserializer for the bytes and hands it to the seed, exactly once.
    ///
    /// # Errors
    /// `InvalidArgument` when the bytes are not one whole value.
    fn decode(&self, bytes: &[u8], seed: &mut DecodeSeed<'_>) -> Result<(), Status>;
}

/// Why a custom decoding failed: an erased serde error.
pub type DecodeError = erased_serde::Error;

/// Takes the one value out of a deserializer, for [`Codec::decode`].
pub struct DecodeSeed<'a> {
    visit: &'a mut dyn FnMut(&mut dyn erased_serde::Deserializer<'_>) -> Result<(), DecodeError>,
}

impl<'a> DecodeSeed<'a> {
    pub(super) fn new(
        visit: &'a mut dyn FnMut(
            &mut dyn erased_serde::Deserializer<'_>,
        ) -> Result<(), DecodeError>,
    ) -> Self {
        Self { visit }
    }

    /// Deserializes the value.
    ///
    /// # Errors
    /// What the deserializer says.
    pub fn read<'de, D: serde::Deserializer<'de>>(
        &mut self,
        deserializer: D,
    ) -> Result<(), DecodeError> {
        (self.visit)(&mut <dyn erased_serde::Deserializer<'_>>::erase(
            deserializer,
        ))
    }
}

impl fmt::Debug for DecodeSeed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecodeSeed")
    }
}
