//! Revisions: another content under the same id, by somebody who knows the last one.

use harness::{Submission, TestApp, on_both_databases, samples};
use serde_json::Value;

on_both_databases!(
    a_revision_follows_the_last_one,
    a_stale_revision_is_refused_and_says_what_is_stored,
    a_late_resend_of_an_older_revision_is_no_error,
    of_two_revisions_at_once_one_is_stored,
    nothing_is_there_to_revise,
    somebody_elses_submission_cannot_be_revised,
    every_revision_can_be_read_as_it_was,
);

fn hash(receipt: &Value) -> &str {
    receipt["content_hash"].as_str().unwrap()
}

fn corrected(inspection: &Submission, co_inspectors: i64) -> Submission {
    inspection.clone().with("co_inspectors", co_inspectors)
}

async fn a_revision_follows_the_last_one(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let first = phone.file(&inspection).await.created();

    let second = phone.revise(&corrected(&inspection, 2), hash(&first)).await;

    assert_eq!(
        second.header("etag").map(|tag| tag.trim_matches('"')),
        second.json()["content_hash"].as_str()
    );
    assert_eq!(second.created()["revision"], 2);
    assert_eq!(app.count("submissions", "revision = 2"), 1);
    assert_eq!(app.count("revisions", "true"), 2);
    assert_eq!(app.count("audit_events", "action = 'submission.revised'"), 1);
}

async fn a_stale_revision_is_refused_and_says_what_is_stored(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let first = phone.file(&inspection).await.created();
    let second = phone.revise(&corrected(&inspection, 2), hash(&first)).await.created();

    let problem = phone.revise(&corrected(&inspection, 3), hash(&first)).await.refused(412, "revision_stale");

    assert_eq!(problem["revision"], 2);
    assert_eq!(problem["content_hash"], second["content_hash"]);
    assert_eq!(app.count("revisions", "true"), 2);
}

async fn a_late_resend_of_an_older_revision_is_no_error(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let first = phone.file(&inspection).await.created();
    let second = phone.revise(&corrected(&inspection, 2), hash(&first)).await.created();

    let late = phone.file(&inspection).await.ok();
    let repeated = phone.revise(&corrected(&inspection, 2), hash(&first)).await.ok();

    assert_eq!(late["receipt"], first["receipt"]);
    assert_eq!(late["revision"], 1);
    assert_eq!(repeated["receipt"], second["receipt"]);
    assert_eq!(app.count("submissions", "revision = 2"), 1);
}

async fn of_two_revisions_at_once_one_is_stored(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let first = phone.file(&inspection).await.created();
    let (one, other) = (corrected(&inspection, 2), corrected(&inspection, 3));

    let (one, other) = tokio::join!(phone.revise(&one, hash(&first)), phone.revise(&other, hash(&first)));

    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 412]);
    assert_eq!(app.count("revisions", "true"), 2);
}

async fn nothing_is_there_to_revise(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();

    phone.revise(&inspection, &"0".repeat(64)).await.refused(412, "nothing_to_revise");
    let request = phone.request(reqwest::Method::PUT, &format!("/v1/submissions/{}", inspection.id));
    let without_quotes = request.header("If-Match", "abc").json_bytes(inspection.bytes()).send().await;

    without_quotes.refused(400, "bad_if_match");
    assert_eq!(app.count("submissions", "true"), 0);
}

async fn somebody_elses_submission_cannot_be_revised(app: TestApp) {
    let (phone, other) = (app.inspector().await, app.inspector_in("PK226").await);
    let inspection = samples::b1();
    let first = phone.file(&inspection).await.created();

    other.revise(&corrected(&inspection, 2), hash(&first)).await.expect(404);
    other.file(&inspection).await.expect(404);

    assert_eq!(app.count("revisions", "true"), 1);
}

async fn every_revision_can_be_read_as_it_was(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let path = format!("/v1/submissions/{}", inspection.id);
    let first = phone.file(&inspection).await.created();
    phone.revise(&corrected(&inspection, 2), hash(&first)).await.created();

    let history = phone.get(&format!("{path}/revisions")).await.ok();
    let (one, two) = (
        phone.get(&format!("{path}/revisions/1")).await.ok(),
        phone.get(&format!("{path}/revisions/2")).await.ok(),
    );

    assert_eq!(history["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(history["items"][0]["receipt"], first["receipt"]);
    assert_eq!(one["answers"]["b1"]["co_inspectors"], 1);
    assert_eq!(two["answers"]["b1"]["co_inspectors"], 2);
    assert_eq!(phone.get(&path).await.ok()["revision"], 2);
    phone.get(&format!("{path}/revisions/3")).await.refused(404, "revision_unknown");
    phone.get(&format!("{path}/revisions/zero")).await.expect(400);
}
