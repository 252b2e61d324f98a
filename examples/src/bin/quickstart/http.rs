//! The greeter called as `curl` would: one HTTP/1.1 request, written by hand.

use gufo_examples::{BoxError, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Posts JSON to `Hello` and checks the HTTP status and a part of the body.
pub(crate) async fn call(
    address: &str,
    json: &str,
    status: u16,
    body: &str,
) -> Result<(), BoxError> {
    println!("   $ curl -d '{json}' http://{address}/greeter.Greeter/Hello");
    let request = format!(
        "POST /greeter.Greeter/Hello HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{json}",
        json.len()
    );
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;

    let (head, answered) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let line = head.lines().next().unwrap_or_default();
    println!("   {line}: {answered}");
    ensure(
        line.starts_with(&format!("HTTP/1.1 {status} ")) && answered.contains(body),
        format!("status {status} and {body}"),
    )
}
