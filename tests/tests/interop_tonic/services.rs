//! The same greeter twice: on gufo, in `gufo_tests::polite`, and on tonic.

use std::{pin::Pin, time::Duration};

use gufo::RunningServer;
use gufo_tests::{
    polite,
    tonic_greeter::{self, greeter_server},
};
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt, wrappers::TcpListenerStream};
use tonic_types::{ErrorDetails, StatusExt};

pub(crate) use polite::{ENDLESS, UNKNOWN};

pub(crate) async fn gufo_server() -> RunningServer {
    polite::serve("grpc://127.0.0.1:0").await
}

/// `http://127.0.0.1:port` of a gufo server, as tonic's channel takes it.
pub(crate) fn http_url(server: &RunningServer) -> String {
    server.urls()[0].replace("grpc://", "http://")
}

pub(crate) struct TonicPolite;

type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, tonic::Status>> + Send>>;

#[tonic::async_trait]
impl greeter_server::Greeter for TonicPolite {
    async fn hello(
        &self,
        request: tonic::Request<tonic_greeter::HelloRequest>,
    ) -> Result<tonic::Response<tonic_greeter::HelloReply>, tonic::Status> {
        let user = request
            .metadata()
            .get("x-user")
            .and_then(|value| value.to_str().ok())
            .map(|user| format!(" from {user}"));
        let name = request.into_inner().name;
        match name.as_str() {
            UNKNOWN => {
                let mut status = tonic::Status::with_error_details(
                    tonic::Code::NotFound,
                    "nobody is here: ü",
                    ErrorDetails::with_error_info("NOBODY", "greeter", []),
                );
                status
                    .metadata_mut()
                    .insert("x-why", "gone".parse().expect("legal"));
                return Err(status);
            }
            ENDLESS => tokio::time::sleep(Duration::from_secs(3600)).await,
            _ => {}
        }
        let message = format!("hello {name}{}", user.unwrap_or_default());
        let mut response = tonic::Response::new(tonic_greeter::HelloReply { message });
        response
            .metadata_mut()
            .insert("x-ahead", "1".parse().expect("legal"));
        Ok(response)
    }

    type CountStream = Replies<tonic_greeter::CountReply>;

    async fn count(
        &self,
        request: tonic::Request<tonic_greeter::CountRequest>,
    ) -> Result<tonic::Response<Self::CountStream>, tonic::Status> {
        let numbers = 1..=request.into_inner().to;
        let replies = numbers.map(|number| Ok(tonic_greeter::CountReply { number }));
        Ok(tonic::Response::new(Box::pin(tokio_stream::iter(replies))))
    }

    async fn sum(
        &self,
        request: tonic::Request<tonic::Streaming<tonic_greeter::SumRequest>>,
    ) -> Result<tonic::Response<tonic_greeter::SumReply>, tonic::Status> {
        let mut requests = request.into_inner();
        let mut total = 0;
        while let Some(request) = requests.message().await? {
            total += request.number;
        }
        Ok(tonic::Response::new(tonic_greeter::SumReply { total }))
    }

    type ChatStream = Replies<tonic_greeter::ChatMessage>;

    async fn chat(
        &self,
        request: tonic::Request<tonic::Streaming<tonic_greeter::ChatMessage>>,
    ) -> Result<tonic::Response<Self::ChatStream>, tonic::Status> {
        let replies = request.into_inner().map(|message| {
            let text = format!("re: {}", message?.text);
            Ok(tonic_greeter::ChatMessage { text })
        });
        Ok(tonic::Response::new(Box::pin(replies)))
    }
}

/// A tonic server on a free port; it ends with its runtime.
pub(crate) async fn tonic_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("bound");
    let greeter = greeter_server::GreeterServer::new(TonicPolite)
        .accept_compressed(tonic::codec::CompressionEncoding::Gzip)
        .accept_compressed(tonic::codec::CompressionEncoding::Zstd)
        .send_compressed(tonic::codec::CompressionEncoding::Gzip);
    let serving = tonic::transport::Server::builder()
        .add_service(greeter)
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);
    format!("grpc://{address}")
}
