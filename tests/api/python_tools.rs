//! Public tools that know the service only by its description: a client made by `openapi-python-client` files a
//! submission, and `schemathesis` asks every operation what the description allows and more. Where they cannot be installed the
//! stories are skipped and say so.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use harness::app::PASSWORD;
use harness::folders::{TemporaryFolder, workspace};
use harness::{TestApp, samples};
use serde_json::{Value, json};
use tokio::task::JoinSet;

mod a_generated_client_files_a_submission {
    #[test]
    fn sqlite() {
        harness::app::tell(
            harness::Backend::Sqlite,
            harness::House::Plain,
            super::a_generated_client_files_a_submission,
        );
    }
}

mod nothing_undocumented_is_answered {
    #[test]
    fn sqlite() {
        harness::app::tell(
            harness::Backend::Sqlite,
            harness::House::Plain,
            super::nothing_undocumented_is_answered,
        );
    }
}

/// Uses nothing but what the generator made of `openapi.json`.
const CLIENT: &str = r#"
import json, sys, uuid
job = json.loads(sys.argv[1])
sys.path.insert(0, job["folder"])
from nigran_client import AuthenticatedClient, Client
from nigran_client.api.accounts import login
from nigran_client.api.submissions import submissions_file as file, submissions_show as show
from nigran_client.api.sync import sync
from nigran_client.models import Login
pair = login.sync(client=Client(base_url=job["url"]), body=Login.from_dict(job["login"]))
client = AuthenticatedClient(base_url=job["url"], token=pair.access_token)
id = uuid.UUID(job["id"])
first = file.sync_detailed(id, client=client, body=job["envelope"])
again = file.sync_detailed(id, client=client, body=job["envelope"])
page = sync.sync(client=client)
print(json.dumps({
    "first": first.status_code, "again": again.status_code, "verdict": str(first.parsed.verdict.value),
    "receipt": first.parsed.receipt, "stored": page.receipts[0].receipt, "read": show.sync(id, client=client).revision,
}))
"#;

async fn a_generated_client_files_a_submission(app: TestApp) {
    let Some(bin) = tool("openapi-python-client", "0.29.1") else { return };
    let folder = TemporaryFolder::new();
    let client = folder.path().join("client");
    let description = described(&app, &folder).await;
    let config = folder.path().join("config.yml");
    std::fs::write(
        &config,
        "package_name_override: nigran_client\nproject_name_override: nigran-client\npost_hooks: []\n",
    )
    .unwrap();
    let mut generate = Command::new(bin.join("openapi-python-client"));
    generate
        .arg("generate")
        .arg("--path")
        .arg(description)
        .arg("--config")
        .arg(config)
        .arg("--output-path")
        .arg(&client);
    let made = ended(generate).await;
    assert!(made.status.success(), "{}", said(&made));
    let submission = samples::b1().without_photos();
    let job = json!({
        "folder": client, "url": app.url, "id": submission.id, "envelope": submission.envelope,
        "login": { "username": "inspector", "password": PASSWORD, "device": { "id": "phone-1", "name": "phone", "app": "generated/1" } },
    });
    let mut command = Command::new(bin.join("python"));
    command.args(["-c", CLIENT]).arg(job.to_string()).env("NO_PROXY", "127.0.0.1");

    let output = ended(command).await;

    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    assert_eq!((&told["first"], &told["again"], &told["read"]), (&json!(201), &json!(200), &json!(1)));
    assert_eq!(told["receipt"], told["stored"]);
    assert_eq!(told["verdict"], submission.expected["verdict"]);
}

/// Operations whose bodies are bytes of their own kind: the tools cannot make them, and they have stories of their own.
/// Logging out, revoking and new passwords would end the run.
const LEFT_OUT: &str = "^/v1/uploads|/batch$|/import$|/workbook$|^/v1/auth/logout$|/revoke$|/password$";

/// Whoever asks gets no 5xx, nor a status or body the description does not name.
async fn nothing_undocumented_is_answered(app: TestApp) {
    let Some(bin) = tool("schemathesis", "4.32.5") else { return };
    let folder = TemporaryFolder::new();
    let description = described(&app, &folder).await;
    app.inspector().await.file(&samples::b1().without_photos()).await.created();
    let mut asking = JoinSet::new();
    for person in ["inspector", "supervisor", "admin"] {
        let token = app.login(person).await.token.expect("a login gives a token");
        let mut command = Command::new(bin.join("schemathesis"));
        command
            .arg("run")
            .arg(&description)
            .args(["--url", &app.url, "-H", &format!("Authorization: Bearer {token}")])
            .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"])
            .args(["--phases", "coverage,fuzzing", "--max-examples", "2", "--seed", "1", "--workers", "1"])
            .args(["--exclude-path-regex", LEFT_OUT, "--request-timeout", "10", "--no-color"])
            .args(["--generation-database", "none", "--suppress-health-check", "all"])
            .current_dir(folder.path())
            .env("NO_PROXY", "127.0.0.1");
        asking.spawn(async move { (person, ended(command).await) });
    }
    let outputs = asking.join_all().await;

    let failed = outputs.iter().filter(|(_, output)| !output.status.success());
    let failed: Vec<String> =
        failed.map(|(person, output)| format!("as {person}:\n{}", said(output))).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// The description as the server gives it, in a file.
async fn described(app: &TestApp, folder: &TemporaryFolder) -> PathBuf {
    let file = folder.path().join("openapi.json");
    let description = app.stranger().get("/v1/openapi.json").await;
    std::fs::write(&file, &description.expect(200).bytes).unwrap();
    file
}

async fn ended(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output().expect("the tool starts"))
        .await
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The folder of programs of an environment that has this tool, kept under the build folder from one run to the next.
fn tool(name: &str, version: &str) -> Option<PathBuf> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let folder = target.join("python-clients").join(name);
    let bin = folder.join("bin");
    if !bin.join(name).exists() {
        let made = quiet(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        let package = format!("{name}=={version}");
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &package];
        let _ = made && quiet(Command::new(bin.join("python")).args(install));
    }
    if !bin.join(name).exists() {
        eprintln!("skipped: {name} cannot be installed; it takes python3 with venv, and PyPI");
        return None;
    }
    Some(std::path::absolute(&bin).unwrap_or(bin))
}

fn quiet(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
