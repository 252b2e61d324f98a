//! Wire: which formats a message type has.

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use serde::{Serialize, de::DeserializeOwned};

use super::{DecodeSeed, Format};
use crate::Status;

/// How messages of type `T` are encoded and decoded. Generated code names one per service.
pub trait Wire<T>: Debug + Send + Sync + 'static {
    /// The format clients use unless told otherwise.
    const PREFERRED: Format;

    /// Encodes a message.
    ///
    /// # Errors
    /// `Unimplemented` when the type has no such format, `Internal` when its serialization fails.
    fn encode(message: &T, format: &Format) -> Result<Bytes, Status>;

    /// Encodes a message behind what is in `out`: for streams, whose frames stand side by side.
    /// After an error `out` may hold a part of it.
    ///
    /// # Errors
    /// As [`encode`](Wire::encode).
    fn encode_to(message: &T, format: &Format, out: &mut BytesMut) -> Result<(), Status> {
        out.extend_from_slice(&Self::encode(message, format)?);
        Ok(())
    }

    /// Decodes a message.
    ///
    /// # Errors
    /// `InvalidArgument` when the bytes are not a `T`, `Unimplemented` when the type has no such
    /// format.
    fn decode(bytes: Bytes, format: &Format) -> Result<T, Status>;
}

/// serde types: JSON, MessagePack and every registered codec.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "a name, never a value")]
pub struct Serde;

impl<T: Serialize + DeserializeOwned> Wire<T> for Serde {
    const PREFERRED: Format = Format::Json;

    fn encode(message: &T, format: &Format) -> Result<Bytes, Status> {
        match format {
            #[cfg(feature = "json")]
            Format::Json => super::json::encode(message),
            #[cfg(feature = "msgpack")]
            Format::MessagePack => super::msgpack::encode(message),
            Format::Custom(codec) => {
                let mut out = Vec::new();
                codec.encode(message, &mut out)?;
                Ok(out.into())
            }
            _ => Err(no_such_format::<T>(format)),
        }
    }

    fn decode(bytes: Bytes, format: &Format) -> Result<T, Status> {
        match format {
            #[cfg(feature = "json")]
            Format::Json => super::json::decode(&bytes),
            #[cfg(feature = "msgpack")]
            Format::MessagePack => super::msgpack::decode(&bytes),
            Format::Custom(codec) => {
                let mut value = None;
                codec.decode(
                    &bytes,
                    &mut DecodeSeed::new(&mut |deserializer| {
                        value = Some(erased_serde::deserialize(deserializer)?);
                        Ok(())
                    }),
                )?;
                value.ok_or_else(|| Status::internal(format!("codec {format} read no value")))
            }
            _ => Err(no_such_format::<T>(format)),
        }
    }
}

/// Bytes that pass through unchanged, whatever the format is called: for proxies and gateways.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "a name, never a value")]
pub struct Raw;

impl Wire<Bytes> for Raw {
    const PREFERRED: Format = Format::Raw;

    fn encode(message: &Bytes, _: &Format) -> Result<Bytes, Status> {
        Ok(message.clone())
    }

    fn decode(bytes: Bytes, _: &Format) -> Result<Bytes, Status> {
        Ok(bytes)
    }
}

/// prost types: protobuf only.
#[cfg(feature = "protobuf")]
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "a name, never a value")]
pub struct Prost;

#[cfg(feature = "protobuf")]
impl<T: prost::Message + Default> Wire<T> for Prost {
    const PREFERRED: Format = Format::Protobuf;

    fn encode(message: &T, format: &Format) -> Result<Bytes, Status> {
        match format {
            Format::Protobuf => Ok(message.encode_to_vec().into()),
            _ => Err(no_such_format::<T>(format)),
        }
    }

    fn encode_to(message: &T, format: &Format, out: &mut BytesMut) -> Result<(), Status> {
        match format {
            Format::Protobuf => message
                .encode(out)
                .map_err(|error| Status::internal(format!("cannot write the message: {error}"))),
            _ => Err(no_such_format::<T>(format)),
        }
    }

    fn decode(bytes: Bytes, format: &Format) -> Result<T, Status> {
        match format {
            Format::Protobuf => T::decode(bytes).map_err(|error| {
                Status::invalid_argument(format!("message is not valid protobuf: {error}"))
            }),
            _ => Err(no_such_format::<T>(format)),
        }
    }
}

/// prost types that are serde types too: every format.
#[cfg(feature = "protobuf")]
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "a name, never a value")]
pub struct ProstSerde;

#[cfg(feature = "protobuf")]
impl<T: prost::Message + Default + Serialize + DeserializeOwned> Wire<T> for ProstSerde {
    const PREFERRED: Format = Format::Protobuf;

    fn encode(message: &T, format: &Format) -> Result<Bytes, Status> {
        match format {
            Format::Protobuf => <Prost as Wire<T>>::encode(message, format),
            _ => <Serde as Wire<T>>::encode(message, format),
        }
    }

    fn encode_to(message: &T, format: &Format, out: &mut BytesMut) -> Result<(), Status> {
        match format {
            Format::Protobuf => <Prost as Wire<T>>::encode_to(message, format, out),
            _ => <Serde as Wire<T>>::encode_to(message, format, out),
        }
    }

    fn decode(bytes: Bytes, format: &Format) -> Result<T, Status> {
        match format {
            Format::Protobuf => <Prost as Wire<T>>::decode(bytes, format),
            _ => <Serde as Wire<T>>::decode(bytes, format),
        }
    }
}

fn no_such_format<T>(format: &Format) -> Status {
    let name = std::any::type_name::<T>();
    let name = name.rsplit("::").next().unwrap_or(name);
    Status::unimplemented(format!(
        "messages of type {name} have no {format} form here"
    ))
}
