//! A batch of inspections as one request: lines go out as fast as the server takes them, and the answers are counted as they
//! come back on the same connection.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::envelope::Envelope;
use super::work::Serials;
use crate::process;

/// Lines of one batch.
const LINES: usize = 5_000;

/// What is sent, and by whom.
#[derive(Clone)]
pub(super) struct Batch {
    pub(super) token: String,
    pub(super) envelope: Envelope,
    pub(super) serials: Serials,
}

/// Sends a batch over each of so many connections, and says how many inspections were stored a second.
pub(super) async fn measure(
    address: SocketAddr,
    server: u32,
    batch: &Batch,
    connections: usize,
) -> Result<String, String> {
    let before = process::usage(server).cpu;
    let started = Instant::now();
    let mut sending = JoinSet::new();
    for _ in 0..connections {
        sending.spawn_local(send(address, batch.clone()));
    }
    while let Some(sent) = sending.join_next().await {
        sent.map_err(|cause| cause.to_string())??;
    }
    let took = started.elapsed();
    let usage = process::usage(server);
    let lines = LINES * connections;
    Ok(format!(
        "{:.0}/s, {:.3} ms server CPU each, {:.0} MiB resident",
        lines as f64 / took.as_secs_f64(),
        each(usage.cpu.saturating_sub(before), lines),
        usage.resident as f64 / (1024.0 * 1024.0),
    ))
}

fn each(cpu: Duration, lines: usize) -> f64 {
    cpu.as_secs_f64() * 1000.0 / lines as f64
}

async fn send(address: SocketAddr, batch: Batch) -> Result<(), String> {
    let stream = TcpStream::connect(address).await.map_err(|cause| format!("connecting: {cause}"))?;
    let (answers, lines) = stream.into_split();
    let writing = tokio::task::spawn_local(write(lines, batch));
    count(answers).await?;
    writing.await.map_err(|cause| cause.to_string())?.map(drop)
}

/// Gives its half of the connection back: dropped, it would be closed, and actix takes a half-closed connection for a
/// broken one before it has read what came through it.
async fn write(mut stream: OwnedWriteHalf, mut batch: Batch) -> Result<OwnedWriteHalf, String> {
    let head = format!(
        "POST /v1/submissions/batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n",
        batch.token
    );
    let failed = |cause: std::io::Error| format!("sending a batch: {cause}");
    stream.write_all(head.as_bytes()).await.map_err(failed)?;
    for _ in 0..LINES {
        let serial = batch.serials.next();
        let id = Uuid::new_v4();
        let envelope = batch.envelope.fill(serial, None);
        // The envelope is an object; its brace gives way to the id.
        let start = format!("{{\"id\":\"{id}\",");
        let length = start.len() + envelope.len();
        let chunk = [format!("{length:x}\r\n{start}").as_bytes(), &envelope[1..], b"\n\r\n"].concat();
        stream.write_all(&chunk).await.map_err(failed)?;
    }
    stream.write_all(b"0\r\n\r\n").await.map_err(failed)?;
    Ok(stream)
}

/// Reads answers until all lines have one; the first that is not 201 ends it.
async fn count(mut stream: OwnedReadHalf) -> Result<(), String> {
    const STATUS: &[u8] = b"\"status\":";
    let mut buffer = Vec::with_capacity(256 * 1024);
    let mut seen = 0;
    while seen < LINES {
        let read = stream.read_buf(&mut buffer).await.map_err(|cause| format!("reading answers: {cause}"))?;
        if read == 0 {
            return Err(format!("the connection closed after {seen} answers: {}", tail(&buffer)));
        }
        let mut at = 0;
        while let Some(found) = find(&buffer[at..], STATUS) {
            let Some(status) = buffer.get(at + found + STATUS.len()..at + found + STATUS.len() + 3) else {
                break;
            };
            match status {
                b"201" => seen += 1,
                // The status of a place is a word in quotes.
                [b'"', ..] => {}
                _ => return Err(format!("a line was not stored: {}", tail(&buffer))),
            }
            at += found + STATUS.len() + 3;
        }
        // What may be the beginning of another status stays.
        let keep = buffer.len().saturating_sub(STATUS.len() + 3).max(at);
        buffer.drain(..keep);
    }
    Ok(())
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn tail(buffer: &[u8]) -> String {
    String::from_utf8_lossy(&buffer[buffer.len().saturating_sub(500)..]).into_owned()
}
