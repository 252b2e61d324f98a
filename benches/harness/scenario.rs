//! What is measured: the shapes of load.

use serde::{Deserialize, Serialize};

/// The size of each message of the streaming scenario.
const STREAM_PAYLOAD: usize = 16;

/// One shape of load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// The kind of call.
    pub shape: Shape,
    /// The size of the echoed body in bytes.
    pub payload: usize,
    /// Calls in flight over all connections; in an open loop as many as it takes.
    pub concurrency: usize,
    /// Connections, which the calls share evenly.
    pub connections: usize,
    /// When calls begin.
    pub pace: Pace,
}

/// The kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Request and response.
    Unary,
    /// One bidirectional stream: all messages are sent as fast as flow control allows, and come back.
    Stream {
        /// How many.
        messages: u64,
    },
}

/// When calls begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// Every caller in flight sends its next request when the answer to the last one is there.
    Closed,
    /// So many calls per second begin by the clock, whether or not earlier ones were answered.
    PerSecond(u32),
    /// As [`Pace::PerSecond`], at half of what the same peer reached in a closed loop of 64 calls on one connection.
    HalfPeak,
}

impl Scenario {
    /// A closed loop of unary calls.
    #[must_use]
    pub const fn unary(payload: usize, concurrency: usize, connections: usize) -> Self {
        Self {
            shape: Shape::Unary,
            payload,
            concurrency,
            connections,
            pace: Pace::Closed,
        }
    }

    /// Unary calls that begin by the clock, on one connection.
    #[must_use]
    pub const fn open(payload: usize, pace: Pace) -> Self {
        Self {
            pace,
            ..Self::unary(payload, 1, 1)
        }
    }

    /// One stream of 16 B messages.
    #[must_use]
    pub const fn stream(messages: u64) -> Self {
        Self {
            shape: Shape::Stream { messages },
            ..Self::unary(STREAM_PAYLOAD, 1, 1)
        }
    }

    /// Payload and calls in flight / connections, as in `64 B 256/8`; or payload and rate, as in `64 B at 20 k/s`.
    #[must_use]
    pub fn label(&self) -> String {
        let payload = bytes(self.payload);
        match (self.shape, self.pace) {
            (Shape::Stream { messages }, _) => format!("stream {} × {payload}", count(messages)),
            (Shape::Unary, Pace::Closed) => {
                format!("{payload} {}/{}", self.concurrency, self.connections)
            }
            (Shape::Unary, Pace::PerSecond(rate)) => {
                format!("{payload} at {}/s", count(u64::from(rate)))
            }
            (Shape::Unary, Pace::HalfPeak) => format!("{payload} at half peak"),
        }
    }

    /// What one unit of work is called.
    #[must_use]
    pub const fn unit(&self) -> &'static str {
        match self.shape {
            Shape::Unary => "requests",
            Shape::Stream { .. } => "messages",
        }
    }
}

/// A size for people.
#[must_use]
pub fn bytes(size: usize) -> String {
    if size >= 1024 {
        format!("{} KiB", size / 1024)
    } else {
        format!("{size} B")
    }
}

fn count(number: u64) -> String {
    if number.is_multiple_of(1_000_000) {
        format!("{} M", number / 1_000_000)
    } else {
        format!("{} k", number / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_tells_scenarios_apart() {
        let scenarios = [
            Scenario::unary(64, 256, 8),
            Scenario::unary(64 * 1024, 1, 1),
            Scenario::stream(1_000_000),
            Scenario::open(1024, Pace::PerSecond(20_000)),
            Scenario::open(1024, Pace::HalfPeak),
        ];

        assert_eq!(
            scenarios.map(|scenario| scenario.label()),
            [
                "64 B 256/8",
                "64 KiB 1/1",
                "stream 1 M × 16 B",
                "1 KiB at 20 k/s",
                "1 KiB at half peak"
            ]
        );
    }
}
