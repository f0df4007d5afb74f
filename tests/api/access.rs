//! Who sees what: areas and roles, in lists and one by one. What somebody may not see does not exist for them.

use harness::{Person, TestApp, codes, on_both_databases, samples};
use serde_json::{Value, json};

on_both_databases!(
    only_those_of_the_line_and_area_see_an_inspection,
    somebody_elses_submission_does_not_exist,
    an_area_is_a_wall_in_lists_and_one_by_one,
    only_inspectors_file_inspections,
    sensitive_answers_need_a_reason_and_leave_a_trace,
    the_head_of_labour_sees_no_sensitive_answers,
    filers_see_their_own_sensitive_answers_for_a_fortnight,
    administration_is_for_the_administrator,
    the_log_is_for_its_auditor,
);

async fn filed(app: &TestApp, inspection: &harness::Submission) -> String {
    app.inspector().await.file(inspection).await.created();
    format!("/v1/submissions/{}", inspection.id)
}

async fn listed(person: &Person) -> usize {
    let answer = person.get("/v1/submissions").await;
    match answer.status {
        403 => 0,
        _ => answer.ok()["items"].as_array().map_or(0, Vec::len),
    }
}

async fn only_those_of_the_line_and_area_see_an_inspection(app: TestApp) {
    let path = filed(&app, &samples::b1()).await;

    for reader in ["inspector", "supervisor", "labour-head", "analyst"] {
        let person = app.login(reader).await;
        assert_eq!(person.get(&path).await.status, 200, "{reader}");
        assert_eq!(listed(&person).await, 1, "{reader}");
    }
    for stranger in [
        "auditor",
        "enumerator",
        "supervisor-swd",
        "deputy-director",
        "committee1",
        "committee2",
        "case-worker",
        "admin",
        "oversight",
        "log-auditor",
    ] {
        let person = app.login(stranger).await;
        assert!([403, 404].contains(&person.get(&path).await.status), "{stranger}");
        for part in ["revisions", "revisions/1", "raw?reason=curious", "media/ph-101.jpg"] {
            let answer = person.get(&format!("{path}/{part}")).await;
            assert!([403, 404].contains(&answer.status), "{stranger} {part}: {}", answer.status);
        }
        assert_eq!(listed(&person).await, 0, "{stranger}");
    }
}

async fn somebody_elses_submission_does_not_exist(app: TestApp) {
    let path = filed(&app, &samples::b1()).await;
    let colleague = app.inspector_in("PK226").await;

    let theirs = colleague.get(&path).await.refused(404, "submission_unknown");
    let none = colleague
        .get("/v1/submissions/00000000-0000-4000-8000-000000000000")
        .await
        .refused(404, "submission_unknown");

    assert_eq!(theirs["title"], none["title"]);
    assert_eq!(listed(&colleague).await, 0);
}

async fn an_area_is_a_wall_in_lists_and_one_by_one(app: TestApp) {
    let (quetta, duki) = (filed(&app, &samples::b1()).await, filed(&app, &samples::b2()).await);
    let labour = |areas: Value| json!({ "role": "supervisor", "line": "labour", "areas": areas });
    let of_quetta = app.supervisor().await;
    let of_duki = app.account("supervisor-duki", labour(json!(["PK234"]))).await;
    let of_loralai = app.account("supervisor-loralai", labour(json!(["PK2-DIV-LORALAI"]))).await;
    let of_both = app.account("supervisor-both", labour(json!(["PK226", "PK234"]))).await;

    for (person, sees) in
        [(&of_quetta, [200, 404]), (&of_duki, [404, 200]), (&of_loralai, [404, 200]), (&of_both, [200, 200])]
    {
        assert_eq!([person.get(&quetta).await.status, person.get(&duki).await.status], sees);
        assert_eq!(listed(person).await, sees.iter().filter(|status| **status == 200).count());
    }
    let narrowed = of_quetta.get("/v1/submissions?district=PK234").await.ok();
    assert_eq!(narrowed["items"], json!([]));
}

async fn only_inspectors_file_inspections(app: TestApp) {
    for person in [
        "auditor",
        "enumerator",
        "supervisor",
        "labour-head",
        "admin",
        "analyst",
        "committee1",
        "oversight",
        "log-auditor",
    ] {
        let answer = app.login(person).await.file(&samples::b1()).await;
        answer.refused(403, "not_permitted");
    }
    app.stranger().file(&samples::b1()).await.expect(401);

    assert_eq!(app.count("submissions", "true"), 0);
    assert_eq!(app.count("quarantine", "true"), 0);
}

async fn sensitive_answers_need_a_reason_and_leave_a_trace(app: TestApp) {
    let path = filed(&app, &samples::b2()).await;
    let supervisor = app
        .account("supervisor-duki", json!({ "role": "supervisor", "line": "labour", "areas": ["PK234"] }))
        .await;
    let before = app.count("audit_events", "action = 'submission.read'");

    let without = supervisor.get(&path).await;
    let with = supervisor.get(&format!("{path}?reason=case-review")).await;

    assert!(!without.text().contains("Wants to go home"));
    assert!(without.ok()["redacted"].as_array().is_some_and(|held| held.contains(&json!("child_wish"))));
    assert!(with.text().contains("Wants to go home"));
    assert_eq!(with.ok()["redacted"], json!([]));
    assert_eq!(app.count("audit_events", "action = 'submission.read'"), before + 2);
    assert_eq!(app.count("audit_events", "details LIKE '%case-review%'"), 1);
    assert_eq!(app.count("audit_events", "details LIKE '%Wants to go home%'"), 0);
    supervisor.get(&format!("{path}/raw")).await.expect(403);
    supervisor.get(&format!("{path}/raw?reason=case-review")).await.expect(200);
}

async fn the_head_of_labour_sees_no_sensitive_answers(app: TestApp) {
    let path = filed(&app, &samples::b2()).await;
    let head = app.login("labour-head").await;

    let shown = head.get(&format!("{path}?reason=because-i-can")).await;

    assert!(!shown.text().contains("Wants to go home"));
    assert!(!shown.text().contains("recruited_agent"));
    assert!(codes(&shown.ok()["findings"]).contains(&"HAZ-03"));
    head.get(&format!("{path}/raw?reason=because-i-can")).await.expect(403);
}

async fn filers_see_their_own_sensitive_answers_for_a_fortnight(app: TestApp) {
    let path = filed(&app, &samples::b2()).await;
    assert!(app.inspector().await.get(&path).await.text().contains("Wants to go home"));

    app.clock.advance(chrono::Duration::days(15));

    assert!(!app.inspector().await.get(&path).await.text().contains("Wants to go home"));
}

async fn administration_is_for_the_administrator(app: TestApp) {
    let account = json!({ "username": "new", "name": "New", "role": "inspector", "areas": ["PK226"] });
    for person in [
        "inspector",
        "auditor",
        "supervisor",
        "labour-head",
        "swd-head",
        "committee1",
        "analyst",
        "oversight",
        "log-auditor",
    ] {
        let person = app.login(person).await;
        person.post("/v1/accounts", &account).await.refused(403, "not_permitted");
        person.post("/v1/devices/phone-1/revoke", &json!({})).await.refused(403, "not_permitted");
    }
    app.inspector().await.get("/v1/accounts").await.expect(403);
    assert_eq!(
        app.admin().await.get("/v1/accounts?limit=500").await.ok()["items"].as_array().map(Vec::len),
        Some(18)
    );
}

async fn the_log_is_for_its_auditor(app: TestApp) {
    filed(&app, &samples::b1()).await;

    let log = app.login("log-auditor").await.get("/v1/audit?limit=500").await.ok();

    let actions: Vec<&str> =
        log["items"].as_array().unwrap().iter().filter_map(|event| event["action"].as_str()).collect();
    assert!(actions.contains(&"submission.filed"), "{actions:?}");
    for person in ["inspector", "supervisor", "labour-head", "analyst", "oversight", "committee1"] {
        app.login(person).await.get("/v1/audit").await.expect(403);
    }
}
