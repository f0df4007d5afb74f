//! Who sits on the Committee, whose keys count, and publishing without a vote.

use chrono::Duration;
use harness::committee::{Member, committee, draft, path, proposed};
use harness::{TestApp, on_both_databases};
use serde_json::json;

use super::{FORM, fresh, put_to_the_vote, relabel};

on_both_databases!(
    the_administrator_neither_votes_nor_chooses_who_does,
    observers_comment_and_do_not_vote,
    a_second_key_needs_the_first_or_a_colleague,
    break_glass_takes_two_and_is_loud,
);

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
