//! Bytes read in batches: one buffer, no allocation and no reference count per frame.

use tokio::io::{AsyncRead, AsyncReadExt};

use super::frame::{self, Front, HEADER};
use crate::Result;

/// What one read may bring.
const SIZE: usize = 256 * 1024;

/// The buffer of one connection.
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    pub(super) fn new() -> Self {
        Self {
            buffer: vec![0; SIZE],
            start: 0,
            end: 0,
        }
    }

    /// Reads what there is; false at the end of the stream.
    pub(super) async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<bool> {
        let read = stream.read(&mut self.buffer[self.end..]).await?;
        self.end += read;
        Ok(read > 0)
    }

    /// Takes the next whole frame, or makes room for the rest of it.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &[u8])>> {
        let whole = match frame::front(&self.buffer[self.start..self.end])? {
            Front::Whole { body, .. } => HEADER + body.len(),
            Front::Part { whole } => {
                self.make_room(whole);
                return Ok(None);
            }
        };
        let taken = self.start..self.start + whole;
        self.start = taken.end;
        match frame::front(&self.buffer[taken])? {
            Front::Whole { id, body } => Ok(Some((id, body))),
            Front::Part { .. } => Ok(None),
        }
    }

    /// Moves the start of a frame to the front of the buffer, so that each read can be a large one.
    fn make_room(&mut self, whole: usize) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < whole {
            self.buffer.resize(whole.next_power_of_two(), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_of_all_sizes_come_out_however_they_are_cut() {
        let sizes = [0, 1, 64, SIZE - HEADER, SIZE, 3 * SIZE, 5];
        let mut sent = Vec::new();
        for (id, size) in sizes.into_iter().enumerate() {
            frame::write(&mut sent, id as u64, &vec![id as u8; size]);
        }

        for cut in [7, 4096, sent.len()] {
            let mut input = Input::new();
            let mut found = Vec::new();
            for mut piece in sent.chunks(cut) {
                while !piece.is_empty() {
                    assert!(input.fill(&mut piece).await.unwrap());
                    while let Some((id, body)) = input.next().unwrap() {
                        assert!(body.iter().all(|byte| u64::from(*byte) == id));
                        found.push(body.len());
                    }
                }
            }
            assert_eq!(found, sizes, "in pieces of {cut}");
        }
    }
}
