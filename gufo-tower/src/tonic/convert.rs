//! Statuses and metadata, from one world to the other.

use bytes::Bytes;
use gufo_core::{Code, Key, Metadata, Status};
use tonic::metadata::{
    AsciiMetadataKey, AsciiMetadataValue, BinaryMetadataKey, BinaryMetadataValue, KeyAndValueRef,
    MetadataMap,
};

/// Names that belong to HTTP, not to the call.
const PROTOCOL: &[&str] = &["content-type", "te", "date", "content-length"];

pub(super) fn metadata_to_tonic(metadata: &Metadata) -> MetadataMap {
    let mut map = MetadataMap::with_capacity(metadata.len());
    for (key, value) in metadata.iter() {
        if key.is_binary() {
            if let Ok(key) = BinaryMetadataKey::from_bytes(key.as_str().as_bytes()) {
                map.append_bin(key, BinaryMetadataValue::from_bytes(value));
            }
        } else if let (Ok(key), Ok(value)) = (
            AsciiMetadataKey::from_bytes(key.as_str().as_bytes()),
            AsciiMetadataValue::try_from(&value[..]),
        ) {
            map.append(key, value);
        }
    }
    map
}

/// Entries that gufo would not accept from the wire either are left out.
pub(super) fn metadata_from_tonic(map: &MetadataMap) -> Metadata {
    let mut metadata = Metadata::new();
    for entry in map.iter() {
        let (name, value) = match entry {
            KeyAndValueRef::Ascii(key, value) => (
                key.as_str(),
                Some(Bytes::copy_from_slice(value.as_encoded_bytes())),
            ),
            KeyAndValueRef::Binary(key, value) => (key.as_str(), value.to_bytes().ok()),
        };
        if name.starts_with("grpc-") || PROTOCOL.contains(&name) {
            continue;
        }
        if let (Ok(key), Some(value)) = (Key::parse(name), value) {
            // A value that does not fit its name stays behind.
            let _ = metadata.push(key, value);
        }
    }
    metadata
}

pub(super) fn status_to_tonic(status: &Status) -> tonic::Status {
    tonic::Status::with_details_and_metadata(
        tonic::Code::from_i32(i32::from(status.code().number())),
        status.message(),
        status.encode_details(),
        metadata_to_tonic(status.metadata()),
    )
}

pub(super) fn status_from_tonic(status: &tonic::Status) -> Status {
    Status::new(
        Code::from_number(i64::from(i32::from(status.code()))),
        status.message(),
    )
    .with_encoded_details(status.details())
    .with_metadata(metadata_from_tonic(status.metadata()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_comes_back_with_details_and_metadata() {
        let mut status =
            Status::not_found("no owl").with_detail("type.googleapis.com/a.B", vec![1, 2, 3]);
        status
            .metadata_mut()
            .insert("x-owl", "barn")
            .expect("legal");
        status
            .metadata_mut()
            .insert_bin("x-owl-bin", vec![0, 255])
            .expect("legal");

        let read = status_from_tonic(&status_to_tonic(&status));

        assert_eq!((read.code(), read.message()), (Code::NotFound, "no owl"));
        assert_eq!(read.details(), status.details());
        assert_eq!(read.metadata(), status.metadata());
    }
}
