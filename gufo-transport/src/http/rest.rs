//! REST bindings: a JSON message as path, query and body, after `google/api/http.proto`.

use bytes::Bytes;
use gufo_core::{RestBinding, Status};
use http::Method;
use serde_json::{Map, Value};

use crate::escape::escape;

/// A message bound to HTTP.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) verb: Method,
    pub(super) path: String,
    pub(super) body: Option<Bytes>,
}

pub(super) fn bind(binding: &RestBinding, message: &[u8]) -> Result<Request, Status> {
    let verb = Method::from_bytes(binding.verb.as_bytes()).map_err(|_| {
        Status::internal(format!("the REST binding has the verb {:?}", binding.verb))
    })?;
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(message) else {
        return Err(Status::invalid_argument(
            "a REST binding needs a message that is a JSON object",
        ));
    };
    let mut path = fill(&binding.path, &mut fields)?;
    let body = match &*binding.body {
        "" => None,
        "*" => Some(Value::Object(std::mem::take(&mut fields))),
        field => Some(fields.remove(field).unwrap_or(Value::Null)),
    };
    let mut separator = '?';
    for (name, value) in &fields {
        for text in texts(name, value)? {
            path.push(separator);
            escape(&mut path, name);
            path.push('=');
            escape(&mut path, &text);
            separator = '&';
        }
    }
    Ok(Request {
        verb,
        path,
        body: body.map(|body| body.to_string().into()),
    })
}

/// Puts fields into a template such as `/hello/{name}` or `/v1/{name=owls/*}`.
fn fill(template: &str, fields: &mut Map<String, Value>) -> Result<String, Status> {
    let mut path = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        path.push_str(before);
        let (variable, after) = after.split_once('}').ok_or_else(|| {
            Status::internal(format!(
                "the REST binding {template:?} has no closing brace"
            ))
        })?;
        let (name, pattern) = variable.split_once('=').unwrap_or((variable, "*"));
        let value = fields
            .remove(name)
            .and_then(|value| scalar(&value))
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                Status::invalid_argument(format!("the path {template:?} needs the field {name:?}"))
            })?;
        // A pattern of several segments keeps its slashes.
        let slash = if pattern == "*" { None } else { Some('/') };
        for (index, segment) in value.split(|c| Some(c) == slash).enumerate() {
            // Escaped or not, whatever is on the way would take it for a step in the path.
            if matches!(segment, "." | "..") {
                return Err(Status::invalid_argument(format!(
                    "the field {name:?} would be the segment {segment:?} of the path {template:?}"
                )));
            }
            if index > 0 {
                path.push('/');
            }
            escape(&mut path, segment);
        }
        rest = after;
    }
    path.push_str(rest);
    Ok(path)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn texts(name: &str, value: &Value) -> Result<Vec<String>, Status> {
    let nested = || {
        Status::invalid_argument(format!(
            "the field {name:?} is nested and does not fit into a query"
        ))
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items
            .iter()
            .map(|item| scalar(item).ok_or_else(nested))
            .collect(),
        value => Ok(vec![scalar(value).ok_or_else(nested)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_go_into_path_and_query() {
        let binding = RestBinding::new("GET", "/hello/{name}", "");

        let request = bind(
            &binding,
            r#"{"name":"a/b ü","times":2,"tag":["x","y"],"none":null}"#.as_bytes(),
        )
        .expect("legal");

        assert_eq!(request.path, "/hello/a%2Fb%20%C3%BC?tag=x&tag=y&times=2");
        assert!(request.body.is_none());
    }

    #[test]
    fn the_rest_goes_into_the_body() {
        let binding = RestBinding::new("PUT", "/v1/{name=owls/*}", "*");

        let request = bind(&binding, br#"{"name":"owls/barn","wings":2}"#).expect("legal");

        assert_eq!(request.path, "/v1/owls/barn");
        assert_eq!(request.body.as_deref(), Some(&br#"{"wings":2}"#[..]));
    }

    #[test]
    fn a_value_takes_no_steps_in_the_path() {
        for (template, name) in [
            ("/hello/{name}", ".."),
            ("/hello/{name}", "."),
            ("/v1/{name=owls/**}", "owls/../admin"),
        ] {
            let binding = RestBinding::new("GET", template, "");
            let message = format!(r#"{{"name":"{name}"}}"#);

            let status = bind(&binding, message.as_bytes()).expect_err(name);

            assert_eq!(status.code(), gufo_core::Code::InvalidArgument);
        }
    }

    #[test]
    fn a_missing_path_field_is_named() {
        let binding = RestBinding::new("GET", "/hello/{name}", "");

        let status = bind(&binding, b"{}").expect_err("no name");

        assert!(status.message().contains("\"name\""));
    }
}
