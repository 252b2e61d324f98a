//! A message that nests as deep as its writer likes, and a reader that skips it.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::super::stack;

#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Nested {
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "probed")]
    pub(in super::super) children: Vec<Self>,
}

impl Nested {
    /// A message of this many levels.
    pub(in super::super) fn deep(levels: usize) -> Self {
        (1..levels).fold(Self::default(), |inner, _| Self {
            children: vec![inner],
        })
    }
}

fn probed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Nested>, D::Error> {
    stack::probe();
    Vec::deserialize(deserializer)
}

/// Knows none of its fields.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize)]
pub(in super::super) struct Skipping {}

impl<'de> Deserialize<'de> for Skipping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Skipping", &[], Skip)?;
        Ok(Self {})
    }
}

/// Like [`IgnoredAny`], and notes the stack it takes.
struct Skip;

impl<'de> Deserialize<'de> for Skip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        stack::probe();
        deserializer.deserialize_ignored_any(Self)
    }
}

macro_rules! skips {
    ($($visit:ident: $value:ty),*) => {$(
        fn $visit<E: Error>(self, _: $value) -> Result<Self, E> {
            Ok(self)
        }
    )*};
}

impl<'de> Visitor<'de> for Skip {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    skips! {
        visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str, visit_bytes: &[u8]
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_none<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self, A::Error> {
        while fields.next_entry::<IgnoredAny, Self>()?.is_some() {}
        Ok(self)
    }
}
