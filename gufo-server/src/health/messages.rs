//! The messages of `grpc.health.v1`, for protobuf and for the proto3 JSON mapping.

use serde::{Deserialize, Serialize};

use super::ServingStatus;

/// `grpc.health.v1.HealthCheckRequest`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    pub(super) service: String,
}

/// `grpc.health.v1.HealthCheckResponse`.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct HealthCheckResponse {
    #[prost(enumeration = "WireStatus", tag = "1")]
    #[serde(with = "as_name")]
    pub(super) status: i32,
}

/// `grpc.health.v1.HealthCheckResponse.ServingStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(super) enum WireStatus {
    Unknown = 0,
    Serving = 1,
    NotServing = 2,
    /// Answered by `Watch` only.
    ServiceUnknown = 3,
}

impl WireStatus {
    const ALL: [(Self, &str); 4] = [
        (Self::Unknown, "UNKNOWN"),
        (Self::Serving, "SERVING"),
        (Self::NotServing, "NOT_SERVING"),
        (Self::ServiceUnknown, "SERVICE_UNKNOWN"),
    ];
}

impl From<Option<ServingStatus>> for HealthCheckResponse {
    fn from(status: Option<ServingStatus>) -> Self {
        let status = match status {
            Some(ServingStatus::Serving) => WireStatus::Serving,
            Some(ServingStatus::NotServing) => WireStatus::NotServing,
            None => WireStatus::ServiceUnknown,
        };
        Self {
            status: status as i32,
        }
    }
}

/// An enum in JSON: its name, or its number when it has none; both are read.
mod as_name {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::WireStatus;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum NameOrNumber {
        Name(String),
        Number(i32),
    }

    pub(super) fn serialize<S: Serializer>(status: &i32, to: S) -> Result<S::Ok, S::Error> {
        let mut known = WireStatus::ALL.iter();
        match known.find(|(known, _)| *known as i32 == *status) {
            Some((_, name)) => name.serialize(to),
            None => status.serialize(to),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i32, D::Error> {
        match NameOrNumber::deserialize(from)? {
            NameOrNumber::Number(number) => Ok(number),
            NameOrNumber::Name(name) => {
                let mut known = WireStatus::ALL.iter();
                known
                    .find(|(_, known)| *known == name)
                    .map(|(status, _)| *status as i32)
                    .ok_or_else(|| D::Error::custom("unknown serving status"))
            }
        }
    }
}
