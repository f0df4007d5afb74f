//! What follows from a reviewer's answers: a finding they opened has its whole time from the answer, the employer reads the same day, and
//! whoever asks what other rules would have meant is told of visits as they stand after their review.

use chrono::Duration;
use harness::cases::at;
use harness::{Person, TestApp, deeds, on_both_databases};
use serde_json::{Value, json};

use super::{answer, decide, doubtful, filed, path, publish, release, visit};

on_both_databases!(
    a_finding_opened_by_the_reviewer_has_its_whole_time_from_the_answer,
    an_answer_taken_back_and_given_again_gains_no_time,
    a_release_is_tried_on_visits_as_their_reviewers_left_them,
);

/// What the supervisor finds out: a false licence, and a child of twelve.
fn found_out() -> Value {
    json!({ "genuine": "no", "why_not": "no such number", "children[1].age_settled": 12 })
}

async fn a_finding_opened_by_the_reviewer_has_its_whole_time_from_the_answer(app: TestApp) {
    let visit = doubtful();
    filed(&app, &visit).await;
    // The supervisor comes to it on the fifth day; a week is given from the visit's end, four in the afternoon.
    app.clock.advance(Duration::days(5));
    let supervisor = app.supervisor().await;
    answer(&supervisor, &visit, found_out(), 0).await.ok();

    let (licence, child) =
        (supervisor.finding(visit.id, "LIC-09").await, supervisor.finding(visit.id, "AGE-09").await);
    assert_eq!(licence["due_at"], "2026-12-02T12:00:00Z");
    assert_eq!(child["due_at"], "2026-11-27T11:40:00Z", "it was known, if not certain, since the visit");
    let shown = supervisor.get(&path(&visit)).await.ok();
    let due = |code: &str| {
        let of_code = shown["findings"].as_array().unwrap().iter().find(|it| it["code"] == code);
        of_code.unwrap()["due_at"].as_str().unwrap().to_owned()
    };
    assert_eq!(due("LIC-09"), "2026-12-02T17:00:00+05:00");
    assert_eq!(due("AGE-09"), "2026-11-27T16:40:00+05:00");
    let copy = supervisor.get(&format!("{}/employer-copy", path(&visit))).await.ok();
    let items = copy["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[0]["code"], &items[0]["due_on"]),
        (1, &json!("LIC-09"), &json!("2026-12-02"))
    );

    // Half of its time is half of what was given, not what an old visit has left of it.
    app.clock.advance(Duration::days(3));
    app.run_jobs().await;
    let supervisor = app.supervisor().await;
    let page = supervisor.get(&at(&licence, "")).await.ok();
    assert_eq!((&page["level"], &page["overdue"]), (&json!(0), &json!(false)), "{page}");
    app.clock.advance(Duration::hours(13));
    app.run_jobs().await;
    let supervisor = app.supervisor().await;
    assert_eq!(supervisor.get(&at(&licence, "")).await.ok()["level"], 1);
    app.clock.advance(Duration::days(4));
    app.run_jobs().await;
    let late = app.supervisor().await.get(&at(&licence, "")).await.ok();
    assert_eq!(
        deeds(&late),
        ["finding.opened", "finding.escalated", "finding.breached", "finding.escalated"]
    );
}

async fn an_answer_taken_back_and_given_again_gains_no_time(app: TestApp) {
    let visit = visit("L-7", &[]);
    filed(&app, &visit).await;
    let due = async |given: Value, version: i32| {
        let supervisor = app.supervisor().await;
        answer(&supervisor, &visit, given, version).await.ok();
        let finding = supervisor.finding(visit.id, "LIC-09").await;
        (finding["state"].clone(), finding["due_at"].clone())
    };
    let no = json!({ "genuine": "no", "why_not": "no such number" });

    let first = due(no.clone(), 0).await;
    app.clock.advance(Duration::days(2));
    let taken_back = due(json!({ "genuine": "yes" }), 1).await;
    app.clock.advance(Duration::days(2));
    let again = due(no, 2).await;

    assert_eq!(first, (json!("open"), json!("2026-11-27T12:00:00Z")));
    assert_eq!(taken_back.0, "superseded");
    assert_eq!(again, first);
}

/// What a release would have meant, as the committee is told.
async fn tried(app: &TestApp, member: &Person, change: impl FnOnce(&mut Value)) -> Value {
    let mut proposed = release();
    proposed.version = 2;
    proposed.definition["x-form"]["version"] = json!(2);
    change(&mut proposed.definition);
    let begun = member.post("/v1/replays", &json!({ "package": proposed })).await.created();
    app.run_jobs().await;
    let done = member.get(&format!("/v1/replays/{}", begun["id"].as_str().unwrap())).await.ok();
    assert_eq!(done["state"], "done", "{done}");
    done["report"].clone()
}

async fn a_release_is_tried_on_visits_as_their_reviewers_left_them(app: TestApp) {
    publish(&app).await;
    let phone = app.inspector().await;
    let (false_licence, genuine, waiting) =
        (doubtful(), visit("L-8", &[("K-9", Some(15))]), visit("L-9", &[("K-5", None)]));
    for visit in [&false_licence, &genuine, &waiting] {
        phone.file(visit).await.created();
    }
    let supervisor = app.supervisor().await;
    decide(&supervisor, &false_licence, json!({ "action": "accept", "answers": found_out() })).await.ok();
    answer(&supervisor, &genuine, json!({ "genuine": "yes" }), 0).await.ok();
    let member = app.login("committee3").await;

    // The licence no longer matters, and a child is one below twelve: who was twelve by the register falls.
    let milder = tried(&app, &member, |definition| {
        let findings = definition["x-findings"].as_array_mut().unwrap();
        findings.truncate(1);
        findings[0]["when"] = json!("coalesce(age_seen, age_settled) < 12");
    })
    .await;
    let rule = |report: &Value, code: &str| {
        let all = report["findings"].as_array().unwrap();
        all.iter().find(|it| it["rule"] == code).cloned().unwrap_or_else(|| panic!("no {code}: {report}"))
    };
    let (child, licence) = (rule(&milder, "AGE-09"), rule(&milder, "LIC-09"));
    assert_eq!((&child["before"], &child["after"]), (&json!(2), &json!(1)), "who waits stays provisional");
    assert_eq!((&licence["before"], &licence["after"]), (&json!(1), &json!(0)));
    assert_eq!(milder["inputs"]["visits"], 3);

    // One more question for the reviewer is missed by nobody who filed, and takes nobody's time.
    let longer = tried(&app, &member, |definition| {
        definition["properties"]["z1"]["properties"]["sealed"] =
            json!({ "type": "boolean", "title": "Is it sealed?", "x-asked-of": "reviewer", "x-required": true });
    })
    .await;
    assert_eq!((&longer["violations"], &longer["findings"]), (&json!([]), &json!([])), "{longer}");
    assert_eq!(longer["verdicts"].as_array().map(Vec::len), Some(1), "{}", longer["verdicts"]);
    assert_eq!(longer["time"]["questions_more"], 0);

    // What a reviewer answered by a list that is narrower now has no place any more, and is told.
    let narrower = tried(&app, &member, |definition| {
        definition["properties"]["z1"]["properties"]["genuine"]["oneOf"] =
            json!([{ "const": "yes", "title": "Yes" }, { "const": "unsure", "title": "Unsure" }]);
        definition["x-findings"][1]["when"] = json!("genuine == 'unsure'");
        definition["properties"]["z1"]["properties"]["why_not"]["x-relevant"] = json!("genuine == 'unsure'");
    })
    .await;
    let all = narrower["violations"].as_array().unwrap();
    let told = all.iter().find(|it| it["rule"] == "choice" && it["question"] == "genuine").unwrap();
    assert_eq!((&told["before"], &told["after"]), (&json!(0), &json!(1)));
    assert!(!narrower.to_string().contains("no such number"), "{narrower}");
}
