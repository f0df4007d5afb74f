//! Corrections: single questions of what was sent back, in two hundred bytes; and what two phones of one person do.

use harness::{Answer, Person, Submission, TestApp, codes, on_both_databases, samples};
use serde_json::{Value, json};
use tokio::task::JoinSet;

on_both_databases!(
    a_returned_question_is_corrected_without_sending_the_rest,
    the_same_correction_again_is_the_same_receipt,
    a_phone_knows_the_hash_of_what_it_corrected,
    what_nobody_sent_back_is_flagged_unless_it_is_named,
    rows_come_and_go_by_their_path,
    a_correction_of_nothing_or_of_nowhere_is_refused_and_stores_nothing,
    a_correction_of_an_old_revision_is_stale,
    only_the_filer_corrects,
    what_was_decided_is_not_changed_silently,
    a_second_phone_learns_what_the_first_one_did,
);

fn hash(receipt: &Value) -> String {
    receipt["content_hash"].as_str().unwrap().to_owned()
}

fn path(submission: &Submission) -> String {
    format!("/v1/submissions/{}", submission.id)
}

async fn correct(who: &Person, submission: &Submission, correction: &Value) -> Answer {
    who.post(&format!("{}/corrections", path(submission)), correction).await
}

/// An inspection that was sent back for these questions; the phone and the receipt of its first revision.
async fn returned(app: &TestApp, inspection: &Submission, paths: &[&str]) -> (Person, Value) {
    let phone = app.inspector().await;
    let receipt = phone.file(inspection).await.created();
    let fields: Vec<Value> =
        paths.iter().map(|path| json!({ "path": path, "comment": "look again" })).collect();
    let decision = json!({ "action": "return", "reason": "look again", "fields": fields });
    app.supervisor().await.post(&format!("{}/review", path(inspection)), &decision).await.ok();
    (phone, receipt)
}

async fn a_returned_question_is_corrected_without_sending_the_rest(app: TestApp) {
    let inspection = samples::b3();
    let (phone, first) = returned(&app, &inspection, &["departure_time"]).await;
    let correction =
        json!({ "if_match": hash(&first), "answers": { "departure_time": "12:30" }, "note": "misread" });

    let receipt = correct(&phone, &inspection, &correction).await.created();

    assert!(correction.to_string().len() < 200, "{}", correction.to_string().len());
    assert_eq!(receipt["revision"], 2);
    assert_eq!(codes(&receipt["findings"]), codes(&first["findings"]));
    assert_eq!(receipt["flags"], json!([]));
    let seen = phone.get(&path(&inspection)).await.ok();
    assert_eq!(seen["answers"]["b1"]["departure_time"], "12:30");
    assert_eq!(seen["answers"]["b2"]["workplace_code"], "WP-QTA-0871");
    assert_eq!(seen["review"], "received");
    assert_eq!(
        seen["correction"],
        json!({ "of_revision": 1, "note": "misread", "changed": ["departure_time"], "beyond_return": [] })
    );
    assert_eq!(app.count("audit_events", "action = 'submission.revised'"), 1);
}

async fn the_same_correction_again_is_the_same_receipt(app: TestApp) {
    let inspection = samples::b3();
    let (phone, first) = returned(&app, &inspection, &["departure_time"]).await;
    let correction = json!({ "if_match": hash(&first), "answers": { "departure_time": "12:30" } });

    let mut sending = JoinSet::new();
    for _ in 0..8 {
        let (phone, inspection, correction) = (phone.clone(), inspection.clone(), correction.clone());
        sending.spawn(async move { correct(&phone, &inspection, &correction).await });
    }
    let answers = sending.join_all().await;

    let stored = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(stored, 1);
    let receipts: Vec<Value> = answers.iter().map(|answer| answer.json()["receipt"].clone()).collect();
    assert!(receipts.iter().all(|receipt| *receipt == receipts[0] && receipt.is_string()));
    assert_eq!(app.count("revisions", "true"), 2);
}

async fn a_phone_knows_the_hash_of_what_it_corrected(app: TestApp) {
    let inspection = samples::b3();
    let (phone, first) = returned(&app, &inspection, &["departure_time"]).await;
    let correction = json!({ "if_match": hash(&first), "answers": { "departure_time": "12:30" } });
    let mut expected = inspection.clone().with("departure_time", "12:30").envelope;
    expected["correction"] = correction.clone();

    let receipt = correct(&phone, &inspection, &correction).await.created();

    let bytes = serde_json::to_vec(&expected).unwrap();
    assert_eq!(hash(&receipt), server::submissions::content_hash(&bytes).unwrap());
    let raw = phone.get(&format!("{}/raw", path(&inspection))).await.ok();
    assert_eq!(raw, expected);
}

async fn what_nobody_sent_back_is_flagged_unless_it_is_named(app: TestApp) {
    let inspection = samples::b3();
    let (phone, first) = returned(&app, &inspection, &["departure_time"]).await;
    let mut correction = json!({
        "if_match": hash(&first), "answers": { "departure_time": "12:30", "co_inspectors": 3, "osh_light": "poor" },
        "also_changed": ["osh_light"],
    });

    let receipt = correct(&phone, &inspection, &correction).await.created();

    assert_eq!(codes(&receipt["flags"]), ["changed_beyond_return"]);
    assert_eq!(receipt["flags"][0]["figures"], json!({ "count": 1, "paths": ["co_inspectors"] }));
    let queue = app.supervisor().await.get("/v1/review-queue").await.ok();
    assert_eq!(queue["items"][0]["risk"]["flags"], 1);
    // A whole revision is looked at in the same way.
    let supervisor = app.supervisor().await;
    let back = json!({ "action": "return", "fields": [{ "path": "b1", "comment": "all of it" }] });
    supervisor.post(&format!("{}/review", path(&inspection)), &back).await.ok();
    correction["answers"] = json!({ "co_inspectors": 2, "departure_time": "12:20" });
    correction["if_match"] = receipt["content_hash"].clone();
    let third = correct(&phone, &inspection, &correction).await.created();
    assert_eq!(third["flags"], json!([]));
}

async fn rows_come_and_go_by_their_path(app: TestApp) {
    let inspection = samples::b3();
    let (phone, first) = returned(&app, &inspection, &["children"]).await;
    let child = inspection.answer("children").unwrap()[0].clone();
    let mut second_child = child.clone();
    second_child["child_code"] = json!("CLI-QTA1-2026-0102-C2");

    let added = json!({ "if_match": hash(&first), "answers": { "children[1]": second_child } });
    let added = correct(&phone, &inspection, &added).await.created();
    let seen = phone.get(&path(&inspection)).await.ok();
    assert_eq!(seen["answers"]["b5"]["children"].as_array().map(Vec::len), Some(2));
    assert_eq!(added["flags"], json!([]));
    let gone = json!({ "if_match": hash(&added), "answers": { "children[0]": null } });
    correct(&phone, &inspection, &gone).await.created();

    let seen = phone.get(&path(&inspection)).await.ok();
    assert_eq!(seen["answers"]["b5"]["children"][0]["child_code"], "CLI-QTA1-2026-0102-C2");
    assert_eq!(seen["answers"]["b5"]["children"].as_array().map(Vec::len), Some(1));
}

async fn a_correction_of_nothing_or_of_nowhere_is_refused_and_stores_nothing(app: TestApp) {
    let inspection = samples::b3();
    let (phone, first) = returned(&app, &inspection, &["departure_time"]).await;
    let of = |answers: Value| json!({ "if_match": hash(&first), "answers": answers });

    let problem =
        correct(&phone, &inspection, &of(json!({ "no_such": 1, "children[9].age_years": 2, "b1": {} })))
            .await
            .refused(400, "question_unknown");
    assert_eq!(problem["paths"], json!(["no_such", "children[9].age_years", "b1"]));
    correct(&phone, &inspection, &of(json!({}))).await.refused(400, "nothing_to_correct");
    correct(&phone, &inspection, &of(json!([]))).await.refused(400, "bad_correction");
    correct(&phone, &inspection, &json!([])).await.refused(400, "bad_correction");
    let without = json!({ "answers": { "departure_time": "12:30" } });
    correct(&phone, &inspection, &without).await.refused(400, "if_match_missing");
    let twice = phone.request(reqwest::Method::POST, &format!("{}/corrections", path(&inspection)));
    let twice = twice.json_bytes(br#"{"answers":{"departure_time":"1","departure_time":"2"}}"#.to_vec());
    twice.send().await.refused(400, "json_duplicate_key");

    assert_eq!(app.count("revisions", "true"), 1);
    assert_eq!(app.count("quarantine", "true"), 0);
    // An answer of the wrong type is an answer: it is stored with its violation, as in any revision.
    let wrong = correct(&phone, &inspection, &of(json!({ "departure_time": ["x"] }))).await.created();
    assert_eq!(wrong["verdict"], "invalid");
}

async fn a_correction_of_an_old_revision_is_stale(app: TestApp) {
    let inspection = samples::b3();
    let (phone, first) = returned(&app, &inspection, &["departure_time"]).await;
    let of_first = |time: &str| json!({ "if_match": hash(&first), "answers": { "departure_time": time } });
    let second = correct(&phone, &inspection, &of_first("12:30")).await.created();

    let problem = correct(&phone, &inspection, &of_first("12:20")).await.refused(412, "revision_stale");
    let unknown = json!({ "if_match": "0".repeat(64), "answers": { "departure_time": "12:20" } });
    correct(&phone, &inspection, &unknown).await.refused(412, "revision_stale");

    assert_eq!(problem["revision"], 2);
    assert_eq!(problem["content_hash"], second["content_hash"]);
    assert_eq!(app.count("revisions", "true"), 2);
}

async fn only_the_filer_corrects(app: TestApp) {
    let inspection = samples::b3();
    let (_, first) = returned(&app, &inspection, &["departure_time"]).await;
    let correction = json!({ "if_match": hash(&first), "answers": { "departure_time": "12:30" } });

    let other = app.inspector_in("PK226").await;
    correct(&other, &inspection, &correction).await.refused(404, "submission_unknown");
    correct(&app.supervisor().await, &inspection, &correction).await.refused(403, "not_permitted");

    assert_eq!(app.count("revisions", "true"), 1);
}

async fn what_was_decided_is_not_changed_silently(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b3();
    let first = phone.file(&inspection).await.created();
    let accept = json!({ "action": "accept" });
    app.supervisor().await.post(&format!("{}/review", path(&inspection)), &accept).await.ok();

    let correction = json!({ "if_match": hash(&first), "answers": { "departure_time": "12:30" } });
    let receipt = correct(&phone, &inspection, &correction).await.created();

    assert_eq!(codes(&receipt["flags"]), ["revised_after_acceptance"]);
    assert_eq!(phone.get(&path(&inspection)).await.ok()["review"], "received");
}

async fn a_second_phone_learns_what_the_first_one_did(app: TestApp) {
    let inspection = samples::b3();
    let (one, first) = returned(&app, &inspection, &["departure_time"]).await;
    let other = app.inspector().await;
    let of_first = |time: &str| json!({ "if_match": hash(&first), "answers": { "departure_time": time } });
    correct(&one, &inspection, &of_first("12:30")).await.created();

    let told = correct(&other, &inspection, &of_first("12:10")).await.refused(412, "revision_stale");
    let newer = other.get(&format!("{}/revisions/{}", path(&inspection), told["revision"])).await.ok();
    let between = other.get(&format!("{}/diff?from=1&to={}", path(&inspection), told["revision"])).await.ok();

    assert_eq!(newer["content_hash"], told["content_hash"]);
    assert_eq!(newer["answers"]["b1"]["departure_time"], "12:30");
    assert_eq!(between["items"][0]["after"], "12:30");
    let settled = json!({ "if_match": told["content_hash"], "answers": { "departure_time": "12:10" } });
    assert_eq!(correct(&other, &inspection, &settled).await.created()["revision"], 3);
    // The first phone's late resend of its own is no error.
    correct(&one, &inspection, &of_first("12:30")).await.ok();
}
