//! Encoding: from a message to the bytes that a frame carries.
//!
//! Between compression and framing every message that is sent passes [`Encoding::body`]: whatever
//! has to see its bytes belongs there.

use bytes::Bytes;
use gufo_core::{Compression, Format, Payload, Status};

use crate::compress;

/// How messages become what a frame carries.
#[derive(Clone, Debug)]
pub(crate) struct Encoding {
    pub(crate) format: Format,
    pub(crate) compression: Option<Compression>,
    pub(crate) limit: usize,
}

impl Encoding {
    /// Encodes, checks and compresses a message: what goes behind its head.
    pub(crate) fn body(&self, message: Payload) -> Result<Bytes, Status> {
        let bytes = message.into_bytes(&self.format)?;
        if bytes.len() > self.limit {
            let (size, limit) = (bytes.len(), self.limit);
            return Err(Status::resource_exhausted(format!(
                "message of {size} bytes is over the limit of {limit}"
            )));
        }
        match self.compression {
            Some(compression) => compress::compress(compression, &bytes),
            None => Ok(bytes),
        }
    }
}
