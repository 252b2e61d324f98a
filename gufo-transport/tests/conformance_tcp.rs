//! The suite on `tcp://`.

use std::sync::Arc;

use gufo_core::Transport;
use gufo_transport::{
    conformance::{Address, Capabilities, Harness},
    native::NativeTransport,
};

struct Tcp;

impl Harness for Tcp {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(NativeTransport::new())
    }

    fn listen_url(&self) -> String {
        "tcp://127.0.0.1:0".to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::over(Address::Port)
    }
}

gufo_transport::conformance::suite!(Tcp);
