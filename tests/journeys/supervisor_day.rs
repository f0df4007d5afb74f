//! A district officer's day: what came in overnight, the gravest first; what is clean accepted in one go, what is not sent
//! back question by question; a colleague who is quicker; a place somebody registered with its coordinates exchanged; an
//! overdue finding, one that waits for the court, one that is thought too grave; the plan for the week, and at the end a
//! correction of which one sees what differs.

use chrono::Duration;
use harness::cases::at;
use harness::{Person, Submission, TestApp, on_both_databases, samples};
use serde_json::{Value, json};
use uuid::Uuid;

on_both_databases!(a_day_at_the_desk);

fn review(submission: &Submission) -> String {
    format!("/v1/submissions/{}/review", submission.id)
}

async fn queue(who: &Person) -> Vec<Value> {
    who.get("/v1/review-queue").await.ok()["items"].as_array().cloned().unwrap()
}

async fn colleague(app: &TestApp) -> Person {
    app.account("second-officer", json!({ "role": "supervisor", "line": "labour", "areas": ["PK226"] })).await
}

async fn a_day_at_the_desk(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = Uuid::new_v4();
    let facts = |lat: f64, lon: f64| {
        json!({
            "kind": "shop", "name_en": "Demo Shop on the Ring Road", "district": "PK226",
            "position": { "lat": lat, "lon": lon, "accuracy_m": 9.0, "fixed_at": "2026-11-20T08:14:02+05:00" },
        })
    };
    let path = format!("/v1/facilities/{place}");
    inspector.put(&path, &facts(67.0075, 30.1921)).await.created();
    let (shop, workshop, rejected) = (samples::b1(), samples::b3(), samples::b3().again());
    for visit in [&shop, &workshop, &rejected] {
        inspector.file_whole(visit).await;
    }

    // What came in stands by its gravity, and what is clean goes in one go.
    let waiting = queue(&supervisor).await;
    assert_eq!(waiting.len(), 3);
    assert_eq!(waiting[2]["id"], shop.id.to_string(), "the clean one is last: {waiting:?}");
    let order: Vec<&Value> = waiting.iter().map(|it| &it["findings"]).collect();
    assert!(order[0].as_i64() >= order[1].as_i64() && order[2] == &json!(0), "{order:?}");
    let all = json!({ "ids": waiting.iter().map(|it| &it["id"]).collect::<Vec<_>>() });
    let accepted = supervisor.post("/v1/review-queue/accept", &all).await.ok();
    assert_eq!(app.count("submissions", "review = 'accepted'"), 1, "{accepted}");

    // Two officers decide about the same visit at once; one wins, and the other is told who.
    let second = colleague(&app).await;
    let hash = waiting.iter().find(|it| it["id"] == rejected.id.to_string()).unwrap()["content_hash"].clone();
    let no = json!({ "action": "reject", "reason": "filed twice", "if_match": hash });
    let yes = json!({ "action": "accept", "if_match": hash });
    let path_of = review(&rejected);
    let (one, other) = tokio::join!(supervisor.post(&path_of, &no), second.post(&path_of, &yes));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} / {}", one.text(), other.text());
    assert_eq!(app.count("review_events", &format!("submission_id = '{}'", rejected.id)), 1);

    // A question is sent back with a date.
    let back = json!({
        "action": "return", "reason": "when did you leave?", "due_at": "2026-11-24T12:00:00+05:00",
        "fields": [{ "path": "departure_time", "comment": "the register of the gate says half past one" }],
    });
    supervisor.post(&review(&workshop), &back).await.ok();
    let nowhere = json!({ "action": "return", "fields": [{ "path": "no_such", "comment": "?" }] });
    second.post(&review(&workshop), &nowhere).await.expect(400);

    // A place at exchanged coordinates is not confirmed before they are put right.
    let exchanged = supervisor.post(&format!("{path}/confirm"), &json!({})).await;
    exchanged.refused(409, "swapped_coordinates");
    let etag = supervisor.get(&path).await.header("etag").unwrap().to_owned();
    let right = json!({ "position": { "lat": 30.1921, "lon": 67.0075 } });
    supervisor.patch_known(&path, &right, &etag).await.ok();
    supervisor.patch_known(&path, &right, &etag).await.refused(412, "facility_stale");
    let confirmed = supervisor.post(&format!("{path}/confirm"), &json!({})).await.ok();
    assert_eq!(confirmed["facility"]["status"], "active");

    // The desk the next morning: what is overdue is first; one finding waits for the court; one is thought too grave.
    app.clock.advance(Duration::days(1));
    app.run_jobs().await;
    let (inspector, supervisor, head) =
        (app.inspector().await, app.supervisor().await, app.login("labour-head").await);
    let overdue = supervisor.get("/v1/findings?overdue=true&limit=500").await.ok()["items"].clone();
    let late = overdue.as_array().unwrap().clone();
    assert!(late.iter().all(|it| it["deadline"] == "breached") && !late.is_empty(), "{overdue}");
    let schooling = supervisor.finding(workshop.id, "EDU-01").await;
    let until = "2026-12-01T12:00:00+05:00";
    let paused = supervisor
        .act(
            &schooling,
            "/pause",
            json!({ "reason": "the school is closed for the elections", "until": until }),
        )
        .await
        .ok();
    assert_eq!(paused["deadline"], "paused");
    let stale = json!({ "to": "acknowledged" });
    supervisor.step(&schooling, stale).await.refused(412, "finding_stale");
    let grave = supervisor.finding(workshop.id, "REC-01").await;
    let owned = supervisor.acknowledge(&grave).await;
    let milder = json!({ "severity": "info", "comment": "there is a register, badly kept" });
    let asked = supervisor.act(&owned, "/severity", milder).await.ok();
    assert_eq!((&asked["severity"], &asked["proposal"]), (&owned["severity"], &json!("lowering")));
    supervisor.act(&asked, "/proposal", json!({ "agree": true, "comment": "I say so" })).await.expect(403);
    let lowered = head.act(&asked, "/proposal", json!({ "agree": true, "comment": "seen" })).await.ok();
    assert_eq!(lowered["severity"], "info");

    // The week is planned, twice by mistake, and becomes visits once.
    let plan = json!({ "district": "PK226", "date": "2026-11-23", "capacity": 3 });
    let planned = supervisor.post("/v1/planner/assignments", &plan).await;
    assert!(planned.status < 300, "{}", planned.text());
    supervisor.post("/v1/planner/assignments", &plan).await;
    assert_eq!(app.count("assignments", "origin = 'planner'"), 1);
    assert_eq!(inspector.get("/v1/assignments").await.ok()["items"][0]["facility"], place.to_string());

    // The answer comes back; the officer sees by the question's label what changed, and accepts it.
    let corrected = workshop.clone().with("departure_time", "13:30");
    let before =
        inspector.get(&format!("/v1/submissions/{}", workshop.id)).await.ok()["content_hash"].clone();
    let receipt = inspector.revise(&corrected, before.as_str().unwrap()).await.created();
    let diff = supervisor.get(&format!("/v1/submissions/{}/diff?from=1&to=2", workshop.id)).await.ok();
    let changes = diff["items"].as_array().cloned().unwrap_or_default();
    assert!(changes.iter().any(|it| it.to_string().contains("departure_time")), "{diff}");
    let yes = json!({ "action": "accept", "if_match": receipt["content_hash"] });
    supervisor.post(&review(&workshop), &yes).await.ok();
    assert_eq!(queue(&supervisor).await.len(), 0);
    let kept = supervisor.get(&at(&paused, "")).await.ok();
    assert_eq!(kept["deadline"], "paused", "a correction of something else leaves the court in peace");
    let counted = supervisor.get("/v1/facilities/coverage?district=PK226").await.ok();
    assert!(counted.to_string().contains("\"known\":1"), "{counted}");
}
