//! The suite on `http://`, against the listener of `grpc://`.

use std::sync::Arc;

use gufo_core::{Format, Kind, Transport};
use gufo_transport::{
    conformance::{
        Address, Capabilities, CustomCodecs, Harness, KeepAlive, Sockets, StreamTrailers,
    },
    grpc::GrpcTransport,
    http::HttpTransport,
};

struct Http;

impl Harness for Http {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(HttpTransport::new())
    }

    fn listening_transport(&self) -> Arc<dyn Transport> {
        Arc::new(GrpcTransport::new())
    }

    fn listen_url(&self) -> String {
        "grpc://127.0.0.1:0".to_owned()
    }

    fn connect_url(&self, listening: &str) -> String {
        listening.replace("grpc://", "http://")
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::over(Address::Port);
        capabilities.kinds.retain(|kind| *kind != Kind::Bidi);
        capabilities.formats = vec![Format::Json];
        capabilities.custom_codecs = CustomCodecs::Refused;
        capabilities.stream_trailers = StreamTrailers::Dropped;
        capabilities.sockets = Sockets::PerCall;
        capabilities.keep_alive = KeepAlive::Deadline;
        capabilities
    }
}

gufo_transport::conformance::suite!(Http);
