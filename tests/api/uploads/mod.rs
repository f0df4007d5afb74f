//! Resumable uploads: files sent in stretches, cut off anywhere, by one client or by several at once.

mod broken;
mod ending;
mod known;
mod lies;
mod protocol;
mod sending;

use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::photos::{self, Photo};
use harness::{Answer, Person, Submission, TestApp, samples};
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

fn photo(name: &str, mark: &str, size: usize) -> Photo {
    let bytes = [photos::jpeg_padding(size), photos::jpeg_end(mark)].concat();
    Photo::new(name, "image/jpeg", bytes)
}

fn with_only(photo: &Photo) -> Submission {
    samples::b1().without_photos().with_photo(photo.clone())
}

/// An inspection with one photo of about this size, filed.
async fn filed(phone: &Person, size: usize) -> (Submission, Photo) {
    let photo = photo("front.jpg", &Uuid::new_v4().to_string(), size);
    let inspection = with_only(&photo);
    phone.file(&inspection).await.created();
    (inspection, photo)
}

fn metadata(pairs: &[(&str, &[u8])]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{key} {}", BASE64.encode(value))).collect();
    pairs.join(",")
}

fn metadata_of(submission: Uuid, photo: &Photo) -> String {
    metadata(&[
        ("submission", submission.to_string().as_bytes()),
        ("name", photo.name.as_bytes()),
        ("sha256", photo.sha256().as_bytes()),
        ("type", photo.content_type.as_bytes()),
    ])
}

fn tus(phone: &Person, method: Method, path: &str) -> harness::client::Request {
    phone.request(method, path).header("Tus-Resumable", "1.0.0")
}

async fn announce_as(phone: &Person, size: usize, metadata: &str) -> Answer {
    let request = tus(phone, Method::POST, "/v1/uploads").header("Upload-Length", &size.to_string());
    request.header("Upload-Metadata", metadata).send().await
}

/// Announces a photo; where to send it.
async fn announced(phone: &Person, submission: Uuid, photo: &Photo) -> String {
    let answer = announce_as(phone, photo.bytes.len(), &metadata_of(submission, photo)).await;
    answer.expect(201).header("location").unwrap().to_owned()
}

fn appending(phone: &Person, upload: &str, offset: usize, bytes: &[u8]) -> harness::client::Request {
    tus(phone, Method::PATCH, upload)
        .header("Upload-Offset", &offset.to_string())
        .header("Content-Type", "application/offset+octet-stream")
        .bytes(bytes.to_vec())
}

async fn append(phone: &Person, upload: &str, offset: usize, bytes: &[u8]) -> Answer {
    appending(phone, upload, offset, bytes).send().await
}

fn offset_in(answer: &Answer) -> usize {
    answer.header("upload-offset").expect("an offset").parse().unwrap()
}

async fn offset(phone: &Person, upload: &str) -> usize {
    offset_in(tus(phone, Method::HEAD, upload).send().await.expect(200))
}

/// Sends what is missing.
async fn send_rest(phone: &Person, upload: &str, photo: &Photo) -> Answer {
    let at = offset(phone, upload).await;
    append(phone, upload, at, &photo.bytes[at..]).await
}

async fn given_back(phone: &Person, submission: Uuid, photo: &Photo) -> Vec<u8> {
    phone.get(&format!("/v1/submissions/{submission}/media/{}", photo.name)).await.expect(200).bytes.clone()
}

/// What lies in the bucket of pieces: files and folders.
fn pieces(app: &TestApp) -> usize {
    count(&app.data_dir().join("media/store/nigran-media/uploads"))
}

/// What lies in the bucket of files.
fn files(app: &TestApp) -> usize {
    let shards = std::fs::read_dir(app.data_dir().join("media/store/nigran-media/media")).into_iter();
    shards.flatten().flatten().map(|shard| count(&shard.path())).sum()
}

fn count(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| 1 + if entry.path().is_dir() { count(&entry.path()) } else { 0 }).sum()
}

/// Waits, for what happens beside the requests.
async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(20), "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A PATCH over a connection of its own, so that it can be left hanging and cut.
struct Connection(TcpStream);

impl Connection {
    async fn open(
        app: &TestApp,
        phone: &Person,
        upload: &str,
        at: usize,
        length: usize,
        more: &str,
    ) -> Connection {
        let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
        let head = format!(
            "PATCH {upload} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\n\
             Upload-Offset: {at}\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n{more}\r\n",
            phone.token.as_deref().unwrap(),
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        Connection(stream)
    }

    async fn send(mut self, bytes: &[u8]) -> Connection {
        self.0.write_all(bytes).await.unwrap();
        self.0.flush().await.unwrap();
        self
    }

    /// Ends it without a word, as a lost signal does when it comes back as a reset.
    async fn cut(self) {
        let _ = self.0.set_zero_linger();
        drop(self.0);
    }

    /// Closes its side in order, and hears what is answered.
    async fn closed(mut self) -> String {
        let _ = self.0.shutdown().await;
        let mut answer = Vec::new();
        let _ = self.0.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn answer(mut self) -> String {
        let mut answer = [0; 12];
        self.0.read_exact(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}
