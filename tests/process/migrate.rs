//! Upgrade and rollback by the command line: back to the shape an older version knows and forward again, with what was
//! filed; and a database of a newer version is left alone.

use harness::app::{count, execute};
use harness::folders::TemporaryFolder;
use harness::postgres::Cluster;
use harness::process::{Launch, PASSWORD};
use harness::{Person, samples};

fn run(launch: &Launch, arguments: &[&str]) -> (i32, String) {
    let output = launch.command(arguments).output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), said)
}

/// The shape before findings became cases: everything filed was there already.
const BEFORE_CASES: &str = "20261124000012";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_goes_back_to_an_older_shape_and_forward_again() {
    let home = TemporaryFolder::new();
    let launch = super::nigran(home.path());
    let server = launch.serve().unwrap();
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let inspection = samples::b1();
    let receipt = phone.file_whole(&inspection).await;
    server.stop().unwrap();
    let url = server::db::url_in(home.path());

    let (unknown, said_unknown) = run(&launch, &["migrate", "--back-to", "20200101000001"]);
    let (back, said_back) = run(&launch, &["migrate", "--back-to", BEFORE_CASES]);

    assert_eq!(unknown, 1, "{said_unknown}");
    assert!(said_unknown.contains("name the last migration that is to stay"), "{said_unknown}");
    assert_eq!(back, 0, "{said_back}");
    assert!(said_back.contains("undid 20261124000015"), "{said_back}");
    assert_eq!(count(&url, "sqlite_master", "name = 'finding_cases'"), 0);
    assert_eq!(count(&url, "audit_events", "action = 'data.taken_back'"), 1);
    let server = launch.serve().unwrap();
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let again = phone.file(&inspection).await.ok();
    assert_eq!((&again["receipt"], &again["media"]), (&receipt["receipt"], &"complete".into()));
    server.stop().unwrap();
    let (code, log) = run(&launch, &["audit", "verify"]);
    assert_eq!(code, 0, "{log}");
}

#[test]
fn a_database_of_a_newer_version_is_refused_by_every_command() {
    let (home, other) = (TemporaryFolder::new(), TemporaryFolder::new());
    let database = Cluster::shared().create(None);
    let embedded = super::nigran(home.path());
    let mut beside = super::nigran(other.path());
    beside.database_url = Some(Cluster::shared().url(&database));
    for launch in [embedded, beside] {
        launch.serve().unwrap().stop().unwrap();
        let url = launch.database_url.clone().unwrap_or_else(|| server::db::url_in(&launch.data_dir));
        execute(&url, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')");

        for arguments in [["migrate"].as_slice(), &["serve"], &["audit", "verify"]] {
            let (code, said) = run(&launch, arguments);
            assert_eq!(code, 1, "{arguments:?}: {said}");
            assert!(said.contains("29991231000001") && said.contains("by a newer version"), "{said}");
            assert!(said.contains("Nothing was changed") || said.contains("nothing was changed"), "{said}");
        }
        assert_eq!(count(&url, "__diesel_schema_migrations", "version = '29991231000001'"), 1);
    }
    Cluster::shared().remove(&database);
}
