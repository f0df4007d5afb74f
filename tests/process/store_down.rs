//! The photo store goes away and comes back, another S3 service than our own. Answers are taken in all the while; photos
//! wait, and go on where they were.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::folders::TemporaryFolder;
use harness::photos::{self, Photo};
use harness::process::{Nigran, PASSWORD};
use harness::s3::{Gate, Store};
use harness::{Answer, Person, Submission, samples};
use reqwest::Method;

async fn inspector(server: &Nigran) -> Person {
    Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await
}

fn with_photo(size: usize) -> (Submission, Photo) {
    let mut bytes = photos::jpeg_padding(size);
    bytes.extend(photos::jpeg_end(&uuid::Uuid::new_v4().to_string()));
    let photo = Photo::new("front.jpg", "image/jpeg", bytes);
    (samples::b1().without_photos().with_photo(photo.clone()), photo)
}

async fn announced(phone: &Person, submission: &Submission, photo: &Photo) -> String {
    let of = |name: &str, value: &str| format!("{name} {}", BASE64.encode(value));
    let metadata = [
        of("submission", &submission.id.to_string()),
        of("name", &photo.name),
        of("type", photo.content_type),
        of("sha256", &photo.sha256()),
    ];
    let request = phone.request(Method::POST, "/v1/uploads").header("Tus-Resumable", "1.0.0");
    let request = request.header("Upload-Length", &photo.bytes.len().to_string());
    let answer = request.header("Upload-Metadata", &metadata.join(",")).send().await;
    answer.expect(201).header("location").unwrap().to_owned()
}

async fn append(phone: &Person, upload: &str, offset: usize, bytes: &[u8]) -> Answer {
    let request = phone.request(Method::PATCH, upload).header("Tus-Resumable", "1.0.0");
    let request = request.header("Upload-Offset", &offset.to_string());
    request.header("Content-Type", "application/offset+octet-stream").bytes(bytes.to_vec()).send().await
}

async fn offset(phone: &Person, upload: &str) -> usize {
    let answer = phone.request(Method::HEAD, upload).header("Tus-Resumable", "1.0.0").send().await;
    answer.expect(200).header("upload-offset").unwrap().parse().unwrap()
}

async fn state(phone: &Person, inspection: &Submission) -> String {
    let read = phone.get(&format!("/v1/submissions/{}", inspection.id)).await.ok();
    read["media"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_taken_in_and_photos_wait_while_the_store_is_away() {
    for store in Store::all().await {
        answers_are_taken_in_without(&store).await;
    }
}

async fn answers_are_taken_in_without(store: &Store) {
    let (folder, gate) = (TemporaryFolder::new(), Gate::before(store.address).await);
    let launch = store.for_server(super::nigran(folder.path()), gate.address);
    let server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let phone = inspector(&server).await;
    let ((resumed, long), (at_once, short)) = (with_photo(400_000), with_photo(20_000));
    phone.file(&resumed).await.created();
    let upload = announced(&phone, &resumed, &long).await;
    append(&phone, &upload, 0, &long.bytes[..150_000]).await.expect(204);

    gate.shut();
    phone.file(&at_once).await.created();
    let (one, other) = (
        phone.upload(at_once.id, &short).await,
        append(&phone, &upload, 150_000, &long.bytes[150_000..]).await,
    );
    let began = Instant::now();
    let ready = phone.get("/readyz").await.ok();

    for waits in [one, other] {
        waits.refused(503, "media_store_unavailable");
        assert!(waits.header("retry-after").is_some());
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!((&ready["ready"], &ready["degraded"][0]), (&true.into(), &"media".into()), "{ready}");
    let said = ready["checks"]["media"].as_str().unwrap();
    assert!(said.contains(&gate.address.to_string()) && said.contains("Photos wait"), "{said}");
    assert_eq!(state(&phone, &at_once).await, "awaiting");
    assert_eq!(state(&phone, &resumed).await, "awaiting");
    assert_eq!(offset(&phone, &upload).await, 150_000, "what was acknowledged before stands");
    // The server is started again meanwhile: that the store is away keeps nobody out.
    server.stop().unwrap();
    let server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let phone = inspector(&server).await;
    phone.file(&samples::b3().without_photos()).await.created();

    gate.open();
    phone.upload(at_once.id, &short).await.created();
    let at = offset(&phone, &upload).await;
    append(&phone, &upload, at, &long.bytes[at..]).await.expect(204);
    for (inspection, photo) in [(&resumed, &long), (&at_once, &short)] {
        assert_eq!(state(&phone, inspection).await, "complete");
        let path = format!("/v1/submissions/{}/media/front.jpg", inspection.id);
        assert!(phone.get(&path).await.expect(200).bytes == photo.bytes);
    }
    // What was found out is believed for half a second.
    let deadline = Instant::now() + Duration::from_secs(5);
    while phone.get("/readyz").await.ok()["degraded"] != serde_json::json!([]) {
        assert!(Instant::now() < deadline, "the store is back, and /readyz does not say so");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_are_sent_to_the_store_where_the_operator_wants_that() {
    for store in Store::all().await {
        readers_are_sent_to(&store).await;
    }
}

async fn readers_are_sent_to(store: &Store) {
    let folder = TemporaryFolder::new();
    let launch = store.for_server(super::nigran(folder.path()), store.address);
    let server = launch.with("NIGRAN_MEDIA_PRESIGNED_READING", "true").serve();
    let server = server.unwrap_or_else(|reason| panic!("{reason}"));
    let phone = inspector(&server).await;
    let (inspection, photo) = with_photo(20_000);
    phone.file(&inspection).await.created();
    phone.upload(inspection.id, &photo).await.created();

    // The client follows, and leaves its token behind.
    let path = format!("/v1/submissions/{}/media/front.jpg", inspection.id);
    let back = phone.get(&path).await;

    assert!(back.expect(200).bytes == photo.bytes);
    assert_eq!(back.header("x-request-id"), None, "the store answered, not the server");
    let stranger = Person::at(format!("http://{}", server.address));
    stranger.get(&path).await.refused(401, "token_missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_buckets_that_are_wrong_are_told_at_the_start() {
    for store in Store::all().await {
        let folder = TemporaryFolder::new();
        let launch = store.for_server(super::nigran(folder.path()), store.address);
        let server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
        let (inspection, photo) = with_photo(20_000);
        let phone = inspector(&server).await;
        phone.file(&inspection).await.created();
        phone.upload(inspection.id, &photo).await.created();
        server.stop().unwrap();

        let mut refused = vec![(launch.clone().with("NIGRAN_MEDIA_BUCKET", "nigran-medai"), "nigran-medai")];
        // moto believes everybody.
        if store.name != "moto" {
            refused.push((launch.clone().with("NIGRAN_MEDIA_SECRET_KEY", "wrong"), "secret_key"));
            refused.push((launch.clone().with("NIGRAN_MEDIA_ACCESS_KEY", "test:nobody"), "access_key"));
        }
        for (wrong, word) in refused {
            let ended = wrong.run(&["serve"]);
            assert_eq!(ended.code, Some(1), "{}: {}", store.name, ended.said);
            assert!(
                ended.said.contains(word) && !ended.said.contains("panicked"),
                "{}: {}",
                store.name,
                ended.said
            );
        }
        launch.serve().unwrap_or_else(|reason| panic!("{reason}")).stop().unwrap();
    }
}
