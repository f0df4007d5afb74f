//! Disks that fail under a running server. In each case nothing acknowledged is lost, nothing half-written is shown, and
//! the server says what is wrong and how to mend it.

use std::fs;
use std::time::{Duration, Instant};

use harness::disk::Disk;
use harness::folders::TemporaryFolder;
use harness::postgres::Cluster;
use harness::process::{Launch, Nigran, PASSWORD};
use harness::{Answer, Person, Submission, photos, samples};
use serde_json::Value;

fn serve(launch: &Launch) -> Nigran {
    launch.serve().unwrap_or_else(|reason| panic!("{reason}"))
}

async fn inspector(server: &Nigran) -> Person {
    Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await
}

/// What the server says of itself until it says what is waited for, for at most ten seconds.
async fn readiness(person: &Person, is_it: impl Fn(&Answer) -> bool) -> Value {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let answer = person.get("/readyz").await;
        if is_it(&answer) {
            return answer.json();
        }
        assert!(Instant::now() < until, "it still says {} {}", answer.status, answer.text());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Everything that was acknowledged is there, byte for byte.
async fn all_there(phone: &Person, acknowledged: &[(Submission, Value)]) {
    for (inspection, receipt) in acknowledged {
        let again = phone.file(inspection).await.ok();
        assert_eq!(again["receipt"], receipt["receipt"], "{}", inspection.id);
    }
}

/// Files until the server does not take it; what it took, and what it said then.
async fn file_until_refused(phone: &Person, disk: &Disk) -> (Vec<(Submission, Value)>, Answer) {
    let mut acknowledged = Vec::new();
    for _ in 0..2_000 {
        disk.fill();
        let inspection = samples::b1().without_photos();
        let answer = phone.file(&inspection).await;
        if answer.status != 201 {
            return (acknowledged, answer);
        }
        acknowledged.push((inspection, answer.json()));
    }
    panic!("a full disk took {} submissions", acknowledged.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_for_as_long_as_it_is_full() {
    let Some(disk) = Disk::small(48 * 1024 * 1024) else { return };
    let mut launch = super::nigran(disk.path());
    launch.entrance = disk.entrance();
    let server = serve(&launch);
    let phone = inspector(&server).await;
    let photo = photos::jpeg("front.jpg", &"full ".repeat(20));
    let before = samples::b3().without_photos().with_photo(photo.clone());
    phone.file(&before).await.created();

    let (mut acknowledged, refusal) = file_until_refused(&phone, &disk).await;
    let problem = refusal.refused(503, "database_unavailable");
    let waits = phone.upload(before.id, &photo).await;
    let said = readiness(&phone, |answer| answer.status == 503).await;
    let reading = phone.get(&format!("/v1/submissions/{}", before.id)).await.ok();

    assert!(problem["detail"].as_str().unwrap().contains("full"), "{problem}");
    assert!(refusal.header("retry-after").is_some());
    waits.refused(503, "media_store_unavailable");
    assert!(waits.header("retry-after").is_some());
    assert_eq!(reading["media"], "awaiting", "nothing claims to be complete that is not");
    assert_eq!(said["ready"], false);
    assert!(said["checks"]["database"].as_str().unwrap().contains("free room"), "{said}");
    let log = fs::read_to_string(disk.path().join("server.log")).unwrap();
    assert!(log.contains("the disk of the database is full"), "{log}");

    disk.free();
    readiness(&phone, |answer| answer.status == 200).await;
    let after = samples::b1().without_photos();
    let receipt = phone.file(&after).await.created();
    acknowledged.push((after, receipt));
    phone.upload(before.id, &photo).await.created();
    assert_eq!(phone.get(&format!("/v1/submissions/{}", before.id)).await.ok()["media"], "complete");
    all_there(&phone, &acknowledged).await;

    // Full once more, and then killed: what was acknowledged does not need the room.
    disk.fill();
    let mut server = server;
    server.kill();
    disk.free();
    let server = serve(&launch);
    let phone = inspector(&server).await;
    all_there(&phone, &acknowledged).await;
    server.stop().unwrap();
    let verified = launch.run(&["audit", "verify"]);
    assert_eq!(verified.code, Some(0), "{}", verified.said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_postgresql_refuses_for_as_long_as_it_is_full() {
    let Some(disk) = Disk::small(64 * 1024 * 1024) else { return };
    let cluster = Cluster::start_beside(disk.entrance()).unwrap_or_else(|reason| panic!("{reason}"));
    let folder = TemporaryFolder::new();
    let mut launch = super::nigran(folder.path());
    launch.database_url = Some(cluster.url(&cluster.create_in(disk.path())));
    let server = serve(&launch);
    let phone = inspector(&server).await;

    let (mut acknowledged, refusal) = file_until_refused(&phone, &disk).await;
    let problem = refusal.refused(503, "database_unavailable");
    // What was taken in is shown, though nothing more is.
    let listed = phone.get("/v1/submissions?limit=500").await.ok();

    assert!(problem["detail"].as_str().unwrap().contains("full"), "{problem}");
    assert!(refusal.header("retry-after").is_some());
    assert_eq!(listed["items"].as_array().unwrap().len(), acknowledged.len().min(500));
    disk.free();
    readiness(&phone, |answer| answer.status == 200).await;
    let after = samples::b1().without_photos();
    let receipt = phone.file(&after).await.created();
    acknowledged.push((after, receipt));
    all_there(&phone, &acknowledged).await;
    server.stop().unwrap();
    let verified = launch.run(&["audit", "verify"]);
    assert_eq!(verified.code, Some(0), "{}", verified.said);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_turns_read_only_is_said_and_loses_nothing() {
    let Some(disk) = Disk::breakable(96) else { return };
    let mut launch = super::nigran(disk.path());
    launch.entrance = disk.entrance();
    let mut server = serve(&launch);
    let phone = inspector(&server).await;
    let mut acknowledged = Vec::new();
    for _ in 0..5 {
        let inspection = samples::b1().without_photos();
        let receipt = phone.file(&inspection).await.created();
        acknowledged.push((inspection, receipt));
    }

    disk.remount("abort");
    let refusal = phone.file(&samples::b1().without_photos()).await;
    let said = readiness(&phone, |answer| answer.status == 503).await;

    let problem = refusal.refused(503, "database_unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("disk"), "{problem}");
    assert!(said["checks"]["database"].as_str().unwrap().contains("kernel's log"), "{said}");
    server.kill();
    let refused = launch.run(&["serve"]);
    assert_eq!(refused.code, Some(1), "{}", refused.said);
    assert!(
        refused.said.contains("data folder") && refused.said.contains("kernel's log"),
        "{}",
        refused.said
    );
    disk.mend();
    let server = serve(&launch);
    all_there(&inspector(&server).await, &acknowledged).await;
}

#[test]
fn a_read_only_disk_is_refused_at_the_start() {
    let Some(disk) = Disk::small(48 * 1024 * 1024) else { return };
    let mut launch = super::nigran(disk.path());
    launch.entrance = disk.entrance();
    serve(&launch).stop().unwrap();
    disk.remount("ro");

    let refused = launch.run(&["serve"]);

    assert_eq!(refused.code, Some(1), "{}", refused.said);
    assert!(refused.said.contains("mounted read-only"), "{}", refused.said);
    disk.remount("rw");
    serve(&launch).stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_met_while_serving_is_said_with_the_way_back() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());
    let server = serve(&launch);
    let phone = inspector(&server).await;
    for _ in 0..50 {
        phone.file(&samples::b1().without_photos()).await.created();
    }
    server.stop().unwrap();
    // All pages but the first few: the schema stands, and what it speaks of does not.
    let database = folder.path().join("nigran.sqlite");
    let mut bytes = fs::read(&database).unwrap();
    let pages = bytes.len() / 4096;
    for page in pages / 2..pages {
        bytes[page * 4096..(page + 1) * 4096].fill(0x5A);
    }
    fs::write(&database, bytes).unwrap();

    let (started, said) = match launch.serve() {
        Err(reason) => (None, reason),
        Ok(server) => {
            let stranger = Person::at(format!("http://{}", server.address));
            let login = serde_json::json!({ "username": "inspector", "password": PASSWORD });
            let token = stranger.post("/v1/auth/login", &login).await;
            if token.status == 200 {
                let phone = stranger.with_tokens(&token.json());
                phone.get("/v1/submissions").await;
                phone.file(&samples::b1().without_photos()).await;
            }
            let said = readiness(&stranger, |answer| answer.status == 503).await.to_string();
            (Some(server), said)
        }
    };

    assert!(said.contains("damaged") && said.contains("nigran restore"), "{said}");
    drop(started);
}
