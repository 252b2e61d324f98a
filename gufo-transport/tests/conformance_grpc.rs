//! The suite on `grpc://`.

use std::sync::Arc;

use gufo_core::Transport;
use gufo_transport::{
    conformance::{Address, Capabilities, Harness},
    grpc::GrpcTransport,
};

struct Grpc;

impl Harness for Grpc {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(GrpcTransport::new())
    }

    fn listen_url(&self) -> String {
        "grpc://127.0.0.1:0".to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::over(Address::Port)
    }
}

gufo_transport::conformance::suite!(Grpc);
