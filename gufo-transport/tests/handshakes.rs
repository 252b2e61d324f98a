//! Peers in their handshake have a cap of their own.
#![cfg(feature = "grpc")]

use std::sync::Arc;

use gufo_core::{
    BackendUrl, Cancel, ConnectOptions, Dispatch, Formats, ListenOptions, Route, Transport,
};
use gufo_transport::grpc::GrpcTransport;
use tokio::{io::AsyncReadExt, net::TcpStream};

struct Nothing(Formats);

impl Dispatch for Nothing {
    fn route(&self, _: &str) -> Option<Arc<Route>> {
        None
    }

    fn formats(&self) -> &Formats {
        &self.0
    }
}

#[tokio::test]
async fn one_peer_too_many_in_its_handshake_is_turned_away() {
    let mut options = ListenOptions::default();
    options.handshakes = 1;
    let url = BackendUrl::parse("grpc://127.0.0.1:0").expect("a URL");
    let transport = GrpcTransport::new();
    let mut listener = transport.listen(url, options).await.expect("listens");
    let url = listener.url().to_owned();
    let address = url.trim_start_matches("grpc://").to_owned();
    tokio::spawn(async move {
        let dispatch: Arc<dyn Dispatch> = Arc::new(Nothing(Formats::builtin()));
        while let Ok(peer) = listener.accept().await {
            tokio::spawn(peer.serve(Arc::clone(&dispatch), Cancel::new()));
        }
    });

    let silent = TcpStream::connect(&address).await.expect("connects");
    let mut second = TcpStream::connect(&address).await.expect("connects");
    assert_eq!(second.read(&mut [0]).await.expect("closed"), 0);

    // A place is free again once the silent one has gone; who is served holds none.
    drop(silent);
    let connect = || {
        let url = BackendUrl::parse(&url).expect("a URL");
        transport.connect(url, ConnectOptions::default())
    };
    let mut served = Vec::new();
    while served.len() < 3 {
        if let Ok(connection) = connect().await {
            served.push(connection);
        }
    }
}
