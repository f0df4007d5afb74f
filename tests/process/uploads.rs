//! kill -9 in the midst of a resumable upload: what the server had said it has is there, and the phone goes on.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::folders::TemporaryFolder;
use harness::photos::{self, Photo};
use harness::process::{Nigran, PASSWORD};
use harness::{Person, samples};
use reqwest::Method;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use uuid::Uuid;

const ROUNDS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_goes_on_after_kill_9_from_where_it_stood() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());
    let bytes = [photos::jpeg_padding(3_000_000), photos::jpeg_end("kill")].concat();
    let photo = Photo::new("front.jpg", "image/jpeg", bytes);
    let inspection = samples::b1().without_photos().with_photo(photo.clone());
    let mut server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let phone = inspector(&server).await;
    phone.file(&inspection).await.created();
    let upload = announced(&phone, inspection.id, &photo).await;
    let mut stood = 0;
    for _ in 0..ROUNDS {
        let phone = inspector(&server).await;
        let _cut = sending(&server, &phone, &upload, &photo.bytes[stood..], stood).await;
        let before = stood;
        let began = Instant::now();
        while stood <= before {
            assert!(began.elapsed() < Duration::from_secs(30), "nothing was kept");
            stood = offset(&phone, &upload).await;
        }
        server.kill();
        server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
        let after = offset(&inspector(&server).await, &upload).await;
        assert!(after >= stood, "{stood} bytes were there before kill -9, {after} are after it");
        stood = after;
    }

    let phone = inspector(&server).await;
    let rest = tus(&phone, Method::PATCH, &upload)
        .header("Upload-Offset", &stood.to_string())
        .header("Content-Type", "application/offset+octet-stream")
        .bytes(photo.bytes[stood..].to_vec());
    rest.send().await.expect(204);

    let path = format!("/v1/submissions/{}/media/front.jpg", inspection.id);
    assert!(phone.get(&path).await.expect(200).bytes == photo.bytes);
}

async fn inspector(server: &Nigran) -> Person {
    Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await
}

fn tus(phone: &Person, method: Method, path: &str) -> harness::client::Request {
    phone.request(method, path).header("Tus-Resumable", "1.0.0")
}

async fn announced(phone: &Person, submission: Uuid, photo: &Photo) -> String {
    let pair = |key: &str, value: &str| format!("{key} {}", BASE64.encode(value));
    let metadata = [
        pair("submission", &submission.to_string()),
        pair("name", &photo.name),
        pair("sha256", &photo.sha256()),
        pair("type", photo.content_type),
    ];
    let answer = tus(phone, Method::POST, "/v1/uploads")
        .header("Upload-Length", &photo.bytes.len().to_string())
        .header("Upload-Metadata", &metadata.join(","))
        .send()
        .await;
    answer.expect(201).header("location").expect("a new upload has an address").to_owned()
}

async fn offset(phone: &Person, upload: &str) -> usize {
    let answer = tus(phone, Method::HEAD, upload).send().await;
    let offset = answer.expect(200).header("upload-offset").and_then(|offset| offset.parse().ok());
    offset.expect("an upload stands somewhere")
}

/// Sends a part of `bytes` and leaves the connection hanging.
async fn sending(server: &Nigran, phone: &Person, upload: &str, bytes: &[u8], at: usize) -> TcpStream {
    let head = format!(
        "PATCH {upload} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {at}\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\n",
        phone.token.as_deref().expect("logged in"),
        bytes.len(),
    );
    let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    stream.write_all(&bytes[..600_000.min(bytes.len() - 1)]).await.expect("the server reads");
    stream
}
