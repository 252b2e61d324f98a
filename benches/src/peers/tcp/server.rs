//! Answers inline: no task, no queue and no lock per request.

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::frame;
use crate::Result;

const READ_BUFFER: usize = 256 * 1024;

/// Serves every connection until the listener fails.
pub(super) async fn accept(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            if let Err(error) = echo(stream).await {
                eprintln!("tcp server: {error}");
            }
        });
    }
}

async fn echo(mut stream: TcpStream) -> Result<()> {
    let mut input = BytesMut::new();
    let mut output = BytesMut::new();
    loop {
        input.reserve(READ_BUFFER);
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        while let Some((id, body)) = frame::read(&mut input)? {
            frame::write(&mut output, id, &body);
        }
        stream.write_all(&output).await?;
        output.clear();
    }
}
