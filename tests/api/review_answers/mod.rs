//! Questions only the reviewer answers: the supervisor says whether the licence is genuine and settles the ages the inspector could not,
//! apart from what was filed, and the phone neither answers nor hears of it.

mod consequences;

use form_engine::Package;
use harness::{Answer, Person, Submission, TestApp, on_both_databases};
use serde_json::{Map, Value, json};
use server::db::By;
use uuid::Uuid;

on_both_databases!(
    the_reviewer_answers_and_a_provisional_finding_becomes_firm,
    the_reviewer_answers_ahead_of_the_decision_and_a_finding_falls,
    what_the_reviewer_found_opens_a_finding,
    a_filing_that_answers_for_the_reviewer_is_kept_and_told,
    what_the_reviewer_gets_wrong_is_told_and_nothing_is_stored,
    whoever_filed_never_hears_of_the_answers,
    what_is_sensitive_is_held_back_without_a_reason,
    of_two_reviewers_at_once_one_is_told,
    a_stale_page_is_refused_and_a_correction_keeps_the_answers_as_suggestions_only,
    only_reviewers_of_the_area_answer_and_never_about_their_own,
    what_is_decided_is_answered_no_more,
    the_clean_are_accepted_in_one_go_without_those_that_wait_for_an_answer,
    answers_are_never_changed_and_never_logged,
    the_difference_tells_what_the_reviewer_answered_by_its_label,
);

const FORM: &str = "licence-check";

/// A small inspection: the phone asks for the licence and the children seen, the reviewer whether the licence is genuine, and the age of
/// every child whose age nobody could say.
fn release() -> Package {
    let builtin = server::forms::builtin_packages().unwrap();
    let districts = builtin.iter().find_map(|package| package.lists.get("district")).unwrap().clone();
    let definition = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Licence check", "type": "object",
        "additionalProperties": false,
        "x-form": { "form": FORM, "version": 1, "kind": "inspection", "languages": [{ "code": "en", "dir": "ltr" }] },
        "properties": {
            "a1": { "type": "object", "title": "Visit", "additionalProperties": false, "properties": {
                "district": { "type": "string", "title": "District", "x-choices": { "list": "district" } },
                "licence_no": { "type": "string", "title": "Licence number", "x-required": true },
                "children": { "type": "array", "maxItems": 20, "title": "Children", "x-key": "code",
                    "x-sensitivity": "sensitive", "x-purpose": "to find children at work", "x-retention": "ten years",
                    "items": { "type": "object", "additionalProperties": false, "properties": {
                        "code": { "type": "string", "title": "Code" },
                        "age_seen": { "type": "integer", "title": "Age", "minimum": 0, "maximum": 25 },
                        "age_settled": { "type": "integer", "title": "Age by the register", "minimum": 0, "maximum": 25,
                            "x-asked-of": "reviewer", "x-relevant": "!known(age_seen)", "x-required": true }
                    } } }
            } },
            "z1": { "type": "object", "title": "Review", "additionalProperties": false, "properties": {
                "genuine": { "type": "string", "title": "Is the licence genuine?", "x-asked-of": "reviewer", "x-required": true,
                    "x-relevant": "licence_no != 'none'",
                    "oneOf": [{ "const": "yes", "title": "Yes" }, { "const": "no", "title": "No" }] },
                "why_not": { "type": "string", "title": "What is wrong with it?", "x-asked-of": "reviewer", "maxLength": 200,
                    "x-relevant": "genuine == 'no'", "x-required": true }
            } }
        },
        "x-findings": [
            { "code": "AGE-09", "scope": "children", "when": "coalesce(age_seen, age_settled) < 14", "if_unknown": "provisional",
              "severity": "major", "title": "A child at work", "basis": [{ "law": "Employment of Children Act", "certainty": "M" }],
              "action": "Stop the work", "due": { "days": 7 }, "refer_to": null, "escalate_to": "supervisor", "disclose": false },
            { "code": "LIC-09", "scope": "form", "when": "genuine == 'no'",
              "severity": "major", "title": "A false licence", "basis": [{ "law": "Employment of Children Act", "certainty": "M" }],
              "action": "Report it", "due": { "days": 7 }, "refer_to": null, "escalate_to": "supervisor", "disclose": true }
        ]
    });
    Package {
        form: FORM.to_owned(),
        version: 1,
        definition,
        i18n: Map::new(),
        lists: Map::from_iter([("district".to_owned(), districts)]),
        parameters: Vec::new(),
        baselines: Vec::new(),
    }
}

async fn publish(app: &TestApp) {
    let services = app.services();
    services.db.write(By::system(), |tx| server::forms::publish(tx, &release()).map(drop)).await.unwrap();
    services.forms.refresh();
}

/// A visit to a place in Quetta whose licence is called `licence`, with these children: code and age, if somebody could say it.
fn visit(licence: &str, children: &[(&str, Option<u32>)]) -> Submission {
    let row = |(code, age): &(&str, Option<u32>)| match age {
        Some(age) => json!({ "code": code, "age_seen": age }),
        None => json!({ "code": code }),
    };
    let rows: Vec<Value> = children.iter().map(row).collect();
    Submission {
        id: Uuid::new_v4(),
        envelope: json!({
            "form": FORM, "version": 1, "facility": null,
            "started_at": "2026-11-20T16:00:00+05:00", "finished_at": "2026-11-20T16:40:00+05:00",
            "location": { "lat": 30.1921, "lon": 67.0075, "accuracy_m": 9.0 },
            "answers": { "a1": { "district": "PK226", "licence_no": licence, "children": rows } },
            "media": [],
        }),
        photos: Vec::new(),
        expected: Value::Null,
    }
}

fn doubtful() -> Submission {
    visit("L-7", &[("K-1", Some(16)), ("K-2", None)])
}

/// All there is to answer about it.
fn answers() -> Value {
    json!({ "genuine": "yes", "children[1].age_settled": 12 })
}

fn path(submission: &Submission) -> String {
    format!("/v1/submissions/{}", submission.id)
}

async fn answer(who: &Person, submission: &Submission, answers: Value, version: i32) -> Answer {
    let body = json!({ "answers": answers, "answers_version": version });
    who.put(&format!("{}/review-answers", path(submission)), &body).await
}

async fn decide(who: &Person, submission: &Submission, decision: Value) -> Answer {
    who.post(&format!("{}/review", path(submission)), &decision).await
}

async fn filed(app: &TestApp, visit: &Submission) -> Value {
    publish(app).await;
    app.inspector().await.file(visit).await.created()
}

async fn another_supervisor(app: &TestApp) -> Person {
    let members = json!({ "role": "supervisor", "line": "labour", "areas": ["PK226"] });
    app.account("second-supervisor", members).await
}

async fn the_reviewer_answers_and_a_provisional_finding_becomes_firm(app: TestApp) {
    let visit = doubtful();
    let receipt = filed(&app, &visit).await;
    assert_eq!((&receipt["verdict"], &receipt["violations"]), (&json!("valid"), &json!([])));
    let supervisor = app.supervisor().await;
    let asked = supervisor.get(&path(&visit)).await.ok()["review_answers"].clone();
    assert_eq!(asked["missing"], json!(["genuine", "children[1].age_settled"]));
    assert_eq!(asked["asked"][0]["label"]["en"], "Is the licence genuine?");
    assert_eq!(supervisor.finding(visit.id, "AGE-09").await["provisional"], true);

    let early = decide(&supervisor, &visit, json!({ "action": "accept" })).await;
    let problem = early.refused(409, "review_answers_missing");
    assert_eq!(problem["questions"], json!(["genuine", "children[1].age_settled"]));
    let accept = json!({ "action": "accept", "answers": answers() });
    let decision = decide(&supervisor, &visit, accept.clone()).await.ok();

    assert_eq!(decision["review"], "accepted");
    let finding = supervisor.finding(visit.id, "AGE-09").await;
    assert_eq!((&finding["provisional"], &finding["state"]), (&json!(false), &json!("open")));
    let seen = supervisor.get(&format!("{}?reason=case-review", path(&visit))).await.ok();
    assert_eq!(seen["review_answers"]["answers"], answers());
    assert_eq!(
        (&seen["review_answers"]["version"], &seen["review_answers"]["missing"]),
        (&json!(1), &json!([]))
    );
    assert_eq!(seen["answers"], visit.envelope["answers"], "what was filed stays as it was filed");
    // Sent again, it is the same decision and the same answers.
    assert_eq!(decide(&supervisor, &visit, accept).await.ok()["id"], decision["id"]);
    assert_eq!(app.count("review_answers", "true"), 1);
}

async fn the_reviewer_answers_ahead_of_the_decision_and_a_finding_falls(app: TestApp) {
    let visit = doubtful();
    filed(&app, &visit).await;
    let supervisor = app.supervisor().await;

    let half = answer(&supervisor, &visit, json!({ "children[1].age_settled": 16 }), 0).await.ok();

    assert_eq!((&half["version"], &half["missing"]), (&json!(1), &json!(["genuine"])));
    assert_eq!(supervisor.finding(visit.id, "AGE-09").await["state"], "superseded");
    assert_eq!(app.count("submissions", "findings = 0"), 1);
    decide(&supervisor, &visit, json!({ "action": "accept" })).await.refused(409, "review_answers_missing");
    let whole = json!({ "children[1].age_settled": 16, "genuine": "yes" });
    let second = answer(&supervisor, &visit, whole.clone(), 1).await.ok();
    assert_eq!((&second["version"], &second["missing"]), (&json!(2), &json!([])));
    assert_eq!(answer(&supervisor, &visit, whole, 1).await.ok()["version"], 2, "sent again it is the same");
    decide(&supervisor, &visit, json!({ "action": "accept", "answers_version": 2 })).await.ok();
    assert_eq!(app.count("review_answers", "true"), 2);
}

async fn what_the_reviewer_found_opens_a_finding(app: TestApp) {
    let visit = visit("L-7", &[]);
    filed(&app, &visit).await;
    let supervisor = app.supervisor().await;
    assert_eq!(supervisor.findings_of(visit.id).await, Vec::<Value>::new());

    answer(&supervisor, &visit, json!({ "genuine": "no" }), 0).await.ok();
    let asked_further = decide(&supervisor, &visit, json!({ "action": "accept" })).await;
    assert_eq!(asked_further.refused(409, "review_answers_missing")["questions"], json!(["why_not"]));

    let finding = supervisor.finding(visit.id, "LIC-09").await;
    assert_eq!((&finding["state"], &finding["provisional"]), (&json!("open"), &json!(false)));
    // It stands further up in the queue than the clean.
    let queue = supervisor.get("/v1/review-queue").await.ok();
    assert_eq!(
        (&queue["items"][0]["findings"], &queue["items"][0]["risk"]["worst"]),
        (&json!(1), &json!("major"))
    );
    answer(&supervisor, &visit, json!({ "genuine": "yes" }), 1).await.ok();
    assert_eq!(supervisor.finding(visit.id, "LIC-09").await["state"], "superseded");
}

async fn a_filing_that_answers_for_the_reviewer_is_kept_and_told(app: TestApp) {
    let mut visit = doubtful();
    visit.envelope["answers"]["z1"] = json!({ "genuine": "no" });

    let receipt = filed(&app, &visit).await;

    assert_eq!(receipt["verdict"], "invalid");
    assert_eq!(receipt["violations"][0]["code"], "asked_of_reviewer");
    assert_eq!(receipt["violations"][0]["path"], "genuine");
    let supervisor = app.supervisor().await;
    let raw = supervisor.get(&format!("{}/raw?reason=case-review", path(&visit))).await;
    assert!(raw.text().contains("\"genuine\""), "the bytes are kept as they came");
    // It counts for nothing, and the reviewer is not held up by it.
    assert!(supervisor.findings_of(visit.id).await.iter().all(|finding| finding["code"] != "LIC-09"));
    decide(&supervisor, &visit, json!({ "action": "accept", "answers": answers() })).await.ok();
}

async fn what_the_reviewer_gets_wrong_is_told_and_nothing_is_stored(app: TestApp) {
    let visit = doubtful();
    filed(&app, &visit).await;
    let supervisor = app.supervisor().await;

    for (answers, code, at) in [
        (json!({ "genuine": "perhaps" }), "choice", "genuine"),
        (json!({ "genuine": 7 }), "type", "genuine"),
        (json!({ "children[1].age_settled": 99 }), "range", "children[1].age_settled"),
        (json!({ "licence_no": "L-8" }), "asked_of_collector", "licence_no"),
        (json!({ "no_such_question": 1 }), "unknown_question", "no_such_question"),
        (json!({ "children[7].age_settled": 9 }), "unknown_question", "children[7].age_settled"),
    ] {
        let problem =
            answer(&supervisor, &visit, answers.clone(), 0).await.refused(400, "review_answers_invalid");
        assert_eq!(
            (&problem["violations"][0]["code"], &problem["violations"][0]["path"]),
            (&json!(code), &json!(at))
        );
        decide(&supervisor, &visit, json!({ "action": "accept", "answers": answers }))
            .await
            .refused(400, "review_answers_invalid");
    }
    let several = json!({ "genuine": 7, "licence_no": "x", "children[1].age_settled": "old" });
    let problem = answer(&supervisor, &visit, several, 0).await.refused(400, "review_answers_invalid");
    assert_eq!(problem["violations"].as_array().map(Vec::len), Some(3), "all at once");
    for body in [
        json!({}),
        json!({ "answers": [] }),
        json!({ "answers": { "genuine": "yes" }, "answers_version": "new" }),
    ] {
        supervisor.put(&format!("{}/review-answers", path(&visit)), &body).await.refused(400, "bad_json");
    }
    let about_own = json!({ "action": "return", "fields": [{ "path": "genuine", "comment": "look again" }] });
    decide(&supervisor, &visit, about_own).await.refused(400, "question_of_reviewer");
    assert_eq!(app.count("review_answers", "true") + app.count("review_events", "true"), 0);
    // A form that asks its reviewer nothing takes no answers.
    let inspection = harness::samples::b3();
    app.inspector().await.file(&inspection).await.created();
    answer(&supervisor, &inspection, json!({ "genuine": "yes" }), 0)
        .await
        .refused(400, "nothing_asked_of_reviewer");
    decide(&supervisor, &inspection, json!({ "action": "accept" })).await.ok();
}

async fn whoever_filed_never_hears_of_the_answers(app: TestApp) {
    let visit = visit("L-7", &[("K-2", None)]);
    filed(&app, &visit).await;
    let supervisor = app.supervisor().await;
    let words = json!({ "genuine": "no", "why_not": "zamarud forged it", "children[0].age_settled": 11 });
    decide(&supervisor, &visit, json!({ "action": "return", "reason": "see me", "answers": words }))
        .await
        .ok();

    let phone = app.inspector().await;
    let shown = phone.get(&path(&visit)).await;
    let mut heard = vec![shown.text(), phone.get(&format!("{}/decisions", path(&visit))).await.text()];
    heard.push(phone.get("/v1/sync").await.text());
    for finding in phone.findings_of(visit.id).await {
        heard.push(phone.get(&harness::cases::at(&finding, "")).await.text());
    }

    assert_eq!(shown.ok()["review_answers"], Value::Null);
    for text in heard {
        assert!(
            !text.contains("zamarud")
                && !text.contains("\"value\":11")
                && !text.contains("\"genuine\",\"value\""),
            "{text}"
        );
    }
    let known = supervisor.get(&format!("{}?reason=case-review", path(&visit))).await;
    assert!(known.text().contains("zamarud"));
    let finding = supervisor.finding(visit.id, "AGE-09").await;
    let with_reason =
        supervisor.get(&format!("{}?reason=case-review", harness::cases::at(&finding, ""))).await.ok();
    assert!(with_reason["because"].to_string().contains("age_settled"), "{with_reason}");
}

async fn what_is_sensitive_is_held_back_without_a_reason(app: TestApp) {
    let visit = doubtful();
    filed(&app, &visit).await;
    let supervisor = app.supervisor().await;
    answer(&supervisor, &visit, answers(), 0).await.ok();

    let without = supervisor.get(&path(&visit)).await.ok();

    assert_eq!(without["review_answers"]["answers"], json!({ "genuine": "yes" }));
    assert!(
        without["redacted"].as_array().unwrap().contains(&json!("age_settled")),
        "{}",
        without["redacted"]
    );
    let with = supervisor.get(&format!("{}?reason=case-review", path(&visit))).await.ok();
    assert_eq!(with["review_answers"]["answers"], answers());
    for (who, status) in [("analyst", 200), ("labour-head", 200), ("supervisor-swd", 404)] {
        let seen = app.login(who).await.get(&format!("{}?reason=curious", path(&visit))).await;
        assert_eq!((seen.status, seen.text().contains("age_settled\":12")), (status, false), "{who}");
        assert!(!seen.text().contains("review_answers"), "{who}");
    }
}

async fn of_two_reviewers_at_once_one_is_told(app: TestApp) {
    let visit = doubtful();
    filed(&app, &visit).await;
    let (one, other) = (app.supervisor().await, another_supervisor(&app).await);
    let opposite = json!({ "genuine": "no", "why_not": "no such number", "children[1].age_settled": 15 });

    let (first, second) =
        tokio::join!(answer(&one, &visit, answers(), 0), answer(&other, &visit, opposite.clone(), 0));

    let (winner, loser) = if first.status == 200 { (first, second) } else { (second, first) };
    assert_eq!(winner.ok()["version"], 1);
    assert_eq!(loser.refused(412, "review_answers_stale")["answers_version"], 1);
    assert_eq!(app.count("review_answers", "true"), 1);
    // Whoever decides by answers that are no longer those is told as well.
    answer(&other, &visit, opposite.clone(), 1).await.ok();
    decide(&one, &visit, json!({ "action": "accept", "answers_version": 1 }))
        .await
        .refused(412, "review_answers_stale");
    decide(&one, &visit, json!({ "action": "accept", "answers": answers(), "answers_version": 1 }))
        .await
        .refused(412, "review_answers_stale");
    assert_eq!(app.count("review_events", "true"), 0);
    decide(
        &one,
        &visit,
        json!({ "action": "accept", "answers_version": app.count("review_answers", "true") }),
    )
    .await
    .ok();
}

async fn a_stale_page_is_refused_and_a_correction_keeps_the_answers_as_suggestions_only(app: TestApp) {
    let visit = doubtful();
    let receipt = filed(&app, &visit).await;
    let supervisor = app.supervisor().await;
    let back = json!({ "action": "return", "reason": "one child is missing", "answers": answers() });
    decide(&supervisor, &visit, back).await.ok();
    let mut corrected = visit.clone();
    corrected.envelope["answers"]["a1"]["children"] =
        json!([{ "code": "K-3", "age_seen": 15 }, { "code": "K-1", "age_seen": 16 }, { "code": "K-2" }]);
    let hash = receipt["content_hash"].as_str().unwrap();
    app.inspector().await.revise(&corrected, hash).await.created();

    let stale = json!({ "answers": answers(), "answers_version": 1, "if_match": hash });
    let refused = supervisor.put(&format!("{}/review-answers", path(&visit)), &stale).await;
    refused.refused(412, "revision_stale");
    let asked =
        supervisor.get(&format!("{}?reason=case-review", path(&visit))).await.ok()["review_answers"].clone();

    assert_eq!((&asked["revision"], &asked["answers"]), (&json!(2), &json!({})));
    assert_eq!(
        asked["suggested"],
        json!({ "genuine": "yes", "children[2].age_settled": 12 }),
        "the row is found by its code"
    );
    assert_eq!(asked["missing"], json!(["genuine", "children[2].age_settled"]));
    decide(&supervisor, &visit, json!({ "action": "accept" })).await.refused(409, "review_answers_missing");
    let confirmed =
        json!({ "action": "accept", "answers": asked["suggested"], "answers_version": asked["version"] });
    decide(&supervisor, &visit, confirmed).await.ok();
    let first = supervisor.get(&format!("{}/revisions/1?reason=case-review", path(&visit))).await.ok();
    assert_eq!(
        first["review_answers"]["answers"],
        answers(),
        "what was answered about the first revision stays with it"
    );
}

async fn only_reviewers_of_the_area_answer_and_never_about_their_own(app: TestApp) {
    let visit = doubtful();
    filed(&app, &visit).await;
    for (who, status) in
        [("inspector", 403), ("labour-head", 403), ("analyst", 403), ("admin", 403), ("supervisor-swd", 404)]
    {
        assert_eq!(answer(&app.login(who).await, &visit, answers(), 0).await.status, status, "{who}");
    }
    let elsewhere = json!({ "role": "supervisor", "line": "labour", "areas": ["PK234"] });
    let elsewhere = app.account("supervisor-duki", elsewhere).await;
    answer(&elsewhere, &visit, answers(), 0).await.refused(404, "submission_unknown");
    let supervisor = app.supervisor().await;
    // As if the inspector had become the supervisor.
    app.sql("UPDATE submissions SET account_id = (SELECT id FROM accounts WHERE username = 'supervisor')")
        .unwrap();
    answer(&supervisor, &visit, answers(), 0).await.refused(403, "own_submission");
    assert_eq!(supervisor.get(&path(&visit)).await.ok()["review_answers"], Value::Null);
    assert_eq!(app.count("review_answers", "true"), 0);
}

async fn what_is_decided_is_answered_no_more(app: TestApp) {
    let visit = doubtful();
    filed(&app, &visit).await;
    let supervisor = app.supervisor().await;
    decide(&supervisor, &visit, json!({ "action": "reject", "reason": "no such place" })).await.ok();

    answer(&supervisor, &visit, answers(), 0).await.refused(409, "already_decided");
    let reopen = json!({ "action": "reopen", "reason": "there is", "answers": answers() });
    let second = another_supervisor(&app).await;
    decide(&second, &visit, reopen).await.refused(400, "answers_not_taken");
    decide(&second, &visit, json!({ "action": "reopen", "reason": "there is" })).await.ok();
    answer(&second, &visit, answers(), 0).await.ok();
    // Rejecting and returning need no answers.
    decide(&second, &visit, json!({ "action": "reject", "reason": "after all not" })).await.ok();
}

async fn the_clean_are_accepted_in_one_go_without_those_that_wait_for_an_answer(app: TestApp) {
    // A form without a licence asks nothing further, and one with a genuine one is answered.
    let (nothing_asked, waiting, answered) = (visit("none", &[]), visit("L-1", &[]), visit("L-2", &[]));
    publish(&app).await;
    let phone = app.inspector().await;
    for (hour, visit) in [(9, waiting.clone()), (11, nothing_asked.clone()), (13, answered.clone())] {
        let visit = visit
            .at("started_at", format!("2026-11-20T{hour:02}:00:00+05:00"))
            .at("finished_at", format!("2026-11-20T{hour:02}:40:00+05:00"));
        assert_eq!(phone.file(&visit).await.created()["flags"], json!([]));
    }
    let supervisor = app.supervisor().await;
    answer(&supervisor, &answered, json!({ "genuine": "yes" }), 0).await.ok();

    let named = json!({ "ids": [waiting.id] });
    let one = supervisor.post("/v1/review-queue/accept", &named).await.ok();
    let filter = json!({ "filter": { "form": FORM }, "limit": 2 });
    let all = supervisor.post("/v1/review-queue/accept", &filter).await.ok();

    let standing = |visit: &Submission| {
        app.text(&format!("SELECT review AS text FROM submissions WHERE id = '{}'", visit.id))
    };
    assert_eq!(one["items"][0]["problem"]["code"].as_str(), Some("review_answers_missing"), "{one}");
    assert_eq!(one["accepted"], 0);
    assert_eq!(all["accepted"], 2, "{all}");
    let stand = [&waiting, &nothing_asked, &answered].map(standing);
    assert_eq!(stand, ["received", "accepted", "accepted"]);
}

async fn answers_are_never_changed_and_never_logged(app: TestApp) {
    let visit = doubtful();
    filed(&app, &visit).await;
    let words = json!({ "genuine": "no", "why_not": "zamarud", "children[1].age_settled": 12 });
    answer(&app.supervisor().await, &visit, words, 0).await.ok();

    for statement in ["UPDATE review_answers SET answers = '{}'", "DELETE FROM review_answers"] {
        let refused = app.sql(statement).unwrap_err();
        assert!(refused.contains("are never"), "{statement}: {refused}");
    }
    assert_eq!(app.count("audit_events", "action = 'submission.review_answered'"), 1);
    assert_eq!(app.count("audit_events", "details LIKE '%zamarud%' OR details LIKE '%genuine%'"), 0);
    assert_eq!(app.count("review_answers", "answers LIKE '%zamarud%'"), 1);
}

async fn the_difference_tells_what_the_reviewer_answered_by_its_label(app: TestApp) {
    let visit = doubtful();
    let receipt = filed(&app, &visit).await;
    let supervisor = app.supervisor().await;
    let back =
        json!({ "action": "return", "reason": "look again", "answers": { "genuine": "no", "why_not": "?" } });
    decide(&supervisor, &visit, back).await.ok();
    let corrected = visit.clone().with("licence_no", "L-8");
    app.inspector().await.revise(&corrected, receipt["content_hash"].as_str().unwrap()).await.created();
    answer(&supervisor, &visit, json!({ "genuine": "yes", "children[1].age_settled": 12 }), 1).await.ok();

    let told = |difference: &Value| -> Vec<(String, String)> {
        let items = difference["items"].as_array().unwrap().iter();
        let of = |item: &Value| {
            (item["label"]["en"].as_str().unwrap().to_owned(), item["how"].as_str().unwrap().to_owned())
        };
        items.map(of).collect()
    };
    let reviewer = supervisor.get(&format!("{}/diff", path(&visit))).await.ok();
    let filer = app.inspector().await.get(&format!("{}/diff", path(&visit))).await.ok();

    let change = |label: &str, how: &str| (label.to_owned(), how.to_owned());
    assert_eq!(
        told(&reviewer),
        [
            change("Licence number", "changed"),
            change("Is the licence genuine?", "changed"),
            change("What is wrong with it?", "removed")
        ]
    );
    assert_eq!(reviewer["redacted"], json!(["age_settled"]));
    assert_eq!(told(&filer), [change("Licence number", "changed")]);
}
