//! Codecs: what was decoded comes back, in its own format and in others.

use std::{collections::BTreeMap, fmt::Debug};

use gufo_core::{
    Bytes, Code, Format, Node, Wire,
    codec::{ProstSerde, Serde},
};
use serde::{Deserialize, Serialize};

/// A message of everything protobuf has.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
struct Rich {
    #[prost(string, tag = "1")]
    text: String,
    #[prost(sint64, tag = "2")]
    signed: i64,
    #[prost(uint64, tag = "3")]
    unsigned: u64,
    #[prost(double, tag = "4")]
    double: f64,
    #[prost(float, optional, tag = "5")]
    float: Option<f32>,
    #[prost(bool, tag = "6")]
    flag: bool,
    #[prost(bytes = "vec", tag = "7")]
    bytes: Vec<u8>,
    #[prost(string, repeated, tag = "8")]
    texts: Vec<String>,
    #[prost(fixed32, repeated, tag = "9")]
    packed: Vec<u32>,
    #[prost(btree_map = "string, sint64", tag = "10")]
    map: BTreeMap<String, i64>,
    #[prost(message, optional, boxed, tag = "11")]
    child: Option<Box<Self>>,
    #[prost(message, repeated, tag = "12")]
    children: Vec<Self>,
    #[prost(oneof = "Choice", tags = "13, 14")]
    choice: Option<Choice>,
    #[prost(enumeration = "Color", tag = "15")]
    color: i32,
}

#[derive(Clone, PartialEq, prost::Oneof, Serialize, Deserialize)]
enum Choice {
    #[prost(int32, tag = "13")]
    Number(i32),
    #[prost(message, tag = "14")]
    Message(Box<Rich>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
enum Color {
    Brown = 0,
    White = 1,
}

/// A message of what serde has and protobuf has not.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Shape {
    Point,
    Letter(char),
    Pair(i8, Option<u16>),
    Many {
        items: Vec<Self>,
        by_number: BTreeMap<i64, String>,
        rest: (u8, f64, ()),
    },
}

/// JSON as messages of three types.
pub(crate) fn json(input: &[u8]) {
    let format = Format::Json;
    comes_back::<ProstSerde, Rich>(input, &format);
    comes_back::<Serde, Shape>(input, &format);
    comes_back::<Serde, serde_json::Value>(input, &format);
}

/// MessagePack as messages of three types.
pub(crate) fn msgpack(input: &[u8]) {
    let format = Format::MessagePack;
    comes_back::<ProstSerde, Rich>(input, &format);
    comes_back::<Serde, Shape>(input, &format);
    comes_back::<Serde, serde_json::Value>(input, &format);
}

/// Protobuf; what was decoded comes back from MessagePack too.
pub(crate) fn protobuf(input: &[u8]) {
    if let Some(message) = comes_back::<ProstSerde, Rich>(input, &Format::Protobuf) {
        let bytes = <ProstSerde as Wire<Rich>>::encode(&message, &Format::MessagePack);
        let again = <ProstSerde as Wire<Rich>>::decode(
            bytes.expect("a message has a MessagePack form"),
            &Format::MessagePack,
        );
        // Both nest to the same depth, and a level of messages in a list is two in MessagePack.
        if let Ok(again) = again {
            assert_eq!(shown(&again), shown(&message));
        }
    }
}

/// The record of a node as registries store it.
pub(crate) fn node(input: &[u8]) {
    if let Some(node) = comes_back::<Serde, Node>(input, &Format::Json) {
        for endpoint in &node.endpoints {
            assert!(!endpoint.url().has_credentials());
        }
    }
}

fn comes_back<W: Wire<T>, T: Debug>(input: &[u8], format: &Format) -> Option<T> {
    let first = match W::decode(Bytes::copy_from_slice(input), format) {
        Ok(first) => first,
        Err(status) => {
            assert_eq!(status.code(), Code::InvalidArgument, "{}", status.message());
            return None;
        }
    };
    let bytes = W::encode(&first, format).expect("what was decoded can be encoded");
    let second = W::decode(bytes.clone(), format).expect("what was encoded can be decoded");
    assert_eq!(shown(&second), shown(&first));
    let again = W::encode(&second, format).expect("what was decoded can be encoded");
    assert_eq!(again, bytes);
    Some(first)
}

/// As text, in which what is not a number equals itself.
fn shown(message: &impl Debug) -> String {
    format!("{message:?}")
}
