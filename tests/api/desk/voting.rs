//! Votes: each for a hash, each signed, each counted once.

use chrono::{Duration, SecondsFormat};
use futures_util::future::join_all;
use harness::committee::{Member, committee, draft, opened, path};
use harness::{TestApp, on_both_databases};
use serde_json::{Value, json};

use super::{FORM, fresh, put_to_the_vote, relabel};

on_both_databases!(
    an_edit_after_two_votes_voids_them,
    a_vote_without_a_quorum_expires_by_the_clock,
    a_vote_for_an_old_hash_is_refused,
    a_forged_signature_counts_for_nothing,
    five_who_vote_at_one_instant_are_each_counted_once,
    as_many_for_as_against_is_the_chairs_to_decide,
    what_was_voted_and_minuted_cannot_be_rewritten,
);

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
