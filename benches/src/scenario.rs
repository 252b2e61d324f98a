//! What is measured: the shapes of load.

use serde::{Deserialize, Serialize};

/// The size of each message of the streaming scenario.
const STREAM_PAYLOAD: usize = 16;

/// One shape of load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scenario {
    pub(crate) shape: Shape,
    /// The size of the echoed body in bytes.
    pub(crate) payload: usize,
    /// Calls in flight over all connections.
    pub(crate) concurrency: usize,
    pub(crate) connections: usize,
}

/// The kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shape {
    /// Request and response, repeated by every caller until the time is up.
    Unary,
    /// One bidirectional stream: all messages are sent as fast as flow control allows, and come back.
    Stream { messages: u64 },
}

impl Scenario {
    /// All scenarios, in the order of the report.
    pub(crate) fn all(stream_messages: u64) -> Vec<Self> {
        let mut scenarios = Vec::new();
        for payload in [64, 1024, 64 * 1024] {
            // One call in flight uses one connection whatever the number of connections is.
            for (concurrency, connections) in [(1, 1), (64, 1), (64, 8), (256, 1), (256, 8)] {
                scenarios.push(Self {
                    shape: Shape::Unary,
                    payload,
                    concurrency,
                    connections,
                });
            }
        }
        let shape = Shape::Stream {
            messages: stream_messages,
        };
        scenarios.push(Self {
            shape,
            payload: STREAM_PAYLOAD,
            concurrency: 1,
            connections: 1,
        });
        scenarios
    }

    /// Payload and calls in flight / connections, as in `64 B 256/8`.
    pub(crate) fn label(&self) -> String {
        let payload = bytes(self.payload);
        match self.shape {
            Shape::Unary => format!("{payload} {}/{}", self.concurrency, self.connections),
            Shape::Stream { messages } => format!("stream {} × {payload}", count(messages)),
        }
    }

    /// What one unit of work is called.
    pub(crate) fn unit(&self) -> &'static str {
        match self.shape {
            Shape::Unary => "requests",
            Shape::Stream { .. } => "messages",
        }
    }
}

fn bytes(size: usize) -> String {
    if size >= 1024 {
        format!("{} KiB", size / 1024)
    } else {
        format!("{size} B")
    }
}

fn count(messages: u64) -> String {
    if messages.is_multiple_of(1_000_000) {
        format!("{} M", messages / 1_000_000)
    } else {
        format!("{} k", messages / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_its_own_label() {
        let scenarios = Scenario::all(1_000_000);

        let mut labels: Vec<String> = scenarios.iter().map(Scenario::label).collect();
        labels.sort();
        labels.dedup();

        assert_eq!(labels.len(), scenarios.len());
        assert!(labels.contains(&"64 KiB 256/8".to_owned()), "{labels:?}");
        assert!(
            labels.contains(&"stream 1 M × 16 B".to_owned()),
            "{labels:?}"
        );
    }
}
