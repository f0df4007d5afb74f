//! The clock is set back under a running server. What was said before stands, and nobody waits for the time that is gone.

use chrono::Duration;
use harness::{TestApp, on_both_databases, photos, samples};
use serde_json::json;
use server::db::By;

on_both_databases!(a_clock_that_is_set_back_loses_nothing_and_keeps_nobody_out);

async fn a_clock_that_is_set_back_loses_nothing_and_keeps_nobody_out(app: TestApp) {
    let phone = app.inspector().await;
    let photo = photos::snapshot_of_size("front.jpg", 64, 48, &photos::Camera::default());
    let first = samples::b1().without_photos().with_photo(photo.clone());
    let receipt = phone.file(&first).await.created();
    phone.upload(first.id, &photo).await.created();
    let guess = json!({ "username": "auditor", "password": "not the password" });
    for _ in 0..5 {
        app.stranger().post("/v1/auth/login", &guess).await.refused(401, "credentials_invalid");
    }

    app.clock.advance(Duration::hours(-30));

    // Whoever was logged in still is, and whoever was not can.
    phone.get("/v1/me").await.ok();
    app.auditor().await;
    let renewed =
        app.stranger().post("/v1/auth/refresh", &json!({ "refresh_token": phone.refresh_token })).await.ok();
    let phone = phone.with_tokens(&renewed);
    // What was filed stands, and more is taken.
    assert_eq!(phone.file(&first).await.ok()["receipt"], receipt["receipt"]);
    let second = samples::b3().without_photos();
    let later = phone.file(&second).await.created();
    assert_ne!(later["receipt"], receipt["receipt"]);
    let revised = first.clone().with("remarks", "seen again");
    let hash = receipt["content_hash"].as_str().unwrap_or_default().to_owned();
    if !hash.is_empty() {
        let answer = phone.revise(&revised, &hash).await;
        assert!(answer.status < 500, "{}", answer.text());
    }
    let listed = app.supervisor().await.get("/v1/submissions").await.ok().to_string();
    for id in [first.id, second.id] {
        assert!(listed.contains(&id.to_string()), "{listed}");
    }
    // What was left to be done is done, though its hour has not come again.
    assert!(app.run_jobs().await > 0);
    let left = app.admin().await.get("/v1/jobs?kind=photo.understand").await.ok();
    assert_eq!(left["items"], json!([]), "{left}");
    // The log is one chain all the same.
    let db = app.services().db;
    while db.read(server::audit::has_pending).await.unwrap() {
        db.write(By::system(), server::audit::seal_pending).await.unwrap();
    }
    let report = db.read(server::audit::verify).await.unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    // A token of the time that is gone is good until its own end and no longer.
    app.clock.advance(Duration::minutes(16));
    phone.get("/v1/me").await.refused(401, "token_expired");
}
