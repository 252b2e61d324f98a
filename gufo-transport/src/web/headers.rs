//! Headers of gRPC: metadata, timeouts, statuses.

use std::{fmt::Write, time::Duration};

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use gufo_core::{Code, Deadline, Format, Key, Metadata, Retry, Status};
use http::{HeaderMap, HeaderName, HeaderValue, header};

pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
pub(crate) const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
pub(crate) const GRPC_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
/// The server's advice in milliseconds, after gRFC A6; negative stands for never.
pub(crate) const GRPC_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");
/// Present when the call was refused before any work was done, so that any call may be repeated.
pub(crate) const NOT_BEGUN: HeaderName = HeaderName::from_static("gufo-not-begun");
pub(crate) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
pub(crate) const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
pub(crate) const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// The largest `grpc-message` that is sent, in bytes before escaping.
const MESSAGE_LIMIT: usize = 2048;

/// The content type of gRPC in a format.
pub(crate) fn content_type(format: &Format) -> Result<HeaderValue, Status> {
    match format {
        Format::Protobuf => Ok(HeaderValue::from_static("application/grpc")),
        Format::Json => Ok(HeaderValue::from_static("application/grpc+json")),
        Format::MessagePack => Ok(HeaderValue::from_static("application/grpc+msgpack")),
        Format::Raw => Ok(HeaderValue::from_static("application/grpc+octet-stream")),
        other => {
            HeaderValue::try_from(format!("application/grpc+{}", other.name())).map_err(|_| {
                Status::internal(format!(
                    "the name of codec {:?} does not fit into a content type",
                    other.name()
                ))
            })
        }
    }
}

/// The subtype of a gRPC content type: empty for plain `application/grpc`.
pub(crate) fn grpc_subtype(content_type: &[u8]) -> Option<&str> {
    let prefix = content_type.get(..16)?;
    if !prefix.eq_ignore_ascii_case(b"application/grpc") {
        return None;
    }
    match &content_type[16..] {
        [] => Some(""),
        [b'+', subtype @ ..] => {
            let subtype = std::str::from_utf8(subtype).ok()?;
            Some(subtype.split(';').next().unwrap_or(subtype).trim())
        }
        [b';', ..] => Some(""),
        _ => None,
    }
}

/// True for names that never become metadata.
fn is_protocol(name: &HeaderName) -> bool {
    let text = name.as_str();
    text.starts_with("grpc-")
        || *name == NOT_BEGUN
        || matches!(
            *name,
            header::CONTENT_TYPE
                | header::TE
                | header::CONTENT_LENGTH
                | header::HOST
                | header::CONNECTION
                | header::TRANSFER_ENCODING
                | header::UPGRADE
                | header::TRAILER
                | header::ACCEPT_ENCODING
                | header::CONTENT_ENCODING
                | header::DATE
        )
}

/// Metadata out of headers. A value that is not legal is refused by name.
pub(crate) fn metadata(headers: &HeaderMap, limit: usize) -> Result<Metadata, Status> {
    let mut metadata = Metadata::new();
    for (name, value) in headers {
        if is_protocol(name) {
            continue;
        }
        let key = Key::parse(name.as_str())?;
        if key.is_binary() {
            for part in value.as_bytes().split(|byte| *byte == b',') {
                let bytes = base64_decode(part.trim_ascii()).ok_or_else(|| {
                    Status::invalid_argument(format!("metadata value of {key} is not base64"))
                })?;
                metadata.push(key.clone(), bytes.into())?;
            }
        } else {
            metadata.push(key, Bytes::copy_from_slice(value.as_bytes()))?;
        }
    }
    metadata.check_size(limit)?;
    Ok(metadata)
}

/// Appends metadata to headers.
pub(crate) fn put_metadata(headers: &mut HeaderMap, metadata: &Metadata) -> Result<(), Status> {
    for (key, value) in metadata.iter() {
        let name = HeaderName::from_bytes(key.as_str().as_bytes()).map_err(|_| {
            Status::internal(format!("metadata name {key} does not fit into a header"))
        })?;
        let value = if key.is_binary() {
            HeaderValue::try_from(base64_encode(value))
        } else {
            HeaderValue::from_maybe_shared(value.clone())
        };
        let value = value.map_err(|_| {
            Status::internal(format!(
                "metadata value of {key} does not fit into a header"
            ))
        })?;
        headers.append(name, value);
    }
    Ok(())
}

/// What is left of a deadline as `grpc-timeout`.
pub(crate) fn timeout_value(deadline: Deadline) -> Option<HeaderValue> {
    HeaderValue::try_from(deadline.to_timeout()?).ok()
}

/// Reads `grpc-timeout`.
pub(crate) fn deadline(headers: &HeaderMap) -> Result<Deadline, Status> {
    let Some(value) = headers.get(GRPC_TIMEOUT) else {
        return Ok(Deadline::NONE);
    };
    Ok(Deadline::from_timeout(value.to_str().unwrap_or("?"))?)
}

/// Writes a status as `grpc-status`, `grpc-message` and details, with its metadata.
pub(crate) fn put_status(headers: &mut HeaderMap, status: &Status) {
    headers.insert(GRPC_STATUS, code_value(status.code()));
    if !status.message().is_empty()
        && let Ok(value) = HeaderValue::try_from(escape(status.message()))
    {
        headers.insert(GRPC_MESSAGE, value);
    }
    let details = status.encode_details();
    if !details.is_empty()
        && let Ok(value) = HeaderValue::try_from(base64_encode(&details))
    {
        headers.insert(GRPC_DETAILS, value);
    }
    match status.retry() {
        Retry::NotBegun => {
            headers.insert(NOT_BEGUN, HeaderValue::from_static("1"));
        }
        Retry::After(wait) => {
            let milliseconds = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
            headers.insert(GRPC_PUSHBACK, HeaderValue::from(milliseconds));
        }
        // Said only where the code alone would say otherwise.
        Retry::Never | Retry::Exhausted if Retry::of(status.code()) != Retry::Never => {
            headers.insert(GRPC_PUSHBACK, HeaderValue::from_static("-1"));
        }
        _ => {}
    }
    // Metadata that cannot be sent must not hide the status.
    let _ = put_metadata(headers, status.metadata());
}

/// The number of a code as a header value.
pub(crate) fn code_value(code: Code) -> HeaderValue {
    const NUMBERS: [&str; 17] = [
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
    ];
    HeaderValue::from_static(
        NUMBERS
            .get(usize::from(code.number()))
            .copied()
            .unwrap_or("2"),
    )
}

/// Reads the outcome out of trailers: metadata for OK, a status otherwise, `None` when there is no
/// `grpc-status`.
pub(crate) fn outcome(headers: &HeaderMap, limit: usize) -> Option<Result<Metadata, Status>> {
    let code = headers.get(GRPC_STATUS)?;
    let number = std::str::from_utf8(code.as_bytes())
        .ok()
        .and_then(|text| text.parse().ok());
    let code = number.map_or(Code::Unknown, Code::from_number);
    let metadata = metadata(headers, limit);
    if code == Code::Ok {
        return Some(metadata);
    }
    let message = headers
        .get(GRPC_MESSAGE)
        .map(|value| unescape(value.as_bytes()))
        .unwrap_or_default();
    let mut status = Status::new(code, message).with_metadata(metadata.unwrap_or_default());
    if let Some(details) = headers
        .get(GRPC_DETAILS)
        .and_then(|value| base64_decode(value.as_bytes()))
    {
        status = status.with_encoded_details(&details);
    }
    if let Some(retry) = retry(headers) {
        status = status.with_retry(retry);
    }
    Some(Err(status))
}

/// What the server says about trying again, if it says anything.
fn retry(headers: &HeaderMap) -> Option<Retry> {
    if headers.contains_key(NOT_BEGUN) {
        return Some(Retry::NotBegun);
    }
    let text = headers.get(GRPC_PUSHBACK)?.to_str().ok()?;
    Some(match text.parse() {
        Ok(milliseconds) => Retry::After(Duration::from_millis(milliseconds)),
        Err(_) => Retry::Never,
    })
}

/// Percent-encoding of `grpc-message`: printable ASCII but `%` stays.
fn escape(message: &str) -> String {
    let mut end = message.len().min(MESSAGE_LIMIT);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let mut out = String::with_capacity(end);
    for byte in message[..end].bytes() {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Undoes [`escape`]; malformed escapes stay as they are, bad UTF-8 is replaced.
fn unescape(value: &[u8]) -> String {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        if byte == b'%'
            && let Some((&[high, low], after)) = rest.split_first_chunk::<2>()
            && let (Some(high), Some(low)) = (digit(high), digit(low))
        {
            out.push((high * 16 + low) as u8);
            rest = after;
            continue;
        }
        out.push(byte);
    }
    String::from_utf8(out)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Standard base64: written without padding and read with or without, as gRPC asks.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(crate) fn base64_encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

pub(crate) fn base64_decode(text: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_knows_the_vectors_of_rfc_4648() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64_encode(plain.as_bytes()), text);
            assert_eq!(
                base64_decode(text.as_bytes()).expect("legal"),
                plain.as_bytes()
            );
        }
        assert_eq!(base64_decode(b"Zg==").expect("padded"), b"f");
        assert_eq!(base64_decode(b"Z"), None);
        assert_eq!(base64_decode(b"Zg!="), None);
    }

    #[test]
    fn messages_survive_escaping() {
        for message in ["", "plain", "100% owl", "ü\n\t€", "%zz"] {
            assert_eq!(unescape(escape(message).as_bytes()), message);
        }
        assert_eq!(unescape(b"a%2"), "a%2");
        assert_eq!(unescape(b"%ff"), "\u{fffd}");
    }

    #[test]
    fn content_types_match_without_regard_to_case_and_parameters() {
        assert_eq!(grpc_subtype(b"application/grpc"), Some(""));
        assert_eq!(
            grpc_subtype(b"Application/GRPC+Json; charset=utf-8"),
            Some("Json")
        );
        assert_eq!(grpc_subtype(b"application/grpc;x=y"), Some(""));
        assert_eq!(grpc_subtype(b"application/grpc-web"), None);
        assert_eq!(grpc_subtype(b"application/json"), None);
    }

    #[test]
    fn binary_values_may_come_joined_by_commas() {
        let mut headers = HeaderMap::new();
        headers.insert("a-bin", HeaderValue::from_static("Zg,Zm8="));

        let metadata = metadata(&headers, 1024).expect("legal");

        assert_eq!(
            metadata.get_all_bin("a-bin").collect::<Vec<_>>(),
            ["f", "fo"]
        );
    }

    #[test]
    fn advice_on_retries_comes_back() {
        for retry in [
            Retry::NotBegun,
            Retry::After(Duration::from_millis(250)),
            Retry::Never,
        ] {
            let mut headers = HeaderMap::new();
            put_status(&mut headers, &Status::unavailable("busy").with_retry(retry));

            let status = outcome(&headers, 1024)
                .expect("a status")
                .expect_err("busy");

            assert_eq!(status.retry(), retry);
            assert!(status.metadata().is_empty());
        }
        let mut headers = HeaderMap::new();
        put_status(&mut headers, &Status::unavailable("busy"));
        assert_eq!(headers.get(GRPC_PUSHBACK), None);
    }
}
