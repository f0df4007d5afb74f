//! The queue as real processes run it: kill -9 in the midst of jobs, again and again, and in the end every photo is
//! understood exactly once.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use harness::folders::TemporaryFolder;
use harness::photos::{self, Camera};
use harness::postgres::Cluster;
use harness::process::{Launch, Nigran, PASSWORD};
use harness::{Person, samples};

const ROUNDS: usize = 4;
const PHOTOS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_survive_kill_9_on_sqlite() {
    let folder = TemporaryFolder::new();
    understood_once_after_kills(&super::nigran(folder.path())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_survive_kill_9_on_postgres() {
    let folder = TemporaryFolder::new();
    let database = Cluster::shared().create(None);
    let mut launch = super::nigran(folder.path());
    launch.database_url = Some(Cluster::shared().url(&database));
    understood_once_after_kills(&launch).await;
    Cluster::shared().remove(&database);
}

async fn login(server: &Nigran, username: &str) -> Person {
    Person::at(format!("http://{}", server.address)).login(username, PASSWORD).await
}

async fn understood_once_after_kills(launch: &Launch) {
    // Large enough that a kill finds one under way.
    let base = photos::snapshot_of_size("front.jpg", 1600, 1200, &Camera::default());
    let mut sent = HashSet::new();
    for round in 0..ROUNDS {
        let mut server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
        let phone = login(&server, "inspector").await;
        for n in 0..PHOTOS {
            let photo = photos::marked(&base, &format!("{round}-{n}"));
            let inspection = samples::b1().without_photos().with_photo(photo.clone());
            phone.file(&inspection).await.created();
            phone.upload(inspection.id, &photo).await.created();
            sent.insert(photo.sha256());
        }
        tokio::time::sleep(Duration::from_millis(40 * round as u64)).await;
        server.kill();
    }

    let server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let (admin, log) = (login(&server, "admin").await, login(&server, "log-auditor").await);
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let left = admin.get("/v1/jobs?kind=photo.understand").await.ok();
        if left["items"].as_array().is_some_and(Vec::is_empty) {
            break;
        }
        assert!(Instant::now() < deadline, "still to be done: {left}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let understood = log.get("/v1/audit?action=media.understood&limit=500").await.ok();
    let subjects: Vec<&str> = understood["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["subject"].as_str())
        .collect();
    let different: HashSet<String> =
        subjects.iter().map(|subject| subject.trim_start_matches("media:").to_owned()).collect();
    assert_eq!(different, sent);
    assert_eq!(subjects.len(), sent.len(), "one was understood twice");
    assert_eq!(admin.get("/v1/jobs?state=parked").await.ok()["items"].as_array().unwrap().len(), 0);
}
