//! CBOR, as an application would add it.

use ciborium::{Value, de::from_reader_with_recursion_limit};
use gufo_core::{
    Codec, Status,
    codec::{AnySerialize, DecodeSeed, MAX_DEPTH},
};
use serde::{
    Deserializer,
    de::value::{Error, MapAccessDeserializer, MapDeserializer, SeqDeserializer},
    de::{Error as _, IntoDeserializer, Visitor},
};

#[derive(Debug)]
pub(crate) struct Cbor;

impl Codec for Cbor {
    fn name(&self) -> &str {
        "cbor"
    }

    fn encode(&self, value: &dyn AnySerialize, out: &mut Vec<u8>) -> Result<(), Status> {
        ciborium::into_writer(value, out)
            .map_err(|error| Status::internal(format!("cannot write CBOR: {error}")))
    }

    fn decode(&self, bytes: &[u8], seed: &mut DecodeSeed<'_>) -> Result<(), Status> {
        let wrong = |why: &dyn std::fmt::Display| {
            Status::invalid_argument(format!("message is not valid CBOR: {why}"))
        };
        let mut rest = bytes;
        let tree: Value = from_reader_with_recursion_limit(&mut rest, MAX_DEPTH)
            .map_err(|error| wrong(&error))?;
        if !rest.is_empty() {
            return Err(wrong(&format_args!("{} bytes follow it", rest.len())));
        }
        seed.read(Tree(tree)).map_err(|error| wrong(&error))
    }
}

/// `{"children": [{"children": [...`
pub(crate) fn bomb() -> Vec<u8> {
    b"\xa1\x68children\x81".repeat(10_000)
}

/// A value to be read: the crate gives out no deserializer of its own.
struct Tree(Value);

type Pairs = std::vec::IntoIter<(Tree, Tree)>;

fn pairs<'de>(map: Vec<(Value, Value)>) -> MapDeserializer<'de, Pairs, Error> {
    let pairs = map.into_iter().map(|(key, value)| (Tree(key), Tree(value)));
    MapDeserializer::new(pairs.collect::<Vec<_>>().into_iter())
}

impl<'de> Deserializer<'de> for Tree {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Float(real) => visitor.visit_f64(real),
            Value::Text(text) => visitor.visit_string(text),
            Value::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Value::Integer(number) => match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => Err(Error::custom("an integer is longer than 64 bits")),
            },
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Self));
                let read = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(read)
            }
            Value::Map(map) => {
                let mut pairs = pairs(map);
                let read = visitor.visit_map(&mut pairs)?;
                pairs.end()?;
                Ok(read)
            }
            Value::Tag(_, value) => Self(*value).deserialize_any(visitor),
            _ => Err(Error::custom("a value is of an unknown kind")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Text(name) => visitor.visit_enum(name.into_deserializer()),
            Value::Map(map) if map.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(pairs(map)))
            }
            _ => Err(Error::custom("an enum is neither a name nor a pair")),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for Tree {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
