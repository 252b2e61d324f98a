//! Index: from names to the descriptor files that hold them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gufo_core::{Bytes, Error, Result, Service};
use prost::Message;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};

use crate::telemetry::SERVER;

/// What was asked for is in no file.
#[derive(Debug)]
pub(super) struct NotFound(pub(super) String);

/// The descriptor files of a server, by everything they can be asked for.
#[derive(Default)]
pub(super) struct Index {
    services: BTreeSet<String>,
    files: Vec<File>,
    names: HashMap<String, usize>,
    symbols: HashMap<String, usize>,
    /// Extended type to number to file.
    extensions: HashMap<String, BTreeMap<i32, usize>>,
}

struct File {
    /// As it came: decoding and encoding again would lose options gufo does not know.
    bytes: Bytes,
    imports: Vec<String>,
}

/// A `FileDescriptorSet` whose files stay encoded.
#[derive(Clone, PartialEq, prost::Message)]
struct EncodedFiles {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    file: Vec<Bytes>,
}

impl Index {
    /// Adds a service and the files that describe it.
    pub(super) fn add(&mut self, service: &Service) -> Result<()> {
        self.services.insert(service.name().to_owned());
        for set in service.descriptors() {
            self.add_set(set).map_err(|error| {
                Error::invalid_argument(format!(
                    "a descriptor of service {} is not an encoded FileDescriptorSet",
                    service.name()
                ))
                .source(error)
            })?;
        }
        Ok(())
    }

    fn add_set(&mut self, set: &[u8]) -> Result<(), prost::DecodeError> {
        for bytes in EncodedFiles::decode(set)?.file {
            let file = FileDescriptorProto::decode(bytes.clone())?;
            match self.names.get(file.name()) {
                None => self.add_file(bytes, file),
                Some(&known) if self.files[known].bytes != bytes => tracing::debug!(
                    target: SERVER,
                    file = file.name(),
                    "two services bring different forms of one file; reflection shows the first"
                ),
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn add_file(&mut self, bytes: Bytes, file: FileDescriptorProto) {
        let mut names = Names {
            index: self,
            file: 0,
        };
        names.file = names.index.files.len();
        let scope = file.package();
        names.messages(scope, &file.message_type);
        names.enums(scope, &file.enum_type);
        names.extensions(scope, &file.extension);
        for service in &file.service {
            let name = names.symbol(scope, service.name());
            for method in &service.method {
                names.symbol(&name, method.name());
            }
        }
        self.names.insert(file.name().to_owned(), self.files.len());
        self.files.push(File {
            bytes,
            imports: file.dependency,
        });
    }

    /// Full names of the services, sorted.
    pub(super) fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(String::as_str)
    }

    /// A file by its name, then the files it needs.
    pub(super) fn file(&self, name: &str) -> Result<Vec<Bytes>, NotFound> {
        let found = self.names.get(name);
        self.with_imports(found, || format!("there is no file {name:.200}"))
    }

    /// The file that declares a symbol, then the files it needs.
    pub(super) fn file_of_symbol(&self, symbol: &str) -> Result<Vec<Bytes>, NotFound> {
        let found = self.symbols.get(symbol.trim_start_matches('.'));
        self.with_imports(found, || format!("there is no symbol {symbol:.200}"))
    }

    /// The file that declares an extension, then the files it needs.
    pub(super) fn file_of_extension(
        &self,
        extended: &str,
        number: i32,
    ) -> Result<Vec<Bytes>, NotFound> {
        let numbers = self.extensions.get(extended.trim_start_matches('.'));
        let found = numbers.and_then(|numbers| numbers.get(&number));
        self.with_imports(found, || {
            format!("there is no extension {number} of {extended:.200}")
        })
    }

    /// The numbers of all extensions of a message, none for one that is not extended.
    pub(super) fn extension_numbers(&self, extended: &str) -> Result<Vec<i32>, NotFound> {
        let name = extended.trim_start_matches('.');
        match self.extensions.get(name) {
            Some(numbers) => Ok(numbers.keys().copied().collect()),
            None if self.symbols.contains_key(name) => Ok(Vec::new()),
            None => Err(NotFound(format!("there is no message {extended:.200}"))),
        }
    }

    fn with_imports(
        &self,
        found: Option<&usize>,
        missing: impl FnOnce() -> String,
    ) -> Result<Vec<Bytes>, NotFound> {
        let first = *found.ok_or_else(|| NotFound(missing()))?;
        let mut order = vec![first];
        let mut seen = BTreeSet::from([first]);
        let mut next = 0;
        while next < order.len() {
            // A file that nobody brought is left out: the client has the well-known ones.
            let imports = self.files[order[next]].imports.iter();
            for &import in imports.filter_map(|name| self.names.get(name)) {
                if seen.insert(import) {
                    order.push(import);
                }
            }
            next += 1;
        }
        Ok(order
            .into_iter()
            .map(|file| self.files[file].bytes.clone())
            .collect())
    }
}

/// Collects the names of one file.
struct Names<'a> {
    index: &'a mut Index,
    file: usize,
}

impl Names<'_> {
    /// Notes a symbol and gives its full name. The first file that declares it wins.
    fn symbol(&mut self, scope: &str, name: &str) -> String {
        let full = match scope {
            "" => name.to_owned(),
            scope => format!("{scope}.{name}"),
        };
        self.index.symbols.entry(full.clone()).or_insert(self.file);
        full
    }

    fn messages(&mut self, scope: &str, messages: &[DescriptorProto]) {
        for message in messages {
            let name = self.symbol(scope, message.name());
            for field in &message.field {
                self.symbol(&name, field.name());
            }
            for oneof in &message.oneof_decl {
                self.symbol(&name, oneof.name());
            }
            self.messages(&name, &message.nested_type);
            self.enums(&name, &message.enum_type);
            self.extensions(&name, &message.extension);
        }
    }

    fn enums(&mut self, scope: &str, enums: &[EnumDescriptorProto]) {
        for one in enums {
            self.symbol(scope, one.name());
            for value in &one.value {
                // Values are siblings of their enum, as in C++.
                self.symbol(scope, value.name());
            }
        }
    }

    fn extensions(&mut self, scope: &str, extensions: &[FieldDescriptorProto]) {
        for extension in extensions {
            self.symbol(scope, extension.name());
            let extended = extension.extendee().trim_start_matches('.').to_owned();
            let numbers = self.index.extensions.entry(extended).or_default();
            numbers.entry(extension.number()).or_insert(self.file);
        }
    }
}
