//! Assignments that follow what they are about: interviews a district's services are asked in, a place that turns out to lie
//! elsewhere, an audit that is thrown out and taken back.

use chrono::Duration;
use harness::{Person, TestApp, on_both_databases, samples};
use serde_json::{Value, json};

use super::assignments::{place, remedied, visit};
use super::facilities::{kiln, kiln_with};

on_both_databases!(
    an_interview_is_assigned_to_a_district_and_made_there,
    an_interview_and_a_visit_are_not_confused,
    a_place_that_lies_elsewhere_takes_its_visits_along,
    a_rejected_audit_leaves_the_next_one_to_the_audit_before,
    a_visit_is_called_off_when_the_rules_take_back_what_it_was_for,
);

const TOOLKIT: &str = "child-protection-toolkit";

fn path(assignment: &Value, what: &str) -> String {
    format!("/v1/assignments/{}{what}", assignment["id"].as_str().unwrap())
}

async fn list(person: &Person) -> Vec<Value> {
    person.get("/v1/assignments").await.ok()["items"].as_array().cloned().unwrap()
}

/// The assignments a new phone is brought.
async fn synced(person: &Person) -> Vec<Value> {
    let (mut brought, mut path) = (Vec::new(), "/v1/sync".to_owned());
    loop {
        let page = person.get(&path).await.ok();
        brought.extend(page["assignments"].as_array().cloned().unwrap_or_default());
        if page["more"] != true {
            return brought;
        }
        path = format!("/v1/sync?cursor={}", page["cursor"].as_str().unwrap());
    }
}

fn interview(district: &str) -> Value {
    json!({
        "form": TOOLKIT, "district": district, "window": { "due": "2026-12-10" },
        "reason": "The health office has a new head; ask again.",
    })
}

async fn an_interview_is_assigned_to_a_district_and_made_there(app: TestApp) {
    let (enumerator, officer) = (app.login("enumerator").await, app.login("supervisor-swd").await);

    let made = officer.post("/v1/assignments", &interview("PK226")).await.created();
    let (theirs, auditors) = (list(&enumerator).await, list(&app.auditor().await).await);
    let synced = synced(&enumerator).await;
    enumerator.post(&path(&made, "/take"), &json!({})).await.ok();
    app.clock.advance(Duration::days(2));
    let (enumerator, officer) = (app.login("enumerator").await, app.login("supervisor-swd").await);
    let filed = samples::sample_of(TOOLKIT, "a1-birth-registration-quetta")
        .at("started_at", "2026-11-22T09:00:00+05:00")
        .at("finished_at", "2026-11-22T10:00:00+05:00");
    enumerator.file(&filed).await.created();

    assert_eq!(
        (&made["facility"], &made["district"], &made["pool"]),
        (&Value::Null, &json!("PK226"), &json!("PK226"))
    );
    assert_eq!((theirs.len(), &theirs[0]["id"]), (1, &made["id"]));
    assert_eq!(auditors.len(), 0, "auditors make no interviews");
    assert_eq!((&synced[0]["form"], &synced[0]["facility"]), (&json!(TOOLKIT), &Value::Null), "{synced:?}");
    let done = officer.get(&path(&made, "")).await.ok();
    assert_eq!((&done["state"], &done["completed_by"]), (&json!("done"), &json!(filed.id)));
}

async fn an_interview_and_a_visit_are_not_confused(app: TestApp) {
    let (auditor, officer, labour) =
        (app.auditor().await, app.login("supervisor-swd").await, app.supervisor().await);
    let home = place(&auditor, &kiln_with(json!({ "kind": "orphanage", "name_en": "Demo Home" }))).await;
    let with = |change: Value| {
        let mut body = interview("PK226");
        for (member, value) in change.as_object().unwrap() {
            body[member] = value.clone();
        }
        body
    };

    for (who, body, code) in [
        (&officer, with(json!({ "district": null })), "facility_or_district"),
        (&officer, with(json!({ "facility": home })), "facility_or_district"),
        (&officer, with(json!({ "district": null, "facility": home })), "form_unfit"),
        (&officer, with(json!({ "form": "shelter-audit" })), "form_unfit"),
        (&officer, with(json!({ "district": "PK211" })), "district_unknown"),
        (&officer, with(json!({ "district": "Quetta" })), "district_unknown"),
        (&officer, with(json!({ "findings": ["0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12"] })), "finding_unfit"),
        (&labour, with(json!({})), "form_unfit"),
    ] {
        who.post("/v1/assignments", &body).await.refused(400, code);
    }
    let me = auditor.get("/v1/me").await.ok()["id"].clone();
    officer.post("/v1/assignments", &with(json!({ "assignee": me }))).await.refused(400, "assignee_unfit");
    let planner = "/v1/planner?district=PK226&date=2026-11-23&capacity=5&kind=toolkit";
    officer.get(planner).await.refused(400, "kind_unfit");
    assert_eq!(app.count("assignments", "true"), 0);
}

async fn a_place_that_lies_elsewhere_takes_its_visits_along(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let here = place(&inspector, &kiln_with(json!({ "position": null }))).await;
    let both = json!({ "role": "supervisor", "line": "labour", "areas": ["PK226", "PK225"] });
    let officer = app.account("officer-of-two", both).await;
    let there = app.inspector_in("PK225").await;
    let wanted = json!({
        "form": "child-labour-inspection", "facility": here, "window": { "due": "2026-11-30" }, "reason": "Look again.",
    });
    let made = officer.post("/v1/assignments", &wanted).await.created();
    let mut elsewhere = wanted.clone();
    elsewhere["pool"] = json!("PK234");
    let elsewhere = officer.post("/v1/assignments", &elsewhere).await.created();

    let page = officer.get(&format!("/v1/facilities/{here}")).await;
    let etag = page.header("etag").unwrap().to_owned();
    let moved = json!({ "district": "PK225" });
    officer.patch_known(&format!("/v1/facilities/{here}"), &moved, &etag).await.ok();

    let after = officer.get(&path(&made, "")).await.ok();
    assert_eq!((&after["district"], &after["pool"]), (&json!("PK225"), &json!("PK225")));
    assert_eq!(after["history"][1]["deed"], "assignment.moved");
    assert_eq!(list(&inspector).await.len(), 0);
    assert_eq!(list(&there).await.len(), 1);
    supervisor.get(&path(&made, "")).await.refused(404, "assignment_unknown");
    let kept = officer.get(&path(&elsewhere, "")).await.ok();
    assert_eq!(
        (&kept["district"], &kept["pool"]),
        (&json!("PK225"), &json!("PK234")),
        "a pool somebody named stays"
    );

    // Merged across a border, it lies where the one lies that goes on in its stead; undone, it lies where it lay.
    let twin = place(&inspector, &kiln()).await;
    let into = json!({ "into": twin });
    officer.post(&format!("/v1/facilities/{here}/merge"), &into).await.ok();
    assert_eq!(officer.get(&path(&made, "")).await.ok()["pool"], "PK226");
    officer.post(&format!("/v1/facilities/{here}/unmerge"), &json!({})).await.ok();
    assert_eq!(officer.get(&path(&made, "")).await.ok()["pool"], "PK225");
}

async fn a_rejected_audit_leaves_the_next_one_to_the_audit_before(app: TestApp) {
    let (auditor, officer) = (app.auditor().await, app.login("supervisor-swd").await);
    let home = place(&auditor, &kiln_with(json!({ "kind": "orphanage", "name_en": "Demo Home" }))).await;
    let audit = |case: &str, day: u32| {
        samples::sample_of("shelter-audit", case)
            .again()
            .at("facility", home.clone())
            .at("started_at", format!("2026-11-{day:02}T09:25:00+05:00"))
            .at("finished_at", format!("2026-11-{day:02}T16:00:00+05:00"))
    };
    let (calm, alarming) = (audit("c1-clean-home", 10), audit("c4-child-unaccounted-for", 19));
    let next = async |officer: &Person| {
        let open = list(officer).await;
        let of_audits: Vec<&Value> = open.iter().filter(|it| it["origin"] == "audit").collect();
        assert_eq!(of_audits.len(), 1, "{open:?}");
        (of_audits[0]["origin_id"].clone(), of_audits[0]["due_at"].as_str().unwrap().to_owned())
    };
    let risk =
        async |officer: &Person| officer.get(&format!("/v1/facilities/{home}")).await.ok()["risk"].clone();
    auditor.file(&calm).await.created();
    let (_, calm_due) = next(&officer).await;
    auditor.file(&alarming).await.created();
    let (of, alarming_due) = next(&officer).await;
    assert_eq!((of, risk(&officer).await), (json!(alarming.id), json!("high")));
    assert!(alarming_due < calm_due, "{alarming_due} {calm_due}");

    let review = format!("/v1/submissions/{}/review", alarming.id);
    officer.post(&review, &json!({ "action": "reject", "reason": "another home" })).await.ok();
    assert_eq!(next(&officer).await, (json!(calm.id), calm_due));
    assert_eq!(risk(&officer).await, "low");

    let second = json!({ "role": "supervisor", "line": "swd", "areas": ["PK226"] });
    let second = app.account("second-officer", second).await;
    second.post(&review, &json!({ "action": "reopen", "reason": "it was this home" })).await.ok();
    assert_eq!(next(&officer).await, (json!(alarming.id), alarming_due));
    assert_eq!(risk(&officer).await, "high");
}

async fn a_visit_is_called_off_when_the_rules_take_back_what_it_was_for(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = place(&inspector, &kiln()).await;
    let first = visit(&place, 20);
    let receipt = inspector.file_whole(&first).await;
    let finding = remedied(&supervisor, &first, "REC-01").await;
    let wanted = list(&supervisor).await.remove(0);

    let corrected = first.clone().with("rec_register", "yes");
    inspector.revise(&corrected, receipt["content_hash"].as_str().unwrap()).await.created();

    let gone = supervisor.get(&format!("/v1/findings/{}", finding["id"].as_str().unwrap())).await.ok();
    assert_eq!((&gone["state"], &gone["cause"]), (&json!("superseded"), &json!("corrected")));
    let off = supervisor.get(&path(&wanted, "")).await.ok();
    assert_eq!(off["state"], "cancelled");
    assert!(off["cancelled_because"].as_str().unwrap().contains("REC-01"), "{off}");
}
