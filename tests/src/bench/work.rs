//! What the connections do: file an inspection, file one with its photo, read a list.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use uuid::Uuid;

use super::connection::Connection;
use super::envelope::{Envelope, PhotoSeries};
use super::load::Work;

/// Serial numbers that no two connections share.
#[derive(Clone, Default)]
pub(super) struct Serials(Rc<Cell<u32>>);

impl Serials {
    pub(super) fn next(&self) -> u32 {
        let serial = self.0.get();
        self.0.set(serial + 1);
        serial
    }

    /// How many were given out.
    pub(super) fn given(&self) -> u32 {
        self.0.get()
    }
}

/// Files inspections, with a photo each where there is a series of them.
#[derive(Clone)]
pub(super) struct File {
    pub(super) token: String,
    pub(super) envelope: Envelope,
    pub(super) photos: Option<(String, PhotoSeries)>,
    pub(super) serials: Serials,
}

impl Work for File {
    async fn once(&mut self, connection: &mut Connection) -> Result<(), String> {
        let serial = self.serials.next();
        let id = Uuid::new_v4();
        let photo = self.photos.as_ref().map(|(name, series)| (name, series, series.photo(serial)));
        let body = self.envelope.fill(serial, photo.as_ref().map(|(_, _, (_, hash))| hash.as_str()));
        let path = format!("/v1/submissions/{id}");
        let head = put(&path, &self.token, "application/json", body.len());
        expect(connection, &[head.as_bytes(), body], &[201]).await?;
        if let Some((name, series, (end, _))) = photo {
            let path = format!("{path}/media/{name}");
            let head = put(&path, &self.token, "image/jpeg", series.size());
            expect(connection, &[head.as_bytes(), &series.start, &end], &[200, 201, 204]).await?;
        }
        Ok(())
    }
}

/// Reads one path again and again.
#[derive(Clone)]
pub(super) struct Read {
    request: String,
    status: u16,
}

impl Read {
    /// Reads `path`; with an `etag`, asks whether it changed and is told that it did not.
    pub(super) fn new(path: &str, token: &str, etag: Option<&str>) -> Read {
        let unchanged = etag.map(|etag| format!("If-None-Match: {etag}\r\n")).unwrap_or_default();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{unchanged}\r\n"
        );
        Read { request, status: if etag.is_some() { 304 } else { 200 } }
    }

    /// Reads once and returns the body, and the ETag where the answer has one.
    pub(super) async fn once_whole(&self, address: SocketAddr) -> Result<(Vec<u8>, Option<String>), String> {
        let mut connection = Connection::open(address).await.map_err(|cause| cause.to_string())?;
        expect(&mut connection, &[self.request.as_bytes()], &[self.status]).await?;
        Ok((connection.body().to_vec(), connection.header("etag").map(str::to_owned)))
    }

    /// Reads once and returns the ETag, where the answer has one.
    pub(super) async fn etag(&self, address: SocketAddr) -> Result<Option<String>, String> {
        let mut connection = Connection::open(address).await.map_err(|cause| cause.to_string())?;
        expect(&mut connection, &[self.request.as_bytes()], &[self.status]).await?;
        Ok(connection.header("etag").map(str::to_owned))
    }
}

impl Work for Read {
    async fn once(&mut self, connection: &mut Connection) -> Result<(), String> {
        expect(connection, &[self.request.as_bytes()], &[self.status]).await
    }
}

/// The head of a PUT.
pub(super) fn put(path: &str, token: &str, content_type: &str, length: usize) -> String {
    format!(
        "PUT {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Sends a request and refuses any answer but the expected ones.
pub(super) async fn expect(
    connection: &mut Connection,
    parts: &[&[u8]],
    statuses: &[u16],
) -> Result<(), String> {
    let status = connection.send(parts).await.map_err(|cause| cause.to_string())?;
    if statuses.contains(&status) {
        return Ok(());
    }
    let request = String::from_utf8_lossy(parts[0]);
    let line = request.lines().next().unwrap_or_default();
    Err(format!("{line} was answered {status}: {}", String::from_utf8_lossy(connection.body())))
}
