//! Public tus clients, unmodified: `tuspy` from PyPI and `tus-js-client` from npm. Each sends half of a photo, is ended,
//! and a second one goes on from the stored address. Where a client cannot be installed the story is skipped and says so.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use harness::folders::{TemporaryFolder, workspace};
use harness::photos::{self, Photo};
use harness::{TestApp, on_both_databases, samples};
use uuid::Uuid;

on_both_databases!(tuspy_goes_on_where_it_was_cut, tus_js_client_goes_on_where_it_was_cut);

const PYTHON: &str = r#"
import json, sys
from tusclient import client
job = json.loads(sys.argv[1])
tus = client.TusClient(job["endpoint"], headers={"Authorization": "Bearer " + job["token"]})
options = dict(file_path=job["file"], chunk_size=job["chunk"], metadata=job["metadata"], upload_checksum=job["checksum"])
if job["url"]:
    options["url"] = job["url"]
uploader = tus.uploader(**options)
begun_at = uploader.offset
uploader.upload(stop_at=job["stop"])
print(json.dumps({"url": uploader.url, "from": begun_at, "to": uploader.offset}))
"#;

const NODE: &str = r#"
const fs = require("fs"), tus = require("tus-js-client");
const job = JSON.parse(process.argv[1]);
let begun = null, sent = 0;
const say = (url) => { console.log(JSON.stringify({ url, from: begun, to: sent })); process.exit(0); };
const upload = new tus.Upload(fs.readFileSync(job.file), {
  endpoint: job.endpoint, uploadUrl: job.url, chunkSize: job.chunk, metadata: job.metadata, retryDelays: [0, 200, 1000],
  headers: { Authorization: "Bearer " + job.token },
  onShouldRetry: () => true,
  onError: (error) => { console.error(String(error)); process.exit(1); },
  onProgress: (bytes) => { if (begun === null) begun = bytes; },
  onChunkComplete: (size, accepted) => { sent = accepted; if (job.stop && accepted >= job.stop) say(upload.url); },
  onSuccess: () => say(upload.url),
});
upload.start();
"#;

/// Runs a client once; what it says of its upload.
type Client = fn(&serde_json::Value) -> serde_json::Value;

async fn tuspy_goes_on_where_it_was_cut(app: TestApp) {
    let Some(_) = tuspy() else { return };
    cut_and_resumed(&app, false, |job| {
        run(Command::new(tuspy().expect("it is there")).args(["-c", PYTHON]), job)
    })
    .await;
    cut_and_resumed(&app, true, |job| {
        run(Command::new(tuspy().expect("it is there")).args(["-c", PYTHON]), job)
    })
    .await;
}

async fn tus_js_client_goes_on_where_it_was_cut(app: TestApp) {
    let Some(_) = tus_js() else { return };
    let client: Client = |job| {
        let folder = tus_js().expect("it is there");
        run(Command::new("node").current_dir(folder).args(["-e", NODE]), job)
    };
    cut_and_resumed(&app, false, client).await;
}

async fn cut_and_resumed(app: &TestApp, checksum: bool, client: Client) {
    let phone = app.inspector().await;
    let mark = Uuid::new_v4().to_string();
    let bytes = [photos::jpeg_padding(1_300_000), photos::jpeg_end(&mark)].concat();
    let photo = Photo::new("front.jpg", "image/jpeg", bytes);
    let inspection = samples::b1().without_photos().with_photo(photo.clone());
    phone.file(&inspection).await.created();
    let folder = TemporaryFolder::new();
    let file = folder.path().join("front.jpg");
    std::fs::write(&file, &photo.bytes).unwrap();
    let job = serde_json::json!({
        "endpoint": format!("{}/v1/uploads", app.url), "token": phone.token, "file": file, "chunk": 300_000,
        "checksum": checksum, "url": null, "stop": 600_000,
        "metadata": { "submission": inspection.id, "name": photo.name, "sha256": photo.sha256(), "type": photo.content_type },
    });

    let first = told(client, job.clone()).await;
    let second = told(client, with(job, &first["url"])).await;

    assert_eq!(first["to"], 600_000, "{first}");
    assert_eq!((&second["from"], &second["to"]), (&600_000.into(), &photo.bytes.len().into()));
    let path = format!("/v1/submissions/{}/media/front.jpg", inspection.id);
    assert!(phone.get(&path).await.expect(200).bytes == photo.bytes);
}

async fn told(client: Client, job: serde_json::Value) -> serde_json::Value {
    tokio::task::spawn_blocking(move || client(&job)).await.unwrap()
}

fn with(mut job: serde_json::Value, url: &serde_json::Value) -> serde_json::Value {
    job["url"] = url.clone();
    job["stop"] = serde_json::Value::Null;
    job
}

fn run(command: &mut Command, job: &serde_json::Value) -> serde_json::Value {
    let output =
        command.arg(job.to_string()).env("NO_PROXY", "127.0.0.1").output().expect("the client starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the client failed:\n{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("the client said nothing:\n{said}"))
}

/// The Python that has `tuspy`, in an environment of its own under the build folder.
fn tuspy() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = PYTHON.get_or_init(|| {
        let folder = clients().join("tuspy");
        let python = folder.join("bin/python");
        let has_it = |python: &Path| quiet(Command::new(python).args(["-c", "import tusclient"]));
        if !has_it(&python) {
            let made = quiet(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
            let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "tuspy==1.1.0"];
            let _ = made && quiet(Command::new(&python).args(install));
        }
        has_it(&python).then_some(python)
    });
    if found.is_none() {
        eprintln!("skipped: tuspy cannot be installed; it takes python3 with venv, and PyPI");
    }
    found.as_deref()
}

/// The folder that has `tus-js-client`.
fn tus_js() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOLDER.get_or_init(|| {
        let folder = clients().join("tus-js-client");
        std::fs::create_dir_all(&folder).ok()?;
        let has_it =
            || quiet(Command::new("node").current_dir(&folder).args(["-e", "require('tus-js-client')"]));
        if !has_it() {
            let install =
                ["install", "--silent", "--no-audit", "--no-fund", "--prefix", ".", "tus-js-client@4"];
            let _ = quiet(Command::new("npm").current_dir(&folder).args(install));
        }
        has_it().then_some(folder)
    });
    if found.is_none() {
        eprintln!("skipped: tus-js-client cannot be installed; it takes node, npm and their registry");
    }
    found.as_deref()
}

/// Where clients are kept from one run of the tests to the next.
fn clients() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    target.join("tus-clients")
}

fn quiet(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
