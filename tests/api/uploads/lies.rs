//! Bytes, lengths, names and hashes that are not what was said of them, and what is somebody else's: refused, and nothing stays.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::photos::Photo;
use harness::{TestApp, on_both_databases};
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use super::{
    Connection, announce_as, announced, append, appending, filed, files, given_back, metadata, metadata_of,
    offset, offset_in, photo, pieces, send_rest, tus,
};

on_both_databases!(
    damaged_bytes_do_not_count,
    a_large_stretch_with_a_checksum_counts_whole_or_not_at_all,
    a_length_that_lies_is_found_out,
    hostile_metadata_are_refused,
    somebody_elses_submission_and_upload_do_not_exist,
    a_file_with_another_hash_is_refused_and_nothing_stays,
    a_file_of_another_kind_is_refused_at_its_first_piece,
    another_file_of_the_name_is_refused,
);

async fn damaged_bytes_do_not_count(app: TestApp) {
    use sha2::{Digest, Sha256};
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 2000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let checked = async |at: usize, bytes: &[u8], checksum: String| {
        appending(&phone, &upload, at, bytes).header("Upload-Checksum", &checksum).send().await
    };
    let sha256 = |bytes: &[u8]| format!("sha256 {}", BASE64.encode(Sha256::digest(bytes)));
    let sha1 = |bytes: &[u8]| {
        let sum = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
        format!("sha1 {}", BASE64.encode(sum))
    };

    let damaged = checked(0, &photo.bytes[1..1001], sha256(&photo.bytes[..1000])).await;
    let damaged_end = checked(0, &[&photo.bytes[1..], b"x"].concat(), sha1(&photo.bytes)).await;
    damaged.refused(460, "checksum_mismatch");
    damaged_end.refused(460, "checksum_mismatch");
    assert_eq!((offset(&phone, &upload).await, pieces(&app)), (0, 0));
    checked(0, b"x", "crc32 AAAAAA==".to_owned()).await.refused(400, "checksum_algorithm_unknown");
    checked(0, b"x", "sha1 AAAA".to_owned()).await.refused(400, "bad_checksum");

    assert_eq!(
        offset_in(checked(0, &photo.bytes[..1000], sha256(&photo.bytes[..1000])).await.expect(204)),
        1000
    );
    checked(1000, &photo.bytes[1000..], sha1(&photo.bytes[1000..])).await.expect(204);
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
}

async fn a_large_stretch_with_a_checksum_counts_whole_or_not_at_all(app: TestApp) {
    use sha2::{Digest, Sha256};
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 1_500_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let stretch = &photo.bytes[..1_200_000];
    let sum = |bytes: &[u8]| format!("sha256 {}", BASE64.encode(Sha256::digest(bytes)));

    let damaged =
        appending(&phone, &upload, 0, stretch).header("Upload-Checksum", &sum(b"another")).send().await;
    damaged.refused(460, "checksum_mismatch");
    assert_eq!((offset(&phone, &upload).await, pieces(&app)), (0, 0));
    let cut = Connection::open(
        &app,
        &phone,
        &upload,
        0,
        stretch.len(),
        &format!("Upload-Checksum: {}\r\n", sum(stretch)),
    )
    .await;
    cut.send(&stretch[..900_000]).await.cut().await;
    let good = appending(&phone, &upload, 0, stretch).header("Upload-Checksum", &sum(stretch)).send().await;

    assert_eq!(offset_in(good.expect(204)), stretch.len());
    send_rest(&phone, &upload, &photo).await.expect(204);
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
}

async fn a_length_that_lies_is_found_out(app: TestApp) {
    let phone = app.inspector().await;
    let photo = photo("front.jpg", "lying", 300_000);
    let id = Uuid::new_v4();
    let shorter = announce_as(&phone, 1000, &metadata_of(id, &photo)).await;
    let shorter = shorter.expect(201).header("location").unwrap();
    let longer = announce_as(&phone, photo.bytes.len() + 5, &metadata_of(id, &photo)).await;
    let longer = longer.expect(201).header("location").unwrap();

    append(&phone, shorter, 0, &photo.bytes).await.refused(400, "upload_longer_than_announced");
    let chunked = format!(
        "PATCH {shorter} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
         Content-Type: application/offset+octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n{}\r\n0\r\n\r\n",
        phone.token.as_deref().unwrap(),
        "x".repeat(0x800),
    );
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(chunked.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 400");
    assert_eq!(offset(&phone, shorter).await, 0);
    // Exactly as much as was announced, and not the file.
    append(&phone, shorter, 0, &photo.bytes[..1000]).await.refused(400, "media_hash_mismatch");
    append(&phone, longer, 0, &photo.bytes).await.expect(204);

    assert_eq!(offset(&phone, longer).await, photo.bytes.len());
    assert_eq!(app.count("submission_media", "true"), 0);
    let (inspection, declared) = filed(&phone, 5000).await;
    let other_size = announce_as(&phone, 4000, &metadata_of(inspection.id, &declared)).await;
    other_size.refused(400, "media_size_mismatch");
}

async fn hostile_metadata_are_refused(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 1000).await;
    let id = inspection.id.to_string();
    let hash = photo.sha256();
    let with = |submission: &str, name: &[u8], hash: &str, kind: &[u8]| {
        metadata(&[
            ("submission", submission.as_bytes()),
            ("name", name),
            ("sha256", hash.as_bytes()),
            ("type", kind),
        ])
    };
    let cases = [
        (String::new(), 400, "metadata_missing"),
        ("submission !!!".to_owned(), 400, "bad_metadata"),
        (format!("{0},{0}", with(&id, b"front.jpg", &hash, b"image/jpeg")), 400, "bad_metadata"),
        (format!("note {}", "YWFh".repeat(2000)), 413, "metadata_too_large"),
        (with("1", b"front.jpg", &hash, b"image/jpeg"), 400, "bad_id"),
        (with(&id, b"../front.jpg", &hash, b"image/jpeg"), 400, "media_name_invalid"),
        (with(&id, b"a\0.jpg", &hash, b"image/jpeg"), 400, "media_name_invalid"),
        (with(&id, b"a.exe", &hash, b"image/jpeg"), 400, "media_name_invalid"),
        (with(&id, b"front.jpg", "abc", b"image/jpeg"), 400, "media_hash_invalid"),
        (with(&id, b"front.jpg", &hash, b"image/jpeg\0"), 400, "bad_metadata"),
        (with(&id, b"front.jpg", &hash, b"text/html"), 415, "media_type_mismatch"),
        (with(&id, b"front.jpg", &"0".repeat(64), b"image/jpeg"), 400, "media_hash_mismatch"),
    ];
    for (metadata, status, code) in cases {
        let answer = announce_as(&phone, photo.bytes.len(), &metadata).await;
        assert_eq!(answer.refused(status, code)["status"], status, "{metadata:.200}");
    }
    announce_as(&phone, 21 * 1024 * 1024, &metadata_of(Uuid::new_v4(), &photo))
        .await
        .refused(413, "media_too_large");
    announce_as(&phone, 0, &metadata_of(inspection.id, &photo)).await.refused(400, "media_truncated");
    let bomb = tus(&phone, Method::POST, "/v1/uploads").header("Upload-Length", "5");
    let bomb = bomb.header("Upload-Metadata", &format!("note {}", "YWFh".repeat(350_000))).try_send().await;
    assert!(bomb.is_none_or(|answer| (400..500).contains(&answer.status)));

    assert_eq!((app.count("uploads", "true"), pieces(&app)), (0, 0));
}

async fn somebody_elses_submission_and_upload_do_not_exist(app: TestApp) {
    let phone = app.inspector().await;
    let colleague = app.inspector_in("PK226").await;
    let (inspection, photo) = filed(&phone, 300_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    append(&phone, &upload, 0, &photo.bytes[..1000]).await.expect(204);

    let announced = announce_as(&colleague, photo.bytes.len(), &metadata_of(inspection.id, &photo)).await;
    announced.refused(404, "submission_unknown");
    append(&colleague, &upload, 1000, b"x").await.refused(404, "upload_unknown");
    tus(&colleague, Method::HEAD, &upload).send().await.expect(404);
    tus(&colleague, Method::DELETE, &upload).send().await.refused(404, "upload_unknown");

    send_rest(&phone, &upload, &photo).await.expect(204);
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
    // Nor does one whose answers have not come, but whose first photo was somebody else's.
    let early = self::photo("a.jpg", "early", 1000);
    let id = Uuid::new_v4();
    phone.upload(id, &early).await.created();
    announce_as(&colleague, 1000, &metadata_of(id, &self::photo("b.jpg", "b", 500)))
        .await
        .refused(404, "submission_unknown");
}

async fn a_file_with_another_hash_is_refused_and_nothing_stays(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 700_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let mut spoilt = photo.bytes.clone();
    spoilt[400_000] ^= 1;

    append(&phone, &upload, 0, &spoilt[..600_000]).await.expect(204);
    let refused = append(&phone, &upload, 600_000, &spoilt[600_000..]).await;

    let problem = refused.refused(400, "media_hash_mismatch");
    assert_eq!(problem["declared_sha256"], photo.sha256());
    assert_eq!((pieces(&app), files(&app), app.count("media_objects", "true")), (0, 0, 0));
    let gone = append(&phone, &upload, 600_000, b"x").await.refused(410, "upload_refused");
    assert_eq!(gone["because"], "media_hash_mismatch");
    let again = announced(&phone, inspection.id, &photo).await;
    append(&phone, &again, 0, &photo.bytes).await.expect(204);
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
}

async fn a_file_of_another_kind_is_refused_at_its_first_piece(app: TestApp) {
    let phone = app.inspector().await;
    let page = b"<html><script>alert(1)</script></html>".repeat(20_000);
    let page = Photo::new("front.jpg", "image/jpeg", page);
    let small = Photo::new("small.jpg", "image/jpeg", b"MZ program".to_vec());
    let id = Uuid::new_v4();
    let (large_upload, small_upload) =
        (announced(&phone, id, &page).await, announced(&phone, id, &small).await);

    append(&phone, &large_upload, 0, &page.bytes[..300_000]).await.refused(415, "media_type_unsupported");
    append(&phone, &small_upload, 0, &small.bytes).await.refused(415, "media_type_unsupported");

    tus(&phone, Method::HEAD, &large_upload).send().await.expect(410);
    assert_eq!((pieces(&app), files(&app), app.count("media_objects", "true")), (0, 0, 0));
}

async fn another_file_of_the_name_is_refused(app: TestApp) {
    let phone = app.inspector().await;
    let (one, other) = (photo("front.jpg", "one", 300_000), photo("front.jpg", "other", 300_000));
    let id = Uuid::new_v4();
    let upload = announced(&phone, id, &other).await;
    append(&phone, &upload, 0, &other.bytes[..200_000]).await.expect(204);
    phone.upload(id, &one).await.created();

    let announced = announce_as(&phone, other.bytes.len(), &metadata_of(id, &other)).await;
    let finished = send_rest(&phone, &upload, &other).await;

    announced.refused(409, "media_conflict");
    finished.refused(409, "media_conflict");
    tus(&phone, Method::HEAD, &upload).send().await.expect(410);
    assert_eq!((pieces(&app), app.count("submission_media", "true")), (0, 1));
}
