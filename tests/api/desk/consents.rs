//! Heads of departments consent to their own pack: signed, bound to a hash, in the minutes; and where the rules ask for it, before any vote.

use chrono::SecondsFormat;
use harness::committee::{Member, accepted, committee, draft, opened, path, proposed};
use harness::{Answer, Person, TestApp, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};
use server::desk::verify_minutes;

use super::{FORM, fresh, relabel};

on_both_databases!(
    a_head_is_asked_about_the_departments_own_pack_and_sees_no_other,
    a_consent_is_signed_and_stands_in_the_minutes,
    without_a_consent_the_rules_ask_for_no_vote_is_opened,
    a_consent_is_for_one_hash_one_key_and_said_once,
    published_without_a_vote_is_published_without_the_consent_and_says_so,
);

/// A limit of the labour pack.
fn limit(value: u32) -> Value {
    json!([{ "op": "set_parameter", "key": "age.adolescent_max", "value": value, "valid_from": "2027-01-01",
             "source": "Draft Balochistan Child Labour (Amendment) Bill, clause 2", "certainty": "L" }])
}

/// A proposal that changes a limit, with every case that comes out differently taken as meant.
async fn of_a_limit(author: &Person) -> Value {
    let drafted = accepted(author, &draft(author, FORM, limit(16)).await).await;
    proposed(author, &drafted, "2027-01-01").await
}

/// The head of the Labour Department, with a key.
async fn labour_head(app: &TestApp) -> Member {
    Member::with_key(app.login("labour-head").await, 21).await.registered().await
}

/// What a head says, signed.
fn answer(app: &TestApp, head: &Member, proposal: &Value, answer: &str, reason: &str) -> Value {
    let said = json!({
        "hash": proposal["hash"], "answer": answer, "reason": reason,
        "at": app.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true),
    });
    let mut statement = said.clone();
    statement["proposal"] = proposal["id"].clone();
    statement["head"] = "labour_head".into();
    let mut sent = said;
    sent["signature"] = head.signature(&statement).into();
    sent["key"] = head.key.as_str().into();
    sent
}

async fn say(app: &TestApp, head: &Member, proposal: &Value, word: &str, reason: &str) -> Answer {
    let said = answer(app, head, proposal, word, reason);
    head.person.post(&path(proposal, "/consent"), &said).await
}

async fn open(author: &Person, proposal: &Value) -> Answer {
    let tag = format!("\"{}\"", proposal["version"]);
    let request = author.request(Method::POST, &path(proposal, "/open")).header("If-Match", &tag);
    request.json(&json!({})).send().await
}

async fn a_head_is_asked_about_the_departments_own_pack_and_sees_no_other(app: TestApp) {
    let author = app.login("committee2").await;
    let (labour, swd) = (labour_head(&app).await, app.login("swd-head").await);
    let rules = of_a_limit(&author).await;
    let words =
        proposed(&author, &draft(&author, FORM, relabel("Day of the visit")).await, "2027-01-01").await;
    let toolkit = json!([{ "op": "translate", "language": "brh", "key": "form", "text": "فارم" }]);
    let toolkit =
        proposed(&author, &draft(&author, "child-protection-toolkit", toolkit).await, "2027-01-01").await;

    let asked = labour.person.get(&path(&rules, "")).await.ok();
    assert_eq!(
        asked["consents"],
        json!([{ "head": "labour_head", "title": { "en": "Head of the Labour Department", "ur": "سربراہ محکمہ محنت" },
                 "required": false, "said": null }])
    );
    assert_eq!(fresh(&author, &words).await["consents"], json!([]), "of words alone nobody is asked");
    let listed = labour.person.get("/v1/proposals").await.ok();
    let listed: Vec<&Value> =
        listed["items"].as_array().unwrap().iter().map(|proposal| &proposal["id"]).collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&&rules["id"]) && listed.contains(&&words["id"]));
    for below in ["", "/package", "/readiness", "/stored", "/comments", "/minutes"] {
        labour.person.get(&path(&toolkit, below)).await.refused(404, "proposal_unknown");
        swd.get(&path(&rules, below)).await.refused(404, "proposal_unknown");
    }
    for below in ["/package", "/readiness", "/stored", "/comments"] {
        labour.person.get(&path(&rules, below)).await.ok();
    }
    assert_eq!(swd.get("/v1/proposals").await.ok()["items"], json!([]));
    say(&app, &labour, &toolkit, "consent", "").await.refused(404, "proposal_unknown");
    say(&app, &labour, &words, "consent", "").await.refused(409, "consent_not_asked");

    // Nothing else of the desk, and no case for the head of the other department.
    for person in [&labour.person, &swd] {
        person.get("/v1/drafts").await.expect(403);
        person.post(&path(&rules, "/comments"), &json!({ "body": "?" })).await.expect(403);
        person.post(&path(&rules, "/votes"), &json!({})).await.expect(400);
    }
    swd.get("/v1/submissions").await.expect(403);
    swd.get("/v1/findings").await.expect(403);
    author.post(&path(&rules, "/consent"), &answer(&app, &labour, &rules, "consent", "")).await.expect(403);
    app.admin()
        .await
        .post(&path(&rules, "/consent"), &answer(&app, &labour, &rules, "consent", ""))
        .await
        .expect(403);
    app.inspector().await.get("/v1/proposals").await.expect(403);
    assert_eq!(app.count("consents", "true"), 0);
    assert_eq!(app.count("jobs", "kind = 'notify' AND details LIKE '%proposal.consent_asked%'"), 1);
}

async fn a_consent_is_signed_and_stands_in_the_minutes(app: TestApp) {
    let (members, head) = (committee(&app).await, labour_head(&app).await);
    let author = &members[1].person;
    let proposal = of_a_limit(author).await;
    say(&app, &head, &proposal, "consent", "The bill is ours.").await.created();
    let proposal = opened(author, &fresh(author, &proposal).await).await;
    for member in [&members[0], &members[2], &members[3]] {
        member.vote(&app, &proposal, "approve", "").await.created();
    }

    let decided = head.person.get(&path(&proposal, "")).await.ok();
    let text = head.person.get(&path(&proposal, "/minutes")).await.text();
    let page = head.person.get(&path(&proposal, "/minutes.html")).await.text();

    let said = &decided["consents"][0]["said"];
    assert_eq!((&decided["state"], &said["answer"]), (&json!("approved"), &json!("consent")));
    assert_eq!(said["by"]["name"], "Head of the Labour Department");
    let jwks = app.stranger().get("/.well-known/jwks.json").await.ok();
    let checked = verify_minutes(&text, &jwks).unwrap();
    assert_eq!(checked.faults, Vec::<String>::new());
    assert!(checked.said.iter().any(|line| line.contains("labour_head: consent The bill is ours.")));
    assert!(page.contains("Consent of heads of departments") && page.contains("The bill is ours."));
    assert!(page.contains("سربراہ محکمہ محنت"));
    let faults = |change: &dyn Fn(&mut Value)| {
        let mut altered: Value = serde_json::from_str(&text).unwrap();
        change(&mut altered["minutes"]);
        verify_minutes(&altered.to_string(), &jwks).unwrap().faults.join("; ")
    };
    let refused = faults(&|minutes| minutes["consents"][0]["said"]["answer"] = "refuse".into());
    assert!(refused.contains("as labour_head is not signed with that key"), "{refused}");
    let silent = faults(&|minutes| {
        minutes["consents"][0]["required"] = true.into();
        minutes["consents"][0]["said"] = Value::Null;
    });
    assert!(silent.contains("without the consent of the labour_head"), "{silent}");
    let dropped = faults(&|minutes| minutes["consents"] = json!([]));
    assert!(dropped.contains("nobody asked the labour_head"), "{dropped}");
    assert_eq!(app.count("audit_events", "action = 'proposal.consented'"), 1);
    say(&app, &head, &proposal, "consent", "The bill is ours.").await.ok();
}

async fn without_a_consent_the_rules_ask_for_no_vote_is_opened(app: TestApp) {
    let app = app.under(|config| config.committee.consents = vec!["labour_head".to_owned()]).await;
    let (members, head) = (committee(&app).await, labour_head(&app).await);
    let author = &members[1].person;
    let rules = author.get("/v1/committee").await.ok()["rules"]["consents"].clone();
    assert_eq!((&rules[0]["required"], &rules[1]["required"]), (&json!(true), &json!(false)));
    let first = of_a_limit(author).await;

    let missing = open(author, &first).await.refused(409, "not_ready");
    say(&app, &head, &first, "refuse", "").await.refused(400, "words_needed");
    say(&app, &head, &first, "refuse", "Sixteen is not in the bill.").await.created();
    let refused = open(author, &first).await.refused(409, "not_ready");

    assert_eq!(missing["obstacles"][0]["code"], "consent_missing");
    assert_eq!(
        (&refused["obstacles"][0]["code"], &refused["obstacles"][0]["head"]),
        (&json!("consent_refused"), &json!("labour_head"))
    );
    let ready = head.person.get(&path(&first, "/readiness")).await.ok();
    assert_eq!((&ready["ready"], &ready["obstacles"][0]["code"]), (&json!(false), &json!("consent_refused")));

    // The author takes seventeen instead; what was said is void with the text it was said of.
    let draft_path = format!("/v1/drafts/{}", first["draft"].as_str().unwrap());
    let standing = author.get(&draft_path).await.ok();
    let tag = format!("\"{}\"", standing["version"]);
    let content = json!({ "operations": limit(17), "cases": [] });
    let rewritten = author.put_known(&draft_path, &content, &tag).await.ok();
    let rewritten = accepted(author, &rewritten).await;
    let again =
        json!({ "draft": first["draft"], "version": rewritten["version"], "effective_from": "2027-01-01" });
    let second = author.put_known(&path(&first, ""), &again, &format!("\"{}\"", first["version"])).await.ok();
    assert_eq!((&second["n"], &second["consents"][0]["said"]), (&json!(2), &Value::Null));
    say(&app, &head, &first, "consent", "").await.refused(412, "proposal_changed");
    open(author, &second).await.refused(409, "not_ready");
    say(&app, &head, &second, "consent", "Seventeen is.").await.created();
    let voting = open(author, &second).await.ok();

    // What held when the vote was opened holds to its end, whatever becomes of the settings.
    let app = app.under(|config| config.committee.consents.clear()).await;
    for member in [&members[0], &members[2], &members[3]] {
        member.vote(&app, &voting, "approve", "").await.created();
    }
    let text = author.get(&path(&voting, "/minutes")).await.text();
    let minutes: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(minutes["minutes"]["consents"][0]["required"], true);
    let jwks = app.stranger().get("/.well-known/jwks.json").await.ok();
    assert_eq!(verify_minutes(&text, &jwks).unwrap().faults, Vec::<String>::new());
    let rewritten = app.sql("UPDATE consents SET answer = 'consent'").unwrap_err();
    assert!(rewritten.contains("consents are never"), "{rewritten}");
}

async fn a_consent_is_for_one_hash_one_key_and_said_once(app: TestApp) {
    let (members, head) = (committee(&app).await, labour_head(&app).await);
    let proposal = of_a_limit(&members[1].person).await;
    let consent = path(&proposal, "/consent");
    let good = answer(&app, &head, &proposal, "consent", "");
    let altered = |member: &str, value: Value| {
        let mut altered = good.clone();
        altered[member] = value;
        altered
    };

    head.person
        .post(&consent, &altered("hash", "0".repeat(64).into()))
        .await
        .refused(412, "proposal_changed");
    head.person.post(&consent, &altered("reason", "turned".into())).await.refused(400, "signature_wrong");
    head.person.post(&consent, &altered("reason", " blanks ".into())).await.refused(400, "text_untrimmed");
    head.person
        .post(&consent, &altered("key", members[0].key.as_str().into()))
        .await
        .refused(400, "key_unknown");
    head.person.post(&consent, &altered("answer", "perhaps".into())).await.expect(400);
    let thief = Member::with_key(app.login("labour-head").await, 99).await;
    let pending = thief.person.post("/v1/committee/keys", &thief.registration()).await.created();
    assert_eq!(pending["state"], "unconfirmed", "whoever can reset a password cannot consent");
    let thief = thief.known_as(&pending);
    say(&app, &thief, &proposal, "consent", "").await.refused(409, "key_not_active");
    assert_eq!(app.count("consents", "true"), 0);

    head.person.post(&consent, &good).await.created();
    head.person.post(&consent, &good).await.ok();
    say(&app, &head, &proposal, "refuse", "On second thoughts.").await.refused(409, "consent_given");
    assert_eq!(app.count("consents", "true"), 1);
    // Somebody who changes posts has no voice any more.
    let account = format!("/v1/accounts/{}", head.account);
    app.admin().await.patch(&account, &json!({ "status": "disabled" })).await.ok();
    head.person.post(&consent, &good).await.expect(401);
}

async fn published_without_a_vote_is_published_without_the_consent_and_says_so(app: TestApp) {
    let app = app.under(|config| config.committee.consents = vec!["labour_head".to_owned()]).await;
    let (members, admin) = (committee(&app).await, app.admin().await);
    let chair = &members[0];
    let limit = json!([{ "op": "set_finding", "finding": "AGE-01", "severity": "emergency", "due": { "hours": 12 } }]);
    let drafted = accepted(&admin, &draft(&admin, FORM, limit).await).await;
    let proposal = proposed(&admin, &drafted, "2026-11-20").await;
    let ask = json!({ "hash": proposal["hash"], "reason": "A child was left where it was found." });
    let asked = admin.post(&path(&proposal, "/break-glass"), &ask).await.created();
    let agree = format!("/v1/break-glass/{}/agree", asked["id"].as_str().unwrap());
    let agreement = json!({ "hash": proposal["hash"], "key": chair.key, "signature": chair.signature(&asked["statement"]) });

    chair.person.post(&agree, &agreement).await.ok();

    let text = admin.get(&path(&proposal, "/minutes")).await.text();
    let jwks = app.stranger().get("/.well-known/jwks.json").await.ok();
    let checked = verify_minutes(&text, &jwks).unwrap();
    assert_eq!(checked.faults, Vec::<String>::new());
    assert!(
        checked.said.iter().any(|line| line.contains("labour_head (required): nothing")),
        "{:?}",
        checked.said
    );
    let page = admin.get(&path(&proposal, "/minutes.html")).await.text();
    assert!(page.contains("PUBLISHED WITHOUT A VOTE") && page.contains("(required): not given"));
}
