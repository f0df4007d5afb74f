//! The day of an auditor and of those behind her: a home of 98.6 points in which a child is missing, and which is `stop` all
//! the same; the plan with its dates, the police who are called, the proof that comes two days later; the next audit, which
//! another auditor must make, and the better rating it ends with.

use chrono::Duration;
use harness::cases::at;
use harness::{Submission, TestApp, deeds, on_both_databases, photos, samples};
use serde_json::{Value, json};
use uuid::Uuid;

on_both_databases!(an_audit_from_the_missing_child_to_the_better_rating);

/// The home, as the auditor finds it.
fn home() -> Value {
    json!({
        "kind": "orphanage", "name_en": "Demo Home of the Valley", "district": "PK226", "capacity": 12,
        "position": { "lat": 30.2, "lon": 66.9, "accuracy_m": 20.0, "fixed_at": "2026-11-20T09:25:00+05:00" },
    })
}

/// The audit of a home with a child who is on the roster and nowhere to be seen.
fn a_child_is_missing(home: &str) -> Submission {
    samples::sample_of("shelter-audit", "c4-child-unaccounted-for").at("facility", home)
}

/// The audit that finds everything in order, six days later.
fn all_is_well(home: &str) -> Submission {
    samples::sample_of("shelter-audit", "c1-clean-home")
        .at("facility", home)
        .at("started_at", "2026-11-26T09:25:00+05:00")
        .at("finished_at", "2026-11-26T16:00:00+05:00")
}

async fn an_audit_from_the_missing_child_to_the_better_rating(app: TestApp) {
    let (auditor, officer) = (app.auditor().await, app.login("supervisor-swd").await);
    let me = auditor.get("/v1/me").await.ok()["id"].clone();
    let home = {
        let path = format!("/v1/facilities/{}", Uuid::new_v4());
        auditor.put(&path, &self::home()).await.created();
        officer.post(&format!("{path}/confirm"), &json!({})).await.ok();
        path.rsplit('/').next().unwrap().to_owned()
    };

    // 98.6 points, and stop.
    let audit = a_child_is_missing(&home);
    let receipt = auditor.file_whole(&audit).await;
    let read = auditor.get(&format!("/v1/submissions/{}", audit.id)).await.ok();
    let calculated = &read["calculated"];
    assert_eq!(
        (&calculated["total_score"], &calculated["rating"], &calculated["stop_found"]),
        (&json!(98.6), &json!("stop"), &json!(true))
    );
    assert_eq!(calculated["prev_audit_score"], Value::Null, "nobody was there before");
    assert_eq!(read["answers"]["c16"]["plan"][0]["plan_due"], "2026-11-20");

    // The finding is due the same day, and those who must hear of it hear of it at once.
    let missing = officer.finding(audit.id, "SH-MISSING").await;
    assert_eq!((&missing["severity"], &missing["same_day"]), (&json!("stop"), &json!(true)));
    assert_eq!(missing["due_at"], "2026-11-20T18:59:59Z");
    assert_eq!(app.count("jobs", "kind = 'notify' AND details LIKE '%finding.urgent%'"), 1);
    let copy = auditor.get(&format!("/v1/submissions/{}/employer-copy?format=text", audit.id)).await.text();
    assert!(copy.contains("SH-MISSING") && !copy.contains("M-004"), "{copy}");

    // The rating says when somebody must come again, and it is not the same auditor.
    let next = auditor.get("/v1/assignments").await.ok()["items"][0].clone();
    let next_path = format!("/v1/assignments/{}", next["id"].as_str().unwrap());
    assert_eq!((&next["origin"], &next["due_at"]), (&json!("audit"), &json!("2026-11-27T18:59:59Z")));
    assert_eq!(auditor.get(&next_path).await.ok()["not_for"], json!([me]));
    assert_eq!(auditor.get(&format!("/v1/facilities/{home}")).await.ok()["risk"], "high");

    // The police have no account: they are called, and the officer writes down what they said.
    let referral = json!({
        "body": "police", "consent": { "basis": "legal_basis", "note": "a missing child is reported" },
        "voice": { "spoke_to": "the station clerk", "at": "2026-11-20T17:05:00+05:00" },
    });
    let sent = officer.act(&missing, "/referrals", referral).await.created();
    officer.act(&sent, "/transitions", json!({ "to": "accepted" })).await.ok();

    // Two days later the boy is found. The proof is added to the audit that showed that he was not there.
    app.clock.advance(Duration::days(2));
    app.run_jobs().await;
    let (auditor, officer) = (app.auditor().await, app.login("supervisor-swd").await);
    let with_proof = audit.clone().with_photo(photos::jpeg("police-report.jpg", "found in Mastung"));
    auditor.revise(&with_proof, receipt["content_hash"].as_str().unwrap()).await.created();
    let said =
        json!({ "to": "remedied", "comment": "he is back", "evidence": { "media": ["police-report.jpg"] } });
    let page = officer.get(&at(&missing, "")).await.ok();
    officer.step(&page, said.clone()).await.refused(400, "evidence_unknown");
    let proof = with_proof.photos.iter().find(|photo| photo.name == "police-report.jpg").unwrap();
    auditor.upload(audit.id, proof).await.created();
    let remedied = officer.step(&page, said).await.ok();
    assert_eq!(remedied["deadline"], "breached", "it was put right, and late");
    let accept = json!({ "action": "accept" });
    officer.post(&format!("/v1/submissions/{}/review", audit.id), &accept).await.ok();

    // Whoever made the last audit does not make the next one; a colleague does.
    auditor.post(&format!("{next_path}/take"), &json!({})).await.refused(409, "rotation_forbids");
    app.clock.advance(Duration::days(4));
    let officer = app.login("supervisor-swd").await;
    let colleague = app.account("other-auditor", json!({ "role": "auditor", "areas": ["PK226"] })).await;
    colleague.post(&format!("{next_path}/take"), &json!({})).await.ok();
    let again = all_is_well(&home);
    colleague.file_whole(&again).await;
    let read = colleague.get(&format!("/v1/submissions/{}", again.id)).await.ok();
    assert_eq!(read["calculated"]["prev_audit_score"], 98.6);
    assert_eq!(read["calculated"]["rating"], "green", "{}", read["calculated"]);

    // One visit was the next audit and the look at what was put right; the finding is verified, and the home watched less.
    let seen =
        json!({ "to": "verified", "comment": "all nine are there", "evidence": { "submission": again.id } });
    let page = officer.get(&at(&missing, "")).await.ok();
    let verified = officer.step(&page, seen).await.ok();
    let done = officer.get("/v1/assignments?state=done").await.ok()["items"].clone();
    let origins: Vec<&str> = done.as_array().unwrap().iter().filter_map(|it| it["origin"].as_str()).collect();
    assert_eq!(origins.len(), 2, "{done}");
    assert!(origins.contains(&"audit") && origins.contains(&"finding"), "{done}");
    assert_eq!(officer.get(&format!("/v1/facilities/{home}")).await.ok()["risk"], "low");
    let after = officer.get("/v1/assignments").await.ok()["items"][0].clone();
    assert_eq!((&after["origin"], &after["origin_id"]), (&json!("audit"), &json!(again.id)));
    assert!(after["due_at"].as_str().unwrap() > "2027-05", "{after}");
    assert_eq!(
        deeds(&verified),
        [
            "finding.opened",
            "referral.sent",
            "referral.accepted",
            "finding.breached",
            "finding.escalated",
            "finding.remedied",
            "finding.verified",
        ]
    );
}
