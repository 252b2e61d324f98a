//! Errors as JSON: `{"code":"NOT_FOUND","message":"…","details":[{"type":"…","value":"base64"}]}`.

use gufo_core::{Code, Detail, Status};
use serde_json::{Map, Value, json};

use super::headers;

pub(crate) fn error(status: &Status) -> String {
    value(status).to_string()
}

/// An error as the last line of a stream.
pub(crate) fn error_line(status: &Status) -> String {
    json!({ "error": value(status) }).to_string()
}

fn value(status: &Status) -> Value {
    let mut object = Map::new();
    object.insert("code".to_owned(), status.code().name().into());
    object.insert("message".to_owned(), status.message().into());
    if !status.details().is_empty() {
        let details = status.details().iter().map(|detail| {
            let name = detail
                .type_url
                .rsplit('/')
                .next()
                .unwrap_or(&detail.type_url);
            json!({ "type": name, "value": headers::base64_encode(&detail.value) })
        });
        object.insert("details".to_owned(), details.collect());
    }
    Value::Object(object)
}

/// Reads an error a JSON service answered with; `None` when the body is not one.
pub(crate) fn parse(body: &[u8]) -> Option<Status> {
    from_value(&serde_json::from_slice(body).ok()?)
}

/// Reads the error out of the last line of a stream.
pub(crate) fn parse_line(line: &[u8]) -> Option<Status> {
    let Value::Object(object) = serde_json::from_slice(line).ok()? else {
        return None;
    };
    if object.len() != 1 {
        return None;
    }
    from_value(object.get("error")?)
}

fn from_value(value: &Value) -> Option<Status> {
    let name = value.get("code")?.as_str()?.to_ascii_uppercase();
    // An error that says it is none would be taken for a success by whoever it is passed on to.
    let code = Code::from_name(&name).filter(|code| *code != Code::Ok)?;
    let message = value
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let details = value
        .get("details")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|detail| {
            let bytes = headers::base64_decode(detail.get("value")?.as_str()?.as_bytes())?;
            let name = detail.get("type")?.as_str()?;
            Some(Detail {
                type_url: format!("type.googleapis.com/{name}"),
                value: bytes.into(),
            })
        });
    Some(Status::new(code, message).with_details(details.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_back() {
        let status = Status::not_found("no owl")
            .with_detail("type.googleapis.com/google.rpc.ErrorInfo", vec![1_u8, 2, 3]);

        let read = parse(error(&status).as_bytes()).expect("an error");

        assert_eq!(
            (read.code(), read.message(), read.details()),
            (status.code(), "no owl", status.details())
        );
        assert_eq!(
            parse_line(error_line(&status).as_bytes())
                .expect("an error")
                .code(),
            Code::NotFound
        );
    }

    #[test]
    fn other_bodies_are_not_errors() {
        for body in [
            &b""[..],
            b"null",
            b"{}",
            br#"{"code":5}"#,
            br#"{"code":"OWL"}"#,
            br#"{"code":"OK"}"#,
            b"<html>",
        ] {
            assert!(parse(body).is_none());
        }
    }
}
