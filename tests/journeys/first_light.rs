//! An inspector's day: log in, fetch the questionnaire, file an inspection with its photos from a place in Quetta, and
//! have proof of it; and what the supervisor sees of it afterwards.

use harness::{TestApp, codes, on_both_databases, samples};
use reqwest::Method;
use serde_json::json;

on_both_databases!(in WithBoundaries: an_inspection_is_filed_from_end_to_end, a_day_without_network_is_made_up_for);

async fn an_inspection_is_filed_from_end_to_end(app: TestApp) {
    let inspector = app.inspector().await;
    let listed = inspector.get("/v1/forms").await.ok();
    let release = inspector.get("/v1/forms/child-labour-inspection/releases/1").await.ok();
    assert_eq!(listed["items"][0]["hash"], release["hash"]);

    let inspection = samples::b3();
    let receipt = inspector.file(&inspection).await.created();
    for photo in &inspection.photos {
        inspector.upload(inspection.id, photo).await.created();
    }

    assert_eq!(receipt["verdict"], "valid");
    assert_eq!(receipt["place"]["district"]["name_en"], "Quetta");
    assert!(codes(&receipt["findings"]).contains(&"AGE-02"));
    let child =
        receipt["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "AGE-02").unwrap();
    assert_eq!(child["row"], "CLI-QTA1-2026-0102-C1");
    assert!(child["due_at"].is_string());

    let supervisor = app.supervisor().await;
    let waiting = supervisor.get("/v1/submissions?review=received&district=PK226").await.ok();
    assert_eq!(waiting["items"][0]["id"], inspection.id.to_string());
    assert_eq!(waiting["items"][0]["media"], "complete");
    let shown = supervisor.get(&format!("/v1/submissions/{}", inspection.id)).await.ok();
    assert_eq!(shown["receipt"], receipt["receipt"]);
    assert_eq!(shown["findings"].as_array().map(Vec::len), receipt["findings"].as_array().map(Vec::len));
}

/// The phone filed in the field, the answer never came; a day later it sends everything again, with a new token.
async fn a_day_without_network_is_made_up_for(app: TestApp) {
    let phone = app.inspector().await;
    let (sent, unsent) = (samples::b1(), samples::b3());
    phone.file(&sent).await.created();
    app.clock.advance(chrono::Duration::days(1));

    phone.file(&sent).await.refused(401, "token_expired");
    let tokens = phone.post("/v1/auth/refresh", &json!({ "refresh_token": phone.refresh_token })).await.ok();
    let phone = phone.with_tokens(&tokens);
    let statuses = [phone.file(&sent).await.status, phone.file(&unsent).await.status];
    let etag = phone.get("/v1/forms").await.header("etag").unwrap().to_owned();

    assert_eq!(statuses, [200, 201]);
    phone.request(Method::GET, "/v1/forms").header("If-None-Match", &etag).send().await.expect(304);
    assert_eq!(app.count("submissions", "true"), 2);
}
