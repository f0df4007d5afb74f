//! TLS without a proxy in front.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::folders::TemporaryFolder;
use rcgen::{CertifiedKey, generate_simple_self_signed};

/// A certificate for `localhost` and its key, in files.
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn in_folder(folder: &Path) -> Pair {
        Pair { certificate: folder.join("server.pem"), key: folder.join("server.key") }
    }

    /// Writes a new pair over the files and returns who must be trusted to believe it.
    fn renew(&self) -> reqwest::Certificate {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs::write(&self.certificate, cert.pem()).unwrap();
        fs::write(&self.key, signing_key.serialize_pem()).unwrap();
        reqwest::Certificate::from_pem(cert.pem().as_bytes()).unwrap()
    }
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(folder: &Path, pair: &Pair, port: u16) -> Command {
    fs::create_dir_all(folder.join("data")).unwrap();
    let mut command = super::nigran(&folder.join("data")).command(&["serve"]);
    command
        .env("NIGRAN_LISTEN", format!("127.0.0.1:{port}"))
        .env("NIGRAN_TLS_CERTIFICATE", &pair.certificate)
        .env("NIGRAN_TLS_KEY", &pair.key)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether a client that trusts this certificate alone is answered; it is tried until then, for a minute.
async fn is_answered(trusting: &reqwest::Certificate, port: u16) -> bool {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        let client = reqwest::Client::builder()
            .tls_built_in_root_certs(false)
            .add_root_certificate(trusting.clone())
            .resolve("localhost", ([127, 0, 0, 1], port).into())
            .build()
            .unwrap();
        match client.get(format!("https://localhost:{port}/healthz")).send().await {
            Ok(answer) => return answer.status() == 200,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let folder = TemporaryFolder::new();
    let (pair, port) = (Pair::in_folder(folder.path()), free_port());
    let first = pair.renew();
    let _server = Server(serve(folder.path(), &pair, port).spawn().unwrap());
    assert!(is_answered(&first, port).await);

    let second = pair.renew();

    assert!(is_answered(&second, port).await);
}

#[test]
fn a_certificate_that_cannot_be_used_is_named_at_the_start() {
    let folder = TemporaryFolder::new();
    let (pair, other) = (Pair::in_folder(folder.path()), TemporaryFolder::new());
    pair.renew();
    let strange = Pair::in_folder(other.path());
    strange.renew();
    let missing = Pair { certificate: folder.path().join("none.pem"), key: pair.key.clone() };
    let mixed = Pair { certificate: pair.certificate.clone(), key: strange.key.clone() };

    for (pair, named) in [(missing, "none.pem"), (mixed, "do not belong together")] {
        let output = serve(folder.path(), &pair, free_port())
            .stderr(Stdio::piped())
            .output()
            .expect("it ends at once");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(named), "{said}");
    }
}
