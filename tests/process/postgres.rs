//! PostgreSQL that dies under load, and PostgreSQL elsewhere, by TLS.

use std::collections::HashSet;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use harness::app::count;
use harness::folders::TemporaryFolder;
use harness::postgres::{Cluster, Durability};
use harness::process::PASSWORD;
use harness::{Person, samples};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::task::JoinSet;

const PHONES: usize = 8;
const DEATHS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_dies_under_load_loses_nothing_and_stores_nothing_twice() {
    let cluster = Arc::new(Cluster::start(Durability::Full).unwrap_or_else(|reason| panic!("{reason}")));
    let url = cluster.url(&cluster.create(None));
    let folder = TemporaryFolder::new();
    let mut launch = super::nigran(folder.path());
    launch.database_url = Some(url.clone());
    let server = launch.serve().unwrap_or_else(|reason| panic!("{reason}"));
    let inspector = Person::at(format!("http://{}", server.address)).login("inspector", PASSWORD).await;
    let (done, filed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut phones = JoinSet::new();
    for _ in 0..PHONES {
        phones.spawn(file_until(inspector.clone(), done.clone(), filed.clone()));
    }

    for round in 1..=DEATHS {
        while filed.load(Ordering::SeqCst) < round * 3 * PHONES {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let cluster = cluster.clone();
        let risen = tokio::task::spawn_blocking(move || cluster.die_and_rise()).await;
        risen.expect("restarting does not panic").unwrap_or_else(|reason| panic!("{reason}"));
        filed.store(round * 3 * PHONES, Ordering::SeqCst);
    }
    while filed.load(Ordering::SeqCst) < (DEATHS + 1) * 3 * PHONES {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    done.store(true, Ordering::SeqCst);
    let all: Vec<uuid::Uuid> = phones.join_all().await.into_iter().flatten().collect();

    let sent: HashSet<_> = all.iter().collect();
    let rows = |table: &str, condition: &str| count(&url, table, condition);
    assert_eq!(sent.len() as i64, rows("submissions", "TRUE"));
    assert_eq!(rows("revisions", "TRUE"), rows("submissions", "TRUE"));
    assert_eq!(rows("audit_events", "action = 'submission.filed'"), rows("submissions", "TRUE"));
    assert_eq!(rows("changes", "what = 'submission'"), rows("submissions", "TRUE"));
    eprintln!("{} submissions survived {DEATHS} deaths of the database", sent.len());
}

/// Files, each until it is acknowledged, and says which.
async fn file_until(phone: Person, done: Arc<AtomicBool>, filed: Arc<AtomicUsize>) -> Vec<uuid::Uuid> {
    let mut acknowledged = Vec::new();
    while !done.load(Ordering::SeqCst) {
        let inspection = samples::b1().without_photos();
        loop {
            let answer = phone.file(&inspection).await;
            match answer.status {
                200 | 201 => break,
                503 => tokio::time::sleep(Duration::from_millis(20)).await,
                other => panic!("{other}: {}", answer.text()),
            }
        }
        filed.fetch_add(1, Ordering::SeqCst);
        acknowledged.push(inspection.id);
    }
    acknowledged
}

/// An authority, and certificates it issues.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_server_elsewhere_is_reached_by_tls_and_has_to_prove_who_it_is() {
    let port = free_port();
    let cluster = Cluster::start_on(port).unwrap_or_else(|reason| panic!("{reason}"));
    let database = cluster.create(None);
    let folder = TemporaryFolder::new();
    let (ours, other) = (Authority::new(), Authority::new());
    let file = |name: &str, pem: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let (ours_file, other_file) = (file("ca.pem", &ours.pem), file("other.pem", &other.pem));
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let migrate = |host: &str, roots: &str| {
        let mut launch = super::nigran(&folder.path().join("data"));
        launch.database_url = Some(format!(
            "postgres://nigran@{host}:{port}/{database}?sslmode=verify-full&sslrootcert={roots}"
        ));
        said(launch.command(&["migrate"]))
    };

    let without = migrate("localhost", &ours_file);
    let (certificate, key) = ours.issue("localhost");
    cluster.speak_tls(&certificate, &key).unwrap();
    let wrong_authority = migrate("localhost", &other_file);
    let wrong_name = migrate("127.0.0.1", &ours_file);
    let no_file = migrate("localhost", "/nowhere/ca.pem");
    let right = migrate("localhost", &ours_file);

    assert!(!without.0 && without.1.contains("speaks no TLS"), "{}", without.1);
    assert!(
        !wrong_authority.0 && wrong_authority.1.contains("was not issued by anybody in"),
        "{}",
        wrong_authority.1
    );
    assert!(!wrong_name.0 && wrong_name.1.contains("is not for the name 127.0.0.1"), "{}", wrong_name.1);
    assert!(!no_file.0 && no_file.1.contains("/nowhere/ca.pem"), "{}", no_file.1);
    assert!(right.0 && right.1.contains("the database is migrated"), "{}", right.1);
}

fn said(mut command: Command) -> (bool, String) {
    let output = command.output().expect("the program runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
