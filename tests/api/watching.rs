//! Watching: who stands above submissions hears of every filing and decision inside the transaction that stores it.

use std::sync::{Arc, Mutex};

use harness::{PASSWORD, Person, TestApp, on_both_databases, samples};
use serde_json::{Map, Value, json};
use server::app::{self, Running};
use server::clock::Ids;
use server::db::{At, DbConn, Tx};
use server::error::{Error, Result};
use server::submissions::{Decision, FiledRevision, Settling, Watcher, Watchers};

on_both_databases!(
    whoever_watches_hears_of_filings_and_decisions_once,
    what_a_watcher_refuses_is_not_stored,
    what_a_watcher_remembers_is_read_by_the_rules,
);

/// Writes down what it hears.
#[derive(Default)]
struct Listener {
    heard: Mutex<Vec<String>>,
}

impl Watcher for Listener {
    fn filed(&self, _: &mut Tx, filed: &FiledRevision) -> Result<()> {
        let before = filed.before.map_or("new", |review| review.as_str());
        let line = format!(
            "filed {} {} {before} {} findings in {}",
            filed.form,
            filed.revision,
            filed.findings.len(),
            filed.areas.district.unwrap_or_default()
        );
        self.heard.lock().unwrap().push(line);
        Ok(())
    }

    fn decided(&self, _: &mut Tx, decision: &Decision) -> Result<()> {
        let line =
            format!("{} {}: {} to {}", decision.action, decision.revision, decision.before, decision.now);
        self.heard.lock().unwrap().push(line);
        Ok(())
    }

    fn remembers(&self, _: &mut DbConn, _: &str, _: &str, _: At) -> Result<Map<String, Value>> {
        Ok(json!({ "open_findings": 3 }).as_object().cloned().unwrap_or_default())
    }
}

/// Refuses everything.
struct Refuser;

impl Watcher for Refuser {
    fn filed(&self, _: &mut Tx, _: &FiledRevision) -> Result<()> {
        Err(Error::conflict("not_today", "the watcher does not want it; ask the watcher"))
    }

    fn decided(&self, _: &mut Tx, _: &Decision) -> Result<()> {
        Err(Error::conflict("not_today", "the watcher does not want it; ask the watcher"))
    }
}

/// The story's server once more, watched.
async fn watched(app: &TestApp, watcher: Arc<dyn Watcher>) -> Running {
    app.stop().await;
    let mut opened = app::App::open(&app.config, app.clock.clone(), Ids::Random).await.unwrap();
    let watchers = Watchers::new(vec![watcher]);
    let settling = Settling::new(opened.accounts.tokens().clone(), watchers.clone());
    opened.submissions.intake = opened.db.lane(settling).unwrap();
    opened.submissions.watchers = watchers;
    app::serve(&app.config, opened).unwrap()
}

async fn login(running: &Running, username: &str) -> Person {
    Person::at(format!("http://{}", running.address)).login(username, PASSWORD).await
}

async fn whoever_watches_hears_of_filings_and_decisions_once(app: TestApp) {
    let listener = Arc::new(Listener::default());
    let running = watched(&app, listener.clone()).await;
    let (phone, supervisor) = (login(&running, "inspector").await, login(&running, "supervisor").await);
    let inspection = samples::b3();
    let review = format!("/v1/submissions/{}/review", inspection.id);

    let first = phone.file(&inspection).await.created();
    phone.file(&inspection).await.ok();
    let back = json!({ "action": "return", "reason": "look again" });
    supervisor.post(&review, &back).await.ok();
    supervisor.post(&review, &back).await.ok();
    let second = inspection.clone().with("co_inspectors", 2);
    phone.revise(&second, first["content_hash"].as_str().unwrap()).await.created();
    supervisor.post(&review, &json!({ "action": "accept" })).await.ok();
    supervisor.post(&review, &json!({ "action": "reject", "reason": "no" })).await.expect(409);
    running.stop().await.unwrap();

    let findings = first["findings"].as_array().unwrap().len();
    assert_eq!(
        *listener.heard.lock().unwrap(),
        [
            format!("filed child-labour-inspection 1 new {findings} findings in PK226"),
            "return 1: received to returned".to_owned(),
            format!("filed child-labour-inspection 2 returned {findings} findings in PK226"),
            "accept 2: received to accepted".to_owned(),
        ]
    );
}

async fn what_a_watcher_refuses_is_not_stored(app: TestApp) {
    let inspection = samples::b3();
    app.inspector().await.file(&inspection).await.created();
    let running = watched(&app, Arc::new(Refuser)).await;
    let (phone, supervisor) = (login(&running, "inspector").await, login(&running, "supervisor").await);

    phone.file(&samples::b1()).await.refused(409, "not_today");
    let review = format!("/v1/submissions/{}/review", inspection.id);
    supervisor.post(&review, &json!({ "action": "accept" })).await.refused(409, "not_today");
    running.stop().await.unwrap();

    assert_eq!(app.count("submissions", "review = 'received'"), 1);
    assert_eq!(app.count("submissions", "true"), 1);
    assert_eq!(app.count("review_events", "true"), 0);
    assert_eq!(app.count("audit_events", "action = 'submission.filed'"), 1);
}

async fn what_a_watcher_remembers_is_read_by_the_rules(app: TestApp) {
    let running = watched(&app, Arc::new(Listener::default())).await;
    let phone = login(&running, "inspector").await;
    let at = |day: u32| {
        let finished = format!("2026-11-{day:02}T12:45:00+05:00");
        samples::b1()
            .again()
            .at("facility", "0190b7a4-0000-7e55-9d43-0c7c9a4c1f10")
            .at("finished_at", finished)
    };
    let (first, second) = (at(19), at(20));

    phone.file(&first).await.created();
    let supervisor = login(&running, "supervisor").await;
    let review = format!("/v1/submissions/{}/review", first.id);
    supervisor.post(&review, &json!({ "action": "accept" })).await.ok();
    phone.file(&second).await.created();
    let open = |seen: Value| seen["calculated"]["prev_findings_open"].clone();
    let of_first = open(phone.get(&format!("/v1/submissions/{}", first.id)).await.ok());
    let of_second = open(phone.get(&format!("/v1/submissions/{}", second.id)).await.ok());
    running.stop().await.unwrap();

    assert_eq!(of_first, Value::Null);
    assert_eq!(of_second, 3);
}
