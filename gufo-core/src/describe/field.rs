//! Field: the type of a field, and what Rust's own types look like as one.

use std::{
    collections::{BTreeMap, HashMap},
    hash::BuildHasher,
};

use bytes::Bytes;

use super::{Describe, Types};

/// The scalar types of protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_enums,
    missing_docs,
    reason = "protobuf closes and names them"
)]
pub enum Scalar {
    Double = 1,
    Float = 2,
    Int64 = 3,
    Uint64 = 4,
    Int32 = 5,
    Fixed64 = 6,
    Fixed32 = 7,
    Bool = 8,
    String = 9,
    Bytes = 12,
    Uint32 = 13,
    Sfixed32 = 15,
    Sfixed64 = 16,
    Sint32 = 17,
    Sint64 = 18,
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub(super) label: Label,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Single,
    Optional,
    Repeated,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar(Scalar),
    /// A message or an enum, by its full name.
    Message(String),
    Enum(String),
    Map(Box<(Field, Field)>),
}

impl Field {
    /// One value of a scalar type.
    #[must_use]
    pub const fn scalar(scalar: Scalar) -> Self {
        Self::single(Kind::Scalar(scalar))
    }

    /// A map from a scalar to a single value.
    #[must_use]
    pub fn map(key: Self, value: Self) -> Self {
        Self::single(Kind::Map(Box::new((key, value))))
    }

    /// The field, present or not.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.label = Label::Optional;
        self
    }

    /// Any number of the field.
    #[must_use]
    pub fn repeated(mut self) -> Self {
        self.label = Label::Repeated;
        self
    }

    pub(super) const fn single(kind: Kind) -> Self {
        Self {
            label: Label::Single,
            kind,
        }
    }

    /// Whether this is one value that a list, a map or an option may hold.
    fn is_single(&self) -> bool {
        self.label == Label::Single && !matches!(self.kind, Kind::Map(_))
    }
}

macro_rules! scalars {
    ($($scalar:ident: $($rust:ty),+;)*) => {
        $($(impl Describe for $rust {
            fn describe(_: &mut Types) -> Field {
                Field::scalar(Scalar::$scalar)
            }
        })+)*
    };
}

scalars! {
    Double: f64;
    Float: f32;
    Int64: i64;
    Uint64: u64;
    Int32: i8, i16, i32;
    Uint32: u8, u16, u32;
    Bool: bool;
    String: String;
    Bytes: Bytes;
}

/// A list of lists, a map of lists and the like have no form in protobuf: they are opaque.
fn of_single<T: Describe, Whole: 'static>(
    types: &mut Types,
    shape: impl FnOnce(Field) -> Field,
) -> Field {
    let inner = T::describe(types);
    if inner.is_single() {
        shape(inner)
    } else {
        types.opaque::<Whole>()
    }
}

impl<T: Describe> Describe for Vec<T> {
    fn describe(types: &mut Types) -> Field {
        of_single::<T, Self>(types, Field::repeated)
    }
}

impl<T: Describe> Describe for Option<T> {
    fn describe(types: &mut Types) -> Field {
        let inner = T::describe(types);
        if inner.is_single() {
            inner.optional()
        } else {
            // An absent list is an empty one.
            inner
        }
    }
}

impl<T: Describe> Describe for Box<T> {
    fn describe(types: &mut Types) -> Field {
        T::describe(types)
    }
}

impl<K: Describe, V: Describe, S: BuildHasher + 'static> Describe for HashMap<K, V, S> {
    fn describe(types: &mut Types) -> Field {
        let key = K::describe(types);
        of_single::<V, Self>(types, |value| Field::map(key, value))
    }
}

impl<K: Describe, V: Describe> Describe for BTreeMap<K, V> {
    fn describe(types: &mut Types) -> Field {
        let key = K::describe(types);
        of_single::<V, Self>(types, |value| Field::map(key, value))
    }
}
