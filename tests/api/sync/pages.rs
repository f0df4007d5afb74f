//! What comes, in which pages, and that none of it is missed, whoever writes at the same time.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use harness::app::Backend;
use harness::{Submission, TestApp, on_both_databases, samples};
use server::clock::Ids;
use server::db::{By, Db};
use server::feed::{self, Audience, What};

use super::phone::Phone;

on_both_databases!(
    a_new_phone_is_told_what_to_fetch,
    a_first_sync_that_is_cut_off_is_resumed_and_misses_nothing,
    what_is_filed_at_several_servers_at_once_is_told_once_each,
    a_change_that_was_committed_late_is_not_passed_over,
    a_release_published_by_another_process_is_told,
    many_changes_come_in_pages,
    a_photo_that_arrived_is_told,
);
on_both_databases!(in WithBoundaries: boundary_sets_are_told_by_name_hash_and_address);

async fn a_new_phone_is_told_what_to_fetch(app: TestApp) {
    let phone = Phone::of(&app, "inspector", "phone-1").await;

    let page = phone.ask(200).await.ok();

    assert_eq!(page["reset"], true);
    assert_eq!(page["more"], false);
    assert_eq!(page["server_time"], "2026-11-20T12:00:00Z");
    assert_eq!(page["areas"], serde_json::json!({ "codes": ["PK226"], "drop": [] }));
    let release = &page["releases"][0];
    assert_eq!(page["releases"].as_array().unwrap().len(), 1, "an inspector fills inspections");
    let fetched = phone.person.get(release["url"].as_str().unwrap()).await;
    assert_eq!(fetched.header("etag").unwrap(), format!("\"{}\"", release["hash"].as_str().unwrap()));
    assert_eq!(release["size"], fetched.bytes.len());
    assert!(page.get("receipts").is_none() && page.get("dropped").is_none());
}

async fn a_first_sync_that_is_cut_off_is_resumed_and_misses_nothing(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    let mut filed = Vec::new();
    for _ in 0..7 {
        filed.push(file(&app, &phone).await);
    }
    assert!(phone.page(3).await);
    // The second page gets lost on the way, and is asked for again.
    let lost = phone.ask(3).await.ok();
    // Meanwhile the world moves on: in front of the cursor, behind it, and beyond the end.
    let stored = phone.person.get(&format!("/v1/submissions/{}", filed[0].id)).await.ok();
    let corrected = filed[0].clone().with("departure_time", "13:05");
    phone.person.revise(&corrected, stored["content_hash"].as_str().unwrap()).await.created();
    filed.push(file(&app, &phone).await);

    assert!(phone.page(3).await);
    phone.sync(3).await;

    let receipts = phone.holds("receipts");
    assert_eq!(lost["receipts"].as_array().unwrap().len(), 3);
    assert_eq!(receipts.keys().cloned().collect::<BTreeSet<_>>(), ids(&filed));
    assert_eq!(receipts[&filed[0].id.to_string()]["revision"], 2);
    assert_eq!(phone.ask(3).await.status, 304);
}

async fn what_is_filed_at_several_servers_at_once_is_told_once_each(app: TestApp) {
    // A SQLite file has one server.
    let other = match app.backend() {
        Backend::Postgres => app.beside(|_| ()).await,
        Backend::Sqlite => app.clone(),
    };
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    phone.sync(200).await;
    let mut filing = tokio::task::JoinSet::new();
    for n in 0..8 {
        let inspector = if n % 2 == 0 { app.inspector().await } else { other.inspector().await };
        filing.spawn(async move {
            let mut filed = Vec::new();
            for _ in 0..6 {
                let submission = samples::b1().again().without_photos();
                inspector.file(&submission).await.created();
                filed.push(submission);
            }
            filed
        });
    }
    // The phone asks all the while, and pages are small.
    let mut filed = Vec::new();
    while !filing.is_empty() {
        phone.page(5).await;
        while let Some(done) = filing.try_join_next() {
            filed.extend(done.unwrap());
        }
    }

    phone.sync(5).await;

    assert_eq!(phone.holds("receipts").into_keys().collect::<BTreeSet<_>>(), ids(&filed));
    other.stop().await;
}

/// On PostgreSQL a transaction that began before others may commit after them.
async fn a_change_that_was_committed_late_is_not_passed_over(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    let early = file(&app, &phone).await;
    phone.sync(200).await;
    if app.backend() == Backend::Sqlite {
        return;
    }
    let account = app.text(&format!("SELECT account_id AS text FROM submissions WHERE id = '{}'", early.id));
    let mut slow = PgConnection::establish(&app.config.database_url()).unwrap();
    slow.batch_execute(&format!(
        "BEGIN; INSERT INTO changes (at, what, subject, audience)
         VALUES (0, 'submission', '{}', 'account:{account}')",
        early.id
    ))
    .unwrap();
    let late = file(&app, &phone).await;
    phone.sync(200).await;
    assert!(phone.holds("receipts").contains_key(&late.id.to_string()), "nobody waits for the slow one");
    assert_eq!(phone.ask(200).await.status, 304);

    slow.batch_execute("COMMIT").unwrap();

    let told = phone.ask(200).await.ok();
    assert_eq!(told["receipts"][0]["submission"], early.id.to_string());
    assert_eq!(told["receipts"].as_array().unwrap().len(), 1);
}

async fn a_release_published_by_another_process_is_told(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    phone.sync(200).await;
    let other = another_process(&app);
    let mut package = server::forms::builtin_packages()
        .unwrap()
        .into_iter()
        .find(|package| package.form == "child-labour-inspection")
        .unwrap();
    package.version += 1;
    package.definition["x-form"]["version"] = package.version.into();
    let (form, hash) = (package.form.clone(), package.hash());
    other.write(By::system(), move |tx| server::forms::publish(tx, &package)).await.unwrap();

    phone.sync(200).await;

    assert_eq!(phone.holds("releases")[&form]["version"], 2);
    assert_eq!(phone.holds("releases")[&form]["hash"], hash);
}

async fn many_changes_come_in_pages(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    let mut filed = Vec::new();
    for _ in 0..5 {
        filed.push(file(&app, &phone).await);
    }
    phone.sync(200).await;
    let account =
        app.text(&format!("SELECT account_id AS text FROM submissions WHERE id = '{}'", filed[0].id));
    let again: Vec<String> = filed.iter().map(|submission| submission.id.to_string()).collect();
    let other = another_process(&app);
    other
        .write(By::system(), move |tx| {
            again.iter().try_for_each(|id| {
                feed::changed(tx, What::Submission, id, Audience::Account(account.clone()))
            })
        })
        .await
        .unwrap();

    let asked = phone.sync(2).await;

    assert_eq!(
        asked, 4,
        "five changes of one transaction, two a page, and once more for what came meanwhile"
    );
    assert_eq!(phone.ask(2).await.status, 304);
}

async fn a_photo_that_arrived_is_told(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;
    let inspection = samples::b1();
    phone.person.file(&inspection).await.created();
    phone.sync(200).await;
    assert_eq!(phone.holds("receipts")[&inspection.id.to_string()]["media"], "awaiting");

    for photo in &inspection.photos {
        phone.person.upload(inspection.id, photo).await.created();
    }
    phone.sync(200).await;

    assert_eq!(phone.holds("receipts")[&inspection.id.to_string()]["media"], "complete");
}

async fn boundary_sets_are_told_by_name_hash_and_address(app: TestApp) {
    let mut phone = Phone::of(&app, "inspector", "phone-1").await;

    phone.sync(200).await;

    let sets = phone.holds("boundaries");
    assert_eq!(sets.len(), 3);
    for set in sets.values() {
        let fetched = phone.person.get(set["url"].as_str().unwrap()).await;
        assert_eq!(fetched.status, 200, "{set}");
        assert_eq!(fetched.header("etag").unwrap(), format!("\"{}\"", set["hash"].as_str().unwrap()));
    }
}

/// Another process of the same installation, as far as the database can tell.
fn another_process(app: &TestApp) -> Db {
    Db::open(&app.config.database_url(), app.clock.clone(), Ids::Random).unwrap()
}

async fn file(app: &TestApp, phone: &Phone) -> Submission {
    app.clock.advance(chrono::Duration::seconds(1));
    let submission = samples::b1().again().without_photos();
    phone.person.file(&submission).await.created();
    submission
}

fn ids(filed: &[Submission]) -> BTreeSet<String> {
    filed.iter().map(|submission| submission.id.to_string()).collect()
}
