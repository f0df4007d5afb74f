//! Slow is not silent: a phone on a very slow link is waited for as long as something comes; one that fell silent is not.

use std::time::Duration;

use harness::folders::TemporaryFolder;
use harness::photos;
use harness::process::{Nigran, PASSWORD};
use harness::{Person, samples};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A server that lets a body stand still for a second, and an inspector.
async fn impatient(folder: &TemporaryFolder) -> (Nigran, Person) {
    let mut launch = super::nigran(folder.path());
    launch.settings.push(("NIGRAN_LIMITS_SILENCE_SECONDS", "1".to_owned()));
    let server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let inspector = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    (server, inspector)
}

async fn begin(server: &Nigran, person: &Person, path: &str, kind: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let token = person.token.as_deref().unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: nigran\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn answer(mut stream: TcpStream) -> String {
    let mut bytes = vec![0; 8192];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut bytes)).await;
    String::from_utf8_lossy(&bytes[..read.expect("an answer within 10 s").unwrap_or(0)]).into_owned()
}

#[tokio::test]
async fn a_photo_that_trickles_in_is_waited_for() {
    let folder = TemporaryFolder::new();
    let (server, inspector) = impatient(&folder).await;
    let photo = photos::jpeg("front.jpg", &"slow ".repeat(100));
    let inspection = samples::b1().without_photos().with_photo(photo.clone());
    inspector.file(&inspection).await.created();
    let path = format!("/v1/submissions/{}/media/front.jpg", inspection.id);

    let mut stream = begin(&server, &inspector, &path, "image/jpeg", photo.bytes.len()).await;
    for piece in photo.bytes.chunks(photo.bytes.len().div_ceil(5)) {
        tokio::time::sleep(Duration::from_millis(400)).await;
        stream.write_all(piece).await.unwrap();
    }

    let answer = answer(stream).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

#[tokio::test]
async fn a_phone_that_fell_silent_is_let_go() {
    let folder = TemporaryFolder::new();
    let (server, inspector) = impatient(&folder).await;
    let inspection = samples::b1();
    let (answers, body) = (format!("/v1/submissions/{}", inspection.id), inspection.bytes());
    let photo = format!("{answers}/media/front.jpg");

    let mut filing = begin(&server, &inspector, &answers, "application/json", body.len()).await;
    filing.write_all(&body[..100]).await.unwrap();
    let mut sending = begin(&server, &inspector, &photo, "image/jpeg", 5000).await;
    sending.write_all(&photos::jpeg("front.jpg", "half").bytes[..50]).await.unwrap();

    for (stream, code) in [(filing, "body_truncated"), (sending, "media_truncated")] {
        let answer = answer(stream).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains(code), "{answer}");
    }
    // Nothing is half stored, and whoever comes back is served.
    inspector.file(&inspection).await.created();
}
