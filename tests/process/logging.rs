//! What is logged: as JSON where that is set, and changed while the server runs.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::Person;
use harness::folders::TemporaryFolder;
use harness::process::PASSWORD;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_logged_changes_on_sighup_and_is_itself_logged() {
    let folder = TemporaryFolder::new();
    let file = folder.path().join("nigran.toml");
    let write =
        |level: &str| fs::write(&file, format!("[log]\nformat = \"json\"\nlevel = {level:?}\n")).unwrap();
    write("info");
    let mut launch = super::nigran(&folder.path().join("data"));
    launch.settings = vec![("NIGRAN_LOG_FORMAT", "json".to_owned())];
    let server = launch.serve_with(&["--config", &file.display().to_string()]).unwrap();
    let log = || fs::read_to_string(folder.path().join("data/server.log")).unwrap();
    let hang_up = || Command::new("kill").args(["-HUP", &server.pid().to_string()]).status().unwrap();
    let until = |words: &str| {
        let began = Instant::now();
        while !log().contains(words) {
            assert!(began.elapsed() < Duration::from_secs(20), "{words:?} was never logged:\n{}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let stranger = Person::at(format!("http://{}", server.address));
    stranger.get("/healthz").await.expect(200);
    assert!(!log().contains("\"route\":\"/healthz\""), "requests are not logged at first");

    write("server::http=debug,info");
    hang_up();
    until("logging server::http=debug,info");
    stranger.get("/healthz").await.expect(200);
    until("\"route\":\"/healthz\"");
    write("info,=,");
    hang_up();
    until("cannot be read again");

    let auditor = stranger.login("admin", PASSWORD).await;
    auditor.get("/v1/me").await.ok();
    let lines: Vec<Value> = log()
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.iter().all(|line| line["level"].is_string() && line["timestamp"].is_string()));
    server.stop().unwrap();
    let recorded = harness::app::count(
        &format!("sqlite:{}", folder.path().join("data/nigran.sqlite").display()),
        "audit_events",
        "action = 'log.level_changed'",
    );
    assert_eq!(recorded, 1);
}
