//! Values of configuration, methods, timeouts and traces.

use std::time::Duration;

use gufo_core::{
    BackendUrl, Code, Deadline, Format, Formats, Kind, Method, Trace,
    value::{ByteSize, FromValue},
};
use gufo_transport::fuzzing;

use crate::text;

/// Durations, sizes and lists are what plain arithmetic says they are.
pub(crate) fn value(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let units = [
        ("us", 1),
        ("ms", 1_000),
        ("s", 1_000_000),
        ("m", 60_000_000),
        ("h", 3_600_000_000),
        ("d", 86_400_000_000),
    ];
    if let Ok(duration) = Duration::from_value(text) {
        assert_eq!(Some(duration.as_micros()), product(text, &units));
    }
    let units = [
        ("", 1),
        ("B", 1),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
    ];
    if let Ok(ByteSize(bytes)) = ByteSize::from_value(text) {
        assert_eq!(Some(u128::from(bytes)), product(text, &units));
    }
    if let Ok(list) = Vec::<u64>::from_value(text) {
        assert_eq!(
            list.len(),
            if text.is_empty() {
                0
            } else {
                text.split(',').count()
            }
        );
    }
    if let Ok(flag) = bool::from_value(text) {
        assert_eq!(flag.to_string(), text);
    }
}

/// The digits in front times the unit behind them.
fn product(text: &str, units: &[(&str, u128)]) -> Option<u128> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let (_, scale) = units
        .iter()
        .find(|(unit, _)| *unit == &text[digits.len()..])?;
    Some(digits.parse::<u128>().ok()? * scale)
}

/// What a backend takes out of a URL, and where a URL leads.
pub(crate) fn url_reader(input: &[u8]) {
    let Some(url) = text(input).and_then(|text| BackendUrl::parse(text).ok()) else {
        return;
    };
    for address in fuzzing::addresses(&url).into_iter().flatten() {
        BackendUrl::parse(&address).expect("an address is a url");
    }
    let mut reader = url.reader();
    reader.take_tls();
    let socket = reader.take_socket();
    let _ = reader.take_user();
    let _ = reader.take_password();
    let _ = reader.take_hosts();
    if socket.is_none() {
        let _ = reader.take_namespace();
    }
    let _ = reader.take::<Duration>("ttl");
    let _ = reader.take::<ByteSize>("limit");
    let _ = reader.take_flag("x");
    if let Err(error) = reader.finish() {
        assert_eq!(error.code(), Code::InvalidArgument);
    }
}

/// A method has the service and the name its path has.
pub(crate) fn method(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let Ok(method) = Method::parse(Kind::Unary, text) else {
        return;
    };
    assert_eq!(method.path(), text);
    assert_eq!(format!("/{}/{}", method.service(), method.name()), text);
    assert!(!method.service().is_empty() && !method.name().is_empty());
}

/// A timeout is not longer once it was written again, and what is refused is refused as such.
pub(crate) fn timeout(input: &[u8]) {
    let read = fuzzing::deadline(&[(b"grpc-timeout", input)]);
    if let Some(text) = text(input) {
        match Deadline::from_timeout(text) {
            Ok(deadline) => check_deadline(deadline),
            Err(error) => assert_eq!(error.code(), Code::InvalidArgument),
        }
    }
    match read {
        Ok(deadline) => check_deadline(deadline),
        Err(status) => assert_eq!(status.code(), Code::InvalidArgument),
    }
}

fn check_deadline(deadline: Deadline) {
    let Some(text) = deadline.to_timeout() else {
        return;
    };
    assert!(text.len() <= 9, "{text}");
    let again = Deadline::from_timeout(&text).expect("what was written is legal");
    // The clock went on in between, and the header is coarser the farther the deadline is.
    let (left, again) = (deadline.remaining(), again.remaining());
    assert!(again <= left.map(|left| left + Duration::from_secs(1)));
}

/// A trace that was read is written the same, but for its version.
pub(crate) fn trace(input: &[u8]) {
    let Some(trace) = text(input).and_then(Trace::parse) else {
        return;
    };
    assert!(trace.trace_id() != 0 && trace.span_id() != 0);
    assert_eq!(Trace::parse(&trace.to_string()), Some(trace));
    assert_eq!(trace.to_string().as_bytes()[2..], input[2..55]);
}

/// A content type names a format that has the name it was found by, or another name of it.
pub(crate) fn content_type(input: &[u8]) {
    let formats = Formats::builtin();
    if let Some(subtype) = fuzzing::grpc_subtype(input) {
        assert!(input.len() >= 16 + subtype.len());
        if let Some(format) = formats.find(subtype) {
            assert_eq!(formats.find(format.name()), Some(format));
        }
    }
    if let Some(format) = text(input).and_then(|text| formats.find(text)) {
        assert!(!matches!(format, Format::Custom(_)));
        assert_eq!(formats.find(format.name()), Some(format));
    }
}
