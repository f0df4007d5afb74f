//! One keep-alive HTTP/1.1 connection, written for cheapness: prepared bytes go out, a status comes back, and the
//! body stays in a buffer that is used again. It understands Content-Length and nothing more; that is all the
//! server sends to a client that accepts no compression.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection and the answer last read from it.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    body_start: usize,
}

impl Connection {
    /// Connects.
    pub(super) async fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(64 * 1024), body_start: 0 })
    }

    /// Sends the parts one after the other as one request, and reads the answer: its status.
    pub(super) async fn send(&mut self, parts: &[&[u8]]) -> Result<u16> {
        self.write(parts).await?;
        self.buffer.clear();
        let head = self.read_head().await?;
        let text =
            std::str::from_utf8(&self.buffer[..head]).map_err(|_| broken("a header that is not text"))?;
        let status: u16 =
            text.get(9..12).and_then(|code| code.parse().ok()).ok_or_else(|| broken("no status"))?;
        let length = content_length(text);
        let length = match (status, length) {
            (204 | 304, _) => 0,
            (_, Some(length)) => length,
            (_, None) => return Err(broken("an answer without Content-Length")),
        };
        self.body_start = head;
        self.fill(head + length).await?;
        Ok(status)
    }

    /// The body of the last answer.
    pub(super) fn body(&self) -> &[u8] {
        &self.buffer[self.body_start..]
    }

    /// The value of a header of the last answer; `name` in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let head = std::str::from_utf8(&self.buffer[..self.body_start]).ok()?;
        header(head, name)
    }

    async fn write(&mut self, parts: &[&[u8]]) -> Result<()> {
        let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let mut left = slices.as_mut_slice();
        while !left.is_empty() {
            let written = self.stream.write_vectored(left).await?;
            if written == 0 {
                return Err(broken("a connection closed while sending"));
            }
            IoSlice::advance_slices(&mut left, written);
        }
        Ok(())
    }

    async fn read_head(&mut self) -> Result<usize> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                return Ok(end + 4);
            }
            self.read_more().await?;
        }
    }

    async fn fill(&mut self, length: usize) -> Result<()> {
        while self.buffer.len() < length {
            self.read_more().await?;
        }
        Ok(())
    }

    async fn read_more(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(broken("a connection closed before its answer")),
            _ => Ok(()),
        }
    }
}

fn content_length(head: &str) -> Option<usize> {
    header(head, "content-length")?.parse().ok()
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}
