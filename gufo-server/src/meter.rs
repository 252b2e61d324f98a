//! Meter: what a server counts. Without the feature `metrics` all of it is nothing.

#[cfg(feature = "metrics")]
use std::sync::{Arc, OnceLock};

use gufo_core::Code;
#[cfg(feature = "metrics")]
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
#[cfg(feature = "metrics")]
use tokio::time::Instant;

#[cfg(feature = "metrics")]
const SYSTEM: (&str, &str) = ("rpc.system.name", "gufo");
#[cfg(feature = "metrics")]
const METHOD: &str = "rpc.method";
#[cfg(feature = "metrics")]
const CODE: &str = "rpc.response.status_code";

/// Counts the calls of one method. Made once, so that a call looks nothing up.
#[derive(Clone, Debug)]
pub(crate) struct CallMeter {
    #[cfg(feature = "metrics")]
    of: Arc<Instruments>,
}

#[cfg(feature = "metrics")]
struct Instruments {
    method: String,
    begun: Counter,
    active: Gauge,
    /// By code, made when a call first ends with it.
    took: [OnceLock<Histogram>; Code::ALL.len()],
}

#[cfg(feature = "metrics")]
impl std::fmt::Debug for Instruments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Instruments").field(&self.method).finish()
    }
}

#[cfg(feature = "metrics")]
impl CallMeter {
    /// Counts calls of `/package.Service/Method`.
    pub(crate) fn new(path: &str) -> Self {
        let method = path.trim_start_matches('/').to_owned();
        let labels = [(SYSTEM.0, SYSTEM.1.to_owned()), (METHOD, method.clone())];
        Self {
            of: Arc::new(Instruments {
                begun: counter!("gufo.server.calls.begun", &labels),
                active: gauge!("gufo.server.calls.active", &labels),
                took: std::array::from_fn(|_| OnceLock::new()),
                method,
            }),
        }
    }

    /// A call was not begun.
    pub(crate) fn refused(&self, code: Code) {
        let labels = self.labels(code);
        counter!("gufo.server.calls.refused", &labels).increment(1);
    }

    pub(crate) fn begin(&self) -> CountedCall {
        self.of.begun.increment(1);
        self.of.active.increment(1.0);
        CountedCall {
            calls: self.clone(),
            began: Instant::now(),
        }
    }

    fn labels(&self, code: Code) -> [(&'static str, String); 3] {
        [
            (SYSTEM.0, SYSTEM.1.to_owned()),
            (METHOD, self.of.method.clone()),
            (CODE, code.name().to_owned()),
        ]
    }
}

/// A call that is counted as running.
#[derive(Debug)]
pub(crate) struct CountedCall {
    #[cfg(feature = "metrics")]
    calls: CallMeter,
    #[cfg(feature = "metrics")]
    began: Instant,
}

#[cfg(feature = "metrics")]
impl CountedCall {
    pub(crate) fn end(&self, code: Code) {
        let of = &self.calls.of;
        of.active.decrement(1.0);
        let took = of.took[code as usize].get_or_init(|| {
            let labels = self.calls.labels(code);
            histogram!("rpc.server.call.duration", &labels)
        });
        took.record(self.began.elapsed());
    }
}

/// Counts the peers of one listener.
#[derive(Clone, Debug)]
pub(crate) struct PeerMeter {
    #[cfg(feature = "metrics")]
    url: String,
}

#[cfg(feature = "metrics")]
impl PeerMeter {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
        }
    }

    /// One more, until the answer is dropped.
    pub(crate) fn arrived(&self) -> CountedPeer {
        let active = gauge!("gufo.server.connections.active", "url" => self.url.clone());
        counter!("gufo.server.connections.accepted", "url" => self.url.clone()).increment(1);
        active.increment(1.0);
        CountedPeer { active }
    }

    /// Accepting one failed.
    pub(crate) fn failed(&self) {
        counter!("gufo.server.accept.errors", "url" => self.url.clone()).increment(1);
    }
}

/// A peer that is counted as connected.
pub(crate) struct CountedPeer {
    #[cfg(feature = "metrics")]
    active: Gauge,
}

#[cfg(feature = "metrics")]
impl Drop for CountedPeer {
    fn drop(&mut self) {
        self.active.decrement(1.0);
    }
}

#[cfg(not(feature = "metrics"))]
mod nothing {
    #![allow(clippy::unused_self, reason = "the other half needs it")]

    use super::{CallMeter, Code, CountedCall, CountedPeer, PeerMeter};

    impl CallMeter {
        pub(crate) const fn new(_: &str) -> Self {
            Self {}
        }

        pub(crate) const fn refused(&self, _: Code) {}

        pub(crate) const fn begin(&self) -> CountedCall {
            CountedCall {}
        }
    }

    impl CountedCall {
        pub(crate) const fn end(&self, _: Code) {}
    }

    impl PeerMeter {
        pub(crate) const fn new(_: &str) -> Self {
            Self {}
        }

        pub(crate) const fn arrived(&self) -> CountedPeer {
            CountedPeer {}
        }

        pub(crate) const fn failed(&self) {}
    }
}
