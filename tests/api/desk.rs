//! The Committee's desk: drafts, proposals, votes each member signs, and what keeps anybody from getting round them.

use chrono::{Duration, SecondsFormat};
use futures_util::future::join_all;
use harness::committee::{Member, accepted, committee, draft, opened, path, proposed};
use harness::{Answer, Person, TestApp, on_both_databases, samples};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases!(
    a_locked_question_cannot_be_touched,
    every_save_of_a_draft_stays_and_can_come_back,
    what_the_engine_cannot_apply_is_named_and_nothing_is_saved,
    a_proposal_whose_cases_fail_is_not_put_to_the_vote,
    an_edit_after_two_votes_voids_them,
    a_vote_without_a_quorum_expires_by_the_clock,
    a_vote_for_an_old_hash_is_refused,
    a_forged_signature_counts_for_nothing,
    five_who_vote_at_one_instant_are_each_counted_once,
    as_many_for_as_against_is_the_chairs_to_decide,
    the_administrator_neither_votes_nor_chooses_who_does,
    observers_comment_and_do_not_vote,
    a_second_key_needs_the_first_or_a_colleague,
    break_glass_takes_two_and_is_loud,
    a_tried_question_is_taken_from_the_library,
    a_rule_is_tried_while_it_is_written,
    a_proposal_is_tried_on_past_visits,
    a_new_base_moves_what_fits_and_asks_about_the_rest,
    what_was_voted_and_minuted_cannot_be_rewritten,
    what_makes_no_sense_is_named,
);

const FORM: &str = "child-labour-inspection";

/// A change that needs nothing else.
fn relabel(text: &str) -> Value {
    json!([{ "op": "relabel", "key": "visit_date", "text": text }])
}

async fn put_to_the_vote(author: &Person) -> Value {
    let draft = draft(author, FORM, relabel("Day of the visit")).await;
    opened(author, &proposed(author, &draft, "2027-01-01").await).await
}

async fn fresh(person: &Person, proposal: &Value) -> Value {
    person.get(&path(proposal, "")).await.ok()
}

fn draft_path(draft: &Value, below: &str) -> String {
    format!("/v1/drafts/{}{below}", draft["id"].as_str().unwrap())
}

/// Saves other operations over the second version.
async fn save(author: &Person, draft: &Value, operations: Value) -> Answer {
    author.put_known(&draft_path(draft, ""), &json!({ "operations": operations }), "\"2\"").await
}

async fn try_rule(author: &Person, draft: &Value, body: Value) -> Answer {
    author.post(&draft_path(draft, "/try"), &body).await
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

async fn an_edit_after_two_votes_voids_them(app: TestApp) {
    let members = committee(&app).await;
    let author = &members[1].person;
    let proposal = put_to_the_vote(author).await;
    members[0].vote(&app, &proposal, "approve", "").await.created();
    members[2].vote(&app, &proposal, "reject", "The old word was better.").await.created();

    let path_of_draft = format!("/v1/drafts/{}", proposal["draft"].as_str().unwrap());
    author.put_known(&path_of_draft, &json!({ "operations": relabel("Date") }), "\"2\"").await.ok();
    let unread = fresh(author, &proposal).await;
    assert_eq!(
        unread["votes"].as_array().unwrap().len(),
        2,
        "the proposal is frozen, whatever becomes of its draft"
    );
    let again = json!({ "draft": proposal["draft"], "version": 3, "effective_from": "2027-01-01" });
    let tag = format!("\"{}\"", unread["version"]);
    let frozen = author.put_known(&path(&proposal, ""), &again, &tag).await.ok();

    assert_eq!((&frozen["state"], &frozen["n"]), (&json!("discussion"), &json!(2)));
    assert_eq!((&frozen["votes"], &frozen["void_votes"]), (&json!([]), &json!(2)));
    assert_ne!(frozen["hash"], proposal["hash"]);
    let reopened = opened(author, &frozen).await;
    members[3].vote(&app, &proposal, "approve", "").await.refused(412, "proposal_changed");
    members[0].vote(&app, &reopened, "approve", "").await.created();
    assert_eq!(fresh(author, &proposal).await["counts"]["approve"], 1);
}

async fn a_vote_without_a_quorum_expires_by_the_clock(app: TestApp) {
    let members = committee(&app).await;
    let proposal = put_to_the_vote(&members[1].person).await;
    members[0].vote(&app, &proposal, "approve", "").await.created();
    app.clock.advance(Duration::days(14) - Duration::seconds(1));
    app.run_jobs().await;
    let late = app.login("committee3").await;
    assert_eq!(fresh(&late, &proposal).await["state"], "voting");

    app.clock.advance(Duration::seconds(1));
    let ballot = members[2].ballot(&app, &proposal, "approve", "");
    late.post(&path(&proposal, "/votes"), &ballot).await.refused(409, "voting_closed");
    app.run_jobs().await;

    let expired = fresh(&late, &proposal).await;
    assert_eq!((&expired["state"], &expired["release"]), (&json!("expired"), &Value::Null));
    late.post(&path(&proposal, "/votes"), &ballot).await.refused(409, "not_voting");
    let minutes = late.get(&path(&proposal, "/minutes")).await.ok();
    assert_eq!(minutes["minutes"]["outcome"], "no_quorum");
}

async fn a_vote_for_an_old_hash_is_refused(app: TestApp) {
    let members = committee(&app).await;
    let proposal = put_to_the_vote(&members[1].person).await;
    let mut old = proposal.clone();
    old["hash"] = "0".repeat(64).into();

    let refused = members[0].vote(&app, &old, "approve", "").await.refused(412, "proposal_changed");

    assert_eq!(refused["hash"], proposal["hash"]);
    assert_eq!(app.count("votes", "true"), 0);
}

async fn a_forged_signature_counts_for_nothing(app: TestApp) {
    let members = committee(&app).await;
    let proposal = put_to_the_vote(&members[1].person).await;
    let votes = path(&proposal, "/votes");
    let ballot = members[2].ballot(&app, &proposal, "approve", "");

    // Somebody's ballot in another's name; a ballot changed on the way; a signature of another proposal; one of tomorrow.
    members[3].person.post(&votes, &ballot).await.refused(400, "key_unknown");
    let mut turned = ballot.clone();
    turned["vote"] = "reject".into();
    turned["reason"] = "turned round".into();
    members[2].person.post(&votes, &turned).await.refused(400, "signature_wrong");
    let mut elsewhere = ballot.clone();
    elsewhere["signature"] =
        members[2].signature(&json!({ "proposal": "another", "vote": "approve" })).into();
    members[2].person.post(&votes, &elsewhere).await.refused(400, "signature_wrong");
    let tomorrow = (app.clock.now() + Duration::days(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let tomorrow = json!({ "hash": proposal["hash"], "vote": "approve", "reason": "", "at": tomorrow });
    let tomorrow = members[2].signed(&proposal, tomorrow);
    members[2].person.post(&votes, &tomorrow).await.refused(400, "signed_at_another_time");
    members[1].vote(&app, &proposal, "approve", "").await.refused(403, "author_does_not_vote");

    assert_eq!(app.count("votes", "true"), 0);
    members[2].person.post(&votes, &ballot).await.created();
    members[2].person.post(&votes, &ballot).await.ok();
    members[2].vote(&app, &proposal, "abstain", "").await.refused(409, "vote_cast");
    assert_eq!(app.count("votes", "true"), 1);
}

async fn at_one_instant(app: &TestApp, members: &[Member], proposal: &Value, votes: [&str; 5]) -> Vec<u16> {
    let all = members.iter().zip(votes).map(|(member, vote)| member.vote(app, proposal, vote, "So I think."));
    let mut statuses: Vec<u16> = join_all(all).await.into_iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

async fn five_who_vote_at_one_instant_are_each_counted_once(app: TestApp) {
    let members = committee(&app).await;
    let secretary = app.admin().await;
    let split = put_to_the_vote(&secretary).await;

    let statuses =
        at_one_instant(&app, &members, &split, ["approve", "reject", "approve", "reject", "abstain"]).await;

    assert_eq!(statuses, [201; 5], "whatever the order, the last of the five makes it a tie");
    let tied = fresh(&secretary, &split).await;
    let counts = &tied["counts"];
    assert_eq!(
        (&counts["approve"], &counts["reject"], &counts["abstain"]),
        (&json!(2), &json!(2), &json!(1))
    );
    assert_eq!(tied["state"], "tied");

    let agreed = put_to_the_vote(&secretary).await;
    let statuses = at_one_instant(&app, &members, &agreed, ["approve"; 5]).await;
    assert_eq!(statuses, [201, 201, 201, 409, 409], "three of five decide; who comes after that is told so");
    assert_eq!(app.count("minutes", "kind = 'decision'"), 1);
    assert_eq!(app.count("releases", &format!("form = '{FORM}' AND version = 2")), 1);
    assert_eq!(fresh(&secretary, &agreed).await["release"], 2);
}

async fn as_many_for_as_against_is_the_chairs_to_decide(app: TestApp) {
    let members = committee(&app).await;
    let proposal = put_to_the_vote(&app.admin().await).await;
    let early = json!({ "hash": proposal["hash"], "vote": "approve", "reason": "", "casting": true, "at": "2026-11-20T12:00:00Z" });
    let early = members[0].signed(&proposal, early);
    members[0].person.post(&path(&proposal, "/votes"), &early).await.refused(409, "not_voting");
    at_one_instant(&app, &members, &proposal, ["approve", "reject", "approve", "reject", "abstain"]).await;

    let casting = json!({ "hash": proposal["hash"], "vote": "approve", "reason": "It was tried in Quetta.", "casting": true, "at": "2026-11-20T12:00:00Z" });
    let not_the_chair = members[2].signed(&proposal, casting.clone());
    members[2].person.post(&path(&proposal, "/votes"), &not_the_chair).await.refused(403, "not_the_chair");
    let chairs = members[0].signed(&proposal, casting);
    let decided = members[0].person.post(&path(&proposal, "/votes"), &chairs).await.created();

    assert_eq!((&decided["state"], &decided["release"]), (&json!("approved"), &json!(2)));
    let next = draft(&members[1].person, FORM, relabel("Date")).await;
    assert_eq!(
        (&next["follows"], &next["base_version"]),
        (&json!(2), &json!(1)),
        "the next draft is of the same base"
    );
}

async fn the_administrator_neither_votes_nor_chooses_who_does(app: TestApp) {
    let admin = app.admin().await;
    let members = committee(&app).await;
    let proposal = put_to_the_vote(&members[1].person).await;
    let another = app.account("committee6", json!({ "role": "committee", "areas": ["PK2"] })).await;
    let another = Member::with_key(another, 6).await;
    let term = |role: &str| json!({ "account": another.account, "role": role, "basis": "because I say so" });

    admin
        .post(&path(&proposal, "/votes"), &members[2].ballot(&app, &proposal, "approve", ""))
        .await
        .expect(403);
    admin.post("/v1/committee/members", &term("member")).await.refused(403, "chair_appoints");
    admin.post("/v1/committee/members", &term("chair")).await.refused(403, "chair_appoints");
    members[2].person.post("/v1/committee/members", &term("member")).await.refused(403, "not_leading");
    another.person.post("/v1/committee/keys", &another.registration()).await.refused(403, "not_in_office");
    app.clock.advance(Duration::seconds(1));
    members[0].person.post("/v1/committee/members", &term("member")).await.created();
    members[0].person.post("/v1/committee/members", &term("member")).await.refused(409, "already_in_office");
    let another = another.registered().await;
    another.vote(&app, &proposal, "approve", "").await.refused(403, "not_in_office");

    for person in [&members[0].person, &members[2].person, &admin] {
        person.get("/v1/submissions").await.expect(403);
        person.get("/v1/findings").await.expect(403);
    }
    app.inspector().await.get("/v1/proposals").await.expect(403);
    app.login("oversight").await.get("/v1/drafts").await.expect(403);
    let shown = admin.get("/v1/committee").await.ok();
    assert_eq!(shown["members"].as_array().map(Vec::len), Some(6));
    assert!(
        shown["governs"].as_array().unwrap().iter().any(|form| form["form"] == "child-protection-toolkit")
    );
}

async fn observers_comment_and_do_not_vote(app: TestApp) {
    let members = committee(&app).await;
    let proposal = put_to_the_vote(&members[1].person).await;
    let unicef = app.account("unicef", json!({ "role": "committee", "areas": ["PK2"] })).await;
    let unicef = Member::with_key(unicef, 7).await;
    let comments = path(&proposal, "/comments");
    unicef.person.post(&comments, &json!({ "body": "May I?" })).await.refused(403, "not_in_office");
    let term =
        json!({ "account": unicef.account, "role": "observer", "basis": "Invitation of 3 November 2026" });
    let term = members[0].person.post("/v1/committee/members", &term).await.created();

    let said = json!({ "body": "Would a mother understand this?", "question": "visit_date" });
    let said = unicef.person.post(&comments, &said).await.created();
    let answer = json!({ "body": "We asked three.", "answers": said["id"] });
    members[1].person.post(&comments, &answer).await.created();
    unicef
        .person
        .post("/v1/committee/keys", &unicef.registration())
        .await
        .refused(403, "observers_do_not_vote");
    unicef.vote(&app, &proposal, "approve", "").await.refused(403, "observers_do_not_vote");

    let list = unicef.person.get(&comments).await.ok();
    assert_eq!(list["items"][0]["question"], "visit_date");
    assert_eq!(list["items"][1]["answers"], said["id"]);
    let end = format!("/v1/committee/members/{}/end", term["id"].as_str().unwrap());
    members[0].person.post(&end, &json!({ "reason": "The year is over." })).await.ok();
    unicef.person.post(&comments, &json!({ "body": "Still here." })).await.refused(403, "not_in_office");
}

async fn a_second_key_needs_the_first_or_a_colleague(app: TestApp) {
    let members = committee(&app).await;
    let proposal = put_to_the_vote(&members[1].person).await;
    // Whoever can reset a password can log in as the member, and still cannot vote.
    let thief = Member::with_key(app.login("committee3").await, 99).await;
    let pending = thief.person.post("/v1/committee/keys", &thief.registration()).await.created();
    assert_eq!(pending["state"], "unconfirmed");
    let thief = thief.known_as(&pending);
    thief.vote(&app, &proposal, "approve", "").await.refused(409, "key_not_active");

    let confirm = format!("/v1/committee/keys/{}/confirm", thief.key);
    let statement = json!({ "account": thief.account, "public_key": thief.public_key() });
    let own = json!({ "signature": thief.signature(&statement) });
    thief.person.post(&confirm, &own).await.refused(403, "own_key");
    members[4].person.post(&confirm, &own).await.refused(400, "signature_wrong");
    let signed = json!({ "signature": members[4].signature(&statement) });
    let confirmed = members[4].person.post(&confirm, &signed).await.ok();

    assert_eq!(
        (&confirmed["state"], &confirmed["confirmed_by"]),
        (&json!("active"), &json!(members[4].account))
    );
    members[2].vote(&app, &proposal, "approve", "").await.refused(409, "key_not_active");
    thief.vote(&app, &proposal, "approve", "").await.created();
    assert_eq!(
        app.count("jobs", "kind = 'notify' AND subject LIKE 'key:%'"),
        7,
        "everybody hears of every key"
    );
}

async fn break_glass_takes_two_and_is_loud(app: TestApp) {
    let members = committee(&app).await;
    let (admin, chair) = (app.admin().await, &members[0]);
    let drafted = draft(&admin, FORM, relabel("Date of the visit")).await;
    let proposal = proposed(&admin, &drafted, "2026-11-20").await;
    let ask =
        json!({ "hash": proposal["hash"], "reason": "Inspectors read the label as the date of birth." });
    chair.person.post(&path(&proposal, "/break-glass"), &ask).await.expect(403);
    let asked = admin.post(&path(&proposal, "/break-glass"), &ask).await.created();
    let agree = format!("/v1/break-glass/{}/agree", asked["id"].as_str().unwrap());
    let agreement = |member: &Member| json!({ "hash": proposal["hash"], "key": member.key, "signature": member.signature(&asked["statement"]) });

    admin.post(&agree, &agreement(chair)).await.expect(403);
    members[2].person.post(&agree, &agreement(&members[2])).await.refused(403, "not_leading");
    chair.person.post(&agree, &agreement(&members[2])).await.refused(400, "key_unknown");
    let done = chair.person.post(&agree, &agreement(chair)).await.ok();

    assert_eq!(done["state"], "done");
    let shown = fresh(&admin, &proposal).await;
    assert_eq!((&shown["state"], &shown["release"]), (&json!("break_glass"), &json!(2)));
    let releases = app.inspector().await.get(&format!("/v1/forms/{FORM}/decisions")).await.ok();
    assert_eq!(
        (&releases["items"][0]["release"], &releases["items"][0]["without_a_vote"]),
        (&json!(2), &json!(true))
    );
    let page = admin.get(&path(&proposal, "/minutes.html")).await;
    assert!(page.text().contains("PUBLISHED WITHOUT A VOTE") && page.text().contains("date of birth"));
    let jwks = app.stranger().get("/.well-known/jwks.json").await.ok();
    let checked =
        server::desk::verify_minutes(&admin.get(&path(&proposal, "/minutes")).await.text(), &jwks).unwrap();
    assert!(checked.faults.is_empty(), "{:?}", checked.faults);
    assert_eq!(app.count("audit_events", "action IN ('break_glass.asked', 'break_glass.published')"), 2);
    assert_eq!(app.count("jobs", "kind = 'notify' AND subject LIKE 'break_glass:%'"), 2);
    chair.person.post(&agree, &agreement(chair)).await.refused(409, "break_glass_settled");

    let late = proposed(&admin, &draft(&admin, FORM, relabel("When")).await, "2026-12-20").await;
    let ask = json!({ "hash": late["hash"], "reason": "Again." });
    let asked = admin.post(&path(&late, "/break-glass"), &ask).await.created();
    app.clock.advance(Duration::days(1));
    let agree = format!("/v1/break-glass/{}/agree", asked["id"].as_str().unwrap());
    let signature = chair.signature(&asked["statement"]);
    let agreement = json!({ "hash": late["hash"], "key": chair.key, "signature": signature });
    app.login("committee1").await.post(&agree, &agreement).await.refused(409, "break_glass_expired");
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

async fn what_was_voted_and_minuted_cannot_be_rewritten(app: TestApp) {
    let members = committee(&app).await;
    let proposal = put_to_the_vote(&app.admin().await).await;
    for member in &members[..3] {
        member.vote(&app, &proposal, "approve", "").await.created();
    }
    members[0].person.post(&path(&proposal, "/comments"), &json!({ "body": "Well done." })).await.created();

    for (table, column) in [
        ("votes", "reason"),
        ("minutes", "kind"),
        ("proposal_versions", "hash"),
        ("proposal_comments", "body"),
        ("draft_versions", "title"),
        ("form_bases", "note"),
    ] {
        assert!(app.count(table, "true") > 0, "there is nothing in {table}");
        for statement in
            [format!("UPDATE {table} SET {column} = 'rewritten'"), format!("DELETE FROM {table}")]
        {
            let refused = refused_by(&app, &statement).await;
            assert!(refused.contains("are never"), "{statement}: {refused}");
        }
    }
}

/// What the database says to a statement, once nobody else is writing.
async fn refused_by(app: &TestApp, statement: &str) -> String {
    for _ in 0..200 {
        let refused = app.sql(statement).unwrap_err();
        if !refused.contains("locked") {
            return refused;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{statement}: the database stays locked")
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
