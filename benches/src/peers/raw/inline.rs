//! Answers inline: no task, no queue and no lock per request, one read and one write per batch.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::frame;
use super::input::Input;
use crate::Result;

pub(super) async fn echo(mut stream: TcpStream) -> Result<()> {
    let mut input = Input::new();
    let mut output = Vec::new();
    while input.fill(&mut stream).await? {
        while let Some((id, body)) = input.next()? {
            frame::write(&mut output, id, body);
        }
        if !output.is_empty() {
            stream.write_all(&output).await?;
            output.clear();
        }
    }
    Ok(())
}
