//! The suite on every bundled registry, plain and through `Box` and `Arc`.

use std::sync::Arc;

use gufo_core::{BackendUrl, Registry, Result};
use gufo_registry::fixed::{self, FixedRegistry};
use gufo_registry::memory::{self, MemoryRegistry};

fn memory(namespace: &str) -> Result<MemoryRegistry> {
    let url = BackendUrl::parse(&format!("memory://conformance/{namespace}"))?;
    MemoryRegistry::open(memory::Config::from_url(&url)?)
}

fn fixed(url: &str) -> Result<FixedRegistry> {
    FixedRegistry::open(fixed::Config::from_url(&BackendUrl::parse(url)?)?)
}

mod memory_plain {
    gufo_registry::conformance::suite!(|ns| async move { super::memory(&ns) }, |suite| suite
        .paused());
}

mod memory_in_a_box {
    use super::*;
    gufo_registry::conformance::suite!(
        |ns| async move { Ok(Box::new(memory(&ns)?) as Box<dyn Registry>) },
        |suite| suite.paused()
    );
}

mod memory_in_an_arc {
    use super::*;
    gufo_registry::conformance::suite!(
        |ns| async move { Ok(Arc::new(memory(&ns)?) as Arc<dyn Registry>) },
        |suite| suite.paused()
    );
}

mod memory_by_url_on_the_real_clock {
    use std::time::Duration;

    gufo_registry::conformance::suite!(
        |ns| async move { gufo_registry::open(&format!("memory://by-url/{ns}")).await },
        |suite| {
            let mut tolerance = gufo_registry::conformance::Tolerance::default();
            tolerance.settle = Duration::from_secs(1);
            tolerance.lease = Duration::from_secs(1);
            suite.tolerance(tolerance)
        }
    );
}

mod fixed_list {
    gufo_registry::conformance::suite!(
        |_| async { super::fixed("fixed://a:1,b:2/greeter") },
        |suite| suite.paused()
    );
}
