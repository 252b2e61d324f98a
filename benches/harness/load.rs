//! What a load generator is told, and what it found.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::scenario::Scenario;

/// The runtime that server and client each run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Runtime {
    /// One thread.
    #[serde(rename = "current-thread")]
    CurrentThread,
    /// tokio's default runtime with two workers: what most users run.
    #[serde(rename = "multi-2")]
    Multi2,
    /// The server has a thread with a runtime and a listener of its own for each core; the client has two workers.
    #[serde(rename = "per-core")]
    PerCore,
}

/// Starts the server of a peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServeJob {
    /// Whose.
    pub peer: String,
    /// What the server runs on.
    pub runtime: Runtime,
}

/// Puts load on a peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DriveJob {
    /// Who is called.
    pub peer: String,
    /// What the load generator runs on.
    pub runtime: Runtime,
    /// Where the server is. `None` for a peer that lives in the process of its caller.
    pub server: Option<ServerAt>,
    /// The load.
    pub scenario: Scenario,
    /// Arrivals per second of the open loop; `None` is the closed loop.
    pub per_second: Option<f64>,
    /// Load that is not counted, before.
    pub warm_up: Duration,
    /// The length of the window that is counted.
    pub measured: Duration,
}

/// Keeps connections or streams open and says what they cost the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HoldJob {
    /// Who is called.
    pub peer: String,
    /// What the caller runs on.
    pub runtime: Runtime,
    /// Where the server is.
    pub server: ServerAt,
    /// What is kept open.
    pub what: Held,
    /// How many are opened.
    pub count: usize,
}

/// What is kept open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// Connections that carried one call each.
    Connections,
    /// Bidirectional streams that carried one message each way, over few connections.
    Streams,
}

/// What holding something open cost the server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holding {
    /// The growth of its anonymous memory for each, in bytes.
    pub bytes_each: f64,
    /// Its whole resident set while all were open, in bytes.
    pub resident: u64,
}

/// A server in a process of its own: the first line it prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerAt {
    /// Where to connect to.
    pub address: String,
    /// The processes whose time and memory are the server's.
    pub pids: Vec<u32>,
}

/// One scenario against one peer, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Answered requests or echoed messages inside the measured window.
    pub completed: u64,
    /// Calls that failed or brought back something else.
    pub errors: u64,
    /// The length of the window.
    pub elapsed: Duration,
    /// Arrivals per second that were asked for, in an open loop.
    pub offered: Option<f64>,
    /// Of unary calls only.
    pub latency: Option<Latency>,
    /// Processor time of the server's process inside the window.
    pub server_cpu: Duration,
    /// Processor time of the load generator's process inside the window.
    pub client_cpu: Duration,
    /// The largest resident set of the server's process in bytes.
    pub server_peak_memory: u64,
}

impl Measurement {
    /// Units of work per second of wall time.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.completed as f64 / self.elapsed.as_secs_f64()
    }

    /// Units of work per second of the server's processor time: the figure that ratios are made of.
    #[must_use]
    pub fn per_cpu_second(&self) -> f64 {
        self.completed as f64 / self.server_cpu.as_secs_f64()
    }

    /// The server's processor time per unit of work, in microseconds.
    #[must_use]
    pub fn server_micros(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.completed as f64
    }

    /// The load generator's processor time per unit of work, in microseconds.
    #[must_use]
    pub fn client_micros(&self) -> f64 {
        self.client_cpu.as_secs_f64() * 1e6 / self.completed as f64
    }
}

/// Quantiles in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The median.
    pub p50: f64,
    /// 99 % are below.
    pub p99: f64,
    /// 99.9 % are below.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

impl Latency {
    /// From a histogram of nanoseconds.
    #[must_use]
    pub fn of(nanos: &Histogram<u64>) -> Self {
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
            offered: None,
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
