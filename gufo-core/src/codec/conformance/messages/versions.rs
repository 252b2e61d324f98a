//! One message as writers and readers of different age or opinion know it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

use super::{Inner, Rich};

/// What the reader knows.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Older {
    #[prost(string, tag = "1")]
    pub(in super::super) text: String,
    #[prost(uint64, tag = "2")]
    pub(in super::super) number: u64,
    #[prost(message, repeated, tag = "3")]
    pub(in super::super) list: Vec<Inner>,
}

/// What a newer writer sends: fields before, between and after those of [`Older`].
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub(in super::super) struct Newer {
    #[prost(message, optional, tag = "20")]
    pub(in super::super) unknown_message: Option<Rich>,
    #[prost(string, tag = "1")]
    pub(in super::super) text: String,
    #[prost(string, optional, tag = "21")]
    pub(in super::super) unknown_nothing: Option<String>,
    #[prost(message, repeated, tag = "22")]
    pub(in super::super) unknown_list: Vec<Rich>,
    #[prost(double, tag = "23")]
    pub(in super::super) unknown_real: f64,
    #[prost(uint64, tag = "2")]
    pub(in super::super) number: u64,
    #[prost(bool, tag = "24")]
    pub(in super::super) unknown_flag: bool,
    #[prost(btree_map = "int32, string", tag = "25")]
    pub(in super::super) unknown_map: BTreeMap<i32, String>,
    #[prost(message, repeated, tag = "3")]
    pub(in super::super) list: Vec<Inner>,
    #[prost(sint64, tag = "26")]
    pub(in super::super) unknown_number: i64,
}

/// The same with one more field, at the end.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
pub(in super::super) struct Longer {
    #[prost(string, tag = "1")]
    pub(in super::super) text: String,
    #[prost(uint64, tag = "2")]
    pub(in super::super) number: u64,
    #[prost(message, repeated, tag = "3")]
    pub(in super::super) list: Vec<Inner>,
    #[prost(string, tag = "4")]
    pub(in super::super) more: String,
}

/// The first field of [`Rich`], and of [`Older`].
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
pub(in super::super) struct Short {
    #[prost(string, tag = "1")]
    pub(in super::super) text: String,
}

/// What a writer sends that has null where others have nothing.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
pub(in super::super) struct Nulls {
    #[prost(string, optional, tag = "1")]
    pub(in super::super) text: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub(in super::super) list: Option<Inner>,
    #[prost(message, optional, tag = "3")]
    pub(in super::super) by_name: Option<Inner>,
}

/// The reader of [`Nulls`].
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Collections {
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "or_default")]
    pub(in super::super) text: String,
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "or_default")]
    pub(in super::super) list: Vec<Inner>,
    #[prost(btree_map = "string, message", tag = "3")]
    #[serde(deserialize_with = "or_default")]
    pub(in super::super) by_name: BTreeMap<String, Inner>,
}

fn or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A number, without a sign.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
pub(in super::super) struct Unsigned {
    #[prost(uint64, tag = "1")]
    pub(in super::super) number: u64,
}

/// The same number, with a sign.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
pub(in super::super) struct Signed {
    #[prost(int64, tag = "1")]
    pub(in super::super) number: i64,
}

/// The same number in 32 bits.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
pub(in super::super) struct Small {
    #[prost(int32, tag = "1")]
    pub(in super::super) number: i32,
}

/// The same number, not always whole.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub(in super::super) struct Fraction {
    #[prost(double, tag = "1")]
    pub(in super::super) number: f64,
}
