//! Payload: one message, as bytes or as the value itself.

use std::{any::Any, fmt, marker::PhantomData};

use bytes::Bytes;

use crate::{Code, Format, Metadata, Status, Wire};

/// One message: encoded, or the value itself where both ends share a process.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "a message is bytes or a value")]
pub enum Payload {
    /// The encoded message, uncompressed and without framing.
    Encoded(Bytes),
    /// The message itself; a receiver that does not know its type encodes it.
    Value(Box<dyn Value>),
}

/// A message that can still be encoded. Made by [`Payload::value`].
pub trait Value: fmt::Debug + Send {
    /// Encodes the message.
    ///
    /// # Errors
    /// When the type has no such format, or its serialization fails.
    fn encode(&self, format: &Format) -> Result<Bytes, Status>;

    /// The slot that holds the message: an `Option<T>`.
    fn slot(&mut self) -> &mut dyn Any;
}

impl Payload {
    /// A message handed over as a value.
    #[must_use]
    pub fn value<W: Wire<T>, T: Send + 'static>(message: T) -> Self {
        Self::Value(Box::new(Slot::<W, T> {
            message: Some(message),
            wire: PhantomData,
        }))
    }

    /// The encoded message.
    ///
    /// # Errors
    /// When a value cannot be encoded in the format.
    pub fn into_bytes(self, format: &Format) -> Result<Bytes, Status> {
        match self {
            Self::Encoded(bytes) => Ok(bytes),
            Self::Value(value) => value.encode(format),
        }
    }

    /// Encodes a value in place, so that the payload can be cloned and inspected as bytes.
    ///
    /// # Errors
    /// When a value cannot be encoded in the format.
    pub fn make_bytes(&mut self, format: &Format) -> Result<&Bytes, Status> {
        if let Self::Value(value) = self {
            *self = Self::Encoded(value.encode(format)?);
        }
        match self {
            Self::Encoded(bytes) => Ok(bytes),
            Self::Value(_) => Err(Status::internal("a payload was not encoded")),
        }
    }

    /// The message as a `T`: the value itself when it is one, decoded otherwise.
    ///
    /// # Errors
    /// `InvalidArgument` when the bytes are not a `T`, `Unimplemented` when `T` has no such
    /// format.
    pub fn into_message<W: Wire<T>, T: Send + 'static>(self, format: &Format) -> Result<T, Status> {
        match self {
            Self::Encoded(bytes) => W::decode(bytes, format),
            Self::Value(mut value) => {
                let message = value
                    .slot()
                    .downcast_mut::<Option<T>>()
                    .and_then(Option::take);
                match message {
                    Some(message) => Ok(message),
                    None => W::decode(value.encode(format)?, format),
                }
            }
        }
    }

    /// A reply as a `T`, for the caller: one that cannot be read is `Internal`, since it is not the
    /// caller's argument that is wrong.
    pub(crate) fn into_reply<W: Wire<T>, T: Send + 'static>(
        self,
        format: &Format,
    ) -> Result<T, Status> {
        self.into_message::<W, T>(format)
            .map_err(|status| match status.code() {
                Code::InvalidArgument => {
                    Status::internal(format!("the reply cannot be read: {}", status.message()))
                }
                _ => status,
            })
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::Encoded(bytes)
    }
}

struct Slot<W, T> {
    message: Option<T>,
    wire: PhantomData<fn() -> W>,
}

impl<W: Wire<T>, T: Send + 'static> Value for Slot<W, T> {
    fn encode(&self, format: &Format) -> Result<Bytes, Status> {
        match &self.message {
            Some(message) => W::encode(message, format),
            None => Err(Status::internal("a message was taken twice")),
        }
    }

    fn slot(&mut self) -> &mut dyn Any {
        &mut self.message
    }
}

impl<W, T> fmt::Debug for Slot<W, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value<{}>", std::any::type_name::<T>())
    }
}

/// The answer to a unary call.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "every value is legal")]
pub struct Reply {
    /// Metadata that goes ahead of the message.
    pub metadata: Metadata,
    /// The message.
    pub message: Payload,
    /// Metadata that follows the message.
    pub trailers: Metadata,
}

impl Reply {
    /// A reply without metadata.
    #[must_use]
    pub const fn new(message: Payload) -> Self {
        Self {
            metadata: Metadata::new(),
            message,
            trailers: Metadata::new(),
        }
    }
}
