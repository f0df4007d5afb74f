//! Backups: taken while the server runs, restored to the instant they were taken, refused when damaged.

use std::fs;
use std::path::Path;
use std::process::Output;

use harness::folders::TemporaryFolder;
use harness::process::{Launch, PASSWORD};
use harness::{Person, samples};

fn run(launch: &Launch, arguments: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = launch.command(arguments).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.code().unwrap_or(-1), said)
}

fn backup(launch: &Launch, to: &Path) -> String {
    let (code, said) = run(launch, &["backup", &to.display().to_string()]);
    assert_eq!(code, 0, "{said}");
    said
}

fn the_snapshot(backup: &Path) -> std::path::PathBuf {
    let mut all: Vec<_> =
        fs::read_dir(backup.join("snapshots")).unwrap().flatten().map(|it| it.path()).collect();
    all.sort();
    all.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_server_is_restored_to_its_instant() {
    let (home, away, anew) = (TemporaryFolder::new(), TemporaryFolder::new(), TemporaryFolder::new());
    let launch = super::nigran(home.path());
    let server = launch.serve().unwrap();
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let before = samples::b1();
    let receipt = phone.file(&before).await.created();
    for photo in &before.photos {
        phone.upload(before.id, photo).await.created();
    }

    let said = backup(&launch, away.path());
    let after = samples::b3();
    phone.file(&after).await.created();
    server.stop().unwrap();
    let elsewhere = super::nigran(&anew.path().join("data"));
    let (code, restored) = run(&elsewhere, &["restore", &away.path().display().to_string()]);

    assert_eq!(code, 0, "{restored}");
    assert!(said.contains(&format!("photos    {}", before.photos.len())), "{said}");
    let server = elsewhere.serve().unwrap();
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let again = phone.file(&before).await.ok();
    assert_eq!(again["receipt"], receipt["receipt"], "what was acknowledged stands, byte for byte");
    assert_eq!(again["media"], "complete");
    phone.get(&format!("/v1/submissions/{}", after.id)).await.expect(404);
    server.stop().unwrap();
    let (code, log) = run(&elsewhere, &["audit", "verify"]);
    assert_eq!(code, 0, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_backup_copies_only_what_is_new() {
    let (home, away) = (TemporaryFolder::new(), TemporaryFolder::new());
    let launch = super::nigran(home.path());
    let server = launch.serve().unwrap();
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let inspection = samples::b1();
    phone.file(&inspection).await.created();
    for photo in &inspection.photos {
        phone.upload(inspection.id, photo).await.created();
    }
    backup(&launch, away.path());

    let said = backup(&launch, away.path());

    assert!(said.contains("0 of them new"), "{said}");
    server.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_backup_is_refused_and_leaves_nothing() {
    let (home, away, anew) = (TemporaryFolder::new(), TemporaryFolder::new(), TemporaryFolder::new());
    let launch = super::nigran(home.path());
    launch.serve().unwrap().stop().unwrap();
    backup(&launch, away.path());
    let database = the_snapshot(away.path()).join("nigran.sqlite");
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&database, bytes).unwrap();
    let data_dir = anew.path().join("data");

    let (code, said) = run(&super::nigran(&data_dir), &["restore", &away.path().display().to_string()]);

    assert_eq!(code, 1, "{said}");
    assert!(said.contains("not the one that was saved"), "{said}");
    assert!(!data_dir.exists());
}

#[test]
fn nothing_is_written_over_and_nothing_is_made_from_a_typo() {
    let (home, away) = (TemporaryFolder::new(), TemporaryFolder::new());
    let launch = super::nigran(home.path());
    launch.serve().unwrap().stop().unwrap();
    backup(&launch, away.path());

    let (over, said_over) = run(&launch, &["restore", &away.path().display().to_string()]);
    let missing = super::nigran(&home.path().join("no-such-folder"));
    let (typo, said_typo) = run(&missing, &["backup", &away.path().display().to_string()]);

    assert_eq!(over, 1);
    assert!(said_over.contains("is not empty"), "{said_over}");
    assert_eq!(typo, 1);
    assert!(said_typo.contains("there is no database at"), "{said_typo}");
    assert!(!home.path().join("no-such-folder").exists());
}
