//! The Committee at work, from a member's draft to the release on a phone: the threshold for adolescents is lowered, two questions are added,
//! one is hidden, Brahui labels come; three of five votes decide, with one dissent and one recusal.

use chrono::Duration;
use harness::committee::{Member, accepted, committee, draft, opened, path, proposed};
use harness::{Person, TestApp, on_both_databases};
use serde_json::{Value, json};

on_both_databases!(a_change_goes_from_draft_to_release);

const FORM: &str = "child-labour-inspection";

/// What the Committee wants.
fn wishes() -> Value {
    json!([
        { "op": "set_parameter", "key": "age.adolescent_max", "value": 16, "valid_from": "2027-01-01",
          "source": "Draft Balochistan Child Labour (Amendment) Bill, clause 2", "certainty": "L" },
        { "op": "add_question", "into": "b3", "after": "purpose_told", "name": "school_fee_owed",
          "question": { "type": "boolean", "title": "Does the family owe a school fee?" },
          "labels": { "ur": { "school_fee_owed": "کیا خاندان پر سکول کی فیس واجب ہے؟" }, "brh": { "school_fee_owed": "سکول نا فیس" } } },
        { "op": "add_question", "into": "b3", "after": "school_fee_owed", "name": "school_fee_months",
          "question": { "type": "integer", "minimum": 0, "maximum": 60, "title": "For how many months?", "x-relevant": "school_fee_owed" },
          "labels": { "ur": { "school_fee_months": "کتنے مہینوں کی؟" } } },
        { "op": "hide", "question": "export_chain", "because": "In a year of visits nobody could answer it." },
        { "op": "translate", "language": "brh", "key": "visit_date", "text": "تاریخ" },
        { "op": "translate", "language": "brh", "key": "district", "text": "ضلع" }
    ])
}

async fn a_change_goes_from_draft_to_release(app: TestApp) {
    let members = committee(&app).await;
    let author = &members[1].person;

    // Written, read as sentences, checked against every case there is.
    let written = draft(author, FORM, wishes()).await;
    let sentences: Vec<&str> = written["sentences"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|sentence| sentence["en"].as_str())
        .collect();
    assert_eq!(sentences.len(), 6);
    assert!(sentences[0].contains("16") && sentences[0].contains("2027-01-01"), "{}", sentences[0]);
    assert!(
        written["sentences"][3]["ur"].as_str().unwrap().chars().any(|c| ('\u{600}'..'\u{700}').contains(&c))
    );
    let changes = author.get(&format!("/v1/drafts/{}/changes", written["id"].as_str().unwrap())).await.ok();
    assert!(changes["release"].as_array().unwrap().len() >= 5, "{changes}");
    let written = accepted(author, &written).await;

    // Frozen, commented on, put to the vote.
    let proposal = proposed(author, &written, "2027-01-01").await;
    members[4]
        .person
        .post(&path(&proposal, "/comments"), &json!({ "body": "My brother runs a kiln; I shall not vote." }))
        .await
        .created();
    let proposal = opened(author, &proposal).await;
    assert_eq!((&proposal["state"], &proposal["needed"]), (&json!("voting"), &json!(3)));

    // Three of five, one against with a note, one recused; the author does not vote.
    members[0].vote(&app, &proposal, "approve", "The bill will pass this winter.").await.created();
    members[2].vote(&app, &proposal, "approve", "").await.created();
    let dissent = json!({ "hash": proposal["hash"], "vote": "reject", "reason": "Sixteen is too early.", "at": "2026-11-20T12:00:00Z",
        "dissent": "Until the bill is law, eighteen is the law." });
    let dissent = members[3].signed(&proposal, dissent);
    let undecided = members[3].person.post(&path(&proposal, "/votes"), &dissent).await.created();
    assert_eq!(undecided["state"], "voting", "the fifth could still make it a tie");
    members[1].vote(&app, &proposal, "approve", "").await.refused(403, "author_does_not_vote");
    let decided = members[4].vote(&app, &proposal, "recuse", "My brother runs a kiln.").await.created();
    assert_eq!((&decided["state"], &decided["release"]), (&json!("approved"), &json!(2)));

    the_minutes_can_be_checked_by_anybody(&app, author, &decided).await;
    the_release_reaches_the_phones_on_its_day(&app, &members, &decided).await;
}

async fn the_minutes_can_be_checked_by_anybody(app: &TestApp, reader: &Person, decided: &Value) {
    let text = reader.get(&path(decided, "/minutes")).await.text();
    let jwks = app.stranger().get("/.well-known/jwks.json").await.ok();
    let checked = server::desk::verify_minutes(&text, &jwks).unwrap();
    assert_eq!(checked.faults, Vec::<String>::new());
    assert!(checked.said.iter().any(|line| line.contains("dissent: Until the bill is law")));

    // Whatever is altered shows: a vote, the text that was voted on, the server's key.
    let mut altered: Value = serde_json::from_str(&text).unwrap();
    altered["minutes"]["votes"][2]["vote"] = "approve".into();
    let faults = server::desk::verify_minutes(&altered.to_string(), &jwks).unwrap().faults;
    assert!(faults.iter().any(|fault| fault.contains("not signed with that key")), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.contains("another document")), "{faults:?}");
    let mut altered: Value = serde_json::from_str(&text).unwrap();
    altered["minutes"]["terms"]["operations"][0]["value"] = 12.into();
    let faults = server::desk::verify_minutes(&altered.to_string(), &jwks).unwrap().faults;
    assert!(faults.iter().any(|fault| fault.contains("what was voted on has the hash")), "{faults:?}");
    let strange = server::desk::verify_minutes(&text, &json!({ "keys": [] })).unwrap().faults;
    assert_eq!(strange.len(), 1, "{strange:?}");

    let page = reader.get(&path(decided, "/minutes.html")).await;
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    let html = page.text();
    assert!(
        html.contains("dir=\"rtl\"")
            && html.contains("Until the bill is law")
            && html.contains("school_fee_owed")
    );
    assert!(!html.contains("http"), "nothing is fetched from elsewhere");
}

async fn the_release_reaches_the_phones_on_its_day(app: &TestApp, members: &[Member], decided: &Value) {
    assert_eq!(app.count("audit_events", "action = 'proposal.voted'"), 4);
    app.clock.advance(Duration::days(43));
    app.run_jobs().await;
    let phone = app.inspector().await;
    let form = phone.get(&format!("/v1/forms/{FORM}")).await.ok();
    assert_eq!(form["current"]["version"], 2);
    let release = phone.get(&format!("/v1/forms/{FORM}/releases/2")).await.ok();
    let terms = app.login("committee1").await.get(&path(decided, "")).await.ok()["terms"].clone();
    assert_eq!(release["hash"], terms["package"]);
    assert!(release["definition"]["properties"]["b3"]["properties"]["school_fee_owed"].is_object());
    assert_eq!(release["i18n"]["brh"]["labels"]["visit_date"], "تاریخ");
    let ages =
        release["parameters"].as_array().unwrap().iter().filter(|row| row["key"] == "age.adolescent_max");
    assert_eq!(
        ages.map(|row| &row["value"]).collect::<Vec<_>>().len(),
        2,
        "past visits keep the value of their day"
    );
    let decisions = phone.get(&format!("/v1/forms/{FORM}/decisions")).await.ok();
    assert_eq!(
        (&decisions["items"][0]["release"], &decisions["items"][0]["without_a_vote"]),
        (&json!(2), &json!(false))
    );
    it_is_taken_back_in_one_step(app, &members[1]).await;
}

async fn it_is_taken_back_in_one_step(app: &TestApp, author: &Member) {
    let chair = app.login("committee1").await;
    let back = format!("/v1/forms/{FORM}/releases/2/roll-back");
    let reason = json!({ "reason": "The bill was withdrawn." });
    app.admin().await.post(&back, &reason).await.expect(403);
    chair.post(&back, &reason).await.ok();

    let form = app.inspector().await.get(&format!("/v1/forms/{FORM}")).await.ok();
    assert_eq!(form["current"]["version"], 1);
    let again = json!({ "form": FORM, "title": "Once more" });
    let next = app.login("committee2").await.post("/v1/drafts", &again).await.created();
    assert_eq!(
        next["operations"],
        json!([]),
        "a draft begins with what people have, not with what was taken back"
    );
    assert_eq!((&next["follows"], &next["author"]["account"]), (&json!(2), &json!(author.account)));
}
