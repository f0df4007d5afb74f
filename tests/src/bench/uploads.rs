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
    let common = format!("Host: localhost\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\n");
    let announced = format!(
        "POST /v1/uploads HTTP/1.1\r\n{common}Upload-Length: {}\r\nUpload-Metadata: {}\r\nContent-Length: 0\r\n\r\n",
        series.size(),
        metadata(&hash),
    );
    let mut connection = Connection::open(address).await.map_err(|cause| cause.to_string())?;
    expect(&mut connection, &[announced.as_bytes()], &[201]).await?;
    let place = connection.header("location").ok_or("an upload without a place")?.to_owned();
    let path = place.find("/v1/").map_or(place.as_str(), |at| &place[at..]);
    let stretch = format!(
        "PATCH {path} HTTP/1.1\r\n{common}Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n\
         Content-Length: {}\r\n\r\n",
        series.size(),
    );
    expect(&mut connection, &[stretch.as_bytes(), &series.start, &end], &[204]).await
}

/// What tus calls metadata: each value in Base64.
fn metadata(hash: &str) -> String {
    let id = Uuid::new_v4().to_string();
    let fields =
        [("submission", id.as_str()), ("name", "front.jpg"), ("sha256", hash), ("type", "image/jpeg")];
    let fields = fields.map(|(name, value)| format!("{name} {}", STANDARD.encode(value)));
    fields.join(",")
}
