//! A phone's life in thirty exchanges: log in, fetch, file, doubt, quarrel, send photos, sync, correct, be revoked.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::app::{self, Backend, House, PASSWORD};
use harness::{Person, Submission, TestApp, photos, samples};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::recorder::{Body, Recorder};

const ID: &str = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10";
const BATCHED: &str = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11";

#[test]
fn the_exchanges_are_what_the_server_says() {
    app::tell(Backend::Sqlite, House::Plain, |app| async move {
        let made = told(app).await;
        super::fresh("exchanges.json", &made);
    });
}

async fn told(app: TestApp) -> Value {
    let mut record = Recorder::default();
    record.call(PASSWORD, "password");
    let phone = logged_in(&mut record, &app).await;
    fetched(&mut record, &phone).await;
    let inspection = inspection();
    filed(&mut record, &phone, &inspection).await;
    photographed(&mut record, &phone, &inspection).await;
    batched(&mut record, &phone).await;
    synced_and_corrected(&mut record, &app, &phone, &inspection).await;
    locked_out(&mut record, &app, phone).await;
    record.finish()
}

fn submission() -> String {
    format!("/v1/submissions/{ID}")
}

/// A clean shop, with files that are the same in every run.
fn inspection() -> Submission {
    let mut inspection = samples::b1();
    inspection.id = Uuid::from_str(ID).expect("a UUID");
    for photo in inspection.photos.clone() {
        let again = match photo.content_type {
            "image/png" => photos::png(&photo.name, "conformance"),
            _ => photos::jpeg(&photo.name, "conformance"),
        };
        inspection = inspection.with_photo(again);
    }
    inspection
}

async fn logged_in(record: &mut Recorder, app: &TestApp) -> Person {
    let device = json!({ "id": "phone-7f3a", "name": "Field phone 7", "app": "nigran-android/1.2" });
    let body = json!({ "username": "inspector", "password": "not the password", "device": device });
    let stranger = app.stranger();
    let login = (Method::POST, "/v1/auth/login");
    record
        .exchange(
            "login-refused",
            "A wrong password.",
            &stranger,
            login.clone(),
            &[],
            Body::Json(body.clone()),
        )
        .await;
    let right = json!({ "username": "inspector", "password": PASSWORD, "device": device });
    let tokens = record
        .exchange(
            "login",
            "The device's own id makes cursors and revocation possible.",
            &stranger,
            login,
            &[],
            Body::Json(right),
        )
        .await
        .ok();
    let note = "The token of the login is spent with this; the new one is stored before it is used.";
    let body = json!({ "refresh_token": tokens["refresh_token"] });
    let refresh = (Method::POST, "/v1/auth/refresh");
    let tokens = record.exchange("refresh", note, &stranger, refresh, &[], Body::Json(body)).await.ok();
    stranger.with_tokens(&tokens)
}

async fn fetched(record: &mut Recorder, phone: &Person) {
    let list = (Method::GET, "/v1/forms");
    let forms = record.exchange("forms", "The questionnaires.", phone, list.clone(), &[], Body::None).await;
    let etag = forms.header("etag").expect("the list has a tag").to_owned();
    let again = [("If-None-Match", etag.as_str())];
    record.exchange("forms-unchanged", "Nothing was published since.", phone, list, &again, Body::None).await;
    let form = forms.ok()["items"]
        .as_array()
        .and_then(|items| items.iter().find(|it| it["form"] == "child-labour-inspection").cloned());
    let hash = form.expect("the form is published")["hash"].clone();
    let release = "/v1/forms/child-labour-inspection/releases/1";
    let tag = format!("\"{}\"", hash.as_str().expect("a hash is text"));
    let note =
        "A phone that holds this hash need not fetch it; without If-None-Match the answer is the package.";
    let held = [("If-None-Match", tag.as_str())];
    record.exchange("release-held", note, phone, (Method::GET, release), &held, Body::None).await;
}

async fn filed(record: &mut Recorder, phone: &Person, inspection: &Submission) {
    let path = submission();
    let put = (Method::PUT, path.as_str());
    let envelope = || Body::Json(inspection.envelope.clone());
    let receipt = record
        .exchange("file", "Answers first; the photos follow.", phone, put.clone(), &[], envelope())
        .await
        .created();
    record
        .exchange(
            "resend",
            "The answer got lost: the same bytes again, the same receipt.",
            phone,
            put.clone(),
            &[],
            envelope(),
        )
        .await;
    let other = inspection.clone().with("departure_time", "13:05");
    let other = || Body::Json(other.envelope.clone());
    record
        .exchange(
            "conflict",
            "Other content under the same id, and no If-Match.",
            phone,
            put.clone(),
            &[],
            other(),
        )
        .await;
    let stale = format!("\"{}\"", "0".repeat(64));
    let headers = [("If-Match", stale.as_str())];
    record
        .exchange(
            "stale",
            "Made from a revision that is not the one stored.",
            phone,
            put.clone(),
            &headers,
            other(),
        )
        .await;
    let known = format!("\"{}\"", receipt["content_hash"].as_str().expect("a hash is text"));
    let headers = [("If-Match", known.as_str())];
    record.exchange("revise", "The next revision.", phone, put.clone(), &headers, other()).await;
    let note = "A late resend of an older revision is no error.";
    record.exchange("resend-of-older", note, phone, put.clone(), &[], envelope()).await;
    let broken = Body::Bytes("application/json", b"{\"form\": \"child-labour-insp".to_vec());
    record
        .exchange("not-json", "Cut off, and not noticed by whoever sent it.", phone, put.clone(), &[], broken)
        .await;
    let mut unknown = inspection.envelope.clone();
    unknown["version"] = json!(99);
    let other_id = format!("/v1/submissions/{}", ID.replace("1f10", "1f12"));
    let note = "A release nobody published: kept, and receipted, without a revision.";
    record.exchange("quarantine", note, phone, (Method::PUT, &other_id), &[], Body::Json(unknown)).await;
}

async fn photographed(record: &mut Recorder, phone: &Person, inspection: &Submission) {
    let [small, resumed, ..] = &inspection.photos[..] else { panic!("the shop has files") };
    let path = format!("{}/media/{}", submission(), small.name);
    let body = || Body::Bytes(small.content_type, small.bytes.clone());
    record.exchange("photo", "A small file in one go.", phone, (Method::PUT, &path), &[], body()).await;
    record.exchange("photo-again", "Its answer got lost.", phone, (Method::PUT, &path), &[], body()).await;
    let other = photos::jpeg(&small.name, "another").bytes;
    let note = "Not the bytes that were declared.";
    record
        .exchange(
            "photo-of-another-hash",
            note,
            phone,
            (Method::PUT, &path),
            &[],
            Body::Bytes(small.content_type, other),
        )
        .await;

    let encode = |text: &str| BASE64.encode(text);
    let metadata = format!(
        "submission {},name {},sha256 {},type {},resume",
        encode(ID),
        encode(&resumed.name),
        encode(&resumed.sha256()),
        encode(resumed.content_type)
    );
    let length = resumed.bytes.len().to_string();
    let tus = ("Tus-Resumable", "1.0.0");
    let headers = [tus, ("Upload-Length", length.as_str()), ("Upload-Metadata", metadata.as_str())];
    let note = "Announce before sending; store Location before the first byte.";
    let made = record
        .exchange("upload-announce", note, phone, (Method::POST, "/v1/uploads"), &headers, Body::None)
        .await;
    let location = made.header("location").expect("an upload has an address").to_owned();
    let at = location.find("/v1/").map(|at| location[at..].to_owned()).unwrap_or(location.clone());
    record.call(at.rsplit('/').next().expect("an address has an end"), "upload");
    let (first, rest) = resumed.bytes.split_at(resumed.bytes.len() / 2);
    let kind = "application/offset+octet-stream";
    let half = first.len().to_string();
    let patch = (Method::PATCH, at.as_str());
    let send = |bytes: &[u8]| Body::Bytes(kind, bytes.to_vec());
    record
        .exchange("upload-first-half", "", phone, patch.clone(), &[tus, ("Upload-Offset", "0")], send(first))
        .await;
    record
        .exchange("upload-where-was-i", "After any doubt.", phone, (Method::HEAD, &at), &[tus], Body::None)
        .await;
    let note = "From where the server is not.";
    record
        .exchange(
            "upload-wrong-offset",
            note,
            phone,
            patch.clone(),
            &[tus, ("Upload-Offset", "0")],
            send(rest),
        )
        .await;
    record
        .exchange(
            "upload-the-rest",
            "Done: the offset is the length.",
            phone,
            patch,
            &[tus, ("Upload-Offset", half.as_str())],
            send(rest),
        )
        .await;
}

async fn batched(record: &mut Recorder, phone: &Person) {
    let mut line = samples::b1().without_photos().envelope;
    line["id"] = json!(BATCHED);
    let body = format!("{line}\n{{\"id\": \"not a UUID\"}}\n{line}\n");
    let note = "Three lines: stored, refused, stored before. A bad line spoils none other.";
    let body = Body::Bytes("application/x-ndjson", body.into_bytes());
    record.exchange("batch", note, phone, (Method::POST, "/v1/submissions/batch"), &[], body).await;
}

async fn synced_and_corrected(record: &mut Recorder, app: &TestApp, phone: &Person, inspection: &Submission) {
    let note = "A new phone: a whole picture.";
    let first = record.exchange("sync-first", note, phone, (Method::GET, "/v1/sync"), &[], Body::None).await;
    let (mut cursor, mut etag) = kept(record, &first);
    let path = format!("/v1/sync?cursor={cursor}");
    let note = "Nothing changed: keep the cursor.";
    let tag = [("If-None-Match", etag.as_str())];
    record.exchange("sync-unchanged", note, phone, (Method::GET, &path), &tag, Body::None).await;
    let note = "Without If-None-Match: a page that says nothing but the new cursor.";
    record.exchange("sync-unchanged-untagged", note, phone, (Method::GET, &path), &[], Body::None).await;
    let note = "A cursor of another phone, or one that was changed.";
    record.exchange("sync-forged", note, phone, (Method::GET, "/v1/sync?cursor=AAAA"), &[], Body::None).await;

    let comment = json!({ "path": "departure_time", "comment": "Before the arrival?" });
    let body = json!({ "action": "return", "reason": "The times cannot be right", "fields": [comment] });
    app.supervisor().await.post(&format!("{}/review", submission()), &body).await.ok();
    let note = "A reviewer sent it back meanwhile.";
    let tag = [("If-None-Match", etag.as_str())];
    let returned =
        record.exchange("sync-returned", note, phone, (Method::GET, &path), &tag, Body::None).await;
    (cursor, etag) = kept(record, &returned);
    let hash = returned.ok()["returned"][0]["content_hash"].clone();
    let body =
        json!({ "if_match": hash, "answers": { "departure_time": "13:10" }, "note": "misread my notes" });
    let corrections = format!("{}/corrections", submission());
    let note = "Only what was wrong. A whole envelope with If-Match does as well.";
    record.exchange("correct", note, phone, (Method::POST, &corrections), &[], Body::Json(body)).await;
    let path = format!("/v1/sync?cursor={cursor}");
    let tag = [("If-None-Match", etag.as_str())];
    let note = "It waits for the reviewer again, and is no longer to be corrected.";
    record.exchange("sync-corrected", note, phone, (Method::GET, &path), &tag, Body::None).await;
    assert_eq!(inspection.id.to_string(), ID);
}

/// The cursor and tag of a page.
fn kept(record: &mut Recorder, page: &harness::Answer) -> (String, String) {
    let cursor = page.ok()["cursor"].as_str().expect("a page has a cursor").to_owned();
    let etag = page.header("etag").expect("a page has a tag").to_owned();
    record.call(&cursor, "cursor");
    record.call(etag.trim_matches('"'), "cursor_tag");
    (cursor, etag)
}

async fn locked_out(record: &mut Recorder, app: &TestApp, phone: Person) {
    let me = (Method::GET, "/v1/sync");
    let stranger = app.stranger();
    record.exchange("token-missing", "", &stranger, me.clone(), &[], Body::None).await;
    app.clock.advance(chrono::Duration::minutes(16));
    record.exchange("token-expired", "Refresh, and repeat once.", &phone, me.clone(), &[], Body::None).await;
    let body = json!({ "refresh_token": phone.refresh_token });
    let tokens = app.stranger().post("/v1/auth/refresh", &body).await.ok();
    let fresh = phone.with_tokens(&tokens);
    app.admin().await.post("/v1/devices/phone-7f3a/revoke", &json!({})).await.expect(200);
    record.exchange("revoked", "Wipe: see security.md.", &fresh, me, &[], Body::None).await;
    let body = json!({ "refresh_token": fresh.refresh_token });
    let refresh = (Method::POST, "/v1/auth/refresh");
    record
        .exchange("revoked-refresh", "The same, by another way.", &stranger, refresh, &[], Body::Json(body))
        .await;
}
