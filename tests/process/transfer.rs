//! Moving house: from the embedded database and photo store to PostgreSQL and S3, and back, by the command line. What
//! everybody sees is the same, phones go on, and nothing is written over.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::app::{count, execute};
use harness::folders::TemporaryFolder;
use harness::photos::{self, Photo};
use harness::postgres::Cluster;
use harness::process::{Launch, Nigran, PASSWORD};
use harness::s3::Store;
use harness::{Person, Submission, samples};
use reqwest::Method;
use serde_json::{Value, json};

/// A database of its own that goes when this does.
struct Database(String);

impl Database {
    fn new() -> Database {
        Database(Cluster::shared().create(None))
    }

    fn url(&self) -> String {
        Cluster::shared().url(&self.0)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        Cluster::shared().remove(&self.0);
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn transfer(launch: &Launch, from: &Path, to: &Path) -> (i32, String) {
    let (from, to) = (from.display().to_string(), to.display().to_string());
    let output = launch.command(&["transfer", "--from", &from, "--to", &to]).output().unwrap();
    (output.status.code().unwrap_or(-1), said(&output))
}

/// Settings of a house on PostgreSQL, and on S3 where there is one.
fn settings(folder: &Path, url: &str, s3: Option<&str>) -> PathBuf {
    let data_dir = folder.join("data");
    fs::create_dir_all(&data_dir).unwrap();
    let media = match s3 {
        Some(endpoint) => format!(
            "[media]\nendpoint = {endpoint:?}\naccess_key = \"test\"\nsecret_key = \"test\"\nbucket = \"moved-photos\"\n"
        ),
        None => String::new(),
    };
    let text = format!("data_dir = {:?}\n[database]\nurl = {url:?}\n{media}", data_dir.display().to_string());
    let file = folder.join("province.toml");
    fs::write(&file, text).unwrap();
    file
}

/// The binary over the house these settings describe.
fn over(folder: &Path, url: &str, s3: Option<&str>) -> Launch {
    let mut launch = super::nigran(&folder.join("data"));
    launch.database_url = Some(url.to_owned());
    if let Some(endpoint) = s3 {
        launch.settings = vec![
            ("NIGRAN_MEDIA_ENDPOINT", endpoint.to_owned()),
            ("NIGRAN_MEDIA_ACCESS_KEY", "test".to_owned()),
            ("NIGRAN_MEDIA_SECRET_KEY", "test".to_owned()),
            ("NIGRAN_MEDIA_BUCKET", "moved-photos".to_owned()),
        ];
    }
    launch
}

fn at(server: &Nigran) -> Person {
    Person::at(format!("http://{}", server.address))
}

/// What everybody sees of it, by person and path.
async fn seen(server: &Nigran) -> Vec<(String, Value)> {
    let looks = [
        ("inspector", ["/v1/submissions", "/v1/facilities", "/v1/forms"].as_slice()),
        ("supervisor", &["/v1/submissions", "/v1/findings", "/v1/facilities", "/v1/assignments"]),
        ("admin", &["/v1/accounts", "/v1/forms"]),
    ];
    let mut all = Vec::new();
    for (who, paths) in looks {
        let person = at(server).login(who, PASSWORD).await;
        for path in paths {
            all.push((format!("{who} {path}"), person.get(path).await.ok()));
        }
    }
    all
}

/// A house with something of everything in it, and what a phone knows of it.
struct Lived {
    inspections: Vec<Submission>,
    receipts: Vec<Value>,
    phone: Person,
    jwks: Value,
    upload: String,
    photo: Photo,
}

/// How much of the upload that is under way has come.
const COME: usize = 300_000;

async fn live(server: &Nigran) -> Lived {
    let phone = at(server).login("inspector", PASSWORD).await;
    let mut receipts = Vec::new();
    let inspections = vec![samples::b1(), samples::b3(), samples::b1()];
    for inspection in &inspections {
        receipts.push(phone.file_whole(inspection).await);
    }
    let bytes = [photos::jpeg_padding(800_000), photos::jpeg_end("moved")].concat();
    let photo = Photo::new("late.jpg", "image/jpeg", bytes);
    let late = samples::b1().without_photos().with_photo(photo.clone());
    phone.file(&late).await.created();
    let upload = announce(&phone, &late, &photo).await;
    patch(&phone, &upload, &photo.bytes[..COME], 0).await;
    let jwks = phone.get("/.well-known/jwks.json").await.ok();
    Lived { inspections, receipts, phone, jwks, upload, photo }
}

async fn announce(phone: &Person, submission: &Submission, photo: &Photo) -> String {
    let pair = |key: &str, value: &str| format!("{key} {}", BASE64.encode(value));
    let metadata = [
        pair("submission", &submission.id.to_string()),
        pair("name", &photo.name),
        pair("sha256", &photo.sha256()),
        pair("type", photo.content_type),
    ];
    let answer = phone
        .request(Method::POST, "/v1/uploads")
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Length", &photo.bytes.len().to_string())
        .header("Upload-Metadata", &metadata.join(","))
        .send()
        .await;
    answer.expect(201).header("location").unwrap().to_owned()
}

async fn patch(phone: &Person, upload: &str, bytes: &[u8], offset: usize) {
    let request = phone
        .request(Method::PATCH, upload)
        .header("Tus-Resumable", "1.0.0")
        .header("Upload-Offset", &offset.to_string())
        .header("Content-Type", "application/offset+octet-stream");
    request.bytes(bytes.to_vec()).send().await.expect(204);
}

/// The phone finds in the new house what it knew of the old one.
async fn goes_on(server: &Nigran, lived: &Lived) {
    let phone = at(server).with_token(lived.phone.token.as_deref().unwrap());
    phone.get("/v1/me").await.ok();
    assert_eq!(phone.get("/.well-known/jwks.json").await.ok(), lived.jwks, "old receipts can be checked");
    for (inspection, receipt) in lived.inspections.iter().zip(&lived.receipts) {
        let again = phone.file(inspection).await.ok();
        assert_eq!(again["receipt"], receipt["receipt"], "what was acknowledged stands, byte for byte");
        assert_eq!(again["media"], "complete");
        for photo in &inspection.photos {
            let path = format!("/v1/submissions/{}/media/{}", inspection.id, photo.name);
            assert!(phone.get(&path).await.expect(200).bytes == photo.bytes, "{}", photo.name);
        }
    }
}

fn is_verified(launch: &Launch) {
    let output = launch.command(&["audit", "verify"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_moves_to_postgresql_and_s3_and_back() {
    let (old, new, home_again) = (TemporaryFolder::new(), TemporaryFolder::new(), TemporaryFolder::new());
    // Where there is no other S3, the photos move to another embedded store.
    let (database, moto) = (Database::new(), Store::moto().await);
    let endpoint = moto.as_ref().map(Store::endpoint);
    let s3 = endpoint.as_deref();
    let launch = super::nigran(old.path());
    let server = launch.serve().unwrap();
    let lived = live(&server).await;
    let before = seen(&server).await;
    server.stop().unwrap();
    let province = settings(new.path(), &database.url(), s3);

    let (code, told) = transfer(&launch, old.path(), &province);

    assert_eq!(code, 0, "{told}");
    assert!(told.contains("the transfer is done") && told.contains("audit log verified"), "{told}");
    let there = over(new.path(), &database.url(), s3);
    let server = there.serve().unwrap();
    assert_eq!(seen(&server).await, before);
    goes_on(&server, &lived).await;
    let refreshed = json!({ "refresh_token": lived.phone.refresh_token });
    at(&server).post("/v1/auth/refresh", &refreshed).await.ok();
    let phone = at(&server).with_token(lived.phone.token.as_deref().unwrap());
    patch(&phone, &lived.upload, &lived.photo.bytes[COME..], COME).await;
    phone.file_whole(&samples::b3()).await;
    let before = seen(&server).await;
    server.stop().unwrap();
    is_verified(&there);

    let home = home_again.path().join("data");
    let (code, told) = transfer(&launch, &province, &home);

    assert_eq!(code, 0, "{told}");
    let here = super::nigran(&home);
    let server = here.serve().unwrap();
    assert_eq!(seen(&server).await, before);
    goes_on(&server, &lived).await;
    server.stop().unwrap();
    is_verified(&here);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_is_killed_goes_on_where_it_was() {
    let (old, new) = (TemporaryFolder::new(), TemporaryFolder::new());
    let database = Database::new();
    let launch = super::nigran(old.path());
    let server = launch.serve().unwrap();
    let lived = live(&server).await;
    let before = seen(&server).await;
    server.stop().unwrap();
    let province = settings(new.path(), &database.url(), None);
    let (from, to) = (old.path().display().to_string(), province.display().to_string());
    let there = over(new.path(), &database.url(), None);
    let mut interrupted = 0;
    let told = 'moving: {
        for moment in 1..200u64 {
            let mut command = launch.command(&["transfer", "--from", &from, "--to", &to]);
            let mut moving = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(moment * 15)).await;
            if moving.try_wait().unwrap().is_some() {
                break 'moving moving.wait_with_output().unwrap();
            }
            moving.kill().unwrap();
            moving.wait().unwrap();
            if is_half_a_house(&database) {
                interrupted += 1;
                let refused = there.command(&["audit", "verify"]).output().unwrap();
                assert_eq!(refused.status.code(), Some(1), "half a house is none: {}", said(&refused));
                assert!(said(&refused).contains("run nigran transfer again"), "{}", said(&refused));
            }
        }
        panic!("the transfer never came to its end");
    };

    assert!(told.status.success(), "{}", said(&told));
    assert!(
        interrupted > 0 && said(&told).contains("that was begun is done"),
        "{interrupted}: {}",
        said(&told)
    );
    let server = there.serve().unwrap();
    assert_eq!(seen(&server).await, before);
    goes_on(&server, &lived).await;
    server.stop().unwrap();
    is_verified(&there);
}

fn is_half_a_house(database: &Database) -> bool {
    count(&database.url(), "pg_class", "relname = '__nigran_transfer'") > 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_over_and_nobody_is_moved_while_they_work() {
    let (old, new) = (TemporaryFolder::new(), TemporaryFolder::new());
    let (database, other) = (Database::new(), Database::new());
    let launch = super::nigran(old.path());
    let server = launch.serve().unwrap();
    let province = settings(new.path(), &database.url(), None);

    let (running, said_running) = transfer(&launch, old.path(), &province);
    server.stop().unwrap();
    let inhabited = over(new.path(), &database.url(), None);
    inhabited.serve().unwrap().stop().unwrap();
    let (full, said_full) = transfer(&launch, old.path(), &province);
    execute(&other.url(), "CREATE TABLE orders (n INT PRIMARY KEY)");
    let anew = TemporaryFolder::new();
    let (foreign, said_foreign) = transfer(&launch, old.path(), &settings(anew.path(), &other.url(), None));
    let typo = old.path().join("no-such-folder");
    let (missing, said_missing) = transfer(&launch, &typo, &province);
    let (itself, said_itself) = transfer(&launch, old.path(), old.path());

    for (code, told, words) in [
        (running, said_running, "another server uses"),
        (full, said_full, "holds rows; nothing is written over"),
        (foreign, said_foreign, "nothing is written over"),
        (missing, said_missing, "there is no database at"),
        (itself, said_itself, "both ends name the same database"),
    ] {
        assert_eq!(code, 1, "{told}");
        assert!(told.contains(words), "{told}");
    }
    assert!(!typo.exists(), "nothing is made from a typo");
    assert_eq!(
        count(&other.url(), "pg_class", "relname = 'accounts'"),
        0,
        "another program's database is let be"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_of_another_shape_or_used_meanwhile_is_refused() {
    let (old, new) = (TemporaryFolder::new(), TemporaryFolder::new());
    let database = Database::new();
    let launch = super::nigran(old.path());
    launch.serve().unwrap().stop().unwrap();
    let province = settings(new.path(), &database.url(), None);
    let file = old.path().join("nigran.sqlite");
    harness::app::sqlite(&file, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')");
    let (newer, said_newer) = transfer(&launch, old.path(), &province);
    harness::app::sqlite(&file, "DELETE FROM __diesel_schema_migrations WHERE version = '29991231000001'");
    assert_eq!(newer, 1, "{said_newer}");
    assert!(said_newer.contains("29991231000001"), "{said_newer}");

    // Somebody begins a move from another house into the same database.
    server::db::migrate(&database.url()).unwrap();
    execute(&database.url(), "CREATE TABLE __nigran_transfer (part TEXT PRIMARY KEY, place TEXT NOT NULL)");
    execute(&database.url(), "INSERT INTO __nigran_transfer VALUES ('source', 'another house')");
    let (changed, said_changed) = transfer(&launch, old.path(), &province);

    assert_eq!(changed, 1, "{said_changed}");
    assert!(said_changed.contains("begin anew"), "{said_changed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn photos_that_were_lost_before_are_named() {
    let (old, new) = (TemporaryFolder::new(), TemporaryFolder::new());
    let database = Database::new();
    let launch = super::nigran(old.path());
    let server = launch.serve().unwrap();
    let phone = at(&server).login("inspector", PASSWORD).await;
    let inspection = samples::b1();
    phone.file_whole(&inspection).await;
    server.stop().unwrap();
    let lost = inspection.photos[0].sha256();
    let store = old.path().join("media/store/nigran-media/media").join(&lost[..2]);
    let mut files = fs::read_dir(&store).unwrap().flatten().map(|entry| entry.path());
    fs::remove_file(files.find(|path| path.display().to_string().contains(&lost)).unwrap()).unwrap();

    let (code, told) = transfer(&launch, old.path(), &settings(new.path(), &database.url(), None));

    assert_eq!(code, 3, "{told}");
    assert!(told.contains(&format!("MISSING in the old store: {lost}")), "{told}");
    over(new.path(), &database.url(), None).serve().unwrap().stop().unwrap();
}
