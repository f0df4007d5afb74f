//! Findings: they follow the rules, are worked step by step, and nothing of them is lost or betrayed.

use chrono::Duration;
use harness::{Person, TestApp, codes, deeds, on_both_databases, samples};
use serde_json::{Value, json};
use uuid::Uuid;

use super::facilities::{kiln_with, registered};

on_both_databases!(
    a_filing_opens_its_findings_once,
    a_correction_supersedes_what_is_no_longer_true_and_nothing_is_deleted,
    a_finding_goes_from_hand_to_hand,
    whoever_acts_on_a_stale_page_is_told,
    of_two_supervisors_one_wins,
    severity_is_raised_by_one_and_lowered_by_two,
    a_dismissal_takes_a_second_person,
    what_was_put_right_and_is_found_again_has_recurred,
    a_later_visit_that_sees_nothing_closes_nothing,
    findings_go_with_the_submission_to_another_facility,
    what_is_found_again_after_a_merge_is_found_again,
    a_rejected_submission_counts_for_nothing_until_that_is_taken_back,
    the_employers_copy_betrays_nothing,
    each_reads_what_is_theirs,
    bad_requests_are_told_what_is_wrong,
    findings_and_their_history_cannot_be_rewritten,
);

/// A later visit to the same place with the same answers.
fn later(sample: samples::Submission, finished_at: &str) -> samples::Submission {
    sample.again().at("started_at", finished_at).at("finished_at", finished_at)
}

async fn a_filing_opens_its_findings_once(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let visit = samples::b3();

    let receipt = inspector.file(&visit).await.created();
    inspector.file(&visit).await.ok();

    let found = supervisor.findings_of(visit.id).await;
    let mut told = codes(&receipt["findings"]);
    let all = json!(found);
    told.sort_unstable();
    assert_eq!(codes(&all), told);
    assert!(found.iter().all(|it| it["state"] == "open" && it["version"] == 1 && it["recurrence"] == 0));
    // What is due soonest comes first.
    let due: Vec<&str> = found.iter().filter_map(|it| it["due_at"].as_str()).collect();
    assert!(due.is_sorted(), "{due:?}");
    let child = supervisor.finding(visit.id, "AGE-02").await;
    assert_eq!(child["subject"], "CLI-QTA1-2026-0102-C1");
    assert_eq!(child["same_day"], true);
    assert_eq!(child["due_at"], "2026-11-20T18:59:59Z");
    assert_eq!(deeds(&child), ["finding.opened"]);
    assert_eq!(app.count("audit_events", "action = 'findings.reconciled'"), 1);
}

async fn a_correction_supersedes_what_is_no_longer_true_and_nothing_is_deleted(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let visit = samples::b3();
    let first = inspector.file(&visit).await.created();
    let seen = supervisor.finding(visit.id, "HRS-04").await;
    supervisor.acknowledge(&seen).await;
    let before = supervisor.findings_of(visit.id).await.len();

    let corrected = visit.clone().with("children[0].overtime", false);
    let second = inspector.revise(&corrected, first["content_hash"].as_str().unwrap()).await.created();
    let gone = supervisor.finding(visit.id, "HRS-04").await;
    let kept = supervisor.finding(visit.id, "AGE-02").await;
    inspector
        .revise(&visit.clone().with("children[0].ppe", "partial"), second["content_hash"].as_str().unwrap())
        .await
        .created();
    let back = supervisor.finding(visit.id, "HRS-04").await;

    assert_eq!((&gone["state"], &gone["cause"]), (&json!("superseded"), &json!("corrected")));
    assert_eq!((&kept["version"], &kept["revision"]), (&json!(1), &json!(2)), "nothing happened to it");
    assert_eq!((&back["id"], &back["state"]), (&gone["id"], &json!("acknowledged")));
    assert_eq!(
        deeds(&back),
        ["finding.opened", "finding.acknowledged", "finding.superseded", "finding.revived"]
    );
    assert_eq!(supervisor.findings_of(visit.id).await.len(), before);
}

async fn a_finding_goes_from_hand_to_hand(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let (place, visit) = (Uuid::new_v4().to_string(), samples::b3());
    let visit = visit.at("facility", place.clone());
    inspector.file_whole(&visit).await;
    let open = supervisor.finding(visit.id, "REC-01").await;

    supervisor
        .step(&open, json!({ "to": "verified", "comment": "x", "evidence": { "media": ["x"] } }))
        .await
        .refused(409, "step_not_possible");
    let owned = supervisor.acknowledge(&open).await;
    supervisor
        .step(&owned, json!({ "to": "remedied", "comment": "he says so" }))
        .await
        .refused(400, "evidence_needed");
    supervisor
        .step(&owned, json!({ "to": "remedied", "comment": "there", "evidence": { "media": ["none.jpg"] } }))
        .await
        .refused(400, "evidence_unknown");
    app.clock.advance(Duration::days(6));
    let inspector = app.inspector().await;
    let supervisor = app.supervisor().await;
    let again = later(visit.clone(), "2026-11-26T12:00:00+05:00")
        .with("visit_date", "2026-11-26")
        .with("rec_register", "yes");
    inspector.file(&again).await.created();
    let shown = json!({ "submission": again.id });
    let remedied = supervisor
        .step(&owned, json!({ "to": "remedied", "comment": "a register lies there", "evidence": shown }))
        .await
        .ok();
    let verified = supervisor
        .step(&remedied, json!({ "to": "verified", "comment": "seen by the inspector", "evidence": shown }))
        .await
        .ok();

    assert_eq!(verified["state"], "verified");
    assert_eq!(verified["deadline"], "met");
    assert_eq!(verified["may"], json!([]));
    assert_eq!(
        deeds(&verified),
        ["finding.opened", "finding.acknowledged", "finding.remedied", "finding.verified"]
    );
    assert_eq!(verified["history"][3]["details"]["evidence"]["submission"], again.id.to_string());
    assert_eq!(app.count("audit_events", "action = 'finding.verified'"), 1);
}

async fn whoever_acts_on_a_stale_page_is_told(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let page = supervisor.finding(visit.id, "REC-01").await;
    inspector
        .act(&page, "/severity", json!({ "severity": "major", "comment": "twelve children" }))
        .await
        .ok();

    let problem = supervisor.step(&page, json!({ "to": "acknowledged" })).await.refused(412, "finding_stale");

    assert_eq!(problem["version"], 2);
    let fresh = supervisor.get(&harness::cases::at(&page, "")).await;
    assert_eq!(fresh.header("etag"), Some("\"2\""));
    supervisor.acknowledge(&fresh.ok()).await;
}

async fn of_two_supervisors_one_wins(app: TestApp) {
    let inspector = app.inspector().await;
    let one = app.supervisor().await;
    let other =
        app.account("second", json!({ "role": "supervisor", "line": "labour", "areas": ["PK226"] })).await;
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let page = one.finding(visit.id, "OSH-01").await;
    let path = harness::cases::at(&page, "/transitions");

    let body = json!({ "to": "acknowledged" });
    let (first, second) = tokio::join!(one.post(&path, &body), other.post(&path, &body));

    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} / {}", first.text(), second.text());
    assert_eq!(deeds(&one.finding(visit.id, "OSH-01").await), ["finding.opened", "finding.acknowledged"]);
}

async fn severity_is_raised_by_one_and_lowered_by_two(app: TestApp) {
    let (inspector, supervisor, head) =
        (app.inspector().await, app.supervisor().await, app.login("labour-head").await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let page = inspector.finding(visit.id, "REC-01").await;

    let raised = inspector
        .act(&page, "/severity", json!({ "severity": "critical", "comment": "twelve children" }))
        .await
        .ok();
    inspector
        .act(&raised, "/severity", json!({ "severity": "minor", "comment": "oh well" }))
        .await
        .refused(403, "step_not_permitted");
    let asked = supervisor
        .act(&raised, "/severity", json!({ "severity": "minor", "comment": "three children" }))
        .await
        .ok();
    supervisor
        .act(&asked, "/severity", json!({ "severity": "info", "comment": "none" }))
        .await
        .refused(409, "proposal_stands");
    supervisor
        .act(&asked, "/proposal", json!({ "agree": true, "comment": "mine" }))
        .await
        .refused(403, "not_permitted");
    let seen = head.finding(visit.id, "REC-01").await;
    let lowered = head.act(&seen, "/proposal", json!({ "agree": true, "comment": "agreed" })).await.ok();
    head.act(&lowered, "/proposal", json!({ "agree": true, "comment": "again" }))
        .await
        .refused(409, "nothing_proposed");

    assert_eq!((&raised["severity"], &raised["rule_severity"]), (&json!("critical"), &json!("minor")));
    assert_eq!((&asked["severity"], &asked["proposal"]), (&json!("critical"), &json!("lowering")));
    assert_eq!(seen["proposed"]["reason"], "three children");
    assert_eq!((&lowered["severity"], &lowered["proposal"]), (&json!("minor"), &Value::Null));
}

async fn a_dismissal_takes_a_second_person(app: TestApp) {
    let (inspector, supervisor, head) =
        (app.inspector().await, app.supervisor().await, app.login("labour-head").await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let page = supervisor.finding(visit.id, "BIR-01").await;

    supervisor.step(&page, json!({ "to": "dismissed" })).await.refused(400, "words_needed");
    let asked =
        supervisor.step(&page, json!({ "to": "dismissed", "comment": "the B-form was found" })).await.ok();
    let declined =
        head.act(&asked, "/proposal", json!({ "agree": false, "comment": "send the B-form" })).await.ok();
    let asked_again =
        supervisor.step(&declined, json!({ "to": "dismissed", "comment": "here it is" })).await.ok();
    let dismissed =
        head.act(&asked_again, "/proposal", json!({ "agree": true, "comment": "seen" })).await.ok();
    let listed = supervisor.get("/v1/findings?code=BIR-01").await.ok();
    let reopened = supervisor
        .step(&dismissed, json!({ "to": "acknowledged", "comment": "it was another child's" }))
        .await
        .ok();

    assert_eq!(
        (&asked["state"], &declined["state"], &dismissed["state"]),
        (&json!("open"), &json!("open"), &json!("dismissed"))
    );
    assert_eq!(listed["items"], json!([]));
    assert_eq!(reopened["state"], "acknowledged");
}

async fn what_was_put_right_and_is_found_again_has_recurred(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = Uuid::new_v4().to_string();
    let first = samples::b3()
        .at("facility", place.clone())
        .with_photo(harness::photos::jpeg("register.jpg", "register"));
    inspector.file_whole(&first).await;
    let owned = supervisor.acknowledge(&supervisor.finding(first.id, "REC-01").await).await;
    let shown = json!({ "to": "remedied", "comment": "done", "evidence": { "media": ["register.jpg"] } });
    let remedied = supervisor.step(&owned, shown).await.ok();
    app.clock.advance(Duration::days(10));
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);

    let second = later(samples::b3(), "2026-11-30T12:00:00+05:00")
        .with("visit_date", "2026-11-30")
        .at("facility", place.clone());
    inspector.file(&second).await.created();

    let anew = supervisor.finding(second.id, "REC-01").await;
    let old = supervisor.get(&harness::cases::at(&remedied, "")).await.ok();
    let standing = supervisor.finding(second.id, "AGE-02").await;
    assert_ne!(anew["id"], old["id"]);
    assert_eq!((&anew["recurrence"], &anew["state"]), (&json!(1), &json!("open")));
    assert_eq!((&old["state"], &old["cause"]), (&json!("superseded"), &json!("recurred")));
    assert_eq!(deeds(&standing), ["finding.opened", "finding.seen_again"]);
    assert_eq!(app.count("finding_cases", "code = 'AGE-02'"), 1);
}

async fn a_later_visit_that_sees_nothing_closes_nothing(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = Uuid::new_v4().to_string();
    let found = samples::b3().at("facility", place.clone());
    inspector.file(&found).await.created();
    app.clock.advance(Duration::minutes(5));

    let clean = samples::b1().at("facility", place);
    inspector.file(&clean).await.created();

    assert!(supervisor.findings_of(found.id).await.iter().all(|it| it["state"] == "open"));
}

async fn findings_go_with_the_submission_to_another_facility(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let visit = samples::b3();
    let receipt = inspector.file(&visit).await.created();
    let before = supervisor.acknowledge(&supervisor.finding(visit.id, "AGE-02").await).await;

    let place = Uuid::new_v4().to_string();
    let known = visit.clone().at("facility", place.clone());
    inspector.revise(&known, receipt["content_hash"].as_str().unwrap()).await.created();

    let after = supervisor.finding(visit.id, "AGE-02").await;
    assert_eq!((&after["id"], &after["state"]), (&before["id"], &json!("acknowledged")));
    assert_eq!(after["facility"], place);
    assert_eq!(app.count("finding_cases", "state = 'superseded'"), 0);
}

async fn what_is_found_again_after_a_merge_is_found_again(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let first = registered(&inspector, &kiln_with(json!({ "name_en": "Demo Karim" }))).await;
    let elsewhere = json!({ "name_en": "Demo Shahid", "position": { "lat": 29.0, "lon": 67.0 } });
    let second = registered(&inspector, &kiln_with(elsewhere)).await;
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let visit = samples::b3().at("facility", id(&first));
    inspector.file(&visit).await.created();

    supervisor.post(&format!("{first}/merge"), &json!({ "into": id(&second) })).await.ok();
    app.clock.advance(Duration::minutes(5));
    let again = later(samples::b3(), "2026-11-20T16:50:00+05:00").at("facility", id(&second).to_uppercase());
    inspector.file(&again).await.created();

    let finding = supervisor.finding(again.id, "AGE-02").await;
    assert_eq!(deeds(&finding), ["finding.opened", "finding.seen_again"]);
    let there = supervisor.get(&format!("/v1/findings?facility={}&code=AGE-02", id(&second))).await.ok();
    assert_eq!(there["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(there["items"][0]["id"], finding["id"]);
}

async fn a_rejected_submission_counts_for_nothing_until_that_is_taken_back(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let page = supervisor.acknowledge(&supervisor.finding(visit.id, "AGE-02").await).await;
    let path = format!("/v1/submissions/{}/review", visit.id);

    supervisor
        .post(&path, &json!({ "action": "reject", "reason": "filed for another workplace" }))
        .await
        .ok();
    let rejected = supervisor.get(&harness::cases::at(&page, "")).await.ok();
    let open = supervisor.get("/v1/findings").await.ok();
    let second = json!({ "role": "supervisor", "line": "labour", "areas": ["PK226"] });
    let second = app.account("second", second).await;
    second.post(&path, &json!({ "action": "reopen", "reason": "it was this one" })).await.ok();
    let back = supervisor.get(&harness::cases::at(&page, "")).await.ok();

    assert_eq!((&rejected["state"], &rejected["cause"]), (&json!("superseded"), &json!("rejected")));
    assert_eq!(open["items"], json!([]));
    assert_eq!(back["state"], "acknowledged");
    assert_eq!(supervisor.get("/v1/findings?state=open").await.ok()["items"].as_array().unwrap().len(), 14);
}

async fn the_employers_copy_betrays_nothing(app: TestApp) {
    let (inspector, mine) = (app.inspector().await, samples::b2());
    let receipt = inspector.file(&mine).await.created();
    let path = format!("/v1/submissions/{}/employer-copy", mine.id);

    let copy = inspector.get(&path).await.ok();
    let text = inspector.get(&format!("{path}?format=text")).await;
    let page = inspector.get(&format!("{path}?format=html")).await;

    let told: Vec<&str> = codes(&copy["items"]);
    assert_eq!(
        told,
        [
            "EDU-01", "HAZ-01", "HAZ-02", "HAZ-03", "HAZ-05", "HRS-01", "INJ-01", "OSH-01", "OSH-02",
            "OSH-03", "REC-01", "REC-02", "REC-03"
        ]
    );
    let hidden = receipt["findings"].as_array().unwrap().iter().filter(|it| it["disclose"] == false);
    let hidden: Vec<&Value> = hidden.filter(|it| !told.contains(&it["code"].as_str().unwrap())).collect();
    assert!(hidden.len() >= 9);
    for said in [copy.to_string(), text.text(), page.text()] {
        for finding in &hidden {
            assert!(!said.contains(finding["code"].as_str().unwrap()), "{}", finding["code"]);
            assert!(!said.contains(finding["title"]["en"].as_str().unwrap()), "{}", finding["title"]);
        }
        for betrayal in ["-C1", "-C2", "risk", "children[", "bond", "traffick", "\"severity\"", "\"n\""] {
            assert!(!said.contains(betrayal), "the copy says {betrayal}");
        }
    }
    assert!(text.text().contains("13. ") && !text.text().contains("14. "), "numbered without gaps");
    assert!(page.text().contains("dir=\"rtl\"") && page.header("cache-control") == Some("no-store"));
    assert_eq!(app.count("audit_events", "action = 'submission.employer_copy'"), 3);
    app.auditor().await.get(&path).await.refused(404, "submission_unknown");
    app.login("deputy-director").await.get(&path).await.refused(403, "not_permitted");
    app.login("labour-head").await.get(&path).await.ok();
}

async fn each_reads_what_is_theirs(app: TestApp) {
    let inspector = app.inspector().await;
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let supervisor = app.supervisor().await;
    let page = supervisor.finding(visit.id, "AGE-02").await;
    let path = harness::cases::at(&page, "");
    let owned = supervisor
        .step(&page, json!({ "to": "acknowledged", "comment": "I have told his mother" }))
        .await
        .ok();
    let elsewhere =
        app.account("elsewhere", json!({ "role": "supervisor", "line": "labour", "areas": ["PK234"] })).await;

    for stranger in [
        &elsewhere,
        &app.login("supervisor-swd").await,
        &app.auditor().await,
        &app.login("case-worker").await,
    ] {
        stranger.get(&path).await.refused(404, "finding_unknown");
        assert_eq!(stranger.get("/v1/findings?state=any").await.ok()["items"], json!([]));
        let raise = json!({ "severity": "stop", "comment": "x" });
        let refused = stranger.post(&format!("{path}/severity"), &raise).await;
        assert_eq!(refused.status, if may_raise(stranger).await { 404 } else { 403 });
    }
    for nobody in ["admin", "committee1", "oversight", "log-auditor", "enumerator"] {
        app.login(nobody).await.get(&path).await.refused(403, "not_permitted");
    }
    let head = app.login("labour-head").await;
    let seen = head.get(&format!("{path}?reason=case-review")).await.ok();
    assert_eq!(seen["title"]["en"], page["title"]["en"]);
    let words = |finding: &Value| finding["history"][1]["comment"].clone();
    assert_eq!((words(&owned), words(&seen)), (json!("I have told his mother"), Value::Null));
    let redacted = |finding: &Value| finding["redacted"].as_array().map(Vec::len).unwrap_or(0);
    let with_reason = supervisor.get(&format!("{path}?reason=case-review")).await.ok();
    assert_eq!(redacted(&with_reason), 0);
    assert_eq!(redacted(&seen), redacted(&owned));
    assert_eq!(app.count("audit_events", "action = 'finding.read' AND details LIKE '%case-review%'"), 2);
    let admin = app.admin().await.get("/v1/audit?limit=500").await.ok();
    assert!(!admin.to_string().contains("finding:"), "an administrator reads no case");
}

async fn may_raise(person: &Person) -> bool {
    let me = person.get("/v1/me").await.ok();
    me["permissions"].as_array().unwrap().contains(&json!("findings.raise_severity"))
}

async fn bad_requests_are_told_what_is_wrong(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let page = supervisor.finding(visit.id, "REC-01").await;
    let path = harness::cases::at(&page, "/transitions");

    supervisor.get("/v1/findings?severity=dreadful").await.refused(400, "bad_severity");
    supervisor.get("/v1/findings?state=closed").await.refused(400, "bad_state");
    supervisor.get("/v1/findings?after=x").await.refused(400, "bad_cursor");
    supervisor.get("/v1/findings/7").await.refused(400, "bad_id");
    supervisor.get(&format!("/v1/findings/{}", Uuid::new_v4())).await.refused(404, "finding_unknown");
    supervisor.post(&path, &json!({ "to": "referred" })).await.refused(400, "referral_needed");
    supervisor.post(&path, &json!({ "to": "superseded" })).await.refused(400, "state_not_chosen");
    supervisor.post(&path, &json!({ "to": "acknowledged", "why": "x" })).await.refused(400, "bad_json");
    supervisor
        .post(&path, &json!({ "to": "acknowledged", "comment": "x".repeat(5000) }))
        .await
        .refused(400, "text_too_long");
    let request = supervisor.request(reqwest::Method::POST, &path).header("If-Match", "\"old\"");
    request.json(&json!({ "to": "acknowledged" })).send().await.refused(400, "bad_if_match");
    supervisor.act(&page, "/pause", json!({ "reason": " " })).await.refused(400, "words_needed");
    supervisor
        .act(&page, "/pause", json!({ "reason": "court", "until": "2026-11-19T12:00:00Z" }))
        .await
        .refused(400, "bad_until");
    supervisor.act(&page, "/resume", json!({})).await.refused(409, "not_paused");
    supervisor
        .act(&page, "/severity", json!({ "severity": "minor", "comment": "same" }))
        .await
        .refused(409, "severity_same");
    let nul = supervisor.step(&page, json!({ "to": "acknowledged", "comment": "a\u{0}b" })).await.ok();
    assert_eq!(nul["history"][1]["comment"], "a\u{fffd}b");
}

async fn findings_and_their_history_cannot_be_rewritten(app: TestApp) {
    app.inspector().await.file(&samples::b3()).await.created();

    for statement in [
        "UPDATE finding_events SET comment = 'rewritten'",
        "DELETE FROM finding_events",
        "DELETE FROM finding_cases",
    ] {
        let refused = app.sql(statement).unwrap_err();
        assert!(refused.contains("are never"), "{statement}: {refused}");
    }
}
