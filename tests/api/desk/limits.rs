//! A limit of the law that is proposed shows what it would have meant, without anybody asking.

use harness::committee::{draft, path, proposed};
use harness::{Person, TestApp, on_both_databases, samples};
use serde_json::{Value, json};

use super::{FORM, fresh, relabel};

on_both_databases!(
    a_proposed_limit_is_tried_at_once_as_if_it_had_always_been_in_force,
    words_alone_are_tried_only_when_somebody_asks,
);

/// Nobody is an adolescent any more from next year on.
fn limit() -> Value {
    json!([{ "op": "set_parameter", "key": "age.adolescent_max", "value": 10, "valid_from": "2027-01-01",
             "source": "A bill", "certainty": "L" }])
}

async fn report(person: &Person, replay: &Value) -> Value {
    person.get(&format!("/v1/replays/{}", replay["id"].as_str().unwrap())).await.ok()["report"].clone()
}

async fn a_proposed_limit_is_tried_at_once_as_if_it_had_always_been_in_force(app: TestApp) {
    let filed = app.inspector().await.file(&samples::b3()).await.created();
    let author = app.login("committee2").await;
    let proposal = proposed(&author, &draft(&author, FORM, limit()).await, "2027-01-01").await;
    let begun = fresh(&author, &proposal).await["replays"].clone();
    assert_eq!((&begun[0]["state"], &begun[0]["law"]), (&json!("waiting"), &json!("as_if_in_force")));
    author.post(&path(&proposal, "/replay"), &json!({})).await.accepted();
    app.run_jobs().await;

    let replays = fresh(&author, &proposal).await["replays"].clone();
    let of =
        |law: &str| replays.as_array().unwrap().iter().find(|replay| replay["law"] == law).unwrap().clone();
    let as_if = report(&author, &of("as_if_in_force")).await;
    let of_the_day = report(&author, &of("of_the_day")).await;

    assert_eq!((&as_if["inputs"]["visits"], &as_if["inputs"]["law"]), (&json!(1), &json!("as_if_in_force")));
    assert_eq!(as_if["inputs"]["package"], proposal["terms"]["package"], "it is what is voted on");
    let lost = as_if["findings"].as_array().unwrap().iter().filter(|rule| rule["lost"]["visits"] == 1);
    assert!(lost.count() > 0, "a finding that is lost is a child nobody would have been sent to: {as_if}");
    assert_eq!(of_the_day["findings"], json!([]), "by the law of its day the visit is what it was");
    assert_eq!(of_the_day["inputs"]["law"], Value::Null);
    let submission = format!("/v1/submissions/{}", filed["id"].as_str().unwrap());
    let after = app.inspector().await.get(&submission).await.ok();
    assert_eq!(after["findings"].as_array().map(Vec::len), filed["findings"].as_array().map(Vec::len));
}

async fn words_alone_are_tried_only_when_somebody_asks(app: TestApp) {
    let author = app.login("committee2").await;
    let proposal = proposed(&author, &draft(&author, FORM, relabel("Day")).await, "2027-01-01").await;
    assert_eq!(fresh(&author, &proposal).await["replays"], json!([]));

    author.post(&path(&proposal, "/replay"), &json!({ "law": "as_if_in_force" })).await.accepted();
    author.post(&path(&proposal, "/replay"), &json!({ "law": "of_nowhere" })).await.expect(400);

    assert_eq!(fresh(&author, &proposal).await["replays"][0]["law"], "as_if_in_force");
}
