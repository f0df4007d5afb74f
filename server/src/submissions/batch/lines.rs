//! Lines out of chunks. A line that is longer than allowed is skipped while it comes in, and never held.

use bytes::{Buf, Bytes, BytesMut};

/// A line of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Without its end.
    Whole(Bytes),
    /// More bytes than a line may have.
    TooLong,
}

/// Chunks that are being taken apart.
pub(super) struct Lines {
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of a line.
    searched: usize,
    limit: usize,
    /// Inside a line that is too long.
    skipping: bool,
    number: u64,
}

impl Lines {
    /// Lines of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Lines {
        Lines { buffer: BytesMut::new(), searched: 0, limit, skipping: false, number: 0 }
    }

    /// What came in.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next line that is complete, with its number from 1; blank lines count and are passed over.
    pub(super) fn next(&mut self) -> Option<(u64, Line)> {
        loop {
            let Some(end) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') else {
                self.searched = self.buffer.len();
                self.drop_if_too_long();
                return None;
            };
            let line = self.buffer.split_to(self.searched + end);
            self.buffer.advance(1);
            self.searched = 0;
            if let Some(line) = self.taken(line.freeze()) {
                return Some(line);
            }
        }
    }

    /// The last line, when nothing more will come: it need not have an end.
    pub(super) fn last(&mut self) -> Option<(u64, Line)> {
        let line = self.buffer.split().freeze();
        self.searched = 0;
        self.taken(line)
    }

    fn taken(&mut self, line: Bytes) -> Option<(u64, Line)> {
        let line = match line.last() {
            Some(b'\r') => line.slice(..line.len() - 1),
            _ => line,
        };
        self.number += 1;
        let too_long = std::mem::take(&mut self.skipping) || line.len() > self.limit;
        match too_long {
            true => Some((self.number, Line::TooLong)),
            false if line.iter().all(u8::is_ascii_whitespace) => None,
            false => Some((self.number, Line::Whole(line))),
        }
    }

    fn drop_if_too_long(&mut self) {
        self.skipping |= self.buffer.len() > self.limit;
        if self.skipping {
            self.buffer.clear();
            self.searched = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(limit: usize, chunks: &[&str]) -> Vec<(u64, Option<String>)> {
        let mut lines = Lines::new(limit);
        let mut all = Vec::new();
        for chunk in chunks {
            lines.push(chunk.as_bytes());
            while let Some(line) = lines.next() {
                all.push(line);
            }
        }
        all.extend(lines.last());
        let text = |line| match line {
            Line::Whole(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Line::TooLong => None,
        };
        all.into_iter().map(|(n, line)| (n, text(line))).collect()
    }

    #[test]
    fn lines_come_whole_however_the_chunks_fall() {
        let told = lines(100, &["ab", "c\r\n\n", "  \nde", "f\ng"]);

        assert_eq!(told, [(1, Some("abc".into())), (4, Some("def".into())), (5, Some("g".into()))]);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_is_read() {
        let told = lines(4, &["abcd", "efgh", "ij\nok\n", "123456\n", "abcdefg"]);

        assert_eq!(told, [(1, None), (2, Some("ok".into())), (3, None), (4, None)]);
    }
}
