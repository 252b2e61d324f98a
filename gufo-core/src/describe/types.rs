//! Types: the messages and enums a service uses, each described once.

use std::{any::TypeId, collections::BTreeSet};

use bytes::BytesMut;

use super::{
    Field,
    field::{Kind, Label},
};
use crate::details::{put_field, put_number};

/// The messages and enums of a package, collected by [`Describe`](super::Describe).
///
/// A type is described once; two types of one name get different names (`Item`, `Item2`).
#[derive(Debug)]
pub struct Types {
    package: String,
    pub(super) known: Vec<Known>,
}

#[derive(Debug)]
pub(super) struct Known {
    id: TypeId,
    is_enum: bool,
    /// `.package.Name`.
    pub(super) name: String,
    /// The encoded `DescriptorProto` or `EnumDescriptorProto`; empty while it is being written.
    pub(super) encoded: BytesMut,
    /// The full names of the types its fields have.
    pub(super) uses: BTreeSet<String>,
    /// Comments by the path below the type.
    pub(super) docs: Vec<(Vec<u8>, String)>,
}

impl Known {
    pub(super) fn is_enum(&self) -> bool {
        self.is_enum
    }
}

impl Types {
    /// No types yet, for a service of this package; empty for none.
    #[must_use]
    pub fn new(package: &str) -> Self {
        Self {
            package: package.to_owned(),
            known: Vec::new(),
        }
    }

    /// The message `T`, whose fields `write` states the first time it is asked for.
    pub fn message<T: 'static>(
        &mut self,
        name: &str,
        docs: &str,
        write: impl FnOnce(&mut MessageType<'_>),
    ) -> Field {
        let (full, is_new) = self.enter::<T>(name, docs, false);
        if is_new {
            let mut message = MessageType {
                types: self,
                name: full.clone(),
                fields: BytesMut::new(),
                nested: BytesMut::new(),
                oneofs: BytesMut::new(),
                oneof_count: 0,
                field_count: 0,
                uses: BTreeSet::new(),
                docs: Vec::new(),
            };
            write(&mut message);
            message.finish();
        }
        Field::single(Kind::Message(full))
    }

    /// The enum `T` with its values.
    pub fn enumeration<T: 'static>(
        &mut self,
        name: &str,
        docs: &str,
        values: &[(&str, i32)],
    ) -> Field {
        let (full, is_new) = self.enter::<T>(name, docs, true);
        if is_new {
            let mut encoded = BytesMut::new();
            put_field(&mut encoded, 1, last_part(&full).as_bytes());
            for (name, number) in values {
                let mut value = BytesMut::new();
                put_field(&mut value, 1, name.as_bytes());
                // Negative numbers are sign-extended to ten bytes, as protobuf has it.
                put_number(&mut value, 2, i64::from(*number).cast_unsigned());
                put_field(&mut encoded, 2, &value);
            }
            self.entry(&full).encoded = encoded;
        }
        Field::single(Kind::Enum(full))
    }

    /// A message without fields that has the name of `T`.
    pub fn opaque<T: 'static>(&mut self) -> Field {
        let name = message_name(std::any::type_name::<T>());
        self.message::<T>(&name, "", |_| {})
    }

    /// The full name of `T` as the request or reply of a method: `T` itself when it is a message,
    /// an opaque one otherwise.
    pub(super) fn root<T: 'static>(&mut self, field: Field) -> String {
        match field {
            Field {
                label: Label::Single,
                kind: Kind::Message(name),
            } => name,
            _ => match self.opaque::<T>().kind {
                Kind::Message(name) => name,
                _ => String::new(),
            },
        }
    }

    /// Finds or adds a type; true when it was added.
    fn enter<T: 'static>(&mut self, name: &str, docs: &str, is_enum: bool) -> (String, bool) {
        let id = TypeId::of::<T>();
        if let Some(known) = self.known.iter().find(|known| known.id == id) {
            return (known.name.clone(), false);
        }
        let dot = if self.package.is_empty() { "" } else { "." };
        let first = format!(".{}{dot}{name}", self.package);
        let mut full = first.clone();
        let mut count = 1;
        while self.known.iter().any(|known| known.name == full) {
            count += 1;
            full = format!("{first}{count}");
        }
        self.known.push(Known {
            id,
            is_enum,
            name: full.clone(),
            encoded: BytesMut::new(),
            uses: BTreeSet::new(),
            docs: vec![(Vec::new(), docs.to_owned())],
        });
        (full, true)
    }

    fn entry(&mut self, full: &str) -> &mut Known {
        self.known
            .iter_mut()
            .find(|known| known.name == full)
            .expect("invariant: entered by enter, and never removed")
    }
}

/// A message being described.
#[derive(Debug)]
pub struct MessageType<'a> {
    types: &'a mut Types,
    name: String,
    fields: BytesMut,
    nested: BytesMut,
    oneofs: BytesMut,
    oneof_count: u64,
    field_count: u8,
    uses: BTreeSet<String>,
    docs: Vec<(Vec<u8>, String)>,
}

impl MessageType<'_> {
    /// The other types, to describe those of fields.
    pub fn types(&mut self) -> &mut Types {
        self.types
    }

    /// Adds a field. Its JSON name is its name.
    pub fn field(&mut self, name: &str, number: u32, docs: &str, field: Field) {
        let field = match field.kind {
            Kind::Map(entry) => self.map_entry(name, *entry),
            _ => field,
        };
        let mut encoded = self.encode(name, number, &field);
        put_field(&mut encoded, 10, name.as_bytes());
        let is_scalar = !matches!(field.kind, Kind::Message(_));
        if field.label == Label::Optional && is_scalar {
            // proto3 states presence by a oneof of one.
            let mut oneof = BytesMut::new();
            put_field(&mut oneof, 1, format!("_{name}").as_bytes());
            put_field(&mut self.oneofs, 8, &oneof);
            put_number(&mut encoded, 9, self.oneof_count);
            put_number(&mut encoded, 17, 1);
            self.oneof_count += 1;
        }
        put_field(&mut self.fields, 2, &encoded);
        self.docs.push((vec![2, self.field_count], docs.to_owned()));
        // Comments beyond the 128th field would need longer paths; they are left out below.
        self.field_count = self.field_count.saturating_add(1);
    }

    fn encode(&mut self, name: &str, number: u32, field: &Field) -> BytesMut {
        let mut out = BytesMut::new();
        put_field(&mut out, 1, name.as_bytes());
        put_number(&mut out, 3, u64::from(number));
        let label = if field.label == Label::Repeated { 3 } else { 1 };
        put_number(&mut out, 4, label);
        let (number, type_name) = match &field.kind {
            Kind::Scalar(scalar) => (*scalar as u64, None),
            Kind::Message(name) => (11, Some(name)),
            Kind::Enum(name) => (14, Some(name)),
            Kind::Map(_) => return out,
        };
        put_number(&mut out, 5, number);
        if let Some(type_name) = type_name {
            put_field(&mut out, 6, type_name.as_bytes());
            self.uses.insert(type_name.clone());
        }
        out
    }

    /// A map is a repeated message of key and value, nested in this one.
    fn map_entry(&mut self, name: &str, (key, value): (Field, Field)) -> Field {
        let entry_name = format!("{}Entry", upper_camel(name));
        let mut entry = BytesMut::new();
        put_field(&mut entry, 1, entry_name.as_bytes());
        for (name, number, field) in [("key", 1, key), ("value", 2, value)] {
            let field = self.encode(name, number, &field);
            put_field(&mut entry, 2, &field);
        }
        let mut options = BytesMut::new();
        put_number(&mut options, 7, 1);
        put_field(&mut entry, 7, &options);
        put_field(&mut self.nested, 3, &entry);
        Field::single(Kind::Message(format!("{}.{entry_name}", self.name))).repeated()
    }

    fn finish(self) {
        let mut encoded = BytesMut::new();
        put_field(&mut encoded, 1, last_part(&self.name).as_bytes());
        for part in [self.fields, self.nested, self.oneofs] {
            encoded.extend_from_slice(&part);
        }
        let mut uses = self.uses;
        // Nested entries are part of this message.
        let nested = format!("{}.", self.name);
        uses.retain(|name| !name.starts_with(&nested));
        let known = self.types.entry(&self.name);
        known.encoded = encoded;
        known.uses = uses;
        known.docs.extend(self.docs);
    }
}

/// The part after the last dot.
pub(super) fn last_part(full: &str) -> &str {
    full.rsplit_once('.').map_or(full, |(_, last)| last)
}

/// `Page<crate::User>` as `Page_User`.
fn message_name(type_name: &str) -> String {
    let parts = type_name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    let names: Vec<&str> = parts
        .map(|part| part.rsplit(':').next().unwrap_or(part))
        .filter(|part| !part.is_empty())
        .collect();
    match names.join("_") {
        name if name.starts_with(|c: char| c.is_ascii_alphabetic()) => name,
        name => format!("Message{name}"),
    }
}

fn upper_camel(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut chars = word.chars();
            let first = chars.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(chars)
        })
        .collect()
}
