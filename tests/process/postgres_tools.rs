//! Backups of PostgreSQL by its own tools, as docs/OPERATIONS.md says: what `pg_dump` took while the server ran is
//! restored by `pg_restore`, and a server with the same keys goes on with it.

use std::path::PathBuf;
use std::process::Command;

use harness::folders::{self, TemporaryFolder};
use harness::postgres::Cluster;
use harness::process::PASSWORD;
use harness::{Person, samples};

/// A tool of PostgreSQL, of the newest version installed here.
fn tool(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin").join(name)))
        })
        .filter(|(_, path)| path.exists())
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path)
}

fn run(tool: &PathBuf, arguments: &[&str]) {
    let output = Command::new(tool).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {}: {said}", tool.display(), arguments.join(" "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_pg_dump_took_is_restored_by_pg_restore() {
    let (Some(pg_dump), Some(pg_restore)) = (tool("pg_dump"), tool("pg_restore")) else {
        eprintln!("skipped: pg_dump and pg_restore are absent");
        return;
    };
    let (home, anew) = (TemporaryFolder::new(), TemporaryFolder::new());
    let cluster = Cluster::shared();
    let (database, restored) = (cluster.create(None), cluster.create(None));
    let mut launch = super::nigran(home.path());
    launch.database_url = Some(cluster.url(&database));
    let server = launch.serve().unwrap();
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let before = samples::b1();
    let receipt = phone.file_whole(&before).await;
    let dump = home.path().join("nigran.dump").display().to_string();

    run(&pg_dump, &["--format=custom", "--file", &dump, "--dbname", &cluster.url(&database)]);
    // The bucket second: a photo is in the bucket before it is in the database.
    folders::copy(&home.path().join("media"), &anew.path().join("media"));
    folders::copy(&home.path().join("keys"), &anew.path().join("keys"));
    let after = samples::b3();
    phone.file(&after).await.created();
    server.stop().unwrap();
    run(&pg_restore, &["--exit-on-error", "--no-owner", "--dbname", &cluster.url(&restored), &dump]);

    let mut launch = super::nigran(anew.path());
    launch.database_url = Some(cluster.url(&restored));
    let server = launch.serve().unwrap();
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let again = phone.file(&before).await.ok();
    assert_eq!(again["receipt"], receipt["receipt"]);
    assert_eq!(again["media"], "complete");
    phone.get(&format!("/v1/submissions/{}", after.id)).await.expect(404);
    let other = samples::b3();
    phone.file(&other).await.created();
    server.stop().unwrap();
    let verified = launch.command(&["audit", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    cluster.remove(&database);
    cluster.remove(&restored);
}
