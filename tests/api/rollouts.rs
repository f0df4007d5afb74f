//! A release is given out in stages, watched, and taken back: who gets which is decided by where they work, on which device.

use chrono::{Duration, NaiveDate};
use harness::app::PASSWORD;
use harness::{Backend, Person, TestApp, on_both_databases, samples};
use serde_json::{Value, json};
use server::db::{By, Tx};
use server::forms::{self, Approved, Stage};

on_both_databases!(
    a_release_staged_by_district_reaches_those_who_work_there,
    a_share_of_the_devices_stays_the_same_and_only_grows,
    a_release_comes_into_force_at_midnight_in_pakistan_and_phones_are_told,
    a_rollback_reaches_phones_by_sync_and_goes_one_step,
    an_older_release_is_filed_after_the_grace_period_with_a_flag,
    a_retired_form_is_given_out_no_more_and_still_filed,
    a_bad_release_is_seen_and_told_once,
    what_was_decided_about_a_release_never_changes,
    only_the_chair_gives_out_and_takes_back,
    two_processes_agree_on_what_is_given_out,
    a_stage_that_means_nobody_is_refused,
);

const FORM: &str = "child-labour-inspection";

/// The day on which every story begins.
fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
}

/// The built-in inspection as its second release.
fn second_release() -> form_engine::Package {
    let all = server::forms::builtin_packages().unwrap();
    let mut package = all.into_iter().find(|package| package.form == FORM).unwrap();
    package.version = 2;
    package.definition["x-form"]["version"] = 2.into();
    package
}

async fn publish(app: &TestApp, stage: Stage, effective_from: NaiveDate, grace_days: u16) -> forms::Staged {
    let approved = Approved {
        package: second_release(),
        effective_from,
        grace_days,
        stage,
        proposal_id: Some("0193a4b2-7c1e-7d3a-9f00-2b6c1d5e8a41".to_owned()),
        without_a_vote: None,
        minutes_hash: Some("9c1f".repeat(16)),
    };
    let unit = move |tx: &mut Tx<'_>| forms::publish_approved(tx, &approved);
    let services = app.services();
    let staged = services.db.write(By::system(), unit).await.unwrap();
    services.forms.refresh();
    staged
}

async fn phone(app: &TestApp, username: &str, device: &str) -> Person {
    let device = json!({ "id": device, "name": device, "app": "nigran-android/1.0" });
    let body = json!({ "username": username, "password": PASSWORD, "device": device });
    app.stranger().with_tokens(&app.stranger().post("/v1/auth/login", &body).await.ok())
}

/// The release of the inspection that somebody is given.
async fn given(person: &Person) -> u64 {
    let list = person.get("/v1/forms").await.ok();
    let listed = list["items"].as_array().unwrap().iter().find(|item| item["form"] == FORM).unwrap().clone();
    let form = person.get(&format!("/v1/forms/{FORM}")).await.ok();
    assert_eq!(form["current"]["version"], listed["version"], "the list and the form agree");
    // Only those who file are brought up to date by sync.
    let synced = person.get("/v1/sync").await;
    if synced.status == 200 {
        let page = synced.ok();
        assert_eq!(release_told(&page).unwrap()["version"], listed["version"], "sync and the list agree");
    }
    listed["version"].as_u64().unwrap()
}

fn release_told(page: &Value) -> Option<&Value> {
    page["releases"].as_array()?.iter().find(|release| release["form"] == FORM)
}

async fn a_release_staged_by_district_reaches_those_who_work_there(app: TestApp) {
    let (quetta, turbat) = (app.inspector().await, app.inspector_in("PK211").await);
    let chair = app.login("committee1").await;
    publish(&app, Stage::Districts(vec!["PK226".to_owned()]), today(), 14).await;

    assert_eq!(given(&quetta).await, 2);
    assert_eq!(given(&turbat).await, 1);
    let second = format!("/v1/forms/{FORM}/releases/2");
    quetta.get(&second).await.ok();
    turbat.get(&second).await.refused(404, "release_unknown");
    chair.get(&second).await.ok();
    let seen = turbat.get(&format!("/v1/forms/{FORM}")).await.ok();
    assert_eq!(seen["releases"][0]["state"], "staged");

    let widened = chair.post(&format!("{second}/widen"), &json!({ "stage": "all" })).await.ok();

    assert_eq!(widened["stage"], "all");
    assert_eq!(given(&turbat).await, 2);
    turbat.get(&second).await.ok();
    let narrower = json!({ "stage": { "districts": ["PK226"] } });
    chair.post(&format!("{second}/widen"), &narrower).await.refused(409, "not_wider");
}

async fn a_share_of_the_devices_stays_the_same_and_only_grows(app: TestApp) {
    let chair = app.login("committee1").await;
    let mut phones = Vec::new();
    for n in 0..12 {
        phones.push(phone(&app, "inspector", &format!("phone-{n}")).await);
    }
    publish(&app, Stage::Share { percent: 40, seed: 7 }, today(), 14).await;
    let mut drawn = Vec::new();
    for phone in &phones {
        drawn.push(given(phone).await);
    }

    let mut again = Vec::new();
    for phone in &phones {
        again.push(given(phone).await);
    }
    let wider = json!({ "stage": { "share": { "percent": 80, "seed": 7 } } });
    chair.post(&format!("/v1/forms/{FORM}/releases/2/widen"), &wider).await.ok();
    let mut widened = Vec::new();
    for phone in &phones {
        widened.push(given(phone).await);
    }

    assert!(drawn.contains(&1) && drawn.contains(&2), "{drawn:?}");
    assert_eq!(drawn, again);
    assert!(drawn.iter().zip(&widened).all(|(before, after)| after >= before), "{drawn:?} {widened:?}");
    assert!(widened.iter().sum::<u64>() > drawn.iter().sum::<u64>(), "{drawn:?} {widened:?}");
    assert_eq!(given(&app.login("analyst").await).await, 1, "no device, no lot");
}

async fn a_release_comes_into_force_at_midnight_in_pakistan_and_phones_are_told(app: TestApp) {
    let tomorrow = today().succ_opt().unwrap();
    let staged = publish(&app, Stage::All, tomorrow, 14).await;
    let before = phone(&app, "inspector", "phone-1").await;
    assert_eq!(staged.effective_at.to_string(), "2026-11-20T19:00:00Z");
    assert_eq!(given(&before).await, 1);
    let seen = before.get(&format!("/v1/forms/{FORM}")).await.ok();
    assert_eq!(seen["releases"][0]["state"], "scheduled");
    let cursor = before.get("/v1/sync").await.ok()["cursor"].as_str().unwrap().to_owned();
    let ahead = Duration::hours(7);

    app.clock.advance(ahead);
    let after = phone(&app, "inspector", "phone-1").await;
    assert_eq!(given(&after).await, 2, "at the very instant, before any job has run");
    app.run_jobs().await;
    let told = after.get(&format!("/v1/sync?cursor={cursor}")).await.ok();

    assert_eq!(release_told(&told).unwrap()["version"], 2);
    assert_eq!(told["reset"], Value::Null);
}

async fn a_rollback_reaches_phones_by_sync_and_goes_one_step(app: TestApp) {
    let (quetta, chair) = (phone(&app, "inspector", "phone-1").await, app.login("committee1").await);
    publish(&app, Stage::All, today(), 14).await;
    let first = quetta.get("/v1/sync").await.ok();
    assert_eq!(release_told(&first).unwrap()["version"], 2);
    let cursor = first["cursor"].as_str().unwrap();
    let (second, reason) =
        (format!("/v1/forms/{FORM}/releases/2"), json!({ "reason": "Rejects every mine" }));

    let taken = chair.post(&format!("{second}/roll-back"), &reason).await.ok();
    let told = quetta.get(&format!("/v1/sync?cursor={cursor}")).await.ok();

    assert_eq!(taken["withdrawn_because"], "rolled_back");
    assert_eq!(release_told(&told).unwrap()["version"], 1);
    assert_eq!(told["withdrawn"][0]["version"], 2);
    assert_eq!(told["withdrawn"][0]["because"], "rolled_back");
    assert_eq!(given(&quetta).await, 1);
    quetta.get(&second).await.ok();
    chair.post(&format!("{second}/roll-back"), &reason).await.refused(409, "release_withdrawn");
    let first = format!("/v1/forms/{FORM}/releases/1");
    chair.post(&format!("{first}/roll-back"), &reason).await.refused(409, "nothing_to_roll_back_to");
    chair
        .post(&format!("{first}/roll-back"), &json!({ "reason": " " }))
        .await
        .refused(409, "nothing_to_roll_back_to");
    chair
        .post(&format!("{second}/widen"), &json!({ "stage": "all" }))
        .await
        .refused(409, "release_withdrawn");
    let filed =
        samples::b1().without_photos().at("version", 2).at("finished_at", "2026-11-20T18:00:00+05:00");
    assert_eq!(flag(&quetta.file(&filed).await.created(), "release_withdrawn")["version"], 2);
}

fn flag(receipt: &Value, code: &str) -> Value {
    let flags = receipt["flags"].as_array().unwrap().iter();
    flags.clone().find(|flag| flag["code"] == code).map(|flag| flag["figures"].clone()).unwrap_or_default()
}

async fn an_older_release_is_filed_after_the_grace_period_with_a_flag(app: TestApp) {
    let (quetta, turbat) = (app.inspector().await, app.inspector_in("PK211").await);
    publish(&app, Stage::Districts(vec!["PK226".to_owned()]), today(), 1).await;
    let visit = |ended: &str| samples::b1().without_photos().at("started_at", ended).at("finished_at", ended);

    let within = quetta.file(&visit("2026-11-21T16:00:00+05:00")).await.created();
    let after = quetta.file(&visit("2026-11-21T18:00:00+05:00")).await.created();
    let elsewhere = turbat.file(&visit("2026-11-21T18:00:00+05:00")).await.created();

    assert_eq!(flag(&within, "release_outdated"), Value::Null);
    let outdated = json!({ "version": 1, "current": 2, "grace_ended_at": "2026-11-21T12:00:00Z" });
    assert_eq!(flag(&after, "release_outdated"), outdated);
    assert_eq!(flag(&elsewhere, "release_outdated"), Value::Null, "it was never given to them");
}

async fn a_retired_form_is_given_out_no_more_and_still_filed(app: TestApp) {
    let (quetta, chair) = (app.inspector().await, app.login("committee1").await);
    let reason = json!({ "reason": "Replaced by the new inspection" });

    chair.post(&format!("/v1/forms/{FORM}/releases/1/retire"), &reason).await.ok();

    let list = quetta.get("/v1/forms").await.ok();
    assert!(list["items"].as_array().unwrap().iter().all(|item| item["form"] != FORM), "{list}");
    assert_eq!(quetta.get(&format!("/v1/forms/{FORM}")).await.ok()["current"], Value::Null);
    assert_eq!(quetta.get("/v1/sync").await.ok()["withdrawn"][0]["because"], "retired");
    quetta.get(&format!("/v1/forms/{FORM}/releases/1")).await.ok();
    quetta.file(&samples::b1().without_photos()).await.created();
    publish(&app, Stage::All, today(), 14).await;
    assert_eq!(given(&quetta).await, 2, "a newer release brings it back");
    let back = chair.post(&format!("/v1/forms/{FORM}/releases/2/roll-back"), &reason).await;
    back.refused(409, "nothing_to_roll_back_to");
}

async fn a_bad_release_is_seen_and_told_once(app: TestApp) {
    let (quetta, member) = (app.inspector().await, app.login("committee2").await);
    let good = samples::b1().without_photos();
    for _ in 0..6 {
        quetta.file(&good.clone().again()).await.created();
    }
    publish(&app, Stage::All, today(), 14).await;
    let bad = good.without("visit_date").at("version", 2);
    for _ in 0..20 {
        let receipt = quetta.file(&bad.clone().again()).await.created();
        assert_eq!(receipt["verdict"], "invalid");
    }
    let broken = json!({ "form": FORM, "version": 2, "answers": {} }).to_string().into_bytes();
    quetta.put_submission(uuid::Uuid::new_v4(), broken).await.expect(202);

    let seen = member.get(&format!("/v1/forms/{FORM}/rollout")).await.ok();
    app.run_jobs().await;
    app.clock.advance(Duration::minutes(11));
    app.run_jobs().await;

    let (second, first) = (&seen["releases"][0], &seen["releases"][1]);
    assert_eq!((&second["version"], &second["total"]["filed"]), (&json!(2), &json!(20)));
    assert_eq!(second["total"]["invalid_share"], 1.0);
    assert_eq!(second["total"]["quarantined"], 1);
    assert_eq!(second["alarms"][0]["code"], "invalid");
    assert_eq!((&first["total"]["filed"], &first["total"]["invalid"]), (&json!(6), &json!(0)));
    assert_eq!(second["districts"]["PK226"]["filed"], 20);
    assert_eq!(app.count("rollout_events", "deed = 'alarmed'"), 1);
    assert_eq!(app.count("audit_events", "action = 'release.alarmed'"), 1);
}

async fn what_was_decided_about_a_release_never_changes(app: TestApp) {
    publish(&app, Stage::All, today(), 14).await;

    for statement in ["UPDATE rollout_events SET version = 1", "DELETE FROM rollout_events"] {
        let refused = app.sql(statement).unwrap_err();
        assert!(refused.contains("rollout events are never"), "{refused}");
    }
    let again = publish(&app, Stage::All, today(), 14).await;
    assert_eq!(again.version, 2, "published twice for one proposal is published once");
    assert_eq!(app.count("rollout_events", "deed = 'scheduled'"), 1);
    assert_eq!(app.count("audit_events", "action = 'release.scheduled'"), 1);
}

async fn only_the_chair_gives_out_and_takes_back(app: TestApp) {
    publish(&app, Stage::Share { percent: 10, seed: 1 }, today(), 14).await;
    let reason = json!({ "reason": "no" });

    for username in ["committee2", "admin", "inspector", "supervisor", "analyst"] {
        let person = app.login(username).await;
        let path = |deed: &str| format!("/v1/forms/{FORM}/releases/2/{deed}");
        person.post(&path("widen"), &json!({ "stage": "all" })).await.refused(403, "not_permitted");
        person.post(&path("roll-back"), &reason).await.refused(403, "not_permitted");
        person.post(&path("retire"), &reason).await.refused(403, "not_permitted");
    }
    for username in ["inspector", "supervisor", "case-worker"] {
        app.login(username).await.get(&format!("/v1/forms/{FORM}/rollout")).await.expect(403);
    }
    let chair = app.login("committee1").await;
    chair.post("/v1/forms/no-such-form/releases/2/retire", &reason).await.refused(404, "form_unknown");
    chair.post(&format!("/v1/forms/{FORM}/releases/9/retire"), &reason).await.refused(404, "release_unknown");
    chair.get("/v1/forms/no-such-form/rollout").await.refused(404, "form_unknown");
}

async fn two_processes_agree_on_what_is_given_out(app: TestApp) {
    let other = match app.backend() {
        Backend::Postgres => app.beside(|_| {}).await,
        // A SQLite file has one server.
        Backend::Sqlite => app.clone(),
    };
    let (here, there) = (app.inspector().await, other.inspector().await);
    assert_eq!(given(&there).await, 1);

    publish(&app, Stage::All, today(), 14).await;

    assert_eq!(given(&here).await, 2);
    let synced = there.get("/v1/sync").await.ok();
    assert_eq!(release_told(&synced).unwrap()["version"], 2, "sync asks the database");
    // What a process remembers of the list is two seconds old at most; it is asked until it knows.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(15);
    while there.get(&format!("/v1/forms/{FORM}")).await.ok()["current"]["version"] != 2 {
        assert!(std::time::Instant::now() < deadline, "the other process never noticed");
    }
    other.stop().await;
}

async fn a_stage_that_means_nobody_is_refused(app: TestApp) {
    publish(&app, Stage::Share { percent: 10, seed: 1 }, today(), 14).await;
    let chair = app.login("committee1").await;
    let widen = format!("/v1/forms/{FORM}/releases/2/widen");

    for (stage, code) in [
        (json!({ "districts": [] }), "stage_empty"),
        (json!({ "districts": ["NOWHERE"] }), "stage_unknown_district"),
        (json!({ "share": { "percent": 0, "seed": 1 } }), "stage_percent"),
        (json!({ "share": { "percent": 101, "seed": 1 } }), "stage_percent"),
    ] {
        chair.post(&widen, &json!({ "stage": stage })).await.refused(400, code);
    }
    for stage in [json!("everybody"), json!({ "share": { "percent": 300, "seed": 1 } }), json!(null)] {
        chair.post(&widen, &json!({ "stage": stage })).await.expect(400);
    }
}
