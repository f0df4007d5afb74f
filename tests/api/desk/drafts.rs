//! Drafts: every save stays, and nothing is saved that cannot be applied.

use harness::committee::{accepted, committee, draft, opened, path, proposed};
use harness::{Answer, Person, TestApp, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use super::{FORM, draft_path, relabel};

on_both_databases!(
    a_locked_question_cannot_be_touched,
    every_save_of_a_draft_stays_and_can_come_back,
    what_the_engine_cannot_apply_is_named_and_nothing_is_saved,
    a_proposal_whose_cases_fail_is_not_put_to_the_vote,
    a_new_base_moves_what_fits_and_asks_about_the_rest,
    what_makes_no_sense_is_named,
);

/// Saves other operations over the second version.
async fn save(author: &Person, draft: &Value, operations: Value) -> Answer {
    author.put_known(&draft_path(draft, ""), &json!({ "operations": operations }), "\"2\"").await
}

async fn a_locked_question_cannot_be_touched(app: TestApp) {
    let author = app.login("committee2").await;
    let before = draft(&author, "child-protection-toolkit", json!([])).await;

    let hide =
        json!({ "operations": [{ "op": "hide", "question": "cv_consent", "because": "It takes long." }] });
    let refused =
        author.put_known(&draft_path(&before, ""), &hide, "\"1\"").await.refused(400, "operations_refused");

    assert_eq!(refused["refusals"][0]["code"], "locked");
    assert_eq!(refused["refusals"][0]["operation"], 0);
    assert!(refused["refusals"][0]["locked"].as_str().unwrap().contains("Consent comes first"));
    let after = author.get(&draft_path(&before, "")).await.ok();
    assert_eq!((&after["version"], &after["operations"]), (&json!(1), &json!([])));
}

async fn every_save_of_a_draft_stays_and_can_come_back(app: TestApp) {
    let author = app.login("committee2").await;
    let first = draft(&author, FORM, relabel("Day")).await;
    let path = draft_path(&first, "");
    let second =
        author.put_known(&path, &json!({ "operations": relabel("Date of the visit") }), "\"2\"").await.ok();
    let same =
        author.put_known(&path, &json!({ "operations": relabel("Date of the visit") }), "\"3\"").await.ok();
    author.put_known(&path, &json!({ "operations": [] }), "\"2\"").await.refused(412, "draft_stale");
    author.put(&path, &json!({ "operations": [] })).await.refused(400, "if_match_needed");

    let restore = author.request(Method::POST, &draft_path(&first, "/restore")).header("If-Match", "\"3\"");
    let restored = restore.json(&json!({ "version": 2 })).send().await.ok();

    assert_eq!(
        (&second["version"], &same["version"]),
        (&json!(3), &json!(3)),
        "the same again is no new version"
    );
    assert_eq!((&restored["version"], &restored["how"]), (&json!(4), &json!("restored")));
    assert_eq!(restored["operations"], relabel("Day"));
    assert_eq!(restored["sentences"][0]["en"].as_str().map(|text| text.contains("Day")), Some(true));
    let history = author.get(&draft_path(&first, "/history?limit=3")).await.ok();
    let versions: Vec<&Value> =
        history["items"].as_array().unwrap().iter().map(|save| &save["version"]).collect();
    assert_eq!(versions, [4, 3, 2]);
    let rest = author
        .get(&draft_path(&first, &format!("/history?after={}", history["next"].as_str().unwrap())))
        .await
        .ok();
    assert_eq!(rest["items"][0]["how"], "begun");
    let old = author.get(&draft_path(&first, "/versions/3")).await.ok();
    assert_eq!(old["operations"], relabel("Date of the visit"));
    let other = app.login("committee3").await;
    other.put_known(&path, &json!({ "operations": [] }), "\"4\"").await.refused(403, "not_the_author");
    assert_eq!(other.get(&path).await.ok()["version"], 4, "everybody on the Committee reads drafts");
}

async fn what_the_engine_cannot_apply_is_named_and_nothing_is_saved(app: TestApp) {
    let author = app.login("committee2").await;
    let before = draft(&author, FORM, relabel("Day")).await;
    let try_to_save = |operations: Value| save(&author, &before, operations);

    let twice = [relabel("Day")[0].clone(), relabel("Day")[0].clone()];
    let twice = try_to_save(json!(twice)).await.refused(400, "operations_refused");
    let nothing = json!([{ "op": "hide", "question": "no_such_question", "because": "x" }]);
    let nothing = try_to_save(nothing).await.refused(400, "operations_refused");
    let wider = json!([{ "op": "tighten", "question": "union_council", "max_length": 100 }]);
    try_to_save(wider).await.refused(400, "operations_refused");
    try_to_save(json!([{ "op": "burn" }])).await.refused(400, "bad_json");

    assert_eq!(
        (&twice["refusals"][0]["code"], &twice["refusals"][0]["operation"]),
        (&json!("applied_twice"), &json!(1))
    );
    assert_eq!(nothing["refusals"][0]["code"], "unknown_target");
    let check = json!({ "operations": [{ "op": "replace_rule", "rule": { "finding": "AGE-02" }, "text": "no_such_name > 1" }] });
    let check = author.post(&draft_path(&before, "/check"), &check).await.ok();
    assert_eq!(check["sound"], false);
    assert!(check["refusals"][0]["problem"]["message"].is_string(), "{check}");
    assert_eq!(author.get(&draft_path(&before, "/check")).await.ok()["sound"], true);
    assert_eq!(author.get(&draft_path(&before, "")).await.ok()["version"], 2);
}

async fn a_proposal_whose_cases_fail_is_not_put_to_the_vote(app: TestApp) {
    let members = committee(&app).await;
    let author = &members[1].person;
    let operations = json!([{ "op": "set_parameter", "key": "age.child_max", "value": 15, "unit": "years; child = under",
        "valid_from": "2026-01-01", "source": "A decision of the Committee", "certainty": "H" }]);
    let draft = draft(author, FORM, operations).await;
    let ran = author.get(&draft_path(&draft, "/cases")).await.ok();
    assert!(ran["failing"].as_u64().unwrap() > 0 && ran["total"].as_u64().unwrap() > 50, "{}", ran["total"]);
    let proposal = proposed(author, &draft, "2027-01-01").await;

    let open =
        author.request(Method::POST, &path(&proposal, "/open")).header("If-Match", "\"1\"").json(&json!({}));
    let refused = open.send().await.refused(409, "not_ready");

    assert_eq!(refused["obstacles"][0]["code"], "cases_fail");
    let failing = ran["cases"].as_array().unwrap().iter().filter(|case| case["passes"] == false);
    let names: Vec<&Value> = failing.map(|case| &case["name"]).collect();
    let accept =
        author.request(Method::POST, &draft_path(&draft, "/cases/accept")).header("If-Match", "\"2\"");
    let accepted = accept.json(&json!({ "names": names })).send().await.ok();
    assert_eq!(author.get(&draft_path(&draft, "/cases")).await.ok()["failing"], 0);
    let again =
        json!({ "draft": draft["id"], "version": accepted["version"], "effective_from": "2027-01-01" });
    let frozen = author.put_known(&path(&proposal, ""), &again, "\"1\"").await.ok();
    assert_ne!(frozen["hash"], proposal["hash"]);
    assert_eq!(opened(author, &frozen).await["state"], "voting");
}

async fn a_new_base_moves_what_fits_and_asks_about_the_rest(app: TestApp) {
    let members = committee(&app).await;
    let author = &members[1].person;
    let ours = json!([
        { "op": "relabel", "key": "visit_date", "text": "Day of the visit" },
        { "op": "hide", "question": "export_chain", "because": "Nobody can answer it." },
        { "op": "relabel", "key": "seasonal", "text": "Works in some seasons only" },
        { "op": "translate", "language": "brh", "key": "district", "text": "ضلع" }
    ]);
    let draft = draft(author, FORM, ours).await;
    let rebase = draft_path(&draft, "/rebase");
    let mut package = author.get(&format!("/v1/forms/{FORM}/releases/1")).await.ok();
    package["version"] = 2.into();
    package["definition"]["x-form"]["version"] = 2.into();
    package["definition"]["properties"]["b1"]["properties"]["visit_date"]["title"] =
        "When were you there?".into();
    package["definition"]["properties"]["b2"]["properties"]["seasonal"]["title"] = "Only in season".into();
    let new = json!({ "package": package, "note": "UNICEF's revision of March 2027" });
    author.post("/v1/bases", &new).await.expect(403);
    let base = members[0].person.post("/v1/bases", &new).await.created()["hash"].clone();
    let request = |decisions: Value| {
        let request = author.request(Method::POST, &rebase).header("If-Match", "\"2\"");
        request.json(&json!({ "base": base, "decisions": decisions }))
    };

    let preview = author.get(&format!("{rebase}?base={}", base.as_str().unwrap())).await.ok();
    let undecided = request(json!([{ "operation": 0, "choice": "keep_ours" }]))
        .send()
        .await
        .refused(409, "rebase_undecided");
    let decisions =
        json!([{ "operation": 0, "choice": "keep_ours" }, { "operation": 2, "choice": "take_theirs" }]);
    let moved = request(decisions).send().await.ok();

    let conflicts = preview["conflicts"].as_array().unwrap();
    assert_eq!(conflicts.iter().map(|conflict| &conflict["operation"]).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(conflicts[0]["base_now"], "When were you there?");
    assert!(
        conflicts[0]["base_before"] != conflicts[0]["base_now"] && conflicts[0]["sentence"]["en"].is_string()
    );
    assert_eq!(preview["from"], json!([1, 3]));
    assert_eq!(undecided["conflicts"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&moved["how"], &moved["base"], &moved["base_version"]),
        (&json!("rebased"), &base, &json!(2))
    );
    let words: Vec<&Value> =
        moved["operations"].as_array().unwrap().iter().map(|operation| &operation["op"]).collect();
    assert_eq!(words, ["relabel", "hide", "translate"]);
    // The base brought no cases: those of the one before go along, and nobody asks export_chain any more.
    let moved = accepted(author, &moved).await;
    let proposal = proposed(author, &moved, "2027-03-01").await;
    assert_eq!(
        opened(author, &proposal).await["state"],
        "voting",
        "the result goes to the vote like any other"
    );
}

async fn what_makes_no_sense_is_named(app: TestApp) {
    let members = committee(&app).await;
    let author = &members[1].person;
    let nobody = "/v1/proposals/0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10";
    author.get(nobody).await.refused(404, "proposal_unknown");
    author.get("/v1/proposals/none").await.refused(400, "bad_id");
    author.get("/v1/drafts/0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10").await.refused(404, "draft_unknown");
    author.post("/v1/drafts", &json!({ "form": "no-form", "title": "x" })).await.refused(404, "form_unknown");
    author.post("/v1/drafts", &json!({ "form": FORM, "title": " " })).await.refused(400, "words_needed");
    author
        .post("/v1/drafts", &json!({ "form": FORM, "title": "x", "base": "abc" }))
        .await
        .refused(404, "base_unknown");
    let same = draft(author, FORM, json!([])).await;
    let propose =
        |from: &str, version: i32| json!({ "draft": same["id"], "version": version, "effective_from": from });
    author.post("/v1/proposals", &propose("2027-01-01", 1)).await.refused(400, "nothing_changes");
    let changed = author
        .put_known(&draft_path(&same, ""), &json!({ "operations": relabel("Day") }), "\"1\"")
        .await
        .ok();
    assert_eq!(changed["version"], 2);
    author.post("/v1/proposals", &propose("2027-01-01", 1)).await.refused(412, "draft_stale");
    author.post("/v1/proposals", &propose("2026-11-01", 2)).await.refused(400, "effective_day");
    let mut odd = propose("2027-01-01", 2);
    odd["languages"] = json!(["zz"]);
    author.post("/v1/proposals", &odd).await.refused(400, "language_unknown");
    odd["languages"] = json!([]);
    odd["stage"] = json!("nobody");
    author.post("/v1/proposals", &odd).await.refused(400, "bad_stage");
    let soon = author.post("/v1/proposals", &propose("2026-11-25", 2)).await.created();
    let open =
        author.request(Method::POST, &path(&soon, "/open")).header("If-Match", "\"1\"").json(&json!({}));
    open.send().await.refused(409, "effective_too_early");
    let open = author
        .request(Method::POST, &path(&soon, "/open"))
        .header("If-Match", "\"1\"")
        .json(&json!({ "days": 400 }));
    open.send().await.refused(400, "voting_days");
    let withdraw = author.request(Method::POST, &path(&soon, "/withdraw")).header("If-Match", "\"1\"");
    let withdrawn =
        withdraw.json(&json!({ "reason": "The department asked for more time." })).send().await.ok();
    assert_eq!(withdrawn["state"], "withdrawn");
    members[0].vote(&app, &soon, "approve", "").await.refused(409, "not_voting");
    author.get(&path(&soon, "/minutes")).await.refused(404, "no_minutes");
    members[0].vote(&app, &soon, "reject", "").await.refused(400, "words_needed");
    let key = json!({ "public_key": "short", "proof": "x" });
    author.post("/v1/committee/keys", &key).await.refused(400, "key_unreadable");
}
