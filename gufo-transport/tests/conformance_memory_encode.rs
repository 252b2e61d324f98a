//! The suite on `memory://`, with every message encoded.

use std::sync::Arc;

use gufo_core::{Transport, Values};
use gufo_transport::{
    conformance::{Capabilities, Harness},
    memory::MemoryTransport,
};

struct Encoded;

impl Harness for Encoded {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(MemoryTransport::new())
    }

    fn listen_url(&self) -> String {
        "memory://".to_owned()
    }

    fn connect_url(&self, listening: &str) -> String {
        format!("{listening}?encode=true")
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::in_process();
        capabilities.values = Values::Encode;
        capabilities
    }
}

gufo_transport::conformance::suite!(Encoded);
