//! What a load generator is told, and what it found.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::args::Runtime;
use crate::scenario::Scenario;

/// Starts the server of a peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServeJob {
    pub(crate) peer: String,
    pub(crate) runtime: Runtime,
}

/// Puts load on a peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DriveJob {
    pub(crate) peer: String,
    pub(crate) runtime: Runtime,
    /// Where the server is. `None` for a peer that lives in the process of its caller.
    pub(crate) server: Option<ServerAt>,
    pub(crate) scenario: Scenario,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// Keeps connections or streams open and says what they cost the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HoldJob {
    pub(crate) peer: String,
    pub(crate) runtime: Runtime,
    pub(crate) server: ServerAt,
    pub(crate) what: Held,
    /// How many are opened.
    pub(crate) count: usize,
}

/// What is kept open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Held {
    /// Connections that carried one call each.
    Connections,
    /// Bidirectional streams that carried one message each way, over few connections.
    Streams,
}

/// A server in a process of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServerAt {
    pub(crate) address: String,
    pub(crate) pid: u32,
}

/// One scenario against one peer, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// Answered requests or echoed messages inside the measured window.
    pub(crate) completed: u64,
    pub(crate) errors: u64,
    pub(crate) elapsed: Duration,
    /// Of unary calls only.
    pub(crate) latency: Option<Latency>,
    /// Processor time of the server's process inside the window.
    pub(crate) server_cpu: Duration,
    /// Processor time of the load generator's process inside the window.
    pub(crate) client_cpu: Duration,
    /// The largest resident set of the server's process in bytes.
    pub(crate) server_peak_memory: u64,
}

impl Measurement {
    /// Units of work per second of wall time.
    pub(crate) fn per_second(&self) -> f64 {
        self.completed as f64 / self.elapsed.as_secs_f64()
    }

    /// Units of work per second of the server's processor time: the figure that ratios are made of.
    pub(crate) fn per_cpu_second(&self) -> f64 {
        self.completed as f64 / self.server_cpu.as_secs_f64()
    }

    /// The server's processor time per unit of work, in microseconds.
    pub(crate) fn server_micros(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.completed as f64
    }

    /// The load generator's processor time per unit of work, in microseconds.
    pub(crate) fn client_micros(&self) -> f64 {
        self.client_cpu.as_secs_f64() * 1e6 / self.completed as f64
    }
}

/// Quantiles in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Latency {
    /// From a histogram of nanoseconds.
    pub(crate) fn of(nanos: &Histogram<u64>) -> Self {
        let micros = |quantile| nanos.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            p50: micros(0.5),
            p99: micros(0.99),
            p999: micros(0.999),
            max: nanos.max() as f64 / 1e3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement() -> Measurement {
        Measurement {
            completed: 1000,
            errors: 0,
            elapsed: Duration::from_millis(500),
            latency: None,
            server_cpu: Duration::from_millis(10),
            client_cpu: Duration::from_millis(20),
            server_peak_memory: 0,
        }
    }

    #[test]
    fn rates_are_per_wall_second_and_per_processor_second() {
        let measurement = measurement();

        assert_eq!(measurement.per_second(), 2000.0);
        assert_eq!(measurement.per_cpu_second(), 100_000.0);
        assert_eq!(measurement.server_micros(), 10.0);
        assert_eq!(measurement.client_micros(), 20.0);
    }

    #[test]
    fn quantiles_come_from_the_right_end() {
        let mut nanos = Histogram::new(3).unwrap();
        for micros in 1..=1000u64 {
            nanos.record(micros * 1000).unwrap();
        }

        let latency = Latency::of(&nanos);

        assert!((latency.p50 - 500.0).abs() < 2.0, "{latency:?}");
        assert!((latency.p99 - 990.0).abs() < 2.0, "{latency:?}");
        assert!((latency.p999 - 999.0).abs() < 2.0, "{latency:?}");
        assert!((latency.max - 1000.0).abs() < 2.0, "{latency:?}");
    }
}
