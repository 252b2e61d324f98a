//! Lines out of the chunks of a body, however they are split.

use bytes::{Buf, Bytes, BytesMut};
use gufo_core::Status;

/// Gathers chunks and gives lines of at most a limit.
#[derive(Debug)]
pub(crate) struct Lines {
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of a line: a line in many small chunks must
    /// not be looked at again with each of them.
    searched: usize,
    limit: usize,
}

impl Lines {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            searched: 0,
            limit,
        }
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next line without its end; `None` when more has to come first.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, Status> {
        let found = self.buffer[self.searched..]
            .iter()
            .position(|byte| *byte == b'\n');
        let end = found.map(|end| self.searched + end);
        self.check(end.unwrap_or(self.buffer.len()))?;
        let Some(end) = end else {
            self.searched = self.buffer.len();
            return Ok(None);
        };
        let line = self.buffer.split_to(end);
        self.buffer.advance(1);
        self.searched = 0;
        Ok(Some(line.freeze()))
    }

    /// What is left after the last end of a line; `None` when there is nothing.
    pub(crate) fn rest(&mut self) -> Option<Bytes> {
        self.searched = 0;
        (!self.buffer.is_empty()).then(|| self.buffer.split().freeze())
    }

    fn check(&self, length: usize) -> Result<(), Status> {
        if length <= self.limit {
            return Ok(());
        }
        let limit = self.limit;
        Err(Status::resource_exhausted(format!(
            "a line is over the limit of {limit} bytes"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gufo_core::Code;

    fn all(text: &[u8], split: usize, limit: usize) -> Result<Vec<Bytes>, Status> {
        let mut lines = Lines::new(limit);
        let mut all = Vec::new();
        for chunk in text.chunks(split) {
            lines.push(chunk);
            while let Some(line) = lines.next()? {
                all.push(line);
            }
        }
        all.extend(lines.rest());
        Ok(all)
    }

    #[test]
    fn lines_are_the_same_however_they_are_split() {
        for split in 1..20 {
            let lines = all(b"one\n\ntwo and more\nthree", split, 12).expect("within the limit");
            assert_eq!(lines, ["one", "", "two and more", "three"], "{split}");
        }
    }

    #[test]
    fn a_line_over_the_limit_is_refused_whether_its_end_has_come_or_not() {
        for text in ["1234\n", "1234", "1\n1234\n1"] {
            for split in 1..8 {
                let status = all(text.as_bytes(), split, 3).expect_err(text);
                assert_eq!(status.code(), Code::ResourceExhausted);
            }
        }
    }
}
