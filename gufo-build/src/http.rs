//! REST bindings: what `google.api.http` says of a method.

use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage, Value};

use crate::Error;

const VERBS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// One REST binding.
pub(crate) struct Binding {
    /// In lower case, as `#[method]` has it.
    pub(crate) verb: &'static str,
    pub(crate) path: String,
    pub(crate) body: String,
}

/// The bindings of a method, the main one first.
pub(crate) fn bindings(method: &MethodDescriptor) -> Result<Vec<Binding>, Error> {
    let pool = method.parent_pool();
    let Some(extension) = pool.get_extension_by_name("google.api.http") else {
        return Ok(Vec::new());
    };
    let options = method.options();
    if !options.has_extension(&extension) {
        return Ok(Vec::new());
    }
    let rule = options.get_extension(&extension);
    let Some(rule) = rule.as_message() else {
        return Ok(Vec::new());
    };
    let mut bindings = vec![binding(method, rule)?];
    if let Some(additional) = rule.get_field_by_name("additional_bindings") {
        for rule in additional.as_list().unwrap_or_default() {
            if let Value::Message(rule) = rule {
                bindings.push(binding(method, rule)?);
            }
        }
    }
    Ok(bindings)
}

fn binding(method: &MethodDescriptor, rule: &DynamicMessage) -> Result<Binding, Error> {
    let text = |name: &str| {
        let has = rule.has_field_by_name(name);
        let value = rule.get_field_by_name(name).filter(|_| has);
        value.and_then(|value| value.as_str().map(str::to_owned))
    };
    let refuse = |what: &str| {
        Err(Error::new(format!(
            "{}: google.api.http of {} {what}",
            method.parent_file().name(),
            method.full_name()
        )))
    };
    if text("response_body").is_some() {
        return refuse("has a response_body, which gufo has not: the reply is the whole message");
    }
    let verb = VERBS
        .into_iter()
        .find_map(|verb| text(verb).map(|path| (verb, path)));
    let Some((verb, path)) = verb else {
        let is_custom = rule.descriptor().get_field_by_name("custom").is_some()
            && rule.has_field_by_name("custom");
        return refuse(if is_custom {
            "has a custom verb; there are: get, put, post, delete, patch"
        } else {
            "has no path; write e.g. get: \"/hello/{name}\""
        });
    };
    Ok(Binding {
        verb,
        path,
        body: text("body").unwrap_or_default(),
    })
}
