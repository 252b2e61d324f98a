//! Messages with fields of every kind that both protobuf and serde have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{all_bytes, binary};

/// No field at all.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
pub(in super::super) struct Empty {}

/// A message inside of another.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Inner {
    #[prost(string, tag = "1")]
    pub(in super::super) text: String,
    #[prost(uint64, tag = "2")]
    pub(in super::super) number: u64,
    #[prost(string, repeated, tag = "3")]
    pub(in super::super) names: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
enum Size {
    Unspecified = 0,
    Large = 2,
}

/// Fields of every kind.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Rich {
    #[prost(string, tag = "1")]
    pub(in super::super) text: String,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(with = "binary")]
    pub(in super::super) blob: Vec<u8>,
    #[prost(bool, tag = "3")]
    pub(in super::super) flag: bool,
    #[prost(int32, tag = "4")]
    pub(in super::super) small: i32,
    #[prost(int64, tag = "5")]
    pub(in super::super) signed: i64,
    #[prost(uint64, tag = "6")]
    pub(in super::super) unsigned: u64,
    #[prost(sint64, tag = "7")]
    pub(in super::super) zigzag: i64,
    #[prost(fixed64, tag = "8")]
    pub(in super::super) fixed: u64,
    #[prost(double, tag = "9")]
    pub(in super::super) real: f64,
    #[prost(enumeration = "Size", tag = "10")]
    pub(in super::super) size: i32,
    #[prost(string, optional, tag = "11")]
    pub(in super::super) maybe: Option<String>,
    #[prost(message, optional, tag = "12")]
    pub(in super::super) inner: Option<Inner>,
    #[prost(message, repeated, tag = "13")]
    pub(in super::super) list: Vec<Inner>,
    #[prost(string, repeated, tag = "14")]
    pub(in super::super) names: Vec<String>,
    #[prost(uint64, repeated, tag = "15")]
    pub(in super::super) numbers: Vec<u64>,
    #[prost(btree_map = "string, message", tag = "16")]
    pub(in super::super) by_name: BTreeMap<String, Inner>,
    #[prost(btree_map = "int32, string", tag = "17")]
    pub(in super::super) by_number: BTreeMap<i32, String>,
}

/// Numbers that are not whole.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Floats {
    #[prost(double, repeated, tag = "1")]
    pub(in super::super) doubles: Vec<f64>,
    #[prost(float, repeated, tag = "2")]
    pub(in super::super) singles: Vec<f32>,
}

/// One of each kind that has a length, as short as can be.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Claims {
    #[prost(string, tag = "1")]
    pub(in super::super) t: String,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(with = "binary")]
    pub(in super::super) b: Vec<u8>,
    #[prost(uint64, repeated, tag = "3")]
    pub(in super::super) n: Vec<u64>,
    #[prost(btree_map = "string, uint64", tag = "4")]
    pub(in super::super) m: BTreeMap<String, u64>,
}

/// Texts that have been mangled before.
fn texts() -> Vec<String> {
    [
        "",
        "owl",
        "null",
        "0",
        "\0",
        " \t\r\n",
        "\"quoted\" \\ and/or 'not'",
        "Eule, совa, 猫頭鷹, ǘ, u\u{308}\u{301}",
        "🦉\u{200d}👩🏽\u{feff}\u{fffd}\u{10ffff}",
        "\u{2028}\u{2029}\u{85}\u{7f}",
    ]
    .map(str::to_owned)
    .into()
}

/// The fixed message of the golden files: never to be changed.
pub(in super::super) fn sample() -> Rich {
    let inner = Inner {
        text: "snow owl 🦉".into(),
        number: 1 << 40,
        names: vec!["".into(), "b".into()],
    };
    Rich {
        text: "hello owl".into(),
        blob: vec![0, 1, 127, 128, 255],
        flag: true,
        small: -2,
        signed: i64::MIN,
        unsigned: u64::MAX,
        zigzag: -3,
        fixed: (1 << 53) + 1,
        real: 0.25,
        size: Size::Large.into(),
        maybe: Some(String::new()),
        inner: Some(inner.clone()),
        list: vec![Inner::default(), inner.clone()],
        names: vec!["a".into(), "".into(), "ü".into()],
        numbers: vec![0, 127, 128, 1 << 32],
        by_name: BTreeMap::from([("".into(), Inner::default()), ("k".into(), inner)]),
        by_number: BTreeMap::from([(-1, "minus".into()), (7, "seven".into())]),
    }
}

/// Like the sample, with the texts and bytes that have been mangled before, and some that are long.
pub(in super::super) fn filled() -> Rich {
    let keyed = |text: String| {
        (
            text.clone(),
            Inner {
                text,
                ..Inner::default()
            },
        )
    };
    Rich {
        text: "long 🦉 ".repeat(10_000),
        blob: all_bytes(),
        size: 77, // an enum value this side does not know
        names: texts(),
        numbers: (0..64).map(|bit| 1 << bit).collect(),
        by_name: texts().into_iter().map(keyed).collect(),
        by_number: texts()
            .into_iter()
            .zip(-3..)
            .map(|(text, key)| (key, text))
            .collect(),
        ..sample()
    }
}
