//! A replay as real processes run it: kill -9 in the midst of it, and the next process comes to the same bytes; and the same
//! from the command line, beside the server.

use std::fs;
use std::time::{Duration, Instant};

use harness::folders::TemporaryFolder;
use harness::postgres::Cluster;
use harness::process::{Launch, Nigran, PASSWORD};
use harness::{Person, samples};
use reqwest::Method;
use serde_json::{Value, json};

/// More than one stretch of visits.
const VISITS: usize = 1100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_survives_kill_9_on_sqlite() {
    let folder = TemporaryFolder::new();
    the_same_after_a_kill(&super::nigran(folder.path())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_survives_kill_9_on_postgres() {
    let folder = TemporaryFolder::new();
    let database = Cluster::shared().create(None);
    let mut launch = super::nigran(folder.path());
    launch.database_url = Some(Cluster::shared().url(&database));
    the_same_after_a_kill(&launch).await;
    Cluster::shared().remove(&database);
}

/// The inspection with a lower threshold for adolescents.
fn proposed() -> form_engine::Package {
    let all = server::forms::builtin_packages().unwrap();
    let mut package = all.into_iter().find(|package| package.form == "child-labour-inspection").unwrap();
    package.version = 2;
    package.definition["x-form"]["version"] = 2.into();
    for row in package.parameters.iter_mut().filter(|row| row["key"] == "age.adolescent_max") {
        row["value"] = 10.into();
    }
    package
}

async fn login(server: &Nigran, username: &str) -> Person {
    Person::at(format!("http://{}", server.address)).login(username, PASSWORD).await
}

async fn file_visits(server: &Nigran) {
    let phone = login(server, "inspector").await;
    let visit = samples::b3().without_photos();
    let mut lines = String::new();
    for _ in 0..VISITS {
        let visit = visit.clone().again();
        let mut line = visit.envelope.clone();
        line["id"] = visit.id.to_string().into();
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    let request = phone.request(Method::POST, "/v1/submissions/batch");
    let request = request.header("Content-Type", "application/x-ndjson").bytes(lines.into_bytes());
    let answer = request.send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Waits until a replay is as far as `far` says.
async fn waited(member: &Person, id: &str, far: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(180);
    loop {
        let replay = member.get(&format!("/v1/replays/{id}")).await.ok();
        if far(&replay) {
            return replay;
        }
        assert!(Instant::now() < deadline, "{}", replay["state"]);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn the_same_after_a_kill(launch: &Launch) {
    let mut server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    file_visits(&server).await;
    let member = login(&server, "committee2").await;
    let mut asked = json!({ "package": serde_json::to_value(proposed()).unwrap() });
    let begun = member.post("/v1/replays", &asked).await.created();
    let id = begun["id"].as_str().unwrap().to_owned();
    let far = waited(&member, &id, |replay| replay["done"].as_u64() > Some(0)).await;
    server.kill();

    let server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let member = login(&server, "committee2").await;
    let resumed = waited(&member, &id, |replay| replay["state"] == "done").await;
    asked["through"] = begun["through"].clone();
    let other = member.post("/v1/replays", &asked).await.created();
    let whole = waited(&member, other["id"].as_str().unwrap(), |replay| replay["state"] == "done").await;

    eprintln!("killed at {} of {}", far["done"], far["total"]);
    assert_eq!(resumed["report"]["inputs"]["visits"], VISITS);
    assert_eq!(resumed["report"].to_string(), whole["report"].to_string());
    assert_eq!(resumed["report_hash"], whole["report_hash"]);
    nothing_answered_is_logged(launch);
    let through = begun["through"].as_str().unwrap();
    let printed = tried_from_the_command_line(launch, through);
    assert_eq!(printed.trim(), whole["report"].to_string(), "the command line comes to the same bytes");
}

/// What is logged of replays says nothing of what was answered.
fn nothing_answered_is_logged(launch: &Launch) {
    let log = fs::read_to_string(launch.data_dir.join("server.log")).unwrap();
    let visit = samples::b3();
    for question in ["inspection_no", "workplace_label", "children[0].child_code"] {
        let answer = visit.answer(question).and_then(Value::as_str).unwrap_or_default();
        assert!(answer.is_empty() || !log.contains(answer), "{question} stands in the log");
    }
}

fn tried_from_the_command_line(launch: &Launch, through: &str) -> String {
    let folder = TemporaryFolder::new();
    let file = folder.path().join("release-2.json");
    fs::write(&file, serde_json::to_string(&proposed()).unwrap()).unwrap();
    let file = file.display().to_string();
    let run = |more: &[&str]| {
        let arguments = [&["replay", "--package", &file, "--through", through][..], more].concat();
        launch.command(&arguments).output().unwrap()
    };

    let table = run(&["--form", "child-labour-inspection", "--sample", "50", "--seed", "7"]);
    let said = String::from_utf8_lossy(&table.stdout).into_owned();
    assert_eq!(table.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&table.stderr));
    assert!(said.contains("50 visits of child-labour-inspection") && said.contains("Verdicts"), "{said}");
    let other = run(&["--form", "shelter-audit"]);
    assert_eq!(other.status.code(), Some(1));
    String::from_utf8(run(&["--json"]).stdout).unwrap()
}
