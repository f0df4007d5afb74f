//! The protocol: what a server of tus 1.0 says of itself, and what it does not let pass.

use harness::photos::Photo;
use harness::{Submission, TestApp, on_both_databases};
use reqwest::Method;
use uuid::Uuid;

use super::{
    announce_as, announced, append, filed, given_back, metadata_of, offset, offset_in, photo, send_rest, tus,
};

on_both_databases!(
    the_server_says_what_it_can,
    the_first_bytes_may_come_with_the_announcement,
    bytes_at_the_wrong_offset_are_refused,
    requests_that_do_not_speak_the_protocol_are_refused,
    a_client_that_cannot_send_patch_overrides_the_method,
);

async fn the_server_says_what_it_can(app: TestApp) {
    let photo = photo("front.jpg", "options", 1000);
    let upload = announced(&app.inspector().await, Uuid::new_v4(), &photo).await;
    for path in ["/v1/uploads", &upload] {
        let answer = app.stranger().request(Method::OPTIONS, path).send().await;

        answer.expect(204);
        assert_eq!(answer.header("tus-version"), Some("1.0.0"));
        assert_eq!(answer.header("tus-resumable"), Some("1.0.0"));
        assert_eq!(answer.header("tus-max-size"), Some("20971520"));
        assert_eq!(answer.header("tus-checksum-algorithm"), Some("sha256,sha1,md5"));
        assert_eq!(
            answer.header("tus-extension"),
            Some("creation,creation-with-upload,checksum,expiration,termination")
        );
    }
}

async fn the_first_bytes_may_come_with_the_announcement(app: TestApp) {
    let phone = app.inspector().await;
    let announce = async |inspection: &Submission, photo: &Photo, bytes: &[u8]| {
        tus(&phone, Method::POST, "/v1/uploads")
            .header("Upload-Length", &photo.bytes.len().to_string())
            .header("Upload-Metadata", &metadata_of(inspection.id, photo))
            .header("Content-Type", "application/offset+octet-stream")
            .bytes(bytes.to_vec())
            .send()
            .await
    };
    let (small, small_photo) = filed(&phone, 20_000).await;
    let (large, large_photo) = filed(&phone, 500_000).await;

    let whole = announce(&small, &small_photo, &small_photo.bytes).await;
    let part = announce(&large, &large_photo, &large_photo.bytes[..300_000]).await;

    assert_eq!(offset_in(whole.expect(201)), small_photo.bytes.len());
    assert!(given_back(&phone, small.id, &small_photo).await == small_photo.bytes);
    assert_eq!(offset_in(part.expect(201)), 300_000);
    send_rest(&phone, part.header("location").unwrap(), &large_photo).await.expect(204);
    assert!(given_back(&phone, large.id, &large_photo).await == large_photo.bytes);
}

async fn bytes_at_the_wrong_offset_are_refused(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 300_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    append(&phone, &upload, 0, &photo.bytes[..1000]).await.expect(204);

    for wrong in [0, 999, 1001, photo.bytes.len()] {
        let problem = append(&phone, &upload, wrong, b"x").await.refused(409, "upload_offset_mismatch");
        assert_eq!(problem["offset"], 1000);
    }

    assert_eq!(offset(&phone, &upload).await, 1000);
    send_rest(&phone, &upload, &photo).await.expect(204);
    append(&phone, &upload, 0, b"x").await.refused(409, "upload_offset_mismatch");
    append(&phone, &upload, photo.bytes.len(), b"").await.expect(204);
}

async fn requests_that_do_not_speak_the_protocol_are_refused(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 1000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let patch = || tus(&phone, Method::PATCH, &upload).bytes(b"x".to_vec());
    let bytes = "application/offset+octet-stream";

    let old = phone.request(Method::HEAD, &upload).header("Tus-Resumable", "0.2.2").send().await;
    assert_eq!((old.expect(412).header("tus-version"), old.bytes.len()), (Some("1.0.0"), 0));
    phone.request(Method::POST, "/v1/uploads").send().await.refused(412, "tus_version_unsupported");
    patch()
        .header("Upload-Offset", "0")
        .header("Content-Type", "image/jpeg")
        .send()
        .await
        .refused(415, "not_offset_bytes");
    patch().header("Content-Type", bytes).send().await.refused(400, "bad_upload_offset");
    for odd in ["-1", "a", "1e3", "99999999999999999999999"] {
        let answer = patch().header("Content-Type", bytes).header("Upload-Offset", odd).send().await;
        answer.refused(400, "bad_upload_offset");
        let announced = tus(&phone, Method::POST, "/v1/uploads").header("Upload-Length", odd).send().await;
        announced.refused(400, "bad_upload_length");
    }
    let packed =
        patch().header("Content-Type", bytes).header("Upload-Offset", "0").header("Content-Encoding", "gzip");
    packed.send().await.refused(415, "encoded_bytes");
    let deferred = tus(&phone, Method::POST, "/v1/uploads").header("Upload-Defer-Length", "1").send().await;
    deferred.refused(400, "upload_length_deferred");
    for none in [format!("/v1/uploads/{}", Uuid::new_v4()), "/v1/uploads/x".to_owned()] {
        append(&phone, &none, 0, b"x").await.refused(404, "upload_unknown");
        tus(&phone, Method::HEAD, &none).send().await.expect(404);
    }
    let stranger = app.stranger();
    assert_eq!(append(&stranger, &upload, 0, b"x").await.expect(401).header("tus-resumable"), Some("1.0.0"));
    phone.get(&upload).await.refused(405, "method_not_allowed");
    announce_as(&app.supervisor().await, 10, &metadata_of(inspection.id, &photo))
        .await
        .refused(403, "not_permitted");
    assert_eq!(offset(&phone, &upload).await, 0);
}

async fn a_client_that_cannot_send_patch_overrides_the_method(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 1000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let meant = |method: &str| tus(&phone, Method::POST, &upload).header("X-HTTP-Method-Override", method);

    let sent = meant("PATCH")
        .header("Upload-Offset", "0")
        .header("Content-Type", "application/offset+octet-stream")
        .bytes(photo.bytes[..500].to_vec())
        .send()
        .await;
    let asked = meant("HEAD").send().await;
    let ended = meant("DELETE").send().await;

    assert_eq!((offset_in(sent.expect(204)), offset_in(asked.expect(200))), (500, 500));
    ended.expect(204);
    tus(&phone, Method::HEAD, &upload).send().await.expect(410);
    meant("GET").send().await.refused(400, "method_override_missing");
}
