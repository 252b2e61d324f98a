//! Trace: the W3C trace context of a call.

use std::fmt;

use crate::random::Random;

/// Trace id, span id and flags of a call, as `traceparent` carries them
/// (<https://www.w3.org/TR/trace-context/>, version 00).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

impl Trace {
    /// Starts a trace.
    #[must_use]
    pub fn start(random: &dyn Random) -> Self {
        let high = u128::from(random.next_u64());
        let trace_id = high << 64 | u128::from(random.next_u64());
        Self {
            trace_id: trace_id.max(1),
            span_id: random.next_u64().max(1),
            flags: 1,
        }
    }

    /// The same trace with a span of its own, for a call made on behalf of this one.
    #[must_use]
    pub fn child(self, random: &dyn Random) -> Self {
        Self {
            span_id: random.next_u64().max(1),
            ..self
        }
    }

    /// Reads a `traceparent` value; `None` when it is malformed, as the specification asks.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version.len() != 2
            || version == "ff"
            || trace.len() != 32
            || span.len() != 16
            || flags.len() != 2
        {
            return None;
        }
        if version == "00" && parts.next().is_some() {
            return None;
        }
        let hex = |part: &str| {
            part.bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if ![version, trace, span, flags].into_iter().all(hex) {
            return None;
        }
        let trace = Self {
            trace_id: u128::from_str_radix(trace, 16).ok()?,
            span_id: u64::from_str_radix(span, 16).ok()?,
            flags: u8::from_str_radix(flags, 16).ok()?,
        };
        (trace.trace_id != 0 && trace.span_id != 0).then_some(trace)
    }

    /// The 128-bit id all calls of a trace share.
    #[must_use]
    pub const fn trace_id(self) -> u128 {
        self.trace_id
    }

    /// The 64-bit id of this call.
    #[must_use]
    pub const fn span_id(self) -> u64 {
        self.span_id
    }

    /// Whether the trace is recorded.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.flags & 1 == 1
    }
}

/// The `traceparent` form.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id, self.span_id, self.flags
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_comes_back() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

        let trace = Trace::parse(text).expect("legal");

        assert_eq!(trace.to_string(), text);
        assert!(trace.is_sampled());
    }

    #[test]
    fn malformed_values_are_ignored() {
        for text in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Trace::parse(text), None, "{text}");
        }
    }
}
