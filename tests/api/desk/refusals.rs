//! What the desk refuses, each by its own code, and what stays as it was.

use harness::committee::{Member, committee, draft, opened, path, proposed};
use harness::{Person, TestApp, on_both_databases};
use reqwest::Method;
use serde_json::{Value, json};

use super::{FORM, draft_path, fresh, put_to_the_vote, relabel};

on_both_databases!(
    a_language_that_is_not_complete_or_not_up_to_date_holds_the_vote_up,
    what_another_release_came_before_is_overtaken,
    a_vote_that_could_have_no_quorum_is_not_opened,
    a_ballot_that_makes_no_sense_is_refused_before_it_is_counted,
    a_proposal_keeps_its_draft_and_a_settled_one_its_text,
    terms_of_office_do_not_overlap_and_end_once,
    a_key_is_one_persons_and_confirmed_once,
    whoever_asked_or_wrote_cannot_agree_to_break_the_glass,
);

async fn open(author: &Person, proposal: &Value) -> harness::Answer {
    let tag = format!("\"{}\"", proposal["version"]);
    let request = author.request(Method::POST, &path(proposal, "/open")).header("If-Match", &tag);
    request.json(&json!({})).send().await
}

async fn a_language_that_is_not_complete_or_not_up_to_date_holds_the_vote_up(app: TestApp) {
    let members = committee(&app).await;
    let author = &members[1].person;
    let brahui = json!({ "op": "translate", "language": "brh", "key": "visit_date", "text": "تاریخ" });
    let reworded = json!([relabel("Day of the visit")[0], brahui]);
    let written = draft(author, FORM, reworded).await;
    let languages = author.get(&draft_path(&written, "/translations")).await.ok();
    let of = |code: &str| {
        let all = languages["items"].as_array().unwrap().iter();
        all.clone().find(|language| language["language"] == code).unwrap().clone()
    };
    let propose = |language: &str| json!({ "draft": written["id"], "version": written["latest"], "effective_from": "2027-01-01", "languages": [language] });

    let (urdu, brahui) = (of("ur"), of("brh"));
    assert_eq!((&urdu["direction"], &urdu["outdated"][0]["key"]), (&json!("rtl"), &json!("visit_date")));
    assert_eq!((&urdu["missing"], &brahui["direction"]), (&json!([]), &json!("rtl")));
    assert!(brahui["percent"].as_u64().unwrap() < 100 && brahui["missing"].as_array().unwrap().len() > 100);
    assert!(urdu["percent"].as_u64().unwrap() >= 99, "{}", urdu["percent"]);
    let incomplete = author.post("/v1/proposals", &propose("brh")).await.created();
    let refused = open(author, &incomplete).await.refused(409, "not_ready");
    assert_eq!(
        (&refused["obstacles"][0]["code"], &refused["obstacles"][0]["language"]),
        (&json!("language_incomplete"), &json!("brh"))
    );
    assert!(refused["obstacles"][0]["missing"].as_array().unwrap().len() > 10);
    let outdated = author.post("/v1/proposals", &propose("ur")).await.created();
    let refused = open(author, &outdated).await.refused(409, "not_ready");
    assert_eq!(refused["obstacles"][0]["outdated"], json!(["visit_date"]));

    let urdu = json!({ "op": "translate", "language": "ur", "key": "visit_date", "text": "دورے کا دن" });
    let content = json!({ "operations": [relabel("Day of the visit")[0], urdu] });
    author.put_known(&draft_path(&written, ""), &content, "\"2\"").await.ok();
    let mut again = propose("ur");
    again["version"] = 3.into();
    let whole = author.put_known(&path(&outdated, ""), &again, "\"1\"").await.ok();
    assert_eq!(opened(author, &whole).await["state"], "voting");
}

async fn what_another_release_came_before_is_overtaken(app: TestApp) {
    let members = committee(&app).await;
    let author = &members[1].person;
    let one = put_to_the_vote(author).await;
    let other = proposed(author, &draft(author, FORM, relabel("Date of visiting")).await, "2027-01-01").await;
    let waiting = proposed(author, &draft(author, FORM, relabel("When")).await, "2027-01-01").await;
    let other = opened(author, &other).await;
    for member in [&members[0], &members[2], &members[3]] {
        member.vote(&app, &one, "approve", "").await.created();
    }

    for member in [&members[0], &members[2], &members[3]] {
        member.vote(&app, &other, "approve", "").await.created();
    }
    let refused = open(author, &waiting).await.refused(409, "not_ready");

    assert_eq!(fresh(author, &one).await["release"], 2);
    let overtaken = fresh(author, &other).await;
    assert_eq!((&overtaken["state"], &overtaken["release"]), (&json!("overtaken"), &Value::Null));
    assert_eq!(refused["obstacles"][0]["code"], "proposal_overtaken");
    let jwks = app.stranger().get("/.well-known/jwks.json").await.ok();
    let minutes = author.get(&path(&other, "/minutes")).await.text();
    assert_eq!(server::desk::verify_minutes(&minutes, &jwks).unwrap().faults, Vec::<String>::new());
    let again = json!({ "draft": waiting["draft"], "version": 2, "effective_from": "2027-02-01" });
    let refrozen = author.put_known(&path(&waiting, ""), &again, "\"1\"").await.ok();
    assert_eq!((&refrozen["follows"], &refrozen["terms"]["version"]), (&json!(2), &json!(3)));
}

async fn a_vote_that_could_have_no_quorum_is_not_opened(app: TestApp) {
    let members = committee(&app).await;
    let author = &members[1].person;
    let terms = author.get("/v1/committee").await.ok()["members"].clone();
    for term in terms.as_array().unwrap().iter().skip(2) {
        let end = format!("/v1/committee/members/{}/end", term["id"].as_str().unwrap());
        members[0].person.post(&end, &json!({ "reason": "Transferred." })).await.ok();
    }
    let proposal = proposed(author, &draft(author, FORM, relabel("Day")).await, "2027-01-01").await;

    let refused = open(author, &proposal).await.refused(409, "quorum_impossible");

    assert!(refused["detail"].as_str().unwrap().contains("only 1 may vote"), "{refused}");
    assert_eq!(fresh(author, &proposal).await["state"], "discussion");
}

async fn a_ballot_that_makes_no_sense_is_refused_before_it_is_counted(app: TestApp) {
    let members = committee(&app).await;
    let proposal = put_to_the_vote(&members[1].person).await;
    let votes = path(&proposal, "/votes");
    let at = "2026-11-20T12:00:00Z";
    let ballot = |vote: &str, reason: &str| json!({ "hash": proposal["hash"], "vote": vote, "reason": reason, "at": at });

    let mut casting = ballot("abstain", "");
    casting["casting"] = true.into();
    let mut dissent = ballot("approve", "");
    dissent["dissent"] = "Against, all the same.".into();
    for (ballot, code) in [
        (casting, "casting_vote"),
        (dissent, "dissent_without_reject"),
        (ballot("reject", " blanks "), "text_untrimmed"),
        (ballot("recuse", ""), "words_needed"),
        (ballot("reject", &"x".repeat(4001)), "text_too_long"),
    ] {
        members[0].person.post(&votes, &members[0].signed(&proposal, ballot)).await.refused(400, code);
    }
    let mut undated = ballot("approve", "");
    undated["at"] = "yesterday".into();
    members[0].person.post(&votes, &members[0].signed(&proposal, undated)).await.refused(400, "bad_instant");
    assert_eq!(app.count("votes", "true"), 0);
}

async fn a_proposal_keeps_its_draft_and_a_settled_one_its_text(app: TestApp) {
    let author = app.login("committee2").await;
    let (one, other) =
        (draft(&author, FORM, relabel("Day")).await, draft(&author, FORM, relabel("When")).await);
    let proposal = proposed(&author, &one, "2027-01-01").await;
    let new = |draft: &Value| json!({ "draft": draft["id"], "version": 2, "effective_from": "2027-02-01" });

    author.put_known(&path(&proposal, ""), &new(&other), "\"1\"").await.refused(400, "another_draft");
    author.put_known(&path(&proposal, ""), &new(&one), "\"7\"").await.refused(412, "proposal_stale");
    let mut long = new(&one);
    long["grace_days"] = 731.into();
    author.post("/v1/proposals", &long).await.refused(400, "grace_too_long");
    let withdraw = author.request(Method::POST, &path(&proposal, "/withdraw")).header("If-Match", "\"1\"");
    withdraw.json(&json!({ "reason": "Not now." })).send().await.ok();
    author.put_known(&path(&proposal, ""), &new(&one), "\"2\"").await.refused(409, "proposal_settled");

    assert_eq!(fresh(&author, &proposal).await["hash"], proposal["hash"]);
}

async fn terms_of_office_do_not_overlap_and_end_once(app: TestApp) {
    let members = committee(&app).await;
    let (chair, new) = (
        &members[0].person,
        app.account("committee6", json!({ "role": "committee", "areas": ["PK2"] })).await,
    );
    let account = new.get("/v1/me").await.ok()["id"].clone();
    let term = |role: &str, from: &str, until: &str| json!({ "account": account, "role": role, "from": from, "until": until, "basis": "Notification" });
    let appoint = |new: Value| async move { chair.post("/v1/committee/members", &new).await };

    appoint(term("member", "2027-01-01", "2026-12-01")).await.refused(400, "bad_term");
    appoint(term("chair", "2027-01-01", "2027-06-01")).await.refused(409, "chair_in_office");
    let mut inspector = term("member", "2027-01-01", "2027-06-01");
    inspector["account"] = app.inspector().await.get("/v1/me").await.ok()["id"].clone();
    appoint(inspector).await.refused(400, "member_account");
    let appointed = appoint(term("member", "2027-01-01", "2027-06-01")).await.created();
    assert_eq!(appointed["in_office"], false, "it begins next year");
    let end = format!("/v1/committee/members/{}/end", appointed["id"].as_str().unwrap());
    let reason = json!({ "reason": "Declined." });
    chair.post(&end, &reason).await.ok();
    chair.post(&end, &reason).await.refused(409, "term_ended");
    let nobody = "/v1/committee/members/0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10/end";
    chair.post(nobody, &reason).await.refused(404, "term_unknown");
}

async fn a_key_is_one_persons_and_confirmed_once(app: TestApp) {
    let members = committee(&app).await;
    let borrowed = Member::with_key(app.login("committee4").await, 1).await;

    borrowed.person.post("/v1/committee/keys", &borrowed.registration()).await.refused(409, "key_used");
    let confirm = format!("/v1/committee/keys/{}/confirm", members[2].key);
    let statement = json!({ "account": members[2].account, "public_key": members[2].public_key() });
    let signed = json!({ "signature": members[4].signature(&statement) });
    members[4].person.post(&confirm, &signed).await.refused(409, "key_settled");
    let nobodys = "/v1/committee/keys/none/confirm";
    members[4].person.post(nobodys, &signed).await.refused(404, "key_unknown");
    let revoke = format!("/v1/committee/keys/{}/revoke", members[2].key);
    members[4].person.post(&revoke, &json!({})).await.refused(403, "not_leading");
    members[2].person.post(&revoke, &json!({})).await.ok();
    let proposal = put_to_the_vote(&members[1].person).await;
    members[2].vote(&app, &proposal, "approve", "").await.refused(409, "key_not_active");
}

async fn whoever_asked_or_wrote_cannot_agree_to_break_the_glass(app: TestApp) {
    let members = committee(&app).await;
    let (admin, chair) = (app.admin().await, &members[0]);
    let written = draft(&chair.person, FORM, relabel("Date of the visit")).await;
    let proposal = proposed(&chair.person, &written, "2026-11-20").await;
    let ask =
        json!({ "hash": proposal["hash"], "reason": "Inspectors read the label as the date of birth." });
    let asked = admin.post(&path(&proposal, "/break-glass"), &ask).await.created();
    let below = |deed: &str| format!("/v1/break-glass/{}/{deed}", asked["id"].as_str().unwrap());
    let agreement = json!({ "hash": proposal["hash"], "key": chair.key, "signature": chair.signature(&asked["statement"]) });

    chair.person.post(&below("agree"), &agreement).await.refused(403, "second_person");
    let nobodys = "/v1/break-glass/0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10/agree";
    chair.person.post(nobodys, &agreement).await.refused(404, "break_glass_unknown");
    let refused = chair.person.post(&below("refuse"), &json!({})).await.ok();
    chair.person.post(&below("agree"), &agreement).await.refused(409, "break_glass_settled");

    assert_eq!(refused["state"], "refused");
    assert_eq!(fresh(&admin, &proposal).await["release"], Value::Null);
    let mut stale = ask.clone();
    stale["hash"] = "0".repeat(64).into();
    admin.post(&path(&proposal, "/break-glass"), &stale).await.refused(412, "proposal_changed");
}
