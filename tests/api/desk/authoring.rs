//! Help for those who write: the library, a rule tried, a proposal tried on past visits.

use harness::committee::{committee, draft, path, proposed};
use harness::{Answer, Person, TestApp, on_both_databases, samples};
use reqwest::Method;
use serde_json::{Value, json};

use super::{FORM, draft_path, fresh, relabel};

on_both_databases!(
    a_tried_question_is_taken_from_the_library,
    a_rule_is_tried_while_it_is_written,
    a_proposal_is_tried_on_past_visits,
);

async fn try_rule(author: &Person, draft: &Value, body: Value) -> Answer {
    author.post(&draft_path(draft, "/try"), &body).await
}

async fn a_tried_question_is_taken_from_the_library(app: TestApp) {
    let author = app.login("committee2").await;
    let found = author.get("/v1/questions?q=union&form=child-labour-inspection").await.ok();
    assert_eq!(found["items"][0]["name"], "union_council");
    assert_eq!(found["items"][0]["releases"], 1);
    assert!(found["items"][0]["text"]["ur"].is_string());
    let before = draft(&author, "shelter-audit", json!([])).await;
    let outline = author.get("/v1/forms/shelter-audit/releases/1").await.ok();
    let section = outline["definition"]["properties"].as_object().unwrap().keys().next().unwrap().clone();

    let take =
        json!({ "form": FORM, "question": "union_council", "into": section, "name": "union_council_taken" });
    let request = author.request(Method::POST, &draft_path(&before, "/take")).header("If-Match", "\"1\"");
    let taken = request.json(&take).send().await.ok();

    assert_eq!(
        (&taken["operations"][0]["op"], &taken["operations"][0]["name"]),
        (&json!("add_question"), &json!("union_council_taken"))
    );
    assert!(taken["operations"][0]["labels"]["ur"]["union_council_taken"].is_string(), "{taken}");
    let package = author.get(&draft_path(&before, "/package")).await.ok();
    let pointer = format!("/package/definition/properties/{section}/properties/union_council_taken");
    assert!(package.pointer(&pointer).is_some());
    let again = author.get("/v1/questions?limit=2").await.ok();
    let next =
        author.get(&format!("/v1/questions?limit=2&after={}", again["next"].as_str().unwrap())).await.ok();
    assert_ne!(again["items"][1]["name"], next["items"][0]["name"]);
}

async fn a_rule_is_tried_while_it_is_written(app: TestApp) {
    let author = app.login("committee2").await;
    let draft = draft(&author, FORM, json!([])).await;
    let tried = |body: Value| try_rule(&author, &draft, body);

    let context = json!({ "finished_at": "2026-11-20T12:00:00+05:00" });
    let day = json!({ "visit_date": "2026-11-18" });
    let must = tried(json!({ "rule": "visit_date <= today", "answers": day, "context": context })).await.ok();
    let value =
        tried(json!({ "rule": "days_between(visit_date, today)", "answers": day, "context": context }))
            .await
            .ok();
    let unknown = tried(json!({ "rule": "visit_date <= today", "context": context })).await.ok();
    let wrong = tried(json!({ "rule": "visit_dat <= today" })).await.ok();
    let case = json!({ "rule": "age_years < param.age.adolescent_max", "on": "children", "case": "B3 disputed age" });
    let names = author.get(&draft_path(&draft, "/cases")).await.ok();
    let name = names["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["name"].as_str().is_some_and(|name| name.to_lowercase().contains("disputed")));
    let mut rows = case.clone();
    rows["case"] = name.unwrap()["name"].clone();
    let rows = tried(rows).await.ok();

    assert_eq!((&must["boolean"], &must["results"][0]["result"]), (&json!(true), &json!(true)), "{must}");
    assert_eq!(must["results"][0]["because"][0]["path"], "visit_date");
    assert_eq!((&value["boolean"], &value["results"][0]["result"]), (&json!(false), &json!(2)), "{value}");
    assert_eq!(unknown["results"][0]["unknown"][0]["path"], "visit_date", "{unknown}");
    assert_eq!(wrong["sound"], false);
    assert!(wrong["problems"][0]["remedy"].as_str().unwrap().contains("visit_date"), "{wrong}");
    assert!(rows["results"][0]["path"].as_str().unwrap().starts_with("children[0]"), "{rows}");
    tried(json!({ "rule": "", "answers": {} })).await.refused(400, "rule_length");
    tried(json!({ "rule": "true", "on": "nowhere" })).await.refused(400, "on_unknown");
    tried(json!({ "rule": "true", "case": "no such case" })).await.refused(400, "case_unknown");
}

async fn a_proposal_is_tried_on_past_visits(app: TestApp) {
    app.inspector().await.file(&samples::b3()).await.created();
    let members = committee(&app).await;
    let author = &members[1].person;
    let proposal = proposed(author, &draft(author, FORM, relabel("Day")).await, "2027-01-01").await;

    let asked = author.post(&path(&proposal, "/replay"), &json!({})).await.accepted();
    app.run_jobs().await;

    let replays = fresh(author, &proposal).await["replays"].clone();
    assert_eq!((&replays[0]["id"], &replays[0]["state"]), (&asked["id"], &json!("done")), "{replays}");
    assert_eq!(
        (&replays[0]["package_hash"], &replays[0]["total"]),
        (&proposal["terms"]["package"], &json!(1))
    );
    author.post(&path(&proposal, "/replay"), &json!({ "over": "some" })).await.expect(400);
}
