//! Assignments: visits somebody is to make, born of findings, audits and supervisors, taken from a pool, completed by being
//! made, whoever made them.

use chrono::Duration;
use harness::{Person, TestApp, on_both_databases, photos, samples};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::facilities::{kiln, kiln_with};

on_both_databases!(
    a_remedied_finding_is_to_be_seen_and_a_colleague_sees_it,
    one_visit_sees_all_that_is_said_to_be_put_right,
    what_was_verified_otherwise_needs_no_visit,
    an_audit_sets_the_next_one_and_the_same_auditor_does_not_make_it,
    of_two_who_take_it_one_gets_it,
    a_supervisor_hands_it_to_somebody_who_can_make_it,
    what_is_overdue_is_done_late,
    what_is_made_twice_completes_once,
    a_rejected_visit_completes_nothing,
    a_visit_made_before_or_elsewhere_is_another,
    a_visit_of_a_merged_place_counts_for_the_one_that_goes_on,
    a_visit_is_cancelled_with_a_reason,
    whoever_acts_on_a_stale_page_is_told_by_number,
    each_sees_what_is_theirs_to_do,
    what_makes_no_sense_is_named,
    what_happened_to_an_assignment_cannot_be_rewritten,
);

/// Registers a place; its id.
pub(super) async fn place(person: &Person, facts: &Value) -> String {
    let id = Uuid::new_v4();
    person.put(&super::facilities::path(id), facts).await.created();
    id.to_string()
}

/// An inspection of a place with findings and a photo, ended on a day of November 2026 at noon by the clock on the wall.
pub(super) fn visit(place: &str, day: u32) -> samples::Submission {
    let at = format!("2026-11-{day:02}T12:00:00+05:00");
    samples::b3()
        .again()
        .at("facility", place)
        .at("started_at", at.clone())
        .at("finished_at", at)
        .with("visit_date", format!("2026-11-{day:02}"))
        .with_photo(photos::jpeg("register.jpg", &format!("the register of {place} on {day}")))
}

fn wanted(place: &str, due: &str) -> Value {
    json!({
        "form": "child-labour-inspection", "facility": place, "window": { "due": due },
        "reason": "The munshi was changed; look again.",
    })
}

async fn assigned(supervisor: &Person, place: &str) -> Value {
    supervisor.post("/v1/assignments", &wanted(place, "2026-11-30")).await.created()
}

fn path(assignment: &Value, what: &str) -> String {
    format!("/v1/assignments/{}{what}", assignment["id"].as_str().unwrap())
}

async fn list(person: &Person, query: &str) -> Vec<Value> {
    person.get(&format!("/v1/assignments{query}")).await.ok()["items"].as_array().cloned().unwrap()
}

async fn fresh(person: &Person, assignment: &Value) -> Value {
    person.get(&path(assignment, "")).await.ok()
}

async fn me(person: &Person) -> Value {
    let me = person.get("/v1/me").await.ok();
    me.get("account").filter(|it| it.is_string()).or(me.get("id")).cloned().unwrap_or_else(|| panic!("{me}"))
}

async fn colleague(app: &TestApp) -> Person {
    app.account("colleague", json!({ "role": "inspector", "areas": ["PK226"] })).await
}

fn happened(assignment: &Value) -> Vec<&str> {
    assignment["history"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|event| event["deed"].as_str())
        .collect()
}

/// Has a finding of a visit said to be put right, with the photo as evidence.
pub(super) async fn remedied(supervisor: &Person, visit: &samples::Submission, rule: &str) -> Value {
    let finding = supervisor.finding(visit.id, rule).await;
    let owned = supervisor.acknowledge(&finding).await;
    let said = json!({ "to": "remedied", "comment": "there now", "evidence": { "media": ["register.jpg"] } });
    supervisor.step(&owned, said).await.ok()
}

async fn a_remedied_finding_is_to_be_seen_and_a_colleague_sees_it(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = place(&inspector, &kiln()).await;
    let first = visit(&place, 20);
    inspector.file_whole(&first).await;

    let finding = remedied(&supervisor, &first, "REC-01").await;

    let open = list(&inspector, "").await;
    assert_eq!(open.len(), 1, "{open:?}");
    let born = &open[0];
    assert_eq!((&born["origin"], &born["origin_id"]), (&json!("finding"), &finding["id"]));
    assert_eq!((&born["facility"], &born["pool"]), (&json!(place), &json!("PK226")));
    assert_eq!(born["place"]["name_en"], "Demo Karim Brick Kiln");
    assert_eq!(born["assignee"], Value::Null);
    let shown = fresh(&inspector, born).await;
    assert_eq!(shown["may"], json!(["take"]), "{shown}");
    assert_eq!(shown["prev"]["last_visit"]["submission"], first.id.to_string());
    assert!(shown["prev"]["open"].as_array().unwrap().iter().any(|it| it["state"] == "remedied"), "{shown}");

    app.clock.advance(Duration::days(2));
    let (inspector, supervisor, colleague) =
        (app.inspector().await, app.supervisor().await, colleague(&app).await);
    inspector.post(&path(born, "/take"), &json!({})).await.ok();
    let again = visit(&place, 22).with("rec_register", "yes");
    colleague.file(&again).await.created();

    let done = fresh(&supervisor, born).await;
    assert_eq!((&done["state"], &done["completed_by"]), (&json!("done"), &json!(again.id.to_string())));
    assert_eq!(happened(&done), ["assignment.made", "assignment.taken", "assignment.completed"]);
    assert_eq!(app.count("audit_events", "action = 'assignment.completed'"), 1);
    let shown = json!({ "to": "verified", "comment": "seen", "evidence": { "submission": again.id } });
    let remedied = supervisor.finding(first.id, "REC-01").await;
    supervisor.step(&remedied, shown).await.ok();
}

async fn one_visit_sees_all_that_is_said_to_be_put_right(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = place(&inspector, &kiln()).await;
    let first = visit(&place, 20);
    inspector.file_whole(&first).await;

    let one = remedied(&supervisor, &first, "REC-01").await;
    let before = list(&supervisor, "").await;
    let other = remedied(&supervisor, &first, "OSH-01").await;

    let open = list(&supervisor, "").await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0]["findings"], json!([one["id"], other["id"]]));
    assert_eq!(open[0]["id"], before[0]["id"]);
    assert!(open[0]["due_at"].as_str() <= before[0]["due_at"].as_str());
}

async fn what_was_verified_otherwise_needs_no_visit(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = place(&inspector, &kiln()).await;
    let first = visit(&place, 20);
    inspector.file_whole(&first).await;
    let finding = remedied(&supervisor, &first, "REC-01").await;
    let born = list(&supervisor, "").await.remove(0);

    supervisor
        .step(&finding, json!({ "to": "acknowledged", "comment": "it was another register" }))
        .await
        .ok();

    let gone = fresh(&supervisor, &born).await;
    assert_eq!(gone["state"], "cancelled");
    assert!(gone["cancelled_because"].as_str().unwrap().contains("REC-01"), "{gone}");
}

/// An audit of a home, ended on a day of November.
fn audit(home: &str, day: u32) -> samples::Submission {
    samples::sample_of("shelter-audit", "c1-clean-home")
        .again()
        .at("facility", home)
        .at("started_at", format!("2026-11-{day:02}T09:25:00+05:00"))
        .at("finished_at", format!("2026-11-{day:02}T16:00:00+05:00"))
}

async fn an_audit_sets_the_next_one_and_the_same_auditor_does_not_make_it(app: TestApp) {
    let (auditor, supervisor) = (app.auditor().await, app.login("supervisor-swd").await);
    let home = place(&auditor, &kiln_with(json!({ "kind": "orphanage", "name_en": "Demo Home" }))).await;

    auditor.file(&audit(&home, 19)).await.created();

    let next = list(&auditor, "").await.remove(0);
    assert_eq!((&next["origin"], &next["form"]), (&json!("audit"), &json!("shelter-audit")));
    assert!(next["from_at"].as_str().unwrap() > "2026-12-01", "{next}");
    let known = auditor.get(&format!("/v1/facilities/{home}")).await.ok();
    assert!(known["risk"].is_string(), "{known}");
    let shown = fresh(&auditor, &next).await;
    assert_eq!((&shown["may"], &shown["not_for"]), (&json!([]), &json!([me(&auditor).await])));
    auditor.post(&path(&next, "/take"), &json!({})).await.refused(409, "rotation_forbids");
    let to_the_same = json!({ "assignee": me(&auditor).await });
    supervisor.post(&path(&next, "/assign"), &to_the_same).await.refused(409, "rotation_forbids");

    app.clock.advance(Duration::days(3));
    let (auditor, supervisor) = (app.auditor().await, app.login("supervisor-swd").await);
    let other = app.account("other-auditor", json!({ "role": "auditor", "areas": ["PK226"] })).await;
    // Out of turn: it is filed like any other, and the next one is somebody else's still.
    auditor.file(&audit(&home, 21)).await.created();
    let put_off = fresh(&supervisor, &next).await;
    let next = list(&other, "").await.remove(0);
    let taken = other.post(&path(&next, "/take"), &json!({})).await.ok();
    other.file(&audit(&home, 23)).await.created();

    assert_eq!(put_off["state"], "cancelled");
    assert_eq!(taken["assignee"], me(&other).await);
    assert_eq!(fresh(&supervisor, &next).await["state"], "done");
    let after = list(&auditor, "").await.remove(0);
    assert_eq!(fresh(&auditor, &after).await["may"], json!(["take"]));
    assert_eq!(fresh(&supervisor, &after).await["not_for"], json!([me(&other).await]));
}

async fn of_two_who_take_it_one_gets_it(app: TestApp) {
    let (inspector, supervisor, colleague) =
        (app.inspector().await, app.supervisor().await, colleague(&app).await);
    let assignment = assigned(&supervisor, &place(&inspector, &kiln()).await).await;
    let path = path(&assignment, "/take");

    let nothing = json!({});
    let (one, other) = tokio::join!(inspector.post(&path, &nothing), colleague.post(&path, &nothing));

    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} / {}", one.text(), other.text());
    let (winner, loser, lost) =
        if one.status == 200 { (&inspector, &colleague, other) } else { (&colleague, &inspector, one) };
    assert_eq!(lost.json()["code"], "assignment_taken");
    assert_eq!(winner.post(&path, &nothing).await.ok()["assignee"], me(winner).await);
    assert_eq!(list(loser, "").await.len(), 0);
    assert_eq!(app.count("assignment_events", "deed = 'assignment.taken'"), 1);
}

async fn a_supervisor_hands_it_to_somebody_who_can_make_it(app: TestApp) {
    let (inspector, supervisor, colleague) =
        (app.inspector().await, app.supervisor().await, colleague(&app).await);
    let far = app.inspector_in("PK201").await;
    let place = place(&inspector, &kiln()).await;
    let mut body = wanted(&place, "2026-11-30");
    body["assignee"] = me(&inspector).await;

    let mine = supervisor.post("/v1/assignments", &body).await.created();
    let hand_to = async |who: &Person| json!({ "assignee": me(who).await });
    for unfit in [&far, &app.auditor().await, &supervisor] {
        supervisor.post(&path(&mine, "/assign"), &hand_to(unfit).await).await.refused(400, "assignee_unfit");
    }
    let theirs = supervisor.post(&path(&mine, "/assign"), &hand_to(&colleague).await).await.ok();
    inspector.get(&path(&mine, "")).await.refused(404, "assignment_unknown");
    let pooled = supervisor.post(&path(&mine, "/assign"), &json!({ "pool": "PK226" })).await.ok();

    assert_eq!(mine["assignee"], me(&inspector).await);
    assert_eq!(theirs["assignee"], me(&colleague).await);
    assert_eq!((&pooled["assignee"], &pooled["pool"]), (&Value::Null, &json!("PK226")));
    assert_eq!(list(&inspector, "").await.len(), 1);
}

async fn what_is_overdue_is_done_late(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = place(&inspector, &kiln()).await;
    let assignment = supervisor.post("/v1/assignments", &wanted(&place, "2026-11-21")).await.created();
    assert_eq!(list(&supervisor, "?overdue=true").await.len(), 0);

    app.clock.advance(Duration::days(8));
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let overdue = list(&supervisor, "?overdue=true").await;
    inspector.post(&path(&assignment, "/take"), &json!({})).await.ok();
    inspector.file(&visit(&place, 28)).await.created();

    assert_eq!((overdue.len(), &overdue[0]["overdue"]), (1, &json!(true)));
    let done = fresh(&supervisor, &assignment).await;
    assert_eq!((&done["state"], &done["overdue"]), (&json!("done"), &json!(false)));
    assert_eq!(done["history"][2]["details"]["late"], true, "{done}");
    assert_eq!(list(&supervisor, "?overdue=true").await.len(), 0);
}

async fn what_is_made_twice_completes_once(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = place(&inspector, &kiln()).await;
    let assignment = assigned(&supervisor, &place).await;
    app.clock.advance(Duration::days(2));
    let (inspector, supervisor, colleague) =
        (app.inspector().await, app.supervisor().await, colleague(&app).await);
    let (mine, theirs) = (visit(&place, 21), visit(&place, 22));

    let (one, other) = tokio::join!(inspector.file(&mine), colleague.file(&theirs));
    inspector.file(&mine).await.ok();

    assert_eq!((one.status, other.status), (201, 201), "{} / {}", one.text(), other.text());
    let done = fresh(&supervisor, &assignment).await;
    assert_eq!(happened(&done), ["assignment.made", "assignment.completed"]);
    assert!([mine.id, theirs.id].iter().any(|id| done["completed_by"] == id.to_string()), "{done}");
    let after = supervisor.post(&path(&done, "/cancel"), &json!({ "reason": "done twice" })).await;
    after.refused(409, "assignment_not_open");
}

async fn a_rejected_visit_completes_nothing(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = place(&inspector, &kiln()).await;
    let assignment = assigned(&supervisor, &place).await;
    app.clock.advance(Duration::days(2));
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let made = visit(&place, 22);
    inspector.file(&made).await.created();
    let review = format!("/v1/submissions/{}/review", made.id);

    supervisor.post(&review, &json!({ "action": "reject", "reason": "another kiln" })).await.ok();
    let open = fresh(&supervisor, &assignment).await;
    let second = json!({ "role": "supervisor", "line": "labour", "areas": ["PK226"] });
    let second = app.account("second", second).await;
    second.post(&review, &json!({ "action": "reopen", "reason": "it was this kiln" })).await.ok();
    let done = fresh(&supervisor, &assignment).await;

    assert_eq!((&open["state"], &open["completed_by"]), (&json!("open"), &Value::Null));
    assert_eq!(done["state"], "done");
    assert_eq!(
        happened(&done),
        ["assignment.made", "assignment.completed", "assignment.reopened", "assignment.completed"]
    );
}

async fn a_visit_made_before_or_elsewhere_is_another(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let here = place(&inspector, &kiln()).await;
    let there =
        place(&inspector, &kiln_with(json!({ "name_en": "Demo Other Kiln", "position": null }))).await;
    let assignment = assigned(&supervisor, &here).await;

    inspector.file(&visit(&here, 19)).await.created();
    let after_an_earlier_one = fresh(&supervisor, &assignment).await;
    app.clock.advance(Duration::days(2));
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let made = visit(&there, 22);
    let receipt = inspector.file(&made).await.created();
    let after_another_place = fresh(&supervisor, &assignment).await;
    let moved = made.clone().at("facility", here.clone());
    let receipt = inspector.revise(&moved, receipt["content_hash"].as_str().unwrap()).await.created();
    let done = fresh(&supervisor, &assignment).await;
    let back = made.with("rec_register", "yes");
    inspector.revise(&back, receipt["content_hash"].as_str().unwrap()).await.created();

    assert_eq!(after_an_earlier_one["state"], "open");
    assert_eq!(after_another_place["state"], "open");
    assert_eq!(done["state"], "done");
    assert_eq!(fresh(&supervisor, &assignment).await["state"], "open");
}

async fn a_visit_of_a_merged_place_counts_for_the_one_that_goes_on(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let survivor = place(&inspector, &kiln()).await;
    let twin = place(&inspector, &kiln_with(json!({ "name_en": "Demo Kareem Kiln" }))).await;
    let assignment = assigned(&supervisor, &twin).await;
    let merge = json!({ "into": survivor, "reason": "one kiln" });
    supervisor.post(&format!("/v1/facilities/{twin}/merge"), &merge).await.expect(200);

    app.clock.advance(Duration::days(2));
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let listed = list(&supervisor, &format!("?facility={survivor}")).await;
    inspector.file(&visit(&survivor, 22)).await.created();

    assert_eq!(listed[0]["place"]["id"], json!(survivor), "{listed:?}");
    assert_eq!(fresh(&supervisor, &assignment).await["state"], "done");
}

async fn a_visit_is_cancelled_with_a_reason(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let assignment = assigned(&supervisor, &place(&inspector, &kiln()).await).await;
    let cancel = path(&assignment, "/cancel");

    supervisor.post(&cancel, &json!({ "reason": "  " })).await.refused(400, "words_needed");
    inspector.post(&cancel, &json!({ "reason": "too far" })).await.refused(403, "not_permitted");
    let cancelled = supervisor.post(&cancel, &json!({ "reason": "It was pulled down." })).await.ok();

    assert_eq!((&cancelled["state"], &cancelled["may"]), (&json!("cancelled"), &json!([])));
    assert_eq!(cancelled["cancelled_because"], "It was pulled down.");
    assert_eq!(list(&inspector, "").await.len(), 0);
    assert_eq!(list(&inspector, "?state=any").await.len(), 1);
    inspector.post(&path(&assignment, "/take"), &json!({})).await.refused(409, "assignment_not_open");
}

async fn whoever_acts_on_a_stale_page_is_told_by_number(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let assignment = assigned(&supervisor, &place(&inspector, &kiln()).await).await;
    inspector.post(&path(&assignment, "/take"), &json!({})).await.ok();
    let cancel = |tag: &str| {
        supervisor
            .request(Method::POST, &path(&assignment, "/cancel"))
            .header("If-Match", tag)
            .json(&json!({ "reason": "nobody took it" }))
    };

    let problem = cancel("\"1\"").send().await.refused(412, "assignment_stale");
    cancel("\"x\"").send().await.refused(400, "bad_if_match");
    let fresh = supervisor.get(&path(&assignment, "")).await;

    assert_eq!((&problem["version"], fresh.header("etag")), (&json!(2), Some("\"2\"")));
    cancel("\"2\"").send().await.ok();
}

async fn each_sees_what_is_theirs_to_do(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let assignment = assigned(&supervisor, &place(&inspector, &kiln()).await).await;

    let head = app.login("labour-head").await;
    assert_eq!(list(&head, "?district=PK226").await.len(), 1);
    for stranger in [
        app.inspector_in("PK201").await,
        app.auditor().await,
        app.login("supervisor-swd").await,
        app.login("deputy-director").await,
    ] {
        assert_eq!(list(&stranger, "?state=any").await.len(), 0);
        stranger.get(&path(&assignment, "")).await.refused(404, "assignment_unknown");
    }
    let swd = app.login("supervisor-swd").await;
    swd.post(&path(&assignment, "/cancel"), &json!({ "reason": "x" }))
        .await
        .refused(404, "assignment_unknown");
    for outside in ["analyst", "admin", "case-worker"] {
        app.login(outside).await.get("/v1/assignments").await.refused(403, "not_permitted");
    }
    inspector.post("/v1/assignments", &json!({})).await.expect(400);
    head.post(&path(&assignment, "/cancel"), &json!({ "reason": "x" })).await.refused(403, "not_permitted");
}

async fn what_makes_no_sense_is_named(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let place = place(&inspector, &kiln()).await;
    let first = visit(&place, 20);
    inspector.file(&first).await.created();
    let elsewhere = samples::b3().again();
    inspector.file(&elsewhere).await.created();
    let foreign = supervisor.finding(elsewhere.id, "REC-01").await["id"].clone();
    let with = |member: &str, value: Value| {
        let mut body = wanted(&place, "2026-11-30");
        body[member] = value;
        body
    };

    for (body, status, code) in [
        (with("form", json!("shelter-audit")), 400, "form_unfit"),
        (with("form", json!("tea")), 400, "form_unknown"),
        (with("facility", json!(Uuid::new_v4())), 404, "facility_unknown"),
        (with("pool", json!("Quetta")), 400, "pool_unknown"),
        (with("window", json!({ "due": "2026-11-01" })), 400, "bad_window"),
        (with("window", json!({ "due": "soon" })), 400, "bad_instant"),
        (with("reason", json!(" ")), 400, "words_needed"),
        (with("findings", json!([foreign])), 400, "finding_unfit"),
        (with("assignee", json!(Uuid::new_v4())), 400, "assignee_unfit"),
        (with("colour", json!("red")), 400, "bad_json"),
    ] {
        supervisor.post("/v1/assignments", &body).await.refused(status, code);
    }
    let mut both = with("pool", json!("PK226"));
    both["assignee"] = me(&inspector).await;
    supervisor.post("/v1/assignments", &both).await.refused(400, "assignee_and_pool");
    supervisor.get("/v1/assignments?state=late").await.refused(400, "bad_state");
    supervisor.get("/v1/assignments?after=x").await.refused(400, "bad_cursor");
    supervisor.get("/v1/assignments/7").await.refused(400, "bad_id");
    assert_eq!(app.count("assignments", "1 = 1"), 0);
    let finding = supervisor.finding(first.id, "REC-01").await;
    let made = supervisor.post("/v1/assignments", &with("findings", json!([finding["id"]]))).await.created();
    assert_eq!((&made["origin"], &made["findings"]), (&json!("finding"), &json!([finding["id"]])));
}

async fn what_happened_to_an_assignment_cannot_be_rewritten(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    assigned(&supervisor, &place(&inspector, &kiln()).await).await;

    for statement in [
        "UPDATE assignment_events SET deed = 'rewritten'",
        "DELETE FROM assignment_events",
        "DELETE FROM assignments",
    ] {
        let refused = app.sql(statement).unwrap_err();
        assert!(refused.contains("are never"), "{statement}: {refused}");
    }
}
