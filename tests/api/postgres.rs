//! What only PostgreSQL can do to us: let somebody wait, and answer from a replica that lags behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use harness::app::{Backend, House, execute, tell};
use harness::postgres::Cluster;
use harness::{TestApp, samples};
use server::clock::Ids;
use server::db::{By, Db, Tx};
use tokio::task::JoinSet;

#[test]
fn whoever_would_wait_too_long_is_told_when_to_come_back() {
    tell(Backend::Postgres, House::Plain, |app| async move {
        let hurried = app.beside(|config| config.database.lock_seconds = Some(1)).await;
        let reader = hurried.login("labour-head").await;
        let mut other = PgConnection::establish(&app.config.database_url()).unwrap();
        other.batch_execute("BEGIN; LOCK TABLE submissions IN ACCESS EXCLUSIVE MODE").unwrap();

        let waited = reader.get("/v1/submissions").await;
        other.batch_execute("COMMIT").unwrap();
        let afterwards = reader.get("/v1/submissions").await;

        assert_eq!((waited.status, afterwards.status), (503, 200), "{}", waited.text());
        assert_eq!(waited.json()["code"], "database_slow");
        assert!(waited.header("retry-after").is_some());
        hurried.stop().await;
    });
}

#[test]
fn more_readers_than_connections_wait_and_are_told_when_to_come_back() {
    tell(Backend::Postgres, House::Plain, |app| async move {
        let narrow = app
            .beside(|config| {
                config.database.readers = Some(1);
                config.database.wait_seconds = Some(1);
            })
            .await;
        let reader = narrow.login("labour-head").await;
        let mut other = PgConnection::establish(&app.config.database_url()).unwrap();
        other.batch_execute("BEGIN; LOCK TABLE submissions IN ACCESS EXCLUSIVE MODE").unwrap();
        let mut asking = JoinSet::new();
        for _ in 0..2 {
            let reader = reader.clone();
            asking.spawn(async move { reader.get("/v1/submissions").await });
        }

        let first = asking.join_next().await.unwrap().unwrap();
        other.batch_execute("COMMIT").unwrap();
        let second = asking.join_next().await.unwrap().unwrap();

        assert_eq!((first.status, second.status), (503, 200), "{}", first.text());
        assert_eq!(first.json()["code"], "database_unavailable");
        assert!(first.header("retry-after").is_some());
        narrow.stop().await;
    });
}

#[test]
fn of_two_that_wait_for_each_other_both_get_there() {
    tell(Backend::Postgres, House::Plain, |app| async move {
        let changed = || {
            app.text(
                "SELECT (SUM(changed_at) FILTER (WHERE username IN ('inspector', 'auditor')))::text AS text FROM accounts",
            )
            .parse::<i64>()
            .unwrap()
        };
        let before = changed();
        let ours = app.services().db;
        let other = Db::open(&app.config.database_url(), app.clock.clone(), Ids::Random).unwrap();
        let flags = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false))];

        let (one, another) = tokio::join!(
            ours.write(By::system(), crossing(["inspector", "auditor"], flags.clone())),
            other.write(
                By::system(),
                crossing(["auditor", "inspector"], [flags[1].clone(), flags[0].clone()])
            ),
        );

        one.unwrap();
        another.unwrap();
        assert_eq!(changed(), before + 4);
        tokio::task::spawn_blocking(move || other.close()).await.unwrap();
    });
}

/// Changes one account, waits until somebody else has changed the other, and then changes that one too.
fn crossing(
    accounts: [&'static str; 2],
    [mine, theirs]: [Arc<AtomicBool>; 2],
) -> impl Fn(&mut Tx) -> server::error::Result<()> + Send + 'static {
    let change = |tx: &mut Tx, username: &str| {
        let statement =
            format!("UPDATE accounts SET changed_at = changed_at + 1 WHERE username = '{username}'");
        sql_query(statement).execute(tx.conn)
    };
    move |tx| {
        change(tx, accounts[0])?;
        mine.store(true, Ordering::SeqCst);
        let began = Instant::now();
        while !theirs.load(Ordering::SeqCst) && began.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(1));
        }
        change(tx, accounts[1])?;
        Ok(())
    }
}

#[test]
fn lists_may_come_from_a_replica_and_what_one_filed_never_does() {
    tell(Backend::Postgres, House::Plain, |app| async move {
        // A replica that has heard of nothing since the beginning: a copy of the database that never moves on.
        app.stop().await;
        let url = app.config.database_url();
        let name = url.split('?').next().unwrap().trim_start_matches("postgres:///").to_owned();
        let copy = Cluster::shared().create(Some(&name));
        let app = app.beside(|config| config.database.read_url = Some(Cluster::shared().url(&copy))).await;
        let (phone, head) = (app.inspector().await, app.login("labour-head").await);
        let inspection = samples::b1().without_photos();

        let receipt = phone.file(&inspection).await.created();
        let own = phone.get("/v1/submissions").await.ok();
        let everybodys = head.get("/v1/submissions").await.ok();
        let itself = head.get(&format!("/v1/submissions/{}", inspection.id)).await.ok();

        assert_eq!(own["items"].as_array().unwrap().len(), 1);
        assert_eq!(everybodys["items"].as_array().unwrap().len(), 0);
        assert_eq!(itself["content_hash"], receipt["content_hash"]);
        app.stop().await;
        Cluster::shared().remove(&copy);
    });
}

#[test]
fn what_is_no_copy_of_the_database_is_not_read() {
    tell(Backend::Postgres, House::Plain, |app| async move {
        app.stop().await;
        let url = app.config.database_url();
        let name = url.split('?').next().unwrap().trim_start_matches("postgres:///").to_owned();
        let other = Cluster::shared().create(Some(&name));
        let typo = Cluster::shared().url(&other);
        execute(&typo, "UPDATE signing_keys SET kid = 'of another installation'");
        let app = app.beside(|config| config.database.read_url = Some(typo)).await;
        app.inspector().await.file(&samples::b1().without_photos()).await.created();

        let listed = app.login("labour-head").await.get("/v1/submissions").await.ok();

        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        app.stop().await;
        Cluster::shared().remove(&other);
    });
}

#[test]
fn without_its_replica_the_primary_answers() {
    tell(Backend::Postgres, House::Plain, |app| async move {
        let nowhere = "postgres:///nothing?host=/nowhere&user=nigran".to_owned();
        let alone = app.beside(|config| config.database.read_url = Some(nowhere)).await;
        let inspection = samples::b1().without_photos();
        alone.inspector().await.file(&inspection).await.created();

        let listed = alone.login("labour-head").await.get("/v1/submissions").await.ok();

        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        alone.stop().await;
    });
}

#[test]
fn many_filed_at_once_are_each_what_they_would_be_alone() {
    tell(Backend::Postgres, House::Plain, |app: TestApp| async move {
        let phone = app.inspector().await;
        let mut sending = JoinSet::new();
        for (_, case) in samples::all() {
            for inspection in [case.clone(), case] {
                let phone = phone.clone();
                sending.spawn(async move { (inspection.id, phone.file(&inspection).await) });
            }
        }
        let answers = sending.join_all().await;

        let ids: std::collections::HashSet<_> = answers.iter().map(|(id, _)| *id).collect();
        for (id, answer) in &answers {
            assert!(matches!(answer.status, 200 | 201), "{id}: {}", answer.text());
        }
        let stored = ids.len() as i64;
        assert_eq!(answers.iter().filter(|(_, answer)| answer.status == 201).count() as i64, stored);
        assert_eq!(app.count("submissions", "TRUE"), stored);
        assert_eq!(app.count("revisions", "receipt LIKE '.%'"), stored);
        assert_eq!(app.count("audit_events", "action = 'submission.filed'"), stored);
        for (id, answer) in &answers {
            let shown = phone.get(&format!("/v1/submissions/{id}")).await.ok();
            assert_eq!(shown["receipt"], answer.json()["receipt"]);
        }
        tokio::time::timeout(Duration::from_secs(5), app.services().db.read(server::audit::verify))
            .await
            .expect("verifying is quick")
            .map(|report| assert!(report.faults.is_empty(), "{:?}", report.faults))
            .unwrap();
    });
}
