//! What is announced a second time, and files the server has already.

use harness::{TestApp, on_both_databases};
use uuid::Uuid;

use super::{
    announce_as, announced, append, filed, given_back, metadata_of, offset, offset_in, photo, with_only,
};

on_both_databases!(
    a_file_the_server_has_is_complete_at_once,
    a_hash_alone_finds_out_nothing,
    an_announcement_whose_answer_was_lost_is_the_same_upload,
);

async fn a_file_the_server_has_is_complete_at_once(app: TestApp) {
    let phone = app.inspector().await;
    let photo = photo("front.jpg", "shared", 300_000);
    let (first, second) = (with_only(&photo), with_only(&photo));
    phone.file_whole(&first).await;
    phone.file(&second).await.created();

    let known = announce_as(&phone, photo.bytes.len(), &metadata_of(second.id, &photo)).await;

    assert_eq!(offset_in(known.expect(201)), photo.bytes.len());
    let upload = known.header("location").unwrap();
    assert_eq!(offset(&phone, upload).await, photo.bytes.len());
    append(&phone, upload, photo.bytes.len(), b"").await.expect(204);
    assert_eq!(phone.get(&format!("/v1/submissions/{}", second.id)).await.ok()["media"], "complete");
    // Asked again, it is complete again; and a colleague whose own submission declares it need not send it either.
    let again = announce_as(&phone, photo.bytes.len(), &metadata_of(second.id, &photo)).await;
    assert_eq!(offset_in(again.expect(201)), photo.bytes.len());
    let colleague = app.inspector_in("PK226").await;
    let theirs = with_only(&photo);
    colleague.file(&theirs).await.created();
    let declared = announce_as(&colleague, photo.bytes.len(), &metadata_of(theirs.id, &photo)).await;
    assert_eq!(offset_in(declared.expect(201)), photo.bytes.len());
    assert_eq!(app.count("media_objects", "true"), 1);
}

async fn a_hash_alone_finds_out_nothing(app: TestApp) {
    let photo = photo("front.jpg", "secret", 300_000);
    app.inspector().await.file_whole(&with_only(&photo)).await;
    let curious = app.inspector_in("PK226").await;

    let asked = announce_as(&curious, photo.bytes.len(), &metadata_of(Uuid::new_v4(), &photo)).await;

    assert_eq!(offset_in(asked.expect(201)), 0);
    assert_eq!(app.count("submission_media", "true"), 1);
}

async fn an_announcement_whose_answer_was_lost_is_the_same_upload(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 300_000).await;
    let first = announced(&phone, inspection.id, &photo).await;
    let again = announced(&phone, inspection.id, &photo).await;
    assert_eq!(first, again);
    append(&phone, &first, 0, &photo.bytes[..1000]).await.expect(204);

    let of_any_client = announce_as(&phone, photo.bytes.len(), &metadata_of(inspection.id, &photo)).await;
    let resuming = format!("{},resume", metadata_of(inspection.id, &photo));
    let one = announce_as(&phone, photo.bytes.len(), &resuming).await;
    let one = one.expect(201).header("location").unwrap().to_owned();
    append(&phone, &one, 0, &photo.bytes[..2000]).await.expect(204);
    let same = announce_as(&phone, photo.bytes.len(), &resuming).await;

    assert_eq!(offset_in(of_any_client.expect(201)), 0);
    assert_eq!((same.header("location"), offset_in(&same)), (Some(&*one), 2000));
    append(&phone, &one, 2000, &photo.bytes[2000..]).await.expect(204);
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
}
