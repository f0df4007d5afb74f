//! The outbox as a real process keeps it: kill -9 while a program has a call in its hands, and after the restart it is the same call again,
//! in its turn, and nobody is written to twice.

use std::time::{Duration, Instant};

use harness::folders::TemporaryFolder;
use harness::postgres::Cluster;
use harness::process::{Launch, Nigran, PASSWORD};
use harness::sinks::{MailServer, Manners, Program};
use harness::{Person, samples};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_somebodys_hands_at_kill_9_comes_again_under_its_id_on_sqlite() {
    let folder = TemporaryFolder::new();
    told_again_in_order(super::nigran(folder.path())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_somebodys_hands_at_kill_9_comes_again_under_its_id_on_postgres() {
    let folder = TemporaryFolder::new();
    let database = Cluster::shared().create(None);
    let mut launch = super::nigran(folder.path());
    launch.database_url = Some(Cluster::shared().url(&database));
    told_again_in_order(launch).await;
    Cluster::shared().remove(&database);
}

async fn login(server: &Nigran, username: &str) -> Person {
    Person::at(format!("http://{}", server.address)).login(username, PASSWORD).await
}

/// Waits until `done` says so.
async fn until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !done() {
        assert!(Instant::now() < deadline, "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn told_again_in_order(launch: Launch) {
    let (program, mail) = (Program::start().await, MailServer::start().await);
    let launch = launch
        .with("NIGRAN_WEBHOOKS_ALLOW_HTTP", "true")
        .with("NIGRAN_WEBHOOKS_ALLOW_PRIVATE", "true")
        .with("NIGRAN_WEBHOOKS_TIMEOUT_SECONDS", "60")
        .with("NIGRAN_NOTIFICATIONS_PUBLIC_URL", "https://nigran.example")
        .with("NIGRAN_MAIL_SERVER", mail.address.ip().to_string())
        .with("NIGRAN_MAIL_PORT", mail.address.port().to_string())
        .with("NIGRAN_MAIL_SECURITY", "none")
        .with("NIGRAN_MAIL_FROM", "Nigran <nigran@nigran.example>")
        .with("NIGRAN_MAIL_TRUSTED_DOMAINS", "[\"unit.example\"]");
    let mut server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let hook = json!({ "name": "CPMIS", "url": program.url, "kinds": ["referral.*"] });
    login(&server, "admin").await.post("/v1/webhooks", &hook).await.created();
    let (inspector, unit) = (login(&server, "inspector").await, login(&server, "case-worker").await);
    let settings = json!({ "email": "worker@unit.example", "rhythm": "immediately", "language": "en" });
    unit.put("/v1/me/notifications", &settings).await.ok();
    let visit = samples::b3();
    inspector.file(&visit).await.created();
    let finding = inspector.finding(visit.id, "EDU-01").await;

    // The program takes the call and has not answered when the server is killed; the letter is at its mail server.
    program.be(Manners::Hangs);
    let referral = json!({ "body": "cpu", "consent": { "basis": "given", "note": "his mother agreed" },
        "part": { "fields": ["task"], "summary": "wants to go to school" } });
    let sent = inspector.act(&finding, "/referrals", referral).await.created();
    until("the call", || !program.calls().is_empty()).await;
    until("the letter", || !mail.letters_to("worker@unit.example").is_empty()).await;
    unit.act(&sent, "/transitions", json!({ "to": "accepted" })).await.ok();
    let admin = login(&server, "admin").await;
    let letters = "/v1/deliveries?channel=mail&state=sent";
    let deadline = Instant::now() + Duration::from_secs(60);
    while admin.get(letters).await.ok()["items"].as_array().is_some_and(Vec::is_empty) {
        assert!(Instant::now() < deadline, "the letter is noted as sent");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.kill();
    program.be(Manners::Good);

    let server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    until("both calls", || program.taken().len() >= 2).await;

    let (calls, taken) = (program.calls(), program.taken());
    let kinds: Vec<Value> = taken.iter().map(|call| call.json()["kind"].clone()).collect();
    assert_eq!(kinds, ["referral.created", "referral.accepted"], "each in its turn");
    assert_eq!(calls[0].id(), taken[0].id(), "the receiver knows it again");
    assert_eq!(calls[0].body, taken[0].body);
    assert_ne!(taken[0].id(), taken[1].id());
    let admin = login(&server, "admin").await;
    let waiting = admin.get("/v1/deliveries?state=pending&channel=webhook").await.ok();
    assert_eq!(waiting["items"], json!([]));
    // What was known to be sent is not sent again.
    let told: Vec<String> =
        mail.letters_to("worker@unit.example").iter().filter_map(|it| it.header("Message-ID")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
}
