//! Referrals: on a ground that is written down, to one who sees its part and no more, answered, turned down, or passed over.

use chrono::Duration;
use harness::cases::at;
use harness::{TestApp, deeds, on_both_databases, samples};
use serde_json::{Value, json};

on_both_databases!(
    the_unit_sees_its_part_and_no_more,
    a_unit_that_declines_passes_it_on,
    a_unit_that_does_not_answer_is_passed_over_once,
    without_consent_a_supervisor_decides,
    when_the_day_has_no_time_it_goes_out_and_the_supervisor_is_told,
    where_there_is_no_unit_the_district_officer_receives,
    for_those_without_an_account_the_supervisor_writes_down_what_they_said,
    two_case_workers_answer_at_once_and_one_wins,
    bad_referrals_are_told_what_is_wrong,
);

fn to_the_unit() -> Value {
    json!({
        "body": "cpu", "consent": { "basis": "given", "note": "his mother agreed" },
        "part": { "fields": ["age_child_says", "task"], "summary": "wants to go to school" },
    })
}

async fn the_unit_sees_its_part_and_no_more(app: TestApp) {
    let (inspector, unit) = (app.inspector().await, app.login("case-worker").await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "EDU-01").await;

    let sent = inspector.act(&finding, "/referrals", to_the_unit()).await.created();
    let listed = unit.get("/v1/referrals?state=sent").await.ok();
    let seen = unit.get(&at(&sent, "")).await.ok();
    let owned = inspector.get(&at(&finding, "")).await.ok();

    assert_eq!((&owned["state"], &owned["referrals"][0]["unit"]), (&json!("referred"), &json!("CPU-QUETTA")));
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        seen["part"]["answers"],
        json!({ "age_child_says": 12, "task": "engine cleaning with petrol" })
    );
    assert_eq!(seen["child"], "CLI-QTA1-2026-0102-C1");
    for kept_back in ["finding", "wage_amount", "traffick", "CLI-QTA1-2026-0102\"", &visit.id.to_string()] {
        assert!(!seen.to_string().contains(kept_back), "the unit sees {kept_back}");
    }
    assert_eq!(sent["part"]["answers"], json!({}), "those who sent it read the submission");
    let other = app
        .account("cpu-khuzdar", json!({ "role": "case_worker", "unit": "CPU-KHUZDAR", "areas": ["PK216"] }))
        .await;
    other.get(&at(&sent, "")).await.refused(404, "referral_unknown");
    assert_eq!(other.get("/v1/referrals").await.ok()["items"], json!([]));
    unit.get(&format!("/v1/submissions/{}", visit.id)).await.expect(403);

    let child_code = json!({ "to": "accepted", "case_number": "Q-CLI-QTA1-2026-0102-C1" });
    unit.act(&seen, "/transitions", child_code).await.refused(400, "case_number_is_child_code");
    let accepted = unit.act(&seen, "/transitions", json!({ "to": "accepted" })).await.ok();
    unit.act(&accepted, "/transitions", json!({ "to": "done", "outcome": "lost" }))
        .await
        .refused(400, "outcome_unknown");
    let done =
        unit.act(&accepted, "/transitions", json!({ "to": "done", "outcome": "in_school" })).await.ok();
    let finding = inspector.get(&at(&finding, "")).await.ok();

    assert_eq!(accepted["case_number"], "CPU-QUETTA-2026-0001");
    assert_eq!((&done["state"], &done["outcome"]), (&json!("done"), &json!("in_school")));
    assert_eq!(deeds(&finding), ["finding.opened", "referral.sent", "referral.accepted", "referral.done"]);
    assert_eq!(finding["state"], "referred");
}

async fn a_unit_that_declines_passes_it_on(app: TestApp) {
    let (inspector, unit) = (app.inspector().await, app.login("case-worker").await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "EDU-01").await;
    let sent = inspector.act(&finding, "/referrals", to_the_unit()).await.created();

    unit.act(&sent, "/transitions", json!({ "to": "declined" })).await.refused(400, "words_needed");
    let no = json!({ "to": "declined", "reason": "there is no social worker this month" });
    unit.act(&sent, "/transitions", no).await.ok();

    let after = app.supervisor().await.get(&at(&finding, "")).await.ok();
    assert_eq!(after["state"], "acknowledged", "it is in nobody's hands");
    assert_eq!(deeds(&after), ["finding.opened", "referral.sent", "referral.declined", "finding.escalated"]);
    assert_eq!(after["history"][3]["details"]["to"], json!(["do_swd"]));
    assert_eq!(after["history"][2]["comment"], "there is no social worker this month");
}

async fn a_unit_that_does_not_answer_is_passed_over_once(app: TestApp) {
    let inspector = app.inspector().await;
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "EDU-01").await;
    let sent = inspector.act(&finding, "/referrals", to_the_unit()).await.created();

    app.clock.advance(Duration::days(7));
    app.run_jobs().await;
    app.clock.advance(Duration::days(1));
    app.run_jobs().await;
    let unit = app.login("case-worker").await;
    let seen = unit.get(&at(&sent, "")).await.ok();
    unit.act(&seen, "/transitions", json!({ "to": "accepted" })).await.ok();

    let finding = app.supervisor().await.get(&at(&finding, "")).await.ok();
    assert_eq!(
        deeds(&finding),
        ["finding.opened", "referral.sent", "referral.unanswered", "finding.escalated", "referral.accepted"]
    );
}

async fn without_consent_a_supervisor_decides(app: TestApp) {
    let (inspector, supervisor, unit) =
        (app.inspector().await, app.supervisor().await, app.login("case-worker").await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "EDU-01").await;
    let mut new = to_the_unit();
    new["consent"] = json!({ "basis": "override" });
    inspector.act(&finding, "/referrals", new.clone()).await.refused(400, "words_needed");
    new["consent"]["note"] = json!("the parents are the ones who sent him");

    let asked = inspector.act(&finding, "/referrals", new).await.created();
    unit.get(&at(&asked, "")).await.refused(404, "referral_unknown");
    unit.act(&asked, "/transitions", json!({ "to": "accepted" })).await.refused(404, "referral_unknown");
    inspector
        .act(&asked, "/approval", json!({ "agree": true, "comment": "x" }))
        .await
        .refused(403, "not_permitted");
    let approved =
        supervisor.act(&asked, "/approval", json!({ "agree": true, "comment": "right" })).await.ok();
    supervisor
        .act(&approved, "/approval", json!({ "agree": false, "comment": "no" }))
        .await
        .refused(409, "nothing_to_approve");

    assert_eq!((&asked["state"], &asked["approval"]), (&json!("asked"), &json!("pending")));
    assert_eq!((&approved["state"], &approved["approval"]), (&json!("sent"), &json!("approved")));
    unit.get(&at(&asked, "")).await.ok();
    let finding = supervisor.get(&at(&finding, "")).await.ok();
    assert_eq!(deeds(&finding), ["finding.opened", "referral.asked", "referral.approved", "referral.sent"]);
}

async fn when_the_day_has_no_time_it_goes_out_and_the_supervisor_is_told(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "AGE-02").await;
    let mut new = to_the_unit();
    new["consent"] = json!({ "basis": "override", "note": "nobody answers for him" });

    let sent = inspector.act(&finding, "/referrals", new).await.created();
    let spoken = json!({ "spoke_to": "duty officer", "at": "2026-11-20T17:05:00+05:00" });
    let spoken = inspector.act(&sent, "/voice", spoken).await.ok();
    let refused = supervisor
        .act(&spoken, "/approval", json!({ "agree": false, "comment": "his uncle is known" }))
        .await
        .ok();

    assert_eq!(
        (&sent["state"], &sent["approval"], &sent["same_day"]),
        (&json!("sent"), &json!("pending"), &json!(true))
    );
    assert_eq!(sent["answer_by"], "2026-11-20T14:00:00Z", "two hours");
    assert_eq!(spoken["voice"]["spoke_to"], "duty officer");
    assert_eq!((&refused["state"], &refused["approval"]), (&json!("withdrawn"), &json!("refused")));
    let finding = supervisor.get(&at(&finding, "")).await.ok();
    assert_eq!(finding["state"], "acknowledged");
    let told =
        "kind = 'notify' AND details LIKE '%referral.approval_needed%' AND details LIKE '%supervisor%'";
    assert_eq!(app.count("jobs", told), 1);
}

async fn where_there_is_no_unit_the_district_officer_receives(app: TestApp) {
    let inspector = app.inspector_in("PK234").await;
    let officer =
        app.account("officer", json!({ "role": "supervisor", "line": "swd", "areas": ["PK234"] })).await;
    let visit = samples::b2();
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "HAZ-01").await;

    let sent = inspector
        .act(
            &finding,
            "/referrals",
            json!({ "body": "cpu", "consent": { "basis": "legal_basis", "note": "s. 12" } }),
        )
        .await
        .created();
    let seen = officer.get(&at(&sent, "")).await.ok();
    let accepted = officer.act(&seen, "/transitions", json!({ "to": "accepted" })).await.ok();

    assert_eq!((&sent["body"], &sent["unit"]), (&json!("do_swd"), &Value::Null));
    assert_eq!(accepted["case_number"], "DO_SWD-2026-0001");
    officer.get(&at(&finding, "")).await.refused(404, "finding_unknown");
    app.login("supervisor-swd").await.get(&at(&sent, "")).await.refused(404, "referral_unknown");
}

async fn for_those_without_an_account_the_supervisor_writes_down_what_they_said(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "BIR-01").await;

    let sent = inspector
        .act(&finding, "/referrals", json!({ "body": "nadra", "consent": { "basis": "given" } }))
        .await
        .created();
    inspector.act(&sent, "/transitions", json!({ "to": "accepted" })).await.refused(403, "not_permitted");
    let accepted = supervisor
        .act(&sent, "/transitions", json!({ "to": "accepted", "case_number": "NADRA-77" }))
        .await
        .ok();
    let done =
        supervisor.act(&accepted, "/transitions", json!({ "to": "done", "outcome": "done" })).await.ok();

    assert_eq!((&done["case_number"], &done["outcome"]), (&json!("NADRA-77"), &json!("done")));
    let unit = inspector
        .act(&inspector.get(&at(&finding, "")).await.ok(), "/referrals", to_the_unit())
        .await
        .created();
    supervisor.act(&unit, "/transitions", json!({ "to": "accepted" })).await.refused(403, "not_the_receiver");
}

async fn two_case_workers_answer_at_once_and_one_wins(app: TestApp) {
    let inspector = app.inspector().await;
    let one = app.login("case-worker").await;
    let other = app
        .account("cpu-two", json!({ "role": "case_worker", "unit": "CPU-QUETTA", "areas": ["PK226"] }))
        .await;
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "EDU-01").await;
    let sent = inspector.act(&finding, "/referrals", to_the_unit()).await.created();

    let (first, second) = tokio::join!(
        one.act(&sent, "/transitions", json!({ "to": "accepted" })),
        other.act(&sent, "/transitions", json!({ "to": "declined", "reason": "full" })),
    );

    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412], "{} / {}", first.text(), second.text());
}

async fn bad_referrals_are_told_what_is_wrong(app: TestApp) {
    let (inspector, supervisor) = (app.inspector().await, app.supervisor().await);
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "EDU-01").await;
    let with = |member: &str, value: Value| {
        let mut new = to_the_unit();
        new[member] = value;
        new
    };

    for (new, code) in [
        (with("body", json!("jirga")), "body_unknown"),
        (with("body", json!("labour_head")), "body_receives_no_case"),
        (with("unit", json!("CPU-KARACHI")), "unit_unknown"),
        (with("consent", json!({ "basis": "legal_basis" })), "words_needed"),
        (with("part", json!({ "fields": ["age_years", "favourite_colour"] })), "fields_unknown"),
        (with("voice", json!({ "spoke_to": " ", "at": "2026-11-20T12:00:00Z" })), "words_needed"),
        (with("child_name", json!("x")), "bad_json"),
    ] {
        inspector.act(&finding, "/referrals", new).await.refused(400, code);
    }
    let mut police = to_the_unit();
    police["body"] = json!("police");
    police["unit"] = json!("SARIAB");
    inspector.act(&finding, "/referrals", police).await.refused(400, "body_has_no_units");
    let sent = inspector.act(&finding, "/referrals", to_the_unit()).await.created();
    supervisor.act(&sent, "/transitions", json!({ "to": "sent" })).await.refused(400, "answer_unknown");
    let unit = app.login("case-worker").await;
    unit.act(&sent, "/transitions", json!({ "to": "done", "outcome": "placed" }))
        .await
        .refused(409, "answer_not_possible");
    let withdrawn = supervisor
        .act(&sent, "/transitions", json!({ "to": "withdrawn", "reason": "wrong child" }))
        .await
        .ok();
    assert_eq!(withdrawn["state"], "withdrawn");
    unit.get(&at(&sent, "")).await.refused(404, "referral_unknown");
    app.login("analyst").await.post("/v1/findings/7/referrals", &to_the_unit()).await.refused(400, "bad_id");
}
