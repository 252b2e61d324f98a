//! The suite on `memory://`, with messages handed over as values.

use std::sync::Arc;

use gufo_core::Transport;
use gufo_transport::{
    conformance::{Capabilities, Harness},
    memory::MemoryTransport,
};

struct Memory;

impl Harness for Memory {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(MemoryTransport::new())
    }

    fn listen_url(&self) -> String {
        "memory://".to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::in_process()
    }
}

gufo_transport::conformance::suite!(Memory);
