//! The command line: what it prints and how it exits.

use std::fs;
use std::process::Output;

use harness::folders::TemporaryFolder;
use harness::process::{Launch, PASSWORD};
use harness::{Person, samples};

fn run(launch: &Launch, arguments: &[&str]) -> Output {
    launch.command(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_is_verified_offline() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());
    let server = launch.serve().unwrap();
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let inspection = samples::b3();
    let receipt = phone.file(&inspection).await.created();
    let jwks = phone.get("/.well-known/jwks.json").await;
    server.stop().unwrap();
    let file = |name: &str, content: Vec<u8>| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let jws = receipt["receipt"].as_str().unwrap().to_owned();
    let (receipt_file, keys) = (file("receipt.jws", jws.clone().into_bytes()), file("jwks.json", jwks.bytes));
    let (whole, sent) =
        (file("answer.json", receipt.to_string().into_bytes()), file("sent.json", inspection.bytes()));
    let other = file("other.json", samples::b1().bytes());
    let (head, signature) = jws.rsplit_once('.').unwrap();
    let forged =
        file("forged.jws", format!("{head}.{}", signature.chars().rev().collect::<String>()).into_bytes());

    for (arguments, code) in [
        (vec!["receipt", "verify", &receipt_file, "--jwks", &keys], 0),
        (vec!["receipt", "verify", &whole, "--jwks", &keys], 0),
        (vec!["receipt", "verify", &receipt_file, "--jwks", &keys, "--submission", &sent], 0),
        (vec!["receipt", "verify", &receipt_file, "--jwks", &keys, "--submission", &other], 3),
        (vec!["receipt", "verify", &forged, "--jwks", &keys], 3),
        (vec!["receipt", "verify", "no-such-file", "--jwks", &keys], 1),
        (vec!["receipt", "verify", &receipt_file], 2),
    ] {
        let output = run(&launch, &arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_verified_and_tampering_exits_with_3() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());
    let server = launch.serve().unwrap();
    let phone = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    phone.file(&samples::b1()).await.created();
    server.stop().unwrap();

    let honest = run(&launch, &["audit", "verify"]);
    let database = folder.path().join("nigran.sqlite");
    harness::app::sqlite(
        &database,
        "DROP TRIGGER audit_events_never_change; UPDATE audit_events SET subject = 'x' WHERE seq = 2",
    );
    let altered = run(&launch, &["audit", "verify"]);

    assert_eq!(honest.status.code(), Some(0), "{}", said(&honest));
    assert!(said(&honest).contains("as it was written"), "{}", said(&honest));
    assert_eq!(altered.status.code(), Some(3), "{}", said(&altered));
    assert!(said(&altered).contains("event 2 was altered"), "{}", said(&altered));
}

#[test]
fn mistakes_are_named() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());

    let unknown = launch.command(&["migrate"]).env("NIGRAN_LISTENN", "x").output().unwrap();
    let wrong_database =
        launch.command(&["migrate"]).env("NIGRAN_DATABASE_URL", "mysql://x").output().unwrap();
    let unknown_command = run(&launch, &["fly"]);

    assert_eq!(unknown.status.code(), Some(1));
    assert!(said(&unknown).contains("NIGRAN_LISTENN"), "{}", said(&unknown));
    assert_eq!(wrong_database.status.code(), Some(1));
    assert!(said(&wrong_database).contains("sqlite:"), "{}", said(&wrong_database));
    assert_eq!(unknown_command.status.code(), Some(2));
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());

    for command in ["serve", "migrate", "account", "boundaries", "audit", "receipt", "openapi"] {
        let output = run(&launch, &[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
    }
    let help = said(&run(&launch, &["--help"]));
    assert!(help.matches("Example: nigran").count() >= 7, "{help}");
}
