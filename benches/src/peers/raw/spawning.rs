//! A task per request, and one that writes what they answer.

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;

use super::frame;
use super::input::Input;
use crate::Result;

/// Answers that may wait for the writer.
const QUEUE: usize = 16_384;

pub(super) async fn echo(stream: TcpStream) -> Result<()> {
    let (mut reading, writing) = stream.into_split();
    let (answers, answered) = mpsc::channel(QUEUE);
    let writer = tokio::spawn(write(writing, answered));
    let mut input = Input::new();
    while input.fill(&mut reading).await? {
        while let Some((id, body)) = input.next()? {
            let (body, answers) = (Bytes::copy_from_slice(body), answers.clone());
            tokio::spawn(async move {
                // A writer that has ended has closed the connection: nobody waits for this answer.
                let _ = answers.send((id, body)).await;
            });
        }
    }
    drop(answers);
    writer.await?
}

async fn write(
    mut stream: OwnedWriteHalf,
    mut answered: mpsc::Receiver<(u64, Bytes)>,
) -> Result<()> {
    let mut output = Vec::new();
    while let Some((id, body)) = answered.recv().await {
        frame::write(&mut output, id, &body);
        // Lets all that are ready answer first: without it the multi-thread runtime writes each answer by itself.
        tokio::task::yield_now().await;
        while let Ok((id, body)) = answered.try_recv() {
            frame::write(&mut output, id, &body);
        }
        stream.write_all(&output).await?;
        output.clear();
    }
    Ok(())
}
