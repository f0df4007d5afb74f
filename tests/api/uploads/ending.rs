//! Uploads that nobody finishes: swept away, given up, lost, or too many.

use harness::{TestApp, on_both_databases};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{announce_as, announced, append, filed, given_back, metadata_of, photo, pieces, send_rest, tus};

on_both_databases!(
    an_upload_nobody_continues_is_swept_away_with_its_pieces,
    an_upload_whose_pieces_are_lost_says_so,
    an_upload_that_is_given_up_leaves_nothing,
);

async fn an_upload_nobody_continues_is_swept_away_with_its_pieces(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 600_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    append(&phone, &upload, 0, &photo.bytes[..500_000]).await.expect(204);
    let uploads = app.services().uploads;
    app.clock.advance(chrono::Duration::hours(7 * 24 - 1));
    assert_eq!(uploads.sweep().await.unwrap(), 0);
    let phone = app.inspector().await;
    append(&phone, &upload, 500_000, &photo.bytes[500_000..510_000]).await.expect(204);
    app.clock.advance(chrono::Duration::hours(7 * 24));
    let phone = app.inspector().await;

    tus(&phone, Method::HEAD, &upload).send().await.expect(410);
    append(&phone, &upload, 510_000, b"x").await.refused(410, "upload_expired");
    assert!(pieces(&app) > 0);
    assert!(app.run_jobs().await > 0);

    assert_eq!((pieces(&app), app.count("upload_pieces", "true")), (0, 0));
    append(&phone, &upload, 510_000, b"x").await.refused(410, "upload_expired");
    app.clock.advance(chrono::Duration::hours(25));
    uploads.sweep().await.unwrap();
    assert_eq!(app.count("uploads", "true"), 0);
    append(&app.inspector().await, &upload, 510_000, b"x").await.refused(404, "upload_unknown");
}

async fn an_upload_whose_pieces_are_lost_says_so(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 600_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    append(&phone, &upload, 0, &photo.bytes[..500_000]).await.expect(204);
    // As after a backup is restored, which holds files and no pieces.
    let id = upload.rsplit('/').next().unwrap();
    std::fs::remove_dir_all(app.data_dir().join("media/store/nigran-media/uploads").join(id)).unwrap();

    send_rest(&phone, &upload, &photo).await.refused(410, "upload_pieces_lost");

    tus(&phone, Method::HEAD, &upload).send().await.expect(410);
    let again = announced(&phone, inspection.id, &photo).await;
    append(&phone, &again, 0, &photo.bytes).await.expect(204);
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
}

async fn an_upload_that_is_given_up_leaves_nothing(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 600_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    append(&phone, &upload, 0, &photo.bytes[..500_000]).await.expect(204);
    assert!(pieces(&app) > 0);

    tus(&phone, Method::DELETE, &upload).send().await.expect(204);

    assert_eq!((pieces(&app), app.count("upload_pieces", "true")), (0, 0));
    tus(&phone, Method::HEAD, &upload).send().await.expect(410);
    tus(&phone, Method::DELETE, &upload).send().await.refused(410, "upload_terminated");
    let again = announced(&phone, inspection.id, &photo).await;
    assert_ne!(again, upload);
    append(&phone, &again, 0, &photo.bytes).await.expect(204);
    // What is complete is only forgotten: the photo stays with its submission.
    tus(&phone, Method::DELETE, &again).send().await.expect(204);
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
}

/// With another limit than all others, so by a server beside theirs; a SQLite file has one only.
#[test]
fn one_account_cannot_open_uploads_without_end() {
    harness::app::tell(harness::Backend::Postgres, harness::House::Plain, open_uploads_are_counted);
}

async fn open_uploads_are_counted(app: TestApp) {
    let beside = app.beside(|config| config.media.open_uploads = 2).await;
    let phone = beside.inspector().await;
    let announce = async |name: &str| {
        let photo = photo(name, name, 1000);
        announce_as(&phone, photo.bytes.len(), &metadata_of(Uuid::new_v4(), &photo)).await
    };
    let first = announce("a.jpg").await;
    announce("b.jpg").await.expect(201);

    let refused = announce("c.jpg").await;

    assert_eq!(refused.refused(429, "too_many_uploads")["status"], json!(429));
    assert!(refused.header("retry-after").is_some());
    tus(&phone, Method::DELETE, first.header("location").unwrap()).send().await.expect(204);
    announce("c.jpg").await.expect(201);
    beside.stop().await;
}
