//! Everything serde has and protobuf has not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in super::super) struct Shapes {
    unit: (),
    tuple: (u8, String, bool),
    character: char,
    bytes: [i8; 3],
    words: (i16, u16, u32),
    single: f32,
    newtype: Newtype,
    choices: Vec<Choice>,
    nothing: Option<Box<Self>>,
    itself: Option<Box<Self>>,
    nested: Vec<Vec<Option<u8>>>,
    by_choice: BTreeMap<Plain, Choice>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Plain {
    First,
    Second,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Unit,
    Newtype(u64),
    Tuple(i64, String),
    Struct { left: Plain, right: Option<String> },
}

pub(in super::super) fn shapes() -> Shapes {
    let leaf = Shapes {
        unit: (),
        tuple: (255, "owl".into(), true),
        character: '🦉',
        bytes: [-128, 0, 127],
        words: (i16::MIN, u16::MAX, u32::MAX),
        single: 0.1,
        newtype: Newtype(String::new()),
        choices: vec![
            Choice::Unit,
            Choice::Newtype(u64::MAX),
            Choice::Tuple(i64::MIN, "two".into()),
            Choice::Struct {
                left: Plain::Second,
                right: None,
            },
        ],
        nothing: None,
        itself: None,
        nested: vec![vec![], vec![None, Some(0)]],
        by_choice: BTreeMap::from([
            (Plain::First, Choice::Unit),
            (Plain::Second, Choice::Newtype((1 << 53) + 1)),
        ]),
    };
    Shapes {
        itself: Some(Box::new(leaf.clone())),
        ..leaf
    }
}
