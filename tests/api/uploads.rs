//! Resumable uploads: files sent in stretches, cut off anywhere, by one client or by several at once.

use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::photos::{self, Photo};
use harness::{Answer, Person, Submission, TestApp, on_both_databases, samples};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

on_both_databases!(
    the_server_says_what_it_can,
    a_photo_in_stretches_completes_its_submission,
    a_photo_may_come_before_the_answers,
    the_first_bytes_may_come_with_the_announcement,
    bytes_at_the_wrong_offset_are_refused,
    requests_that_do_not_speak_the_protocol_are_refused,
    a_client_that_cannot_send_patch_overrides_the_method,
    damaged_bytes_do_not_count,
    a_large_stretch_with_a_checksum_counts_whole_or_not_at_all,
    a_length_that_lies_is_found_out,
    hostile_metadata_are_refused,
    somebody_elses_submission_and_upload_do_not_exist,
    of_many_who_append_at_once_one_wins,
    a_dead_connection_holds_nothing,
    what_came_before_the_connection_broke_counts,
    thousands_of_tiny_stretches_become_few_pieces,
    an_upload_nobody_continues_is_swept_away_with_its_pieces,
    an_upload_whose_pieces_are_lost_says_so,
    an_upload_that_is_given_up_leaves_nothing,
    an_upload_goes_on_after_a_restart,
    a_file_with_another_hash_is_refused_and_nothing_stays,
    a_file_of_another_kind_is_refused_at_its_first_piece,
    another_file_of_the_name_is_refused,
    a_file_the_server_has_is_complete_at_once,
    a_hash_alone_finds_out_nothing,
    an_announcement_whose_answer_was_lost_is_the_same_upload,
);

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

async fn of_many_who_append_at_once_one_wins(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 900_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let mut from = 0;
    for to in [1000, 300_000, 700_000, photo.bytes.len()] {
        let stretch = &photo.bytes[from..to];

        let (a, b, c, d) = tokio::join!(
            append(&phone, &upload, from, stretch),
            append(&phone, &upload, from, stretch),
            append(&phone, &upload, from, stretch),
            append(&phone, &upload, from, stretch),
        );

        let won = [a, b, c, d]
            .iter()
            .filter(|answer| match answer.status {
                204 => true,
                409 => {
                    answer.refused(409, "upload_offset_mismatch");
                    false
                }
                other => panic!("{other}: {}", answer.text()),
            })
            .count();
        // Who finds the file complete when it comes to complete it, is answered that it is.
        assert!(won == 1 || to == photo.bytes.len() && won >= 1, "{won} of four appended {from}..{to}");
        assert_eq!(offset(&phone, &upload).await, to);
        from = to;
    }

    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
    assert_eq!(app.count("submission_media", "true"), 1);
    assert_eq!(app.count("audit_events", "action = 'upload.completed'"), 1);
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

    /// Closes its side in order, in the middle of the body.
    async fn close(mut self) {
        let _ = self.0.shutdown().await;
        let mut rest = Vec::new();
        let _ = self.0.read_to_end(&mut rest).await;
    }

    async fn answer(mut self) -> String {
        let mut answer = [0; 12];
        self.0.read_exact(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

async fn a_dead_connection_holds_nothing(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 600_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let length = photo.bytes.len();
    let hanging =
        Connection::open(&app, &phone, &upload, 0, length, "").await.send(&photo.bytes[..400_000]).await;
    let reached = || async { offset(&phone, &upload).await > 0 };
    until("the first piece", reached).await;

    send_rest(&phone, &upload, &photo).await.expect(204);

    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
    let late = hanging.send(&photo.bytes[400_000..]).await.answer().await;
    assert!(["HTTP/1.1 409", "HTTP/1.1 204"].contains(&&*late), "{late}");
    assert_eq!(app.count("submission_media", "true"), 1);
}

async fn what_came_before_the_connection_broke_counts(app: TestApp) {
    let phone = app.inspector().await;
    let (inspection, photo) = filed(&phone, 700_000).await;
    let upload = announced(&phone, inspection.id, &photo).await;
    let rest = |at: usize| photo.bytes.len() - at;

    let closed = Connection::open(&app, &phone, &upload, 0, rest(0), "").await;
    closed.send(&photo.bytes[..123_456]).await.close().await;
    until("keeping what came before the end", || async { offset(&phone, &upload).await == 123_456 }).await;
    let cut = Connection::open(&app, &phone, &upload, 123_456, rest(123_456), "").await;
    let cut = cut.send(&photo.bytes[123_456..500_000]).await;
    until("a piece", || async { offset(&phone, &upload).await > 123_456 }).await;
    cut.cut().await;
    // A reset may overtake bytes the server had not read: what it read counts.
    until("keeping a piece", || async { offset(&phone, &upload).await >= 123_456 + 256 * 1024 }).await;

    send_rest(&phone, &upload, &photo).await;
    until("the end", || async {
        let at = offset(&phone, &upload).await;
        at == photo.bytes.len() || send_rest(&phone, &upload, &photo).await.status == 204
    })
    .await;
    assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
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

/// Two servers on one PostgreSQL and one bucket of another S3 service share the work on one upload.
#[test]
fn another_process_goes_on_with_an_upload() {
    harness::app::tell(harness::Backend::Postgres, harness::House::Plain, |app| async move {
        let Some(s3) = S3::start().await else {
            eprintln!("skipped: moto is absent; pip install 'moto[server]'");
            return;
        };
        let here = app.beside(|config| s3.configure(config)).await;
        let there = app.beside(|config| s3.configure(config)).await;
        let (phone, other) = (here.inspector().await, there.inspector().await);
        let (inspection, photo) = filed(&phone, 900_000).await;
        let upload = announced(&phone, inspection.id, &photo).await;

        append(&phone, &upload, 0, &photo.bytes[..400_000]).await.expect(204);
        assert_eq!(offset(&other, &upload).await, 400_000);
        append(&other, &upload, 400_000, &photo.bytes[400_000..500_000]).await.expect(204);
        append(&phone, &upload, 400_000, b"x").await.refused(409, "upload_offset_mismatch");
        let rest = &photo.bytes[500_000..];
        let (one, two) =
            tokio::join!(append(&phone, &upload, 500_000, rest), append(&other, &upload, 500_000, rest));

        assert!(
            [204, 409].contains(&one.status) && [204, 409].contains(&two.status),
            "{} {}",
            one.text(),
            two.text()
        );
        assert!(one.status == 204 || two.status == 204);
        assert!(given_back(&phone, inspection.id, &photo).await == photo.bytes);
        assert!(given_back(&other, inspection.id, &photo).await == photo.bytes);
        for server in [here, there] {
            server.stop().await;
        }
    });
}

/// An S3 service that is none of ours.
struct S3 {
    child: std::process::Child,
    endpoint: String,
}

impl S3 {
    async fn start() -> Option<S3> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let mut command = std::process::Command::new("python3");
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut s3 = S3 { child: command.spawn().ok()?, endpoint: format!("http://127.0.0.1:{port}") };
        for _ in 0..300 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(s3);
            }
            if s3.child.try_wait().ok()?.is_some() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }

    fn configure(&self, config: &mut server::config::Config) {
        config.media.endpoint = Some(self.endpoint.clone());
        config.media.access_key = "test".into();
        config.media.secret_key = "test".into();
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
