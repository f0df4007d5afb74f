//! Reading what was filed: lists and single submissions.

use chrono::Duration;
use harness::{TestApp, on_both_databases, samples};
use serde_json::Value;

on_both_databases!(
    pages_hold_every_submission_once,
    lists_can_be_narrowed,
    a_submission_is_shown_whole_to_its_filer,
    the_bytes_are_kept_as_they_came,
    a_query_that_makes_no_sense_says_so,
);

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["id"].as_str().map(str::to_owned)).collect()
}

async fn pages_hold_every_submission_once(app: TestApp) {
    let phone = app.inspector().await;
    let mut filed = Vec::new();
    for n in 0..7 {
        filed.push(phone.file(&samples::b1()).await.created()["id"].as_str().unwrap().to_owned());
        // Some in the same instant, some not: the order must hold either way.
        app.clock.advance(Duration::milliseconds(n % 2));
    }

    let mut seen = Vec::new();
    let mut page = phone.get("/v1/submissions?limit=3").await.ok();
    loop {
        seen.extend(ids(&page));
        let Some(next) = page["next"].as_str() else { break };
        page = phone.get(&format!("/v1/submissions?limit=3&after={next}")).await.ok();
    }

    let newest = filed.last().unwrap().clone();
    assert_eq!(seen.first(), Some(&newest));
    seen.sort();
    filed.sort();
    assert_eq!(seen, filed);
}

async fn lists_can_be_narrowed(app: TestApp) {
    let phone = app.inspector().await;
    let quetta = phone.file(&samples::b1()).await.created()["id"].as_str().unwrap().to_owned();
    let duki = phone.file(&samples::b2()).await.created()["id"].as_str().unwrap().to_owned();
    let broken = phone.file(&samples::b1().with("departure_time", "09:00")).await.created()["id"]
        .as_str()
        .unwrap()
        .to_owned();

    let some = async |query: &str| {
        let mut ids = ids(&phone.get(&format!("/v1/submissions?{query}")).await.ok());
        ids.sort();
        ids
    };
    let sorted = |mut ids: Vec<&String>| {
        ids.sort();
        ids.into_iter().cloned().collect::<Vec<_>>()
    };

    assert_eq!(some("district=PK234").await, sorted(vec![&duki]));
    assert_eq!(some("verdict=invalid").await, sorted(vec![&broken]));
    assert_eq!(some("bbox=66.9,30.1,67.1,30.3").await, sorted(vec![&quetta, &broken]));
    assert_eq!(some("form=child-labour-inspection&review=received").await.len(), 3);
    assert_eq!(some("form=shelter-audit").await.len(), 0);
    assert_eq!(some("from=2026-11-20&to=2026-11-21").await.len(), 3);
    assert_eq!(some("to=2026-11-20").await.len(), 0);
}

async fn a_submission_is_shown_whole_to_its_filer(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b2();
    let receipt = phone.file(&inspection).await.created();

    let shown = phone.get(&format!("/v1/submissions/{}", inspection.id)).await.ok();

    for member in [
        "id",
        "form",
        "version",
        "revision",
        "content_hash",
        "verdict",
        "media",
        "findings",
        "violations",
        "flags",
    ] {
        assert_eq!(
            shown[member],
            if member == "form" || member == "version" {
                inspection.envelope[member].clone()
            } else {
                receipt[member].clone()
            },
            "{member}"
        );
    }
    assert_eq!(shown["review"], "received");
    assert_eq!(shown["answers"]["b5"]["children"][0]["child_wish"], "Wants to go home to his mother");
    assert_eq!(shown["calculated"]["risk_score"], 71);
}

async fn the_bytes_are_kept_as_they_came(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b1();
    let sent = serde_json::to_vec_pretty(&inspection.envelope).unwrap();
    phone.put_submission(inspection.id, sent.clone()).await.created();

    let raw = phone.get(&format!("/v1/submissions/{}/raw", inspection.id)).await;

    assert_eq!(raw.expect(200).bytes, sent);
}

async fn a_query_that_makes_no_sense_says_so(app: TestApp) {
    let phone = app.inspector().await;

    phone.get("/v1/submissions?bbox=1,2,3").await.refused(400, "bad_bbox");
    phone.get("/v1/submissions?from=yesterday").await.refused(400, "bad_instant");
    phone.get("/v1/submissions?after=nonsense").await.refused(400, "bad_cursor");
    phone.get("/v1/submissions?verdict=splendid").await.refused(400, "bad_query");
    phone.get("/v1/submissions?limit=many").await.refused(400, "bad_query");
    phone.get("/v1/submissions/not-a-uuid").await.refused(400, "bad_id");
    phone.get(&format!("/v1/submissions/{}", uuid::Uuid::new_v4())).await.refused(404, "submission_unknown");
}
