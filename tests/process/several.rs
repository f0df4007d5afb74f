//! Several servers over one PostgreSQL and one bucket, behind a plain balancer: nobody can tell which one answers.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use harness::balancer::Balancer;
use harness::folders::TemporaryFolder;
use harness::postgres::Cluster;
use harness::process::{Launch, Nigran, PASSWORD};
use harness::s3::Store;
use harness::{Person, app, photos, samples};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const SERVERS: usize = 3;
/// How long a server may go on believing what another one has changed.
const STALE: Duration = Duration::from_secs(3);

/// Servers over one database, each with a folder of its own and all with the same keys.
struct House {
    launches: Vec<Launch>,
    servers: Vec<Option<Nigran>>,
    database: String,
    url: String,
    keys: TemporaryFolder,
    folders: Vec<TemporaryFolder>,
}

impl House {
    fn empty(count: usize, furnish: impl Fn(Launch) -> Launch) -> House {
        let (database, keys) = (Cluster::shared().create(None), TemporaryFolder::new());
        let url = Cluster::shared().url(&database);
        let folders: Vec<_> = (0..count).map(|_| TemporaryFolder::new()).collect();
        let launch = |folder: &TemporaryFolder| {
            let mut launch =
                super::nigran(folder.path()).with("NIGRAN_KEYS_DIR", keys.path().display().to_string());
            launch.database_url = Some(url.clone());
            furnish(launch)
        };
        let launches = folders.iter().map(launch).collect();
        House { launches, servers: Vec::new(), database, url, keys, folders }
    }

    /// All of them started at once.
    fn started(mut self) -> House {
        let starting: Vec<_> =
            self.launches.iter().cloned().map(|launch| std::thread::spawn(move || launch.serve())).collect();
        self.servers = starting
            .into_iter()
            .map(|server| Some(server.join().unwrap().unwrap_or_else(|reason| panic!("{reason}"))))
            .collect();
        self
    }

    fn server(&self, n: usize) -> &Nigran {
        self.servers[n].as_ref().unwrap()
    }

    fn at(&self, n: usize) -> Person {
        Person::at(format!("http://{}", self.server(n).address))
    }

    async fn login(&self, n: usize, username: &str) -> Person {
        self.at(n).login(username, PASSWORD).await
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.servers.clear();
        Cluster::shared().remove(&self.database);
        let _ = (&self.keys, &self.folders);
    }
}

/// Waits until it is so, and says how long that took.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < STALE, "after {STALE:?} it is still not so: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    began.elapsed()
}

#[test]
fn four_started_at_once_on_an_empty_database_migrate_it_once() {
    let house = House::empty(4, |launch| launch).started();

    let count = |table: &str| app::count(&house.url, table, "1 = 1");
    let logs: Vec<String> = house
        .folders
        .iter()
        .map(|folder| fs::read_to_string(folder.path().join("server.log")).unwrap())
        .collect();
    let migrations = logs.iter().map(|log| log.matches("migrated the database").count()).sum::<usize>();
    assert_eq!(migrations as i64, count("__diesel_schema_migrations"), "each was run by one of them");
    assert_eq!(count("signing_keys"), 1);
    assert_eq!(fs::read_dir(house.keys.path()).unwrap().count(), 1);
    let accounts = count("accounts");
    assert_eq!(
        accounts,
        app::count(&house.url, "(SELECT DISTINCT username FROM accounts) AS names", "1 = 1")
    );
    for log in logs {
        assert!(!log.contains("ERROR"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_a_page_and_a_receipt_of_one_are_good_at_all() {
    let house = House::empty(SERVERS, |launch| launch).started();
    let phone = house.login(0, "inspector").await;
    let inspection = samples::b1().without_photos();
    let receipt = phone.file(&inspection).await.created();

    for n in 0..SERVERS {
        let there = house.at(n).with_token(phone.token.as_deref().unwrap());
        assert_eq!(there.file(&inspection).await.ok()["receipt"], receipt["receipt"]);
        assert_eq!(
            there.get("/.well-known/jwks.json").await.ok(),
            phone.get("/.well-known/jwks.json").await.ok()
        );
    }
    let first =
        house.at(1).post("/v1/auth/refresh", &json!({ "refresh_token": phone.refresh_token })).await.ok();
    house.at(2).with_tokens(&first).get("/v1/me").await.ok();
    let again = house.at(2).post("/v1/auth/refresh", &json!({ "refresh_token": phone.refresh_token })).await;
    again.refused(401, "refresh_reused");
}

#[test]
fn a_server_with_other_keys_is_refused_until_it_is_given_them() {
    let house = House::empty(1, |launch| launch).started();
    let other = TemporaryFolder::new();
    let mut launch = super::nigran(other.path());
    launch.database_url = Some(house.url.clone());

    let refused = launch.run(&["serve"]);
    assert_eq!(refused.code, Some(1), "{}", refused.said);
    assert!(
        refused.said.contains("keys_dir") && refused.said.contains("nigran keys adopt"),
        "{}",
        refused.said
    );

    assert!(!other.path().join("keys").exists(), "no key was made that nobody else knows");
    harness::folders::copy(house.keys.path(), &other.path().join("keys"));
    launch.serve().unwrap_or_else(|reason| panic!("{reason}")).stop().unwrap();

    // The old keys are lost: the operator says so.
    fs::remove_dir_all(other.path().join("keys")).unwrap();
    let adopted = launch.run(&["keys", "adopt"]);
    assert_eq!(adopted.code, Some(0), "{}", adopted.said);
    launch.serve().unwrap_or_else(|reason| panic!("{reason}")).stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_is_known_to_those_started_before_it_came() {
    let house = House::empty(2, |launch| launch).started();
    let other = TemporaryFolder::new();
    let fresh = super::nigran(other.path());
    fresh.run(&["keys", "show"]);
    for key in fs::read_dir(other.path().join("keys")).unwrap().flatten() {
        fs::copy(key.path(), house.keys.path().join("2999-01-01T000000Z.pem")).unwrap();
    }
    let restarted = house.launches[1].clone();
    let mut house = house;
    house.servers[1].take().unwrap().stop().unwrap();
    house.servers[1] = Some(restarted.serve().unwrap_or_else(|reason| panic!("{reason}")));

    let phone = house.login(1, "inspector").await;
    let there = house.at(0).with_token(phone.token.as_deref().unwrap());
    until("the older server takes the newer key's token", async || there.get("/v1/me").await.status == 200)
        .await;

    assert_eq!(house.at(0).get("/.well-known/jwks.json").await.ok()["keys"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_count_wherever_they_are_made() {
    let house = House::empty(SERVERS, |launch| launch).started();
    let guess = async |n: usize| {
        let wrong = json!({ "username": "auditor", "password": "not the password" });
        house.at(n % SERVERS).post("/v1/auth/login", &wrong).await
    };

    for n in 0..5 {
        guess(n).await.refused(401, "credentials_invalid");
    }
    for n in 0..SERVERS {
        let refused = guess(n).await;
        refused.refused(429, "too_many_attempts");
        assert!(refused.header("retry-after").is_some());
        let right = json!({ "username": "auditor", "password": PASSWORD });
        house.at(n).post("/v1/auth/login", &right).await.refused(429, "too_many_attempts");
        house.login(n, "inspector").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_changes_the_others_soon_know() {
    let house = House::empty(SERVERS, |launch| launch).started();
    let (admin, victim) = (house.login(0, "admin").await, house.login(1, "inspector").await);
    let there = house.at(2).with_token(victim.token.as_deref().unwrap());
    let me = there.get("/v1/me").await.ok();

    // An account is disabled at one server.
    let account = format!("/v1/accounts/{}", me["id"].as_str().unwrap());
    let read = admin.get(&account).await;
    let etag = read.header("etag").map(str::to_owned);
    let change = json!({ "status": "disabled" });
    match etag {
        Some(etag) => admin.patch_known(&account, &change, &etag).await.ok(),
        None => admin.patch(&account, &change).await.ok(),
    };
    let took =
        until("the other server refuses the account", async || there.get("/v1/me").await.status == 401).await;
    eprintln!("disabled after {took:?}");
    house.at(1).with_token(victim.token.as_deref().unwrap()).get("/v1/me").await;

    // A questionnaire is published by a process of its own.
    let auditor = house.login(1, "auditor").await;
    let codes = async || -> Vec<String> {
        let listed = auditor.get("/v1/forms").await.ok();
        let all = listed.as_array().or(listed["items"].as_array()).cloned().unwrap_or_default();
        all.iter().filter_map(|form| form["form"].as_str().map(str::to_owned)).collect()
    };
    assert!(!codes().await.contains(&"beds".to_owned()));
    let form = TemporaryFolder::new();
    fs::write(form.path().join("form.json"), beds().to_string()).unwrap();
    let published = house.launches[0].run(&["form", "publish", &form.path().display().to_string()]);
    assert_eq!(published.code, Some(0), "{}", published.said);
    let took =
        until("the other server lists the form", async || codes().await.contains(&"beds".to_owned())).await;
    eprintln!("published after {took:?}");

    // Boundaries are imported by a process of its own.
    let place = async || auditor.get("/v1/places/locate?lat=30.18&lon=66.99&accuracy_m=10").await.ok();
    let before = place().await;
    let Some(districts) = harness::folders::shared("geo/bal_adm2_2023_34.geojson") else { return };
    let imported = house.launches[0].run(&["boundaries", "import", &districts.display().to_string()]);
    assert_eq!(imported.code, Some(0), "{}", imported.said);
    let took = until("the other server places a point", async || place().await["status"] == "inside").await;
    eprintln!("imported after {took:?}");
    assert_ne!(before["status"], "inside");
}

fn beds() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Beds", "type": "object",
        "additionalProperties": false,
        "x-form": {
            "form": "beds", "version": 1, "kind": "audit", "languages": [{ "code": "en", "dir": "ltr" }]
        },
        "properties": { "a1": {
            "type": "object", "title": "A", "additionalProperties": false,
            "properties": { "beds": { "type": "integer", "title": "Beds" } }
        } }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_queue_and_one_bucket_serve_all() {
    let Some(store) = Store::moto().await else { return };
    let house = House::empty(SERVERS, |launch| store.for_server(launch, store.address)).started();
    let addresses: Vec<_> = house.servers.iter().flatten().map(|server| server.address).collect();
    let balancer = Balancer::before(&addresses).await;
    let mut sent = HashSet::new();
    for n in 0..12 {
        // A connection of its own each time: the balancer sends it on to the next server.
        let phone = Person::at(balancer.url()).login("inspector", PASSWORD).await;
        let photo = photos::jpeg("front.jpg", &format!("photo {n}"));
        let inspection = samples::b1().without_photos().with_photo(photo.clone());
        phone.file(&inspection).await.created();
        let token = phone.token.clone().unwrap();
        let elsewhere = Person::at(balancer.url()).with_token(&token);
        elsewhere.upload(inspection.id, &photo).await.created();
        let reader = Person::at(balancer.url()).with_token(&token);
        let back = reader.get(&format!("/v1/submissions/{}/media/front.jpg", inspection.id)).await;
        assert!(back.expect(200).bytes == photo.bytes);
        sent.insert(photo.sha256());
    }
    let (admin, log) = (house.login(0, "admin").await, house.login(1, "log-auditor").await);
    let deadline = Instant::now() + Duration::from_secs(60);
    while !admin.get("/v1/jobs?kind=photo.understand").await.ok()["items"].as_array().unwrap().is_empty() {
        assert!(Instant::now() < deadline, "photos still wait");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let understood = log.get("/v1/audit?action=media.understood&limit=500").await.ok();
    assert_eq!(understood["items"].as_array().unwrap().len(), sent.len(), "each was understood once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_are_restarted_one_by_one_without_a_failed_request() {
    let mut house = House::empty(SERVERS, |launch| launch.with("NIGRAN_LIMITS_DRAIN_SECONDS", "1")).started();
    let addresses: Vec<_> = house.servers.iter().flatten().map(|server| server.address).collect();
    let balancer = Balancer::before(&addresses).await;
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut phones = JoinSet::new();
    for _ in 0..8 {
        let phone = Person::at(balancer.url()).login("inspector", PASSWORD).await;
        phones.spawn(file_until(phone, stop.clone(), answered.clone()));
    }

    for n in 0..SERVERS {
        let old = house.servers[n].take().unwrap();
        let (address, before) = (old.address, answered.load(Ordering::SeqCst));
        let stopped = tokio::task::spawn_blocking(move || old.stop()).await.unwrap().unwrap();
        assert!(stopped.success(), "{stopped}");
        let launch = house.launches[n].clone();
        let new = tokio::task::spawn_blocking(move || launch.serve()).await.unwrap();
        let new = new.unwrap_or_else(|reason| panic!("{reason}"));
        balancer.replace(address, new.address);
        house.servers[n] = Some(new);
        assert!(answered.load(Ordering::SeqCst) > before, "nobody was served while server {n} was away");
    }
    stop.store(true, Ordering::SeqCst);
    let failed: Vec<String> = phones.join_all().await.into_iter().flatten().collect();

    assert!(
        failed.is_empty(),
        "{} of {} failed:\n{}",
        failed.len(),
        answered.load(Ordering::SeqCst),
        failed.join("\n")
    );
    eprintln!("{} filings over {SERVERS} restarts, none failed", answered.load(Ordering::SeqCst));
}

/// Files until told to stop; what went wrong.
async fn file_until(phone: Person, stop: Arc<AtomicBool>, answered: Arc<AtomicUsize>) -> Vec<String> {
    let mut failed = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let inspection = samples::b1().without_photos();
        match phone.try_file(&inspection).await {
            Some(answer) if answer.status == 201 => drop(answered.fetch_add(1, Ordering::SeqCst)),
            Some(answer) => failed.push(format!("{} {}", answer.status, answer.text())),
            None => failed.push("no answer".to_owned()),
        }
    }
    failed
}
