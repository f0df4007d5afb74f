//! Whose phone it is decides what it is brought.

use harness::{TestApp, on_both_databases, samples};
use serde_json::json;

use super::phone::Phone;

on_both_databases!(
    each_is_told_of_their_own_only,
    two_phones_of_one_person_hear_of_each_other,
    an_area_lost_is_to_be_dropped,
    a_returned_submission_comes_with_what_is_wrong,
    a_revoked_phone_is_told_so,
    only_those_who_fill_questionnaires_sync,
);

async fn each_is_told_of_their_own_only(app: TestApp) {
    app.inspector_in("PK226").await;
    let mut mine = Phone::of(&app, "inspector", "phone-1").await;
    let mut theirs = Phone::of(&app, "inspector-pk226", "phone-2").await;
    let mut auditors = Phone::of(&app, "auditor", "phone-3").await;
    mine.person.file(&samples::b1().without_photos()).await.created();

    for phone in [&mut mine, &mut theirs, &mut auditors] {
        phone.sync(200).await;
    }

    assert_eq!(mine.holds("receipts").len(), 1);
    assert!(theirs.holds("receipts").is_empty() && auditors.holds("receipts").is_empty());
    assert!(!auditors.holds("releases").contains_key("child-labour-inspection"));
}

async fn two_phones_of_one_person_hear_of_each_other(app: TestApp) {
    let mut office = Phone::of(&app, "inspector", "phone-1").await;
    let mut field = Phone::of(&app, "inspector", "phone-2").await;
    office.sync(200).await;
    field.sync(200).await;
    let inspection = samples::b1().without_photos();
    let receipt = field.person.file(&inspection).await.created();

    office.sync(200).await;
    field.sync(200).await;

    for phone in [office, field] {
        let held = &phone.holds("receipts")[&inspection.id.to_string()];
        assert_eq!(held["content_hash"], receipt["content_hash"]);
        assert_eq!(held["review"], "received");
    }
}

async fn an_area_lost_is_to_be_dropped(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    phone.sync(200).await;
    move_to(&app, "inspector", &["PK211", "PK220"]).await;

    let page = phone.ask(200).await.ok();
    phone.sync(200).await;

    assert_eq!(page["areas"], json!({ "codes": ["PK211", "PK220"], "drop": ["PK226"] }));
    assert_eq!(phone.areas, ["PK211", "PK220"]);
    assert_eq!(phone.ask(200).await.status, 304);
}

async fn a_revoked_phone_is_told_so(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    phone.sync(200).await;
    app.admin().await.post("/v1/devices/phone-1/revoke", &json!({})).await.expect(200);

    phone.ask(200).await.refused(401, "device_revoked");

    let body = json!({ "refresh_token": phone.person.refresh_token });
    let refreshed = phone.person.post("/v1/auth/refresh", &body).await;
    assert_eq!(refreshed.json()["code"], "device_revoked");
}

async fn only_those_who_fill_questionnaires_sync(app: TestApp) {
    for username in ["admin", "supervisor", "oversight", "log-auditor", "analyst"] {
        app.login(username).await.get("/v1/sync").await.refused(403, "not_permitted");
    }
    app.stranger().get("/v1/sync").await.refused(401, "token_missing");
}

/// The administrator gives somebody other areas.
pub(super) async fn move_to(app: &TestApp, username: &str, areas: &[&str]) {
    let admin = app.admin().await;
    let accounts = admin.get("/v1/accounts?limit=500").await.ok();
    let account = accounts["items"].as_array().unwrap().iter().find(|it| it["username"] == username).unwrap();
    let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    admin.patch(&path, &json!({ "areas": areas })).await.ok();
}

async fn a_returned_submission_comes_with_what_is_wrong(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    let inspection = samples::b1().without_photos();
    let receipt = phone.person.file(&inspection).await.created();
    phone.sync(200).await;
    let supervisor = app.supervisor().await;
    let comment = json!({ "path": "departure_time", "comment": "Before the arrival?" });
    let body = json!({ "action": "return", "reason": "The times cannot be right", "fields": [comment] });
    supervisor.post(&format!("/v1/submissions/{}/review", inspection.id), &body).await.ok();

    phone.sync(200).await;
    let returned = &phone.holds("returned")[&inspection.id.to_string()];
    let corrected = inspection.clone().with("departure_time", "13:05");
    phone.person.revise(&corrected, receipt["content_hash"].as_str().unwrap()).await.created();
    phone.sync(200).await;

    assert_eq!(returned["content_hash"], receipt["content_hash"]);
    assert_eq!(returned["reason"], "The times cannot be right");
    assert_eq!(returned["fields"][0]["question"], "departure_time");
    assert_eq!(returned["fields"][0]["comment"], "Before the arrival?");
    assert_eq!(phone.holds("receipts")[&inspection.id.to_string()]["review"], "received");
    assert!(phone.holds("returned").is_empty(), "it waits for the reviewer again");
}
