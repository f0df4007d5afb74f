//! A real streaming replica (`database.read_url`): it answers lists, and as soon as it is behind, cut off from its primary or
//! gone, the primary does, without a single failed request. What somebody filed they see at once, whatever it does.

use std::time::{Duration, Instant, SystemTime};

use harness::app::{count, execute};
use harness::folders::{self, TemporaryFolder};
use harness::postgres::{Cluster, Durability};
use harness::process::{Nigran, PASSWORD};
use harness::{Person, samples};

/// Whether a list was read from the database at `url` since then.
fn was_asked(url: &str, since: SystemTime) -> bool {
    let since = since.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let listing = format!(
        "query LIKE '%FROM%submissions%' AND query_start >= to_timestamp({since}) AND pid <> pg_backend_pid()"
    );
    count(url, "pg_stat_activity", &listing) > 0
}

/// How many submissions the head of the line is shown.
async fn shown(head: &Person) -> usize {
    head.get("/v1/submissions").await.ok()["items"].as_array().unwrap().len()
}

async fn login(server: &Nigran, who: &str) -> Person {
    Person::at(format!("http://{}", server.address)).login(who, PASSWORD).await
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Files an inspection; the filer sees it at once, and so does whoever looks at it.
async fn file(phone: &Person, head: &Person, before: usize) {
    let inspection = samples::b1().without_photos();
    phone.file(&inspection).await.created();
    assert_eq!(shown(phone).await, before + 1, "what one filed oneself is never missing");
    head.get(&format!("/v1/submissions/{}", inspection.id)).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_read_from_the_replica_while_it_is_good() {
    let cluster = Cluster::start(Durability::None).unwrap_or_else(|reason| panic!("{reason}"));
    let database = cluster.create(None);
    let standby = cluster.standby().unwrap_or_else(|reason| panic!("{reason}"));
    let (folder, replica) = (TemporaryFolder::new(), standby.url(&database));
    let mut launch = super::nigran(folder.path())
        .with("NIGRAN_DATABASE_READ_URL", &replica)
        .with("NIGRAN_DATABASE_REPLICA_LAG_SECONDS", "1");
    launch.database_url = Some(cluster.url(&database));
    let server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let (phone, head) = (login(&server, "inspector").await, login(&server, "labour-head").await);
    let replicas = || count(&replica, "submissions", "TRUE");

    file(&phone, &head, 0).await;
    let started = SystemTime::now();
    until("the replica to answer", async || shown(&head).await == 1 && was_asked(&replica, started)).await;

    // It hears, and does not show what it hears.
    execute(&replica, "SELECT pg_wal_replay_pause()");
    file(&phone, &head, 1).await;
    until("the primary to answer for one that is behind", async || shown(&head).await == 2).await;
    assert_eq!(replicas(), 1);

    execute(&replica, "SELECT pg_wal_replay_resume()");
    let resumed = SystemTime::now();
    until("the replica to answer again", async || shown(&head).await == 2 && was_asked(&replica, resumed))
        .await;

    // It hears nothing more, and has shown all it heard: by itself it cannot know that it misses anything.
    execute(&replica, "ALTER SYSTEM SET primary_conninfo = ''");
    execute(&replica, "SELECT pg_reload_conf()");
    until("the replica to be cut off", async || count(&replica, "pg_stat_wal_receiver", "TRUE") == 0).await;
    file(&phone, &head, 2).await;
    until("the primary to answer for one that is cut off", async || shown(&head).await == 3).await;
    assert_eq!(replicas(), 2);

    drop(standby);
    for _ in 0..20 {
        assert_eq!(shown(&head).await, 3);
    }
    file(&phone, &head, 3).await;
    assert_eq!(shown(&head).await, 4);
    let told = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
    assert!(told.contains("farther behind than it may be, or cut off"), "{told}");
    server.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_dies_while_it_is_asked_fails_nobody() {
    let cluster = Cluster::start(Durability::None).unwrap_or_else(|reason| panic!("{reason}"));
    let database = cluster.create(None);
    let standby = cluster.standby().unwrap_or_else(|reason| panic!("{reason}"));
    let (folder, replica) = (TemporaryFolder::new(), standby.url(&database));
    let mut launch = super::nigran(folder.path()).with("NIGRAN_DATABASE_READ_URL", &replica);
    launch.database_url = Some(cluster.url(&database));
    let server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let (phone, head) = (login(&server, "inspector").await, login(&server, "labour-head").await);
    file(&phone, &head, 0).await;
    let started = SystemTime::now();
    until("the replica to answer", async || shown(&head).await == 1 && was_asked(&replica, started)).await;

    // A standby in the place of the primary takes no writes, and that is said.
    let elsewhere = TemporaryFolder::new();
    folders::copy(&folder.path().join("keys"), &elsewhere.path().join("keys"));
    let mut mistyped = super::nigran(elsewhere.path());
    mistyped.database_url = Some(replica.clone());
    let ended = tokio::task::spawn_blocking(move || mistyped.run(&["serve"])).await.unwrap();
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(ended.said.contains("standby") && !ended.said.contains("panicked"), "{}", ended.said);

    let asking = tokio::spawn(async move {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3) {
            assert_eq!(shown(&head).await, 1);
        }
    });
    tokio::task::spawn_blocking(move || drop(standby)).await.unwrap();

    asking.await.expect("every list is answered");
    server.stop().unwrap();
}
