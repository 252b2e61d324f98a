//! What descriptors say that prost does not hand on, and what cannot be generated.

use std::collections::BTreeMap;

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{FileDescriptor, MessageDescriptor, ServiceDescriptor};

use crate::{
    Error,
    http::{self, Binding},
    source::Sources,
};

/// REST bindings by the full name of their method.
pub(crate) type Rest = BTreeMap<String, Vec<Binding>>;

/// Checks all files that are generated, and reads their REST bindings.
pub(crate) fn check(sources: &Sources) -> Result<Rest, Error> {
    let mut rest = Rest::new();
    let mut names = Names::default();
    for file in sources.generated() {
        for message in file.messages() {
            no_groups(&message)?;
            let name = message.name().to_upper_camel_case();
            names.take(&file, &name, "message", message.full_name())?;
        }
        for enumeration in file.enums() {
            let name = enumeration.name().to_upper_camel_case();
            names.take(&file, &name, "enum", enumeration.full_name())?;
        }
    }
    for file in sources.generated() {
        for service in file.services() {
            for suffix in ["", "Server", "Client"] {
                let name = format!("{}{suffix}", service.name().to_upper_camel_case());
                names.take(&file, &name, "service", service.full_name())?;
            }
            distinct_methods(&service)?;
            for method in service.methods() {
                rest.insert(method.full_name().to_owned(), http::bindings(&method)?);
            }
        }
    }
    Ok(rest)
}

fn no_groups(message: &MessageDescriptor) -> Result<(), Error> {
    if let Some(group) = message.fields().find(|field| field.is_group()) {
        return Err(Error::new(format!(
            "{}: {} is a group, which has no JSON form: use a message",
            message.parent_file().name(),
            group.full_name()
        )));
    }
    message
        .child_messages()
        .try_for_each(|child| no_groups(&child))
}

fn distinct_methods(service: &ServiceDescriptor) -> Result<(), Error> {
    let mut seen = BTreeMap::new();
    for method in service.methods() {
        let name = method.full_name().to_owned();
        if let Some(other) = seen.insert(method.name().to_snake_case(), name.clone()) {
            return Err(Error::new(format!(
                "{}: {other} and {name} would be one function in Rust: rename one of them",
                service.parent_file().name()
            )));
        }
    }
    Ok(())
}

/// Rust names in use, by package.
#[derive(Default)]
struct Names(BTreeMap<(String, String), String>);

impl Names {
    fn take(
        &mut self,
        file: &FileDescriptor,
        name: &str,
        what: &str,
        full_name: &str,
    ) -> Result<(), Error> {
        let key = (file.package_name().to_owned(), name.to_owned());
        let owner = format!("{what} {full_name}");
        match self.0.insert(key, owner.clone()) {
            Some(other) if other != owner => Err(Error::new(format!(
                "{}: {owner} needs the name {name} in Rust, which {other} has: rename one of them",
                file.name()
            ))),
            _ => Ok(()),
        }
    }
}
