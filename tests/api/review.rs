//! Review: supervisors decide about what was filed in their area, one decision at a time, and never about their own.

use harness::{Answer, Person, Submission, TestApp, on_both_databases, samples};
use serde_json::{Value, json};

on_both_databases!(
    what_is_in_order_is_accepted,
    what_is_not_is_returned_with_comments_on_the_questions,
    comments_are_about_questions_of_the_form,
    of_two_supervisors_at_once_one_decides,
    a_stale_page_is_refused,
    the_same_decision_sent_again_is_the_same_decision,
    what_was_decided_is_reopened_by_a_second_person,
    nobody_reviews_what_they_filed,
    only_reviewers_of_the_line_and_area_decide,
    what_reviewers_write_is_not_in_the_log,
    what_reviewers_write_is_read_by_those_it_is_for,
    a_decision_needs_its_words,
    decisions_never_change,
    rules_rest_on_the_last_accepted_visit,
    the_gravest_come_first_and_pages_go_on_where_they_ended,
    only_the_clean_are_accepted_in_one_go,
    a_difference_is_told_by_labels_and_keeps_secrets,
);

fn path(submission: &Submission) -> String {
    format!("/v1/submissions/{}", submission.id)
}

async fn decide(who: &Person, submission: &Submission, decision: Value) -> Answer {
    who.post(&format!("{}/review", path(submission)), &decision).await
}

async fn filed(app: &TestApp, submission: &Submission) -> Value {
    app.inspector().await.file(submission).await.created()
}

async fn another_supervisor(app: &TestApp) -> Person {
    let members = json!({ "role": "supervisor", "line": "labour", "areas": ["PK226"] });
    app.account("second-supervisor", members).await
}

fn hash(receipt: &Value) -> &str {
    receipt["content_hash"].as_str().unwrap()
}

async fn what_is_in_order_is_accepted(app: TestApp) {
    let inspection = samples::b3();
    let receipt = filed(&app, &inspection).await;
    let supervisor = app.supervisor().await;

    let decision =
        decide(&supervisor, &inspection, json!({ "action": "accept", "if_match": hash(&receipt) }))
            .await
            .ok();

    assert_eq!(decision["review"], "accepted");
    assert_eq!(decision["revision"], 1);
    assert_eq!(decision["role"], "supervisor");
    assert_eq!(app.inspector().await.get(&path(&inspection)).await.ok()["review"], "accepted");
    assert_eq!(app.count("audit_events", "action = 'submission.reviewed'"), 1);
    assert_eq!(app.count("changes", &format!("subject = '{}'", inspection.id)), 2);
}

async fn what_is_not_is_returned_with_comments_on_the_questions(app: TestApp) {
    let inspection = samples::b3();
    let receipt = filed(&app, &inspection).await;
    let supervisor = app.supervisor().await;
    let back = json!({
        "action": "return", "reason": "ages do not match", "due_at": "2026-11-27T00:00:00+05:00", "notes": "ask the unit",
        "fields": [
            { "path": "children[0].age_years", "comment": "the register says 13" },
            { "path": "b2", "comment": "which road?" },
        ],
    });

    let decision = decide(&supervisor, &inspection, back).await.ok();

    assert_eq!(decision["fields"][0]["question"], "age_years");
    assert_eq!(decision["fields"][1]["question"], Value::Null);
    assert_eq!(decision["notes"], "ask the unit");
    let phone = app.inspector().await;
    let seen = phone.get(&path(&inspection)).await.ok();
    assert_eq!(seen["review"], "returned");
    assert_eq!(seen["decision"]["fields"][0]["comment"], "the register says 13");
    assert_eq!(seen["decision"]["due_at"], "2026-11-26T19:00:00Z");
    assert_eq!(seen["decision"]["notes"], Value::Null);
    assert_eq!(seen["decision"]["by"], Value::Null);

    let corrected = inspection.clone().with("children[0].age_years", 13);
    let second = phone.revise(&corrected, hash(&receipt)).await.created();

    assert_eq!(second["revision"], 2);
    assert_eq!(second["flags"], json!([]));
    let seen = phone.get(&path(&inspection)).await.ok();
    assert_eq!(seen["review"], "received");
    assert_eq!(seen["correction"]["changed"], json!(["children[0].age_years"]));
    decide(&supervisor, &inspection, json!({ "action": "accept", "if_match": hash(&second) })).await.ok();
    let decisions = phone.get(&format!("{}/decisions", path(&inspection))).await.ok();
    assert_eq!(decisions["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(decisions["items"][1]["action"], "accept");
}

async fn comments_are_about_questions_of_the_form(app: TestApp) {
    let inspection = samples::b3();
    filed(&app, &inspection).await;
    let supervisor = app.supervisor().await;
    let about = |paths: &[&str]| {
        let fields: Vec<Value> = paths.iter().map(|path| json!({ "path": path, "comment": "?" })).collect();
        json!({ "action": "return", "fields": fields })
    };

    let nowhere = ["no_such_question", "children[7].age_years", "age_years", "children[0]", "departure_time"];
    let problem = decide(&supervisor, &inspection, about(&nowhere)).await.refused(400, "question_unknown");

    assert_eq!(problem["paths"], json!(["no_such_question", "children[7].age_years", "age_years"]));
    assert_eq!(app.count("review_events", "true"), 0);
    decide(&supervisor, &inspection, about(&["children[0]", "departure_time", "children"])).await.ok();
}

async fn of_two_supervisors_at_once_one_decides(app: TestApp) {
    let inspection = samples::b3();
    let receipt = filed(&app, &inspection).await;
    let (one, other) = (app.supervisor().await, another_supervisor(&app).await);
    let accept = json!({ "action": "accept", "if_match": hash(&receipt) });
    let reject = json!({ "action": "reject", "reason": "no such workplace", "if_match": hash(&receipt) });

    let (one, other) = tokio::join!(decide(&one, &inspection, accept), decide(&other, &inspection, reject));

    let (winner, loser) = if one.status == 200 { (one, other) } else { (other, one) };
    let problem = loser.refused(409, "already_decided");
    assert_eq!(problem["decided"]["action"], winner.ok()["action"]);
    assert_eq!(problem["decided"]["role"], "supervisor");
    assert!(!loser.text().contains("second-supervisor"), "{}", loser.text());
    assert_eq!(app.count("review_events", "true"), 1);
    assert_eq!(app.count("submissions", "review IN ('accepted', 'rejected')"), 1);
}

async fn a_stale_page_is_refused(app: TestApp) {
    let inspection = samples::b1();
    let first = filed(&app, &inspection).await;
    let changed = inspection.clone().with("co_inspectors", 2);
    let second = app.inspector().await.revise(&changed, hash(&first)).await.created();
    let supervisor = app.supervisor().await;
    let accept = |hash: &str| json!({ "action": "accept", "if_match": hash });

    let problem = decide(&supervisor, &inspection, accept(hash(&first))).await.refused(412, "revision_stale");

    assert_eq!(problem["revision"], 2);
    assert_eq!(problem["content_hash"], second["content_hash"]);
    let header = supervisor
        .request(reqwest::Method::POST, &format!("{}/review", path(&inspection)))
        .header("If-Match", &format!("\"{}\"", hash(&first)))
        .json(&json!({ "action": "accept" }));
    header.send().await.refused(412, "revision_stale");
    decide(&supervisor, &inspection, accept(hash(&second))).await.ok();
}

async fn the_same_decision_sent_again_is_the_same_decision(app: TestApp) {
    let inspection = samples::b3();
    filed(&app, &inspection).await;
    let supervisor = app.supervisor().await;
    let back = json!({ "action": "return", "fields": [{ "path": "departure_time", "comment": "too late" }] });

    let first = decide(&supervisor, &inspection, back.clone()).await.ok();
    let again = decide(&supervisor, &inspection, back.clone()).await.ok();

    assert_eq!(first["id"], again["id"]);
    assert_eq!(app.count("review_events", "true"), 1);
    let other = json!({ "action": "return", "reason": "something else" });
    decide(&supervisor, &inspection, other).await.refused(409, "already_decided");
    decide(&another_supervisor(&app).await, &inspection, back).await.refused(409, "already_decided");
}

async fn what_was_decided_is_reopened_by_a_second_person(app: TestApp) {
    let inspection = samples::b3();
    filed(&app, &inspection).await;
    let (supervisor, second) = (app.supervisor().await, another_supervisor(&app).await);
    let reopen = json!({ "action": "reopen", "reason": "the owner brought the register" });
    decide(&supervisor, &inspection, reopen.clone()).await.refused(409, "not_decided");
    decide(&supervisor, &inspection, json!({ "action": "reject", "reason": "no register" })).await.ok();

    decide(&supervisor, &inspection, reopen.clone()).await.refused(403, "second_person_needed");
    decide(&supervisor, &inspection, json!({ "action": "accept" })).await.refused(409, "already_decided");
    let reopened = decide(&second, &inspection, reopen.clone()).await.ok();

    assert_eq!(reopened["review"], "received");
    decide(&supervisor, &inspection, json!({ "action": "return", "reason": "once more" })).await.ok();
    // What was only sent back may be taken back by whoever sent it.
    decide(&supervisor, &inspection, reopen).await.ok();
    decide(&supervisor, &inspection, json!({ "action": "accept" })).await.ok();
    assert_eq!(app.count("review_events", "true"), 5);
}

async fn nobody_reviews_what_they_filed(app: TestApp) {
    let inspection = samples::b3();
    filed(&app, &inspection).await;
    let supervisor = app.supervisor().await;
    // As if the inspector had become the supervisor.
    app.sql("UPDATE submissions SET account_id = (SELECT id FROM accounts WHERE username = 'supervisor')")
        .unwrap();

    let own = decide(&supervisor, &inspection, json!({ "action": "accept" })).await;
    let in_one_go = supervisor.post("/v1/review-queue/accept", &json!({ "ids": [inspection.id] })).await.ok();

    own.refused(403, "own_submission");
    assert_eq!(in_one_go["items"][0]["problem"]["code"], "own_submission");
    assert_eq!(supervisor.get("/v1/review-queue").await.ok()["items"], json!([]));
}

async fn only_reviewers_of_the_line_and_area_decide(app: TestApp) {
    let inspection = samples::b3();
    filed(&app, &inspection).await;
    let accept = json!({ "action": "accept" });

    for (who, status) in
        [("inspector", 403), ("labour-head", 403), ("analyst", 403), ("admin", 403), ("supervisor-swd", 404)]
    {
        let person = app.login(who).await;
        assert_eq!(decide(&person, &inspection, accept.clone()).await.status, status, "{who}");
        if status == 403 {
            assert_eq!(person.get("/v1/review-queue").await.status, 403, "{who}");
        }
    }
    let elsewhere = json!({ "role": "supervisor", "line": "labour", "areas": ["PK234"] });
    let elsewhere = app.account("supervisor-duki", elsewhere).await;
    decide(&elsewhere, &inspection, accept.clone()).await.refused(404, "submission_unknown");
    elsewhere.get(&format!("{}/diff", path(&inspection))).await.refused(404, "submission_unknown");
    elsewhere.get(&format!("{}/decisions", path(&inspection))).await.refused(404, "submission_unknown");
    assert_eq!(elsewhere.get("/v1/review-queue").await.ok()["items"], json!([]));
    assert_eq!(elsewhere.get("/v1/review-queue?district=PK226").await.ok()["items"], json!([]));
    let of_the_division = json!({ "role": "supervisor", "line": "labour", "areas": ["PK2-DIV-QUETTA"] });
    let of_the_division = app.account("supervisor-division", of_the_division).await;
    assert_eq!(of_the_division.get("/v1/review-queue").await.ok()["items"][0]["id"], json!(inspection.id));
    decide(&of_the_division, &inspection, accept).await.ok();
}

async fn what_reviewers_write_is_not_in_the_log(app: TestApp) {
    let inspection = samples::b3();
    filed(&app, &inspection).await;
    let words = json!({
        "action": "return", "reason": "zamarud-reason", "notes": "zamarud-notes",
        "fields": [{ "path": "departure_time", "comment": "zamarud-comment" }],
    });

    decide(&app.supervisor().await, &inspection, words).await.ok();

    assert_eq!(app.count("audit_events", "details LIKE '%zamarud%'"), 0);
    assert_eq!(app.count("review_events", "comments LIKE '%zamarud%'"), 1);
}

async fn what_reviewers_write_is_read_by_those_it_is_for(app: TestApp) {
    let inspection = samples::b3();
    filed(&app, &inspection).await;
    let supervisor = app.supervisor().await;
    decide(
        &supervisor,
        &inspection,
        json!({ "action": "reject", "reason": "he said 12", "notes": "tell the unit" }),
    )
    .await
    .ok();
    let path = format!("{}/decisions", path(&inspection));
    let first = |answer: Value| answer["items"][0].clone();

    let filer = first(app.inspector().await.get(&path).await.ok());
    let head = first(app.login("labour-head").await.get(&path).await.ok());
    let head_insists =
        first(app.login("labour-head").await.get(&format!("{path}?reason=curious")).await.ok());
    let without = first(supervisor.get(&path).await.ok());
    let with = first(supervisor.get(&format!("{path}?reason=case-review")).await.ok());

    assert_eq!((filer["reason"].as_str(), filer["notes"].as_str()), (Some("he said 12"), None));
    for withheld in [head, head_insists, without] {
        assert_eq!((withheld["reason"].as_str(), &withheld["withheld"]), (None, &json!(true)));
        assert_eq!(withheld["action"], "reject");
    }
    assert_eq!(
        (with["reason"].as_str(), with["notes"].as_str()),
        (Some("he said 12"), Some("tell the unit"))
    );
    assert!(with["by"].is_string());
}

async fn a_decision_needs_its_words(app: TestApp) {
    let inspection = samples::b3();
    filed(&app, &inspection).await;
    let supervisor = app.supervisor().await;
    let comment = json!([{ "path": "departure_time", "comment": "late" }]);

    for (decision, code) in [
        (json!({ "action": "reject" }), "reason_missing"),
        (json!({ "action": "reject", "reason": "  " }), "reason_missing"),
        (json!({ "action": "return" }), "reason_missing"),
        (json!({ "action": "accept", "fields": comment }), "comments_not_taken"),
        (json!({ "action": "return", "reason": "x", "due_at": "2026-11-19T00:00:00Z" }), "bad_due_at"),
        (json!({ "action": "return", "reason": "x", "due_at": "2029-11-19T00:00:00Z" }), "bad_due_at"),
        (json!({ "action": "accept", "due_at": "2026-11-29T00:00:00Z" }), "due_at_not_taken"),
        (json!({ "action": "reject", "reason": "x".repeat(4001) }), "text_too_long"),
        (json!({ "action": "return", "fields": [{ "path": "b1", "comment": " " }] }), "bad_comment"),
        (json!({ "action": "approve" }), "bad_json"),
        (json!({}), "bad_json"),
    ] {
        decide(&supervisor, &inspection, decision.clone()).await.refused(400, code);
    }
    assert_eq!(app.count("review_events", "true"), 0);
    decide(&supervisor, &inspection, json!({ "action": "reject", "reason": "a\0b" })).await.ok();
}

async fn decisions_never_change(app: TestApp) {
    let inspection = samples::b3();
    filed(&app, &inspection).await;
    decide(&app.supervisor().await, &inspection, json!({ "action": "accept" })).await.ok();

    for statement in ["UPDATE review_events SET action = 'reject'", "DELETE FROM review_events"] {
        let refused = app.sql(statement).unwrap_err();
        assert!(refused.contains("are never"), "{statement}: {refused}");
    }
}

async fn rules_rest_on_the_last_accepted_visit(app: TestApp) {
    let home = json!("0190b7a4-0000-7e55-9d43-0c7c9a4c1f10");
    let audit = |day: u32| {
        samples::sample_of("shelter-audit", "c1-clean-home")
            .at("facility", home.clone())
            .at("finished_at", format!("2026-11-{day:02}T16:00:00+05:00"))
            .at("started_at", format!("2026-11-{day:02}T09:25:00+05:00"))
    };
    let auditor = app.auditor().await;
    let reviewer = app.login("supervisor-swd").await;
    let calculated = async |audit: &Submission, name: &str| {
        auditor.get(&path(audit)).await.ok()["calculated"][name].clone()
    };
    let back = json!({ "action": "return", "reason": "the roster is missing" });
    let rejected = json!({ "action": "reject", "reason": "wrong home" });
    let accepted = json!({ "action": "accept" });
    let reopened = json!({ "action": "reopen", "reason": "the photos are of another home" });

    // Received, returned and rejected visits are none that rules rest on.
    let (unread, returned, thrown_out) = (audit(10), audit(11), audit(12));
    for (visit, decision) in [(&unread, None), (&returned, Some(&back)), (&thrown_out, Some(&rejected))] {
        auditor.file(visit).await.created();
        if let Some(decision) = decision {
            decide(&reviewer, visit, decision.clone()).await.ok();
        }
    }
    let first = audit(14);
    auditor.file(&first).await.created();
    assert_eq!(calculated(&first, "prev_audit_score").await, Value::Null);
    let score = calculated(&first, "total_score").await;
    assert!(score.is_number(), "{score}");

    decide(&reviewer, &first, accepted).await.ok();
    let second = audit(16);
    auditor.file(&second).await.created();
    assert_eq!(calculated(&second, "prev_audit_score").await, score);

    // What was accepted and reopened waits again, and counts for nothing until it is accepted anew.
    let other = app
        .account("another-officer", json!({ "role": "supervisor", "line": "swd", "areas": ["PK226"] }))
        .await;
    decide(&other, &first, reopened).await.ok();
    let third = audit(18);
    auditor.file(&third).await.created();
    assert_eq!(calculated(&third, "prev_audit_score").await, Value::Null);
}

async fn the_gravest_come_first_and_pages_go_on_where_they_ended(app: TestApp) {
    let phone = app.inspector().await;
    let (clean, grave) = (samples::b1(), samples::b3());
    let invalid = samples::b1().with("departure_time", "09:00").again();
    let later = samples::b3().again();
    for submission in [&clean, &grave, &invalid, &later] {
        phone.file(submission).await.created();
        app.clock.advance(chrono::Duration::seconds(1));
    }
    phone.file(&samples::b2()).await.created();
    let supervisor = app.supervisor().await;

    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let page = supervisor.get(&format!("/v1/review-queue?limit=1{next}")).await.ok();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        let Some(after) = page["next"].as_str() else { break };
        next = format!("&after={after}");
    }

    // The one in another district is another supervisor's.
    assert_eq!(seen, [json!(grave.id), json!(later.id), json!(invalid.id), json!(clean.id)]);
    let whole = supervisor.get("/v1/review-queue?form=child-labour-inspection&district=PK226").await.ok();
    let risks: Vec<&Value> =
        whole["items"].as_array().unwrap().iter().map(|item| &item["risk"]["worst"]).collect();
    assert_eq!(risks.len(), 4);
    assert!(risks[0].is_string() && risks[3].is_null());
    assert_eq!(supervisor.get("/v1/review-queue?form=shelter-audit").await.ok()["items"], json!([]));
    supervisor.get("/v1/review-queue?after=nonsense").await.refused(400, "bad_cursor");
    decide(&supervisor, &grave, json!({ "action": "accept" })).await.ok();
    let left = supervisor.get("/v1/review-queue").await.ok();
    assert_eq!(left["items"].as_array().map(Vec::len), Some(3));
}

async fn only_the_clean_are_accepted_in_one_go(app: TestApp) {
    let phone = app.inspector().await;
    let (clean, grave) = (samples::b1(), samples::b3());
    let without_photo = samples::b1().again();
    let invalid = samples::b1().with("departure_time", "09:00").again();
    let flagged = samples::b1().at("location/mocked", true).again();
    phone.file_whole(&clean).await;
    for (submission, photos) in [(&grave, false), (&without_photo, false), (&invalid, true), (&flagged, true)]
    {
        phone.file(submission).await.created();
        for photo in submission.photos.iter().filter(|_| photos) {
            assert!([200, 201].contains(&phone.upload(submission.id, photo).await.status));
        }
    }
    let supervisor = app.supervisor().await;
    let ids = [clean.id, grave.id, without_photo.id, invalid.id, flagged.id, uuid::Uuid::nil()];

    let done = supervisor.post("/v1/review-queue/accept", &json!({ "ids": ids })).await.ok();

    let outcome: Vec<(u64, Option<&str>)> = done["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["status"].as_u64().unwrap(), item["problem"]["code"].as_str()))
        .collect();
    assert_eq!(
        outcome,
        [
            (200, None),
            (409, Some("not_clean")),
            (409, Some("not_clean")),
            (409, Some("not_clean")),
            (409, Some("not_clean")),
            (404, Some("submission_unknown")),
        ]
    );
    assert_eq!(done["accepted"], 1);
    assert_eq!(app.count("submissions", "review = 'accepted'"), 1);
    let another = samples::b1().again();
    phone.file_whole(&another).await;
    let filter = json!({ "filter": { "form": "child-labour-inspection" }, "limit": 10 });
    let by_filter = supervisor.post("/v1/review-queue/accept", &filter).await.ok();
    assert_eq!(by_filter["accepted"], 1);
    assert_eq!(by_filter["items"][0]["id"], json!(another.id));
    for bad in [json!({}), json!({ "ids": [] }), json!({ "ids": ids, "filter": {} })] {
        supervisor.post("/v1/review-queue/accept", &bad).await.refused(400, "bad_selection");
    }
}

async fn a_difference_is_told_by_labels_and_keeps_secrets(app: TestApp) {
    let phone = app.inspector().await;
    let inspection = samples::b3();
    let first = phone.file(&inspection).await.created();
    let changed =
        inspection.clone().with("departure_time", "12:30").with("children[0].child_notes", "zamarud");
    phone.revise(&changed, hash(&first)).await.created();
    let path = format!("{}/diff", path(&inspection));
    let supervisor = app.supervisor().await;
    let items = |difference: &Value| -> Vec<String> {
        let items = difference["items"].as_array().unwrap();
        items
            .iter()
            .filter(|item| item["calculated"] == false)
            .map(|item| format!("{} {}→{}", item["path"].as_str().unwrap(), item["before"], item["after"]))
            .collect()
    };

    let own = phone.get(&path).await.ok();
    let redacted = supervisor.get(&path).await.ok();
    let whole = supervisor.get(&format!("{path}?reason=case-review&from=1&to=2")).await.ok();

    let both = [
        "departure_time \"12:40\"→\"12:30\"".to_owned(),
        format!(
            "children[0].child_notes {}→\"zamarud\"",
            inspection.answer("children[0].child_notes").unwrap_or(&Value::Null)
        ),
    ];
    assert_eq!(items(&own), both);
    assert_eq!(items(&whole), both);
    assert_eq!(items(&redacted), both[..1]);
    assert_eq!(redacted["redacted"], json!(["child_notes"]));
    assert!(!redacted.to_string().contains("zamarud"), "{redacted}");
    let left = &own["items"][0];
    assert_eq!(left["label"]["ur"], "روانگی");
    assert_eq!(left["section"]["name"], "b1");
    assert_eq!((own["from"].as_i64(), own["to"].as_i64()), (Some(1), Some(2)));
    phone.get(&format!("{path}?from=1&to=9")).await.refused(404, "revision_unknown");
    assert_eq!(phone.get(&format!("{path}?from=2&to=2")).await.ok()["items"], json!([]));
}
