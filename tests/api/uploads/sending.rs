//! Files that come in stretches, however many, and are put together.

use std::time::Instant;

use harness::{TestApp, on_both_databases};
use reqwest::Method;

use super::{
    announced, append, filed, files, given_back, metadata_of, offset, offset_in, photo, pieces, send_rest,
    tus, with_only,
};

on_both_databases!(
    a_photo_in_stretches_completes_its_submission,
    a_photo_may_come_before_the_answers,
    thousands_of_tiny_stretches_become_few_pieces,
    an_upload_goes_on_after_a_restart,
);

async fn a_photo_in_stretches_completes_its_submission(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 1_000_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    assert_eq!(offset(&phone, &upload).await, 0);

    let first = append(&phone, &upload, 0, &photo.bytes[..700_000]).await;
    let head = tus(&phone, Method::HEAD, &upload).send().await;
    let last = append(&phone, &upload, 700_000, &photo.bytes[700_000..]).await;

    assert_eq!(offset_in(first.expect(204)), 700_000);
    assert_eq!(head.header("upload-length"), Some(&*photo.bytes.len().to_string()));
    assert_eq!(head.header("upload-metadata"), Some(&*metadata_of(inspection.id, &photo)));
    assert_eq!(head.header("cache-control"), Some("no-store"));
    assert_eq!(head.header("upload-expires"), Some("Fri, 27 Nov 2026 12:00:00 GMT"));
    assert_eq!(offset_in(last.expect(204)), photo.bytes.len());
    assert_eq!(offset(&phone, &upload).await, photo.bytes.len());
    assert_eq!(phone.get(&format!("/v1/submissions/{}", inspection.id)).await.ok()["media"], "complete");
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
    assert_eq!((pieces(&app), files(&app), app.count("upload_pieces", "true")), (0, 1, 0));
    assert_eq!(app.count("audit_events", "action = 'upload.completed'"), 1);
}

async fn a_photo_may_come_before_the_answers(app: TestApp) {
    let phone = app.inspector().await;
    let photo = photo("front.jpg", "early", 400_000);
    let inspection = with_only(&photo);
    let upload = announced(&phone, inspection.id, &photo).await;

    append(&phone, &upload, 0, &photo.bytes).await.expect(204);
    let receipt = phone.file(&inspection).await.created();

    assert_eq!(receipt["media"], "complete");
}

/// Ten thousand are sent by the bench, or here with `NIGRAN_TINY_STRETCHES=10000`.
async fn thousands_of_tiny_stretches_become_few_pieces(app: TestApp) {
    let count = std::env::var("NIGRAN_TINY_STRETCHES").map_or(800, |count| count.parse().unwrap());
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, count * 960).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    // From a few bytes to a kilobyte, and now and then much at once.
    let length = |n: usize| if n % 150 == 149 { 70_000 } else { 3 + n * 7 % 1_000 };
    let (began, mut at, mut n, mut most) = (Instant::now(), 0, 0, 0);
    while at < photo.bytes.len() {
        let to = photo.bytes.len().min(at + length(n));
        append(&phone, &upload, at, &photo.bytes[at..to]).await.expect(204);
        (at, n) = (to, n + 1);
        if n % 250 == 0 {
            let held = app.count("upload_pieces", "true");
            // What cannot be put together any more is large; the folder of the upload is one more.
            assert!(held <= 60 + at as i64 / 64_000, "{held} pieces after {n} stretches");
            assert_eq!(pieces(&app) as i64, held + 1);
            most = most.max(held);
        }
    }
    eprintln!("{n} stretches, at most {most} pieces, {:?} each", began.elapsed() / n as u32);

    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
    assert_eq!((pieces(&app), app.count("upload_pieces", "true")), (0, 0));
}

async fn an_upload_goes_on_after_a_restart(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 800_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    append(&phone, &upload, 0, &photo.bytes[..450_000]).await.expect(204);
    app.stop().await;

    let app = app.started_again().await;

    let phone = app.inspector().await;
    assert_eq!(offset(&phone, &upload).await, 450_000);
    send_rest(&phone, &upload, &photo).await.expect(204);
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
    app.stop().await;
}
