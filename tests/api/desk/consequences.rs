//! What a change would mean, said before it is decided and kept with the decision: stored visits it would break, limits that would hold too early,
//! the replay that members could read, the order of questions as part of what is voted on.

use chrono::SecondsFormat;
use harness::committee::{Member, accepted, committee, draft, opened, path, proposed};
use harness::{Person, TestApp, on_both_databases, samples};
use serde_json::{Value, json};
use server::desk::{verify_minutes, verify_minutes_with_report};

on_both_databases!(
    what_an_operation_would_break_is_told_with_the_visits,
    a_limit_does_not_hold_before_the_release_that_brings_it,
    the_minutes_name_the_replay_that_members_could_read,
    another_order_of_questions_is_another_text_and_votes_are_void,
    a_base_or_release_in_another_order_needs_another_number,
    a_release_without_a_vote_says_so_wherever_the_form_is_shown,
    a_section_a_default_and_a_finding_go_from_draft_to_release,
);

const FORM: &str = "child-labour-inspection";

fn relabel(text: &str) -> Value {
    json!({ "op": "relabel", "key": "visit_date", "text": text })
}

fn limit(valid_from: &str, certainty: &str) -> Value {
    json!([{ "op": "set_parameter", "key": "age.adolescent_max", "value": 16, "valid_from": valid_from,
             "source": "Balochistan Child Labour (Amendment) Act, section 2", "certainty": certainty }])
}

/// Three votes for it: enough to decide.
async fn agreed(app: &TestApp, members: &[Member], proposal: &Value) -> Value {
    let proposal = opened(&members[1].person, proposal).await;
    for member in [&members[0], &members[2]] {
        member.vote(app, &proposal, "approve", "").await.created();
    }
    members[3].vote(app, &proposal, "approve", "").await.created()
}

async fn what_an_operation_would_break_is_told_with_the_visits(app: TestApp) {
    let filed = app.inspector().await.file(&samples::b3()).await.created();
    let author = app.login("committee2").await;
    let operations = json!([
        relabel("Day of the visit"),
        { "op": "add_question", "into": "b2", "name": "fee_owed",
          "question": { "type": "boolean", "title": "Is a fee owed?", "x-required": true }, "labels": { "ur": { "fee_owed": "فیس؟" } } },
        { "op": "hide", "question": "seasonal", "because": "Nobody can answer it." },
        { "op": "tighten", "question": "wf_m_adult", "maximum": 1 }
    ]);
    let written = draft(&author, FORM, operations).await;
    let stored = format!("/v1/drafts/{}/stored", written["id"].as_str().unwrap());

    let told = author.get(&stored).await.ok();

    assert_eq!((&told["looked_at"], &told["of"], &told["against"]), (&json!(1), &json!(1), &json!(1)));
    let harms = told["operations"].as_array().unwrap();
    let of = |n: u64| harms.iter().find(|harm| harm["operation"] == n);
    assert!(of(0).is_none() && of(1).is_some(), "other words break nothing: {told}");
    assert_eq!((&of(1).unwrap()["invalid"], &of(1).unwrap()["left_out"]), (&json!(1), &json!(0)), "{told}");
    assert_eq!(of(1).unwrap()["because"], json!(["required fee_owed"]));
    assert_eq!((&of(2).unwrap()["invalid"], &of(2).unwrap()["left_out"]), (&json!(0), &json!(1)), "{told}");
    assert_eq!(of(2).unwrap()["because"], json!(["seasonal"]));
    assert_eq!(of(3).unwrap()["invalid"], json!(1), "{told}");
    assert!(of(3).unwrap()["sentence"]["en"].as_str().unwrap().contains("at most"));
    let visits: Vec<&Value> = harms.iter().map(|harm| &harm["visits"][0]).collect();
    assert!(visits.iter().all(|visit| visit["code"] == visits[0]["code"]), "one visit has one code: {told}");
    assert!(!told.to_string().contains(filed["id"].as_str().unwrap()), "the Committee sees no case: {told}");
    let for_admin = app.admin().await.get(&stored).await.ok();
    assert_eq!(for_admin["operations"][0]["visits"][0]["submission"], filed["id"]);
    let proposal = proposed(&author, &written, "2027-01-01").await;
    let of_proposal = author.get(&path(&proposal, "/stored")).await.ok();
    assert_eq!(of_proposal["operations"], told["operations"]);
    app.inspector().await.get(&stored).await.expect(403);
    app.stranger().get(&stored).await.expect(401);
}

async fn a_limit_does_not_hold_before_the_release_that_brings_it(app: TestApp) {
    let author = app.login("committee2").await;
    let propose = |operations: Value| {
        let author = &author;
        async move {
            let written = draft(author, FORM, operations).await;
            let new = json!({ "draft": written["id"], "version": written["latest"], "effective_from": "2027-01-01" });
            author.post("/v1/proposals", &new).await
        }
    };

    let early = propose(limit("2026-12-01", "M")).await.refused(400, "parameter_before_release");
    let seen = propose(limit("2026-12-01", "H")).await.created();
    let same_day = propose(limit("2027-01-01", "L")).await.created();
    let later = propose(limit("2027-07-01", "L")).await.created();

    assert_eq!(early["key"], "age.adolescent_max");
    assert!(early["detail"].as_str().unwrap().contains("2026-12-01"), "{early}");
    let warnings = |proposal: &Value| {
        let (author, path) = (&author, path(proposal, "/readiness"));
        async move { author.get(&path).await.ok()["warnings"].clone() }
    };
    let said = warnings(&seen).await;
    assert_eq!(
        (&said[0]["code"], &said[0]["valid_from"]),
        (&json!("parameter_before_release"), &json!("2026-12-01"))
    );
    assert_eq!((warnings(&same_day).await, warnings(&later).await), (json!([]), json!([])));
}

async fn the_minutes_name_the_replay_that_members_could_read(app: TestApp) {
    let inspector = app.inspector().await;
    let filed = inspector.file(&samples::b3()).await.created();
    let submission = format!("/v1/submissions/{}", filed["id"].as_str().unwrap());
    let before = inspector.get(&submission).await.ok();
    let members = committee(&app).await;
    let author = &members[1].person;
    let written = accepted(author, &draft(author, FORM, limit("2027-01-01", "L")).await).await;
    let proposal = proposed(author, &written, "2027-01-01").await;
    let asked = author.post(&path(&proposal, "/replay"), &json!({})).await.accepted();
    app.run_jobs().await;
    let replay = author.get(&format!("/v1/replays/{}", asked["id"].as_str().unwrap())).await.text();
    let decided = agreed(&app, &members, &proposal).await;
    author.post(&path(&proposal, "/replay"), &json!({})).await.accepted();
    app.run_jobs().await;

    let text = author.get(&path(&decided, "/minutes")).await.text();

    let jwks = app.stranger().get("/.well-known/jwks.json").await.ok();
    let minutes: Value = serde_json::from_str(&text).unwrap();
    let of: Value = serde_json::from_str(&replay).unwrap();
    let named = minutes["minutes"]["replays"].as_array().unwrap();
    let laws: Vec<&Value> = named.iter().map(|replay| &replay["law"]).collect();
    assert_eq!(
        laws,
        [&json!("as_if_in_force"), &Value::Null],
        "one by itself, since it sets a limit; what was tried after the decision nobody had seen"
    );
    assert_eq!((&named[1]["report_hash"], &named[1]["visits"]), (&of["report_hash"], &json!(1)));
    let checked = verify_minutes_with_report(&text, &jwks, Some(&replay)).unwrap();
    assert_eq!(checked.faults, Vec::<String>::new());
    assert!(checked.said.iter().any(|line| line.contains(of["report_hash"].as_str().unwrap())));
    let mut other = of["report"].clone();
    other["inputs"]["visits"] = 2.into();
    let faults = verify_minutes_with_report(&text, &jwks, Some(&other.to_string())).unwrap().faults;
    assert!(faults[0].contains("name no replay"), "{faults:?}");
    let mut altered = minutes.clone();
    altered["minutes"]["replays"][0]["package"] = "0".repeat(64).into();
    let faults = verify_minutes(&altered.to_string(), &jwks).unwrap().faults;
    assert!(faults.iter().any(|fault| fault.contains("another package")), "{faults:?}");
    assert!(verify_minutes_with_report(&text, &jwks, Some("{}")).is_err());
    assert!(author.get(&path(&decided, "/minutes.html")).await.text().contains("Tried on past visits"));
    // The visit is what it was: judged by the law of its day.
    app.clock.advance(chrono::Duration::days(60));
    app.run_jobs().await;
    let after = app.inspector().await.get(&submission).await.ok();
    assert_eq!((&after["verdict"], &after["violations"]), (&before["verdict"], &before["violations"]));
}

async fn another_order_of_questions_is_another_text_and_votes_are_void(app: TestApp) {
    let members = committee(&app).await;
    let author = &members[1].person;
    let release = author.get(&format!("/v1/forms/{FORM}/releases/1")).await.ok();
    let section = release["definition"]["properties"]["b6"]["properties"].as_object().unwrap();
    let mut order: Vec<&String> = section.keys().collect();
    order.swap(0, 1);
    let written = draft(author, FORM, json!([relabel("Day of the visit")])).await;
    let first = opened(author, &proposed(author, &written, "2027-01-01").await).await;
    members[0].vote(&app, &first, "approve", "").await.created();

    let reordered = json!({ "operations": [relabel("Day of the visit"), { "op": "reorder", "within": { "questions": "b6" }, "order": order }] });
    let draft_path = format!("/v1/drafts/{}", written["id"].as_str().unwrap());
    author.put_known(&draft_path, &reordered, &format!("\"{}\"", written["version"])).await.ok();
    let fresh = author.get(&path(&first, "")).await.ok();
    let again = json!({ "draft": written["id"], "version": 3, "effective_from": "2027-01-01" });
    let second = author.put_known(&path(&first, ""), &again, &format!("\"{}\"", fresh["version"])).await.ok();

    assert_ne!(second["hash"], first["hash"]);
    assert_ne!(second["terms"]["fingerprint"], first["terms"]["fingerprint"]);
    assert_eq!((&second["state"], &second["void_votes"]), (&json!("discussion"), &json!(1)));
    assert!(second["changes"].to_string().contains("order"), "{}", second["changes"]);
    let stale = json!({ "hash": first["hash"], "vote": "approve", "reason": "",
        "at": app.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true) });
    let second = opened(author, &second).await;
    let stale = members[2].signed(&second, stale);
    members[2].person.post(&path(&second, "/votes"), &stale).await.expect(412);
}

async fn a_base_or_release_in_another_order_needs_another_number(app: TestApp) {
    let chair = committee(&app).await.swap_remove(0).person;
    let mut package = chair.get(&format!("/v1/forms/{FORM}/releases/1")).await.ok();
    let section = package["definition"]["properties"]["b6"]["properties"].as_object_mut().unwrap();
    let (first, question) = section.iter().next().map(|(name, it)| (name.clone(), it.clone())).unwrap();
    section.shift_remove(&first);
    section.insert(first, question);
    let bring = |package: &Value| json!({ "package": package, "note": "The same in another order" });

    chair.post("/v1/bases", &bring(&package)).await.refused(409, "base_order");
    package["version"] = 2.into();
    package["definition"]["x-form"]["version"] = 2.into();
    chair.post("/v1/bases", &bring(&package)).await.created();
}

async fn a_release_without_a_vote_says_so_wherever_the_form_is_shown(app: TestApp) {
    let members = committee(&app).await;
    let (admin, chair) = (app.admin().await, &members[0]);
    let written = draft(&admin, FORM, json!([relabel("Date of the visit")])).await;
    let proposal = proposed(&admin, &written, "2026-11-20").await;
    let ask =
        json!({ "hash": proposal["hash"], "reason": "Inspectors read the label as the date of birth." });
    let asked = admin.post(&path(&proposal, "/break-glass"), &ask).await.created();
    let id = asked["id"].as_str().unwrap();
    let agreement = json!({ "hash": proposal["hash"], "key": chair.key, "signature": chair.signature(&asked["statement"]) });
    chair.person.post(&format!("/v1/break-glass/{id}/agree"), &agreement).await.ok();

    let form = app.inspector().await.get(&format!("/v1/forms/{FORM}")).await.ok();

    let marks: Vec<(&Value, Option<&Value>)> = form["releases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|release| (&release["version"], release.get("without_a_vote")))
        .collect();
    assert_eq!(marks, [(&json!(2), Some(&json!(id))), (&json!(1), None)]);
    assert_eq!(form["current"]["without_a_vote"], id);
    let listed = admin.get("/v1/break-glass").await.ok();
    assert_eq!(listed["items"][0]["id"], id, "and there it can be read up");
}

async fn a_section_a_default_and_a_finding_go_from_draft_to_release(app: TestApp) {
    let members = committee(&app).await;
    let author = &members[1].person;
    let operations = json!([
        { "op": "add_section", "after": "b2", "name": "b2_heat", "section": { "title": "Heat" }, "labels": { "ur": { "b2_heat": "گرمی" } } },
        { "op": "add_question", "into": "b2_heat", "name": "heat_shade", "question": { "type": "boolean", "title": "There is shade" },
          "labels": { "ur": { "heat_shade": "سایہ ہے" } } },
        { "op": "add_rule", "rule": { "kind": "default", "on": "heat_shade", "text": "true" } },
        { "op": "set_finding", "finding": "AGE-01", "severity": "emergency", "due": { "hours": 12 } }
    ]);
    let written = accepted(author, &draft(author, FORM, operations).await).await;
    let weaker = json!([{ "op": "set_finding", "finding": "HAZ-05", "severity": "minor" }]);
    let refused = refused_in(author, weaker).await;

    let decided = agreed(&app, &members, &proposed(author, &written, "2027-01-01").await).await;

    assert_eq!((&decided["state"], &refused["code"]), (&json!("approved"), &json!("would_widen")));
    let sections: Vec<&Value> =
        decided["changes"].as_array().unwrap().iter().map(|it| &it["section"]).collect();
    assert!(sections.contains(&&json!("b2_heat")), "{}", decided["changes"]);
    let release = author.get(&format!("/v1/forms/{FORM}/releases/2")).await.ok();
    assert_eq!(
        release["definition"]["properties"]["b2_heat"]["properties"]["heat_shade"]["x-default"],
        "true"
    );
    let findings = release["definition"]["x-findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["code"] == "AGE-01").unwrap();
    assert_eq!((&finding["severity"], &finding["due"]), (&json!("emergency"), &json!({ "hours": 12 })));
}

/// The first refusal of operations that cannot be saved.
async fn refused_in(author: &Person, operations: Value) -> Value {
    let begun = author.post("/v1/drafts", &json!({ "form": FORM, "title": "Weaker" })).await.created();
    let path = format!("/v1/drafts/{}", begun["id"].as_str().unwrap());
    let tag = format!("\"{}\"", begun["version"]);
    let answer = author.put_known(&path, &json!({ "operations": operations }), &tag).await;
    answer.refused(400, "operations_refused")["refusals"][0].clone()
}
