//! Files: the described types as `FileDescriptorProto`s.
//!
//! Each type has a file of its own, so that two services that share a type state the same file
//! twice and not two files with one type. Types that use each other in a circle share a file,
//! since files must not import each other.

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;

use super::types::{Known, Types};
use crate::details::put_field;

/// Where types are found: the file of each, and the files in the order of their imports.
pub(super) struct Files<'a> {
    types: &'a Types,
    /// Type name to the name of its file.
    homes: BTreeMap<&'a str, String>,
}

impl<'a> Files<'a> {
    pub(super) fn new(types: &'a Types) -> Self {
        let reach: BTreeMap<&str, BTreeSet<&str>> = types
            .known
            .iter()
            .map(|known| (known.name.as_str(), reachable(types, known)))
            .collect();
        let homes = reach
            .iter()
            .map(|(name, reached)| {
                // The circle is named after its first member.
                let first = reached
                    .iter()
                    .filter(|other| reach[*other].contains(name))
                    .chain([name])
                    .min()
                    .unwrap_or(name);
                (*name, file_name(first))
            })
            .collect();
        Self { types, homes }
    }

    /// The file a type is in.
    pub(super) fn home(&self, type_name: &str) -> Option<&str> {
        self.homes.get(type_name).map(String::as_str)
    }

    /// The encoded files, each after those it imports.
    pub(super) fn encode(&self, package: &str) -> Vec<BytesMut> {
        let mut done = BTreeSet::new();
        let mut files = Vec::new();
        for home in self.homes.values() {
            self.encode_after_imports(home, package, &mut done, &mut files);
        }
        files
    }

    fn encode_after_imports<'s>(
        &'s self,
        home: &'s str,
        package: &str,
        done: &mut BTreeSet<&'s str>,
        files: &mut Vec<BytesMut>,
    ) {
        if !done.insert(home) {
            return;
        }
        let members: Vec<&Known> = self
            .types
            .known
            .iter()
            .filter(|known| self.home(&known.name) == Some(home))
            .collect();
        let imports: BTreeSet<&str> = members
            .iter()
            .flat_map(|known| &known.uses)
            .filter_map(|used| self.home(used))
            .filter(|import| *import != home)
            .collect();
        for import in &imports {
            self.encode_after_imports(import, package, done, files);
        }

        let mut file = header(home, package, &imports);
        let (mut messages, mut enums) = (0, 0);
        let mut comments = Comments::default();
        for known in members {
            let (field, index) = if known.is_enum() {
                (5, &mut enums)
            } else {
                (4, &mut messages)
            };
            put_field(&mut file, field, &known.encoded);
            for (path, text) in &known.docs {
                let mut whole = vec![field as u8, *index];
                whole.extend_from_slice(path);
                comments.add(&whole, text);
            }
            *index += 1;
        }
        comments.finish(&mut file);
        files.push(file);
    }
}

/// Name, package and imports of a file.
pub(super) fn header(name: &str, package: &str, imports: &BTreeSet<&str>) -> BytesMut {
    let mut file = BytesMut::new();
    put_field(&mut file, 1, name.as_bytes());
    if !package.is_empty() {
        put_field(&mut file, 2, package.as_bytes());
    }
    for import in imports {
        put_field(&mut file, 3, import.as_bytes());
    }
    put_field(&mut file, 12, b"proto3");
    file
}

/// The file of a type or service, by its full name.
pub(super) fn file_name(full: &str) -> String {
    format!("{}.proto", full.trim_start_matches('.'))
}

/// Comments of a file: `SourceCodeInfo`.
#[derive(Default)]
pub(super) struct Comments(BytesMut);

impl Comments {
    /// Adds a comment at a path; paths with a part above 127 are left out.
    pub(super) fn add(&mut self, path: &[u8], text: &str) {
        if text.is_empty() || path.iter().any(|part| *part > 127) {
            return;
        }
        let mut location = BytesMut::new();
        put_field(&mut location, 1, path);
        // There is no source file: line 0, columns 0 to 0.
        put_field(&mut location, 2, &[0, 0, 0]);
        put_field(&mut location, 3, text.as_bytes());
        put_field(&mut self.0, 1, &location);
    }

    pub(super) fn finish(self, file: &mut BytesMut) {
        if !self.0.is_empty() {
            put_field(file, 9, &self.0);
        }
    }
}

/// The types a type uses, directly or through others.
fn reachable<'a>(types: &'a Types, from: &'a Known) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = from.uses.iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        if found.insert(name)
            && let Some(known) = types.known.iter().find(|known| known.name == name)
        {
            open.extend(known.uses.iter().map(String::as_str));
        }
    }
    found
}
