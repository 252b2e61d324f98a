//! REST path templates: whether one can be meant at all. Fields are checked where routes are made.

use syn::{Error, LitStr, Result};

use crate::names;

/// Checks a path template in the terms of `google.api.http`, e.g. `/v1/{name=shelves/*}:move`.
pub(crate) fn check(literal: &LitStr) -> Result<()> {
    match problem(&literal.value()) {
        None => Ok(()),
        Some(problem) => Err(Error::new_spanned(
            literal,
            format!("{problem}; a path has the form \"/hello/{{name}}\""),
        )),
    }
}

/// Checks the field a body is in.
pub(crate) fn check_body(literal: &LitStr) -> Result<()> {
    let body = literal.value();
    if body.is_empty() || body == "*" || names::is_identifier(&body) {
        return Ok(());
    }
    Err(Error::new_spanned(
        literal,
        "body is the name of a field, \"*\" for the whole message, or \"\" for none",
    ))
}

fn problem(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        return Some("the path does not start with a slash".to_owned());
    }
    if path.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#')) {
        return Some("the path has a space, a query or a fragment".to_owned());
    }
    let mut fields: Vec<&str> = Vec::new();
    let mut rest = path;
    while let Some(at) = rest.find(['{', '}']) {
        let (_, from) = rest.split_at(at);
        let Some(inside) = from.strip_prefix('{') else {
            return Some("the path has a } without its {".to_owned());
        };
        let Some((variable, after)) = inside.split_once('}') else {
            return Some("the path has a { without its }".to_owned());
        };
        let field = variable
            .split_once('=')
            .map_or(variable, |(field, _)| field);
        if variable.contains('{') {
            return Some("the path has a { inside braces".to_owned());
        }
        if !names::is_full_name(field) {
            return Some(format!("{{{variable}}} does not name a field"));
        }
        if fields.contains(&field) {
            return Some(format!("the field {field} is in the path twice"));
        }
        fields.push(field);
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn templates_of_google_api_http_are_taken() {
        for path in [
            "/",
            "/hello/{name}",
            "/v1/{name=shelves/*/books/**}:move",
            "/v1/{book.id}/{page}",
            "/v1/*/all",
        ] {
            assert_eq!(problem(path), None, "{path}");
        }
    }

    #[test]
    fn templates_that_cannot_be_meant_are_refused() {
        for path in [
            "", "hello", "/{", "/}", "/{}", "/{a", "/{a}}", "/{{a}}", "/{a b}", "/{a}/{a}",
            "/a?b=c",
        ] {
            assert!(problem(path).is_some(), "{path}");
        }
    }
}
