//! Starting and stopping.

use std::time::Duration;

use harness::folders::TemporaryFolder;
use harness::process::PASSWORD;
use harness::{Person, samples};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_the_server_finishes_what_it_accepted() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());
    let server = launch.serve().unwrap();
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let mut sending = JoinSet::new();
    for _ in 0..32 {
        let phone = phone.clone();
        sending.spawn(async move {
            let inspection = samples::b1();
            phone.try_file(&inspection).await.filter(|answer| answer.status == 201).map(|_| inspection)
        });
    }
    tokio::time::sleep(Duration::from_millis(20)).await;

    let stopped = tokio::task::spawn_blocking(|| server.stop()).await.unwrap().unwrap();
    let acknowledged: Vec<_> = sending.join_all().await.into_iter().flatten().collect();

    assert!(stopped.success(), "{stopped}");
    let again = launch.serve().unwrap();
    let phone = Person::at(format!("http://{}", again.address)).login("inspector", PASSWORD).await;
    for inspection in &acknowledged {
        phone.file(inspection).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_changes_nothing() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());
    let first = launch.serve().unwrap();
    let phone = Person::at(format!("http://{}", first.address)).login("inspector", PASSWORD).await;
    let forms = phone.get("/v1/forms").await.ok();
    first.stop().unwrap();

    let second = launch.serve().unwrap();

    let still = Person::at(format!("http://{}", second.address)).with_token(phone.token.as_deref().unwrap());
    assert_eq!(still.get("/v1/forms").await.ok(), forms);
}

#[test]
fn nothing_secret_is_printed_or_readable_by_others() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TemporaryFolder::new();
    let server = super::nigran(folder.path()).serve().unwrap();
    server.stop().unwrap();

    let keys = folder.path().join("keys");
    for entry in std::fs::read_dir(&keys).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "a key can be read by others: {mode:o}");
    }
    let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
    assert!(!log.contains("eyJ"), "a token is in the log");
}
