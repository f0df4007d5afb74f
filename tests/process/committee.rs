//! The Committee and the command line: minutes are checked offline, and `form publish` is no way past a vote.

use std::fs;
use std::path::Path;

use harness::app::{self, Backend, House};
use harness::committee::{committee, draft, opened, path, proposed};
use harness::folders::TemporaryFolder;
use harness::process::Launch;
use serde_json::{Value, json};

fn run(launch: &Launch, arguments: &[&str]) -> (Option<i32>, String) {
    let output = launch.command(arguments).output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), said)
}

#[test]
fn minutes_are_checked_without_the_server() {
    app::tell(Backend::Sqlite, House::Plain, |app| async move {
        let members = committee(&app).await;
        let author = &members[1].person;
        let changed = json!([{ "op": "relabel", "key": "visit_date", "text": "Day of the visit" }]);
        let drafted = draft(author, "child-labour-inspection", changed).await;
        let proposal = opened(author, &proposed(author, &drafted, "2027-01-01").await).await;
        for member in [&members[0], &members[2], &members[3], &members[4]] {
            member.vote(&app, &proposal, "approve", "").await;
        }
        let folder = TemporaryFolder::new();
        let file = |name: &str, text: String| {
            let file = folder.path().join(name);
            fs::write(&file, text).unwrap();
            file.display().to_string()
        };
        let text = author.get(&path(&proposal, "/minutes")).await.text();
        let mut altered: Value = serde_json::from_str(&text).unwrap();
        altered["minutes"]["author"]["name"] = "Somebody else".into();
        let (minutes, altered) = (file("minutes.json", text), file("altered.json", altered.to_string()));
        let keys = file("jwks.json", app.stranger().get("/.well-known/jwks.json").await.text());
        let launch = super::nigran(folder.path());

        let genuine = run(&launch, &["minutes", "verify", &minutes, "--keys", &keys]);
        let forged = run(&launch, &["minutes", "verify", &altered, "--keys", &keys]);
        let none = run(&launch, &["minutes", "verify", &keys, "--keys", &keys]);

        assert!(genuine.0 == Some(0) && genuine.1.contains("the minutes are genuine"), "{}", genuine.1);
        assert!(forged.0 == Some(3) && forged.1.contains("NOT GENUINE"), "{}", forged.1);
        assert!(none.0 == Some(1) && none.1.contains("these are no minutes"), "{}", none.1);
    });
}

#[test]
fn the_command_line_publishes_nothing_the_committee_governs() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());
    let builtin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../form-definitions");
    let ours = folder.path().join("definitions");
    let copy = |name: &str| harness::folders::copy(&builtin.join(name), &ours.join(name));
    ["child-labour-inspection", "choice-lists", "parameters", "baselines"].into_iter().for_each(copy);
    let form = ours.join("child-labour-inspection");
    let publish = || run(&launch, &["form", "publish", &form.display().to_string()]);

    let first = publish();
    let definition = fs::read_to_string(form.join("form.json")).unwrap();
    let edited = definition.replacen("\"version\": 1", "\"version\": 2", 1).replacen(
        "Child-labour inspection",
        "My inspection",
        1,
    );
    assert_ne!(edited, definition);
    fs::write(form.join("form.json"), edited).unwrap();
    let second = publish();

    assert!(first.0 == Some(0), "what comes with the program may be released first: {}", first.1);
    assert!(second.0 == Some(1) && second.1.contains("governed by the Steering Committee"), "{}", second.1);
    assert!(second.1.contains("POST /v1/drafts"), "{}", second.1);
}
