//! `http://`: a typed client, whose messages are protobuf otherwise, calls services that speak JSON.

use gufo::{Code, Connect as _, Context, Server, Status, Streaming};
use gufo_tests::greeter::{
    ChatMessage, CountReply, CountRequest, Greeter, GreeterClient, GreeterServer, HelloReply,
    HelloRequest, SumReply, SumRequest,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

struct Polite;

impl Greeter for Polite {
    async fn hello(&self, ctx: &Context, request: HelloRequest) -> Result<HelloReply, Status> {
        if request.name.is_empty() {
            return Err(Status::invalid_argument("the name is empty"));
        }
        let message = format!("hello {} in {}", request.name, ctx.format());
        Ok(HelloReply { message })
    }

    async fn count(
        &self,
        _: &Context,
        request: CountRequest,
    ) -> Result<Streaming<CountReply>, Status> {
        let numbers = (1..=request.to).map(|number| CountReply { number });
        Ok(Streaming::iter(numbers))
    }

    async fn sum(
        &self,
        _: &Context,
        mut requests: Streaming<SumRequest>,
    ) -> Result<SumReply, Status> {
        let mut total = 0;
        while let Some(request) = requests.next().await? {
            total += request.number;
        }
        Ok(SumReply { total })
    }

    async fn chat(
        &self,
        _: &Context,
        requests: Streaming<ChatMessage>,
    ) -> Result<Streaming<ChatMessage>, Status> {
        Ok(requests)
    }
}

#[tokio::test]
async fn a_gufo_server_is_called_in_json() {
    let server = Server::builder()
        .listen("grpc://127.0.0.1:0")
        .service(GreeterServer::new(Polite))
        .start()
        .await
        .expect("starts");
    let url = server.urls()[0].replace("grpc://", "http://");
    let greeter = GreeterClient::connect(&url).await.expect("connects");

    let reply = greeter.hello(HelloRequest { name: "owl".into() }).await;
    assert_eq!(reply.expect("answers").message, "hello owl in json");

    let error = greeter
        .hello(HelloRequest::default())
        .await
        .expect_err("empty");
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.message(), "the name is empty");

    let request = CountRequest {
        to: 100,
        interval_ms: 0,
    };
    let counted = greeter.count(request).await.expect("opens");
    assert_eq!(counted.collect().await.expect("ends well").len(), 100);

    let requests = (1..=100).map(|number| SumRequest { number });
    let sum = greeter
        .sum(Streaming::iter(requests))
        .await
        .expect("answers");
    assert_eq!(sum.total, 5050);

    let refused = greeter
        .chat(Streaming::iter([]))
        .await
        .expect_err("both ways");
    assert_eq!(refused.code(), Code::Unimplemented);
    server.stop().await;
}

#[tokio::test]
async fn a_foreign_service_is_called_by_its_rest_binding() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("bound");
    let foreign = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a peer");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(socket.read_buf(&mut request).await.expect("reads"), 0);
        }
        let body = r#"{"message":"hello from REST"}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        socket
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .expect("writes");
        String::from_utf8(request).expect("text")
    });
    let url = format!("http://{address}/v1?rest=true");
    let greeter = GreeterClient::connect(&url).await.expect("connects");

    let reply = greeter
        .hello(HelloRequest {
            name: "barn owl".into(),
        })
        .await;

    assert_eq!(reply.expect("answers").message, "hello from REST");
    let request = foreign.await.expect("not panicked");
    assert!(
        request.starts_with("GET /v1/hello/barn%20owl HTTP/1.1\r\n"),
        "{request}"
    );
}
