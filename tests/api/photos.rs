//! Photos and documents: sent before the answers or after, once or twice, whole or not at all.

use harness::photos::{self, Photo};
use harness::{Submission, TestApp, on_both_databases, samples};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

on_both_databases!(
    the_last_photo_completes_the_submission,
    photos_may_come_before_the_answers,
    the_same_photo_twice_is_one,
    another_photo_of_the_same_name_is_refused,
    two_submissions_share_one_stored_file,
    every_kind_of_file_is_taken_and_given_back,
    part_of_a_photo_can_be_read,
    what_is_not_what_it_says_is_refused,
    names_that_play_tricks_are_refused,
    an_upload_that_breaks_off_leaves_nothing,
    a_large_document_is_streamed,
    photos_are_for_those_who_may_see_them,
);

/// An inspection that declares this one file.
fn with_only(photo: &Photo) -> Submission {
    samples::b1().without_photos().with_photo(photo.clone())
}

fn path(inspection: &Submission, name: &str) -> String {
    format!("/v1/submissions/{}/media/{name}", inspection.id)
}

async fn the_last_photo_completes_the_submission(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    assert_eq!(phone.file(&inspection).await.created()["media"], "awaiting");

    let (last, others) = inspection.photos.split_last().unwrap();
    for photo in others {
        assert_eq!(phone.upload(inspection.id, photo).await.created()["media"], "awaiting");
    }
    let arrived = phone.upload(inspection.id, last).await.created();

    assert_eq!(arrived["media"], "complete");
    assert_eq!(arrived["media_missing"], json!([]));
    assert_eq!(arrived["sha256"], last.sha256());
    assert_eq!(phone.get(&format!("/v1/submissions/{}", inspection.id)).await.ok()["media"], "complete");
    assert_eq!(phone.get("/v1/submissions").await.ok()["items"][0]["media"], "complete");
    assert_eq!(phone.file(&inspection).await.ok()["media"], "complete");
}

async fn photos_may_come_before_the_answers(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    for photo in &inspection.photos {
        assert_eq!(phone.upload(inspection.id, photo).await.created()["media"], Value::Null);
    }

    let receipt = phone.file(&inspection).await.created();

    assert_eq!(receipt["media"], "complete");
    assert_eq!(receipt["media_missing"], json!([]));
}

async fn the_same_photo_twice_is_one(app: TestApp) {
    let phone = app.inspector().await;
    let photo = photos::jpeg("front.jpg", "one");
    let inspection = with_only(&photo);
    phone.file(&inspection).await.created();

    let first = phone.upload(inspection.id, &photo).await.created();
    let again = phone.upload(inspection.id, &photo).await.ok();

    assert_eq!(again, first);
    assert_eq!(app.count("submission_media", "true"), 1);
}

async fn another_photo_of_the_same_name_is_refused(app: TestApp) {
    let phone = app.inspector().await;
    let photo = photos::jpeg("front.jpg", "one");
    let inspection = with_only(&photo);
    phone.upload(inspection.id, &photo).await.created();

    let before_the_answers = phone.upload(inspection.id, &photos::jpeg("front.jpg", "two")).await;
    phone.file(&inspection).await.created();
    let after = phone.upload(inspection.id, &photos::jpeg("front.jpg", "two")).await;

    assert_eq!(before_the_answers.status, 409, "{}", before_the_answers.text());
    assert!([400, 409].contains(&after.status), "{}", after.text());
    assert_eq!(phone.get(&path(&inspection, "front.jpg")).await.expect(200).bytes, photo.bytes);
}

async fn two_submissions_share_one_stored_file(app: TestApp) {
    let phone = app.inspector().await;
    let photo = photos::jpeg("front.jpg", "shared");
    for inspection in [with_only(&photo), with_only(&photo)] {
        phone.file(&inspection).await.created();
        assert_eq!(phone.upload(inspection.id, &photo).await.created()["media"], "complete");
    }

    assert_eq!(app.count("media_objects", "true"), 1);
    assert_eq!(app.count("submission_media", "true"), 2);
}

async fn every_kind_of_file_is_taken_and_given_back(app: TestApp) {
    let phone = app.inspector().await;
    let files = [
        photos::jpeg("a.jpg", "1"),
        photos::jpeg("a.jpeg", "2"),
        photos::png("a.png", "3"),
        photos::webp("a.webp", "4"),
        photos::pdf("a.pdf", "5"),
    ];
    let inspection =
        files.iter().fold(samples::b1().without_photos(), |it, file| it.with_photo(file.clone()));
    phone.file(&inspection).await.created();

    for file in &files {
        phone.upload(inspection.id, file).await.created();
        let back = phone.get(&path(&inspection, &file.name)).await;
        assert_eq!(back.header("content-type"), Some(file.content_type));
        assert_eq!(back.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(back.expect(200).bytes, file.bytes, "{}", file.name);
    }
}

async fn part_of_a_photo_can_be_read(app: TestApp) {
    let phone = app.inspector().await;
    let photo = photos::jpeg("front.jpg", &"long ".repeat(100));
    let inspection = with_only(&photo);
    phone.file_whole(&inspection).await;
    let part = async |range: &str| {
        phone.request(Method::GET, &path(&inspection, "front.jpg")).header("Range", range).send().await
    };

    let middle = part("bytes=10-19").await;
    let end = part("bytes=-5").await;

    assert_eq!(middle.expect(206).bytes, photo.bytes[10..20]);
    assert_eq!(middle.header("content-range"), Some(&*format!("bytes 10-19/{}", photo.bytes.len())));
    assert_eq!(end.expect(206).bytes, photo.bytes[photo.bytes.len() - 5..]);
    part("bytes=999999-").await.expect(416);
}

async fn what_is_not_what_it_says_is_refused(app: TestApp) {
    let phone = app.inspector().await;
    let declared = photos::jpeg("front.jpg", "declared");
    let inspection = with_only(&declared);
    phone.file(&inspection).await.created();
    let other_of_same_size = photos::jpeg("front.jpg", "DECLARED");
    let refused = [
        photos::jpeg("front.jpg", "of another size"),
        other_of_same_size,
        Photo::new("front.jpg", "image/png", declared.bytes.clone()),
        Photo::new("png.jpg", "image/jpeg", photos::png("x.png", "a PNG called .jpg").bytes),
        Photo::new("page.jpg", "image/jpeg", b"<html><script>alert(1)</script></html>".to_vec()),
        Photo::new("empty.jpg", "image/jpeg", Vec::new()),
        Photo::new("short.jpg", "image/jpeg", b"\xff\xd8".to_vec()),
        Photo::new("program.pdf", "application/pdf", b"MZ\x90\x00 a program".to_vec()),
    ];
    for photo in refused {
        let answer = phone.upload(inspection.id, &photo).await;
        assert!([400, 415].contains(&answer.status), "{} {}: {}", photo.name, answer.status, answer.text());
        assert!(
            answer.json()["code"].as_str().is_some_and(|code| code.starts_with("media_")),
            "{}",
            answer.text()
        );
    }

    assert_eq!(app.count("media_objects", "true"), 0);
    assert_eq!(app.count("submission_media", "true"), 0);
    phone.upload(inspection.id, &declared).await.created();
}

async fn names_that_play_tricks_are_refused(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let photo = photos::jpeg("x.jpg", "tricky");
    for name in [
        "..%2F..%2Fetc%2Fpasswd",
        "%2e%2e%2fx.jpg",
        "a%00.jpg",
        "a%0d%0aX.jpg",
        "-rf.jpg",
        ".jpg",
        "a.exe",
        "a%20b.jpg",
        &format!("{}.jpg", "a".repeat(200)),
    ] {
        let request =
            phone.request(Method::PUT, &path(&inspection, name)).header("Content-Type", "image/jpeg");
        let answer = request.bytes(photo.bytes.clone()).send().await;
        assert!([400, 404].contains(&answer.status), "{name}: {} {}", answer.status, answer.text());
    }

    assert_eq!(app.count("submission_media", "true"), 0);
}

async fn an_upload_that_breaks_off_leaves_nothing(app: TestApp) {
    let phone = app.inspector().await;
    let photo = photos::jpeg("front.jpg", &"half ".repeat(10_000));
    let inspection = with_only(&photo);
    phone.file(&inspection).await.created();

    let mut stream = tokio::net::TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
        path(&inspection, "front.jpg"),
        phone.token.as_deref().unwrap(),
        photo.bytes.len(),
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&photo.bytes[..photo.bytes.len() / 2]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;

    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(app.count("media_objects", "true"), 0);
    assert_eq!(phone.get(&path(&inspection, "front.jpg")).await.status, 404);
    assert_eq!(phone.upload(inspection.id, &photo).await.created()["media"], "complete");
}

async fn a_large_document_is_streamed(app: TestApp) {
    let phone = app.inspector().await;
    let padding = format!("scanned {}", "page ".repeat(1_200_000));
    let document = photos::pdf("order.pdf", &padding);
    let inspection = with_only(&document);
    phone.file_whole(&inspection).await;

    let back = phone.get(&path(&inspection, "order.pdf")).await;

    assert_eq!(back.expect(200).bytes, document.bytes);
    let too_large = photos::pdf("atlas.pdf", &"x".repeat(21 * 1024 * 1024));
    phone.upload(inspection.id, &too_large).await.refused(413, "media_too_large");
}

async fn photos_are_for_those_who_may_see_them(app: TestApp) {
    let phone = app.inspector().await;
    let photo = photos::jpeg("front.jpg", "of a workplace");
    let inspection = with_only(&photo);
    phone.file_whole(&inspection).await;
    let path = path(&inspection, "front.jpg");

    app.stranger().get(&path).await.expect(401);
    assert_ne!(app.supervisor().await.get(&path).await.expect(200).bytes, photo.bytes, "others see a copy");
    app.inspector_in("PK226").await.get(&path).await.expect(404);
    for nobody in [
        "auditor",
        "supervisor-swd",
        "deputy-director",
        "case-worker",
        "admin",
        "oversight",
        "log-auditor",
        "committee1",
    ] {
        let answer = app.login(nobody).await.get(&path).await;
        assert!([403, 404].contains(&answer.status), "{nobody}: {}", answer.status);
    }
    let uploaded = app
        .inspector_in("PK234")
        .await
        .upload(inspection.id, &photos::jpeg("more.jpg", "by somebody else"))
        .await;
    uploaded.expect(404);
}
