//! Many resumable uploads at once, each in one stretch as fast as the server takes it: what a camp of phones does when
//! the road comes back into reach. What is asked is how much memory the server needs for it.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::connection::Connection;
use super::envelope::PhotoSeries;
use super::work::{Serials, expect};
use crate::process;

/// Uploads at once.
pub(super) const AT_ONCE: usize = 100;
/// Bytes of each.
pub(super) const BYTES: usize = 5_000_000;

/// Sends them all; says how long it took, and the most memory that was seen meanwhile.
pub(super) async fn measure(address: SocketAddr, server: u32, token: &str) -> Result<String, String> {
    let (series, serials) = (PhotoSeries::of(BYTES), Serials::default());
    let before = process::usage(server);
    let (peak, watching) = watch(server);
    let started = Instant::now();
    let mut sending = JoinSet::new();
    for _ in 0..AT_ONCE {
        sending.spawn_local(upload(address, token.to_owned(), series.clone(), serials.next()));
    }
    while let Some(sent) = sending.join_next().await {
        sent.map_err(|cause| cause.to_string())??;
    }
    let took = started.elapsed();
    watching.abort();
    let cpu = process::usage(server).cpu.saturating_sub(before.cpu);
    Ok(format!(
        "{:.0} MB/s, {:.1} ms server CPU for each MB, resident {} MiB before, {} MiB at most",
        (AT_ONCE * BYTES) as f64 / 1e6 / took.as_secs_f64(),
        cpu.as_secs_f64() * 1e9 / (AT_ONCE * BYTES) as f64,
        before.resident >> 20,
        peak.get() >> 20,
    ))
}

/// Looks at the server's memory twenty times a second.
fn watch(server: u32) -> (Rc<Cell<u64>>, tokio::task::JoinHandle<()>) {
    let peak = Rc::new(Cell::new(0));
    let seen = peak.clone();
    let watching = tokio::task::spawn_local(async move {
        loop {
            seen.set(seen.get().max(process::usage(server).resident));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    (peak, watching)
}

async fn upload(address: SocketAddr, token: String, series: PhotoSeries, serial: u32) -> Result<(), String> {
    let (end, hash) = series.photo(serial);
    let mut sending = Sending::announce(address, &token, series.size(), &hash).await?;
    sending.append(&[&series.start, &end]).await
}

/// Tiny stretches of one upload.
pub(super) const TINY: usize = 10_000;

/// Sends one file in ten thousand stretches, from a few bytes to a kilobyte, one after the other; says what a stretch takes at
/// the beginning and at the end.
pub(super) async fn measure_tiny(address: SocketAddr, server: u32, token: &str) -> Result<String, String> {
    let lengths: Vec<usize> = (0..TINY).map(|n| 3 + n * 7 % 1_000).collect();
    let series = PhotoSeries::of(lengths.iter().sum::<usize>() - 64);
    let (end, hash) = series.photo(0);
    let file = [series.start.as_slice(), end.as_slice()].concat();
    let mut sending = Sending::announce(address, token, file.len(), &hash).await?;
    let (peak, watching) = watch(server);
    let before = process::usage(server);
    let mut took = Vec::with_capacity(TINY);
    let mut rest = file.as_slice();
    for (n, length) in lengths.iter().enumerate() {
        let length = if n + 1 == TINY { rest.len() } else { *length.min(&rest.len()) };
        let (stretch, after) = rest.split_at(length);
        let started = Instant::now();
        sending.append(&[stretch]).await?;
        took.push(started.elapsed().as_secs_f64());
        rest = after;
    }
    watching.abort();
    let tenth = TINY / 10;
    let mean = |some: &[f64]| some.iter().sum::<f64>() * 1e3 / some.len().max(1) as f64;
    Ok(format!(
        "{:.1} ms each of the first tenth, {:.1} ms of the last, {:.1} s in all, resident {} MiB before, {} MiB at most",
        mean(&took[..tenth]),
        mean(&took[TINY - tenth..]),
        took.iter().sum::<f64>(),
        before.resident >> 20,
        peak.get() >> 20,
    ))
}

/// An upload, and the connection it comes by.
struct Sending {
    connection: Connection,
    common: String,
    path: String,
    at: usize,
}

impl Sending {
    async fn announce(address: SocketAddr, token: &str, size: usize, hash: &str) -> Result<Sending, String> {
        let common = format!("Host: localhost\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\n");
        let announced = format!(
            "POST /v1/uploads HTTP/1.1\r\n{common}Upload-Length: {size}\r\nUpload-Metadata: {}\r\nContent-Length: 0\r\n\r\n",
            metadata(hash),
        );
        let mut connection = Connection::open(address).await.map_err(|cause| cause.to_string())?;
        expect(&mut connection, &[announced.as_bytes()], &[201]).await?;
        let place = connection.header("location").ok_or("an upload without a place")?.to_owned();
        let path = place.find("/v1/").map_or(place.clone(), |at| place[at..].to_owned());
        Ok(Sending { connection, common, path, at: 0 })
    }

    async fn append(&mut self, parts: &[&[u8]]) -> Result<(), String> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let head = format!(
            "PATCH {} HTTP/1.1\r\n{}Upload-Offset: {}\r\nContent-Type: application/offset+octet-stream\r\n\
             Content-Length: {length}\r\n\r\n",
            self.path, self.common, self.at,
        );
        let parts: Vec<&[u8]> = std::iter::once(head.as_bytes()).chain(parts.iter().copied()).collect();
        expect(&mut self.connection, &parts, &[204]).await?;
        self.at += length;
        Ok(())
    }
}

/// What tus calls metadata: each value in Base64.
fn metadata(hash: &str) -> String {
    let id = Uuid::new_v4().to_string();
    let fields =
        [("submission", id.as_str()), ("name", "front.jpg"), ("sha256", hash), ("type", "image/jpeg")];
    let fields = fields.map(|(name, value)| format!("{name} {}", STANDARD.encode(value)));
    fields.join(",")
}
