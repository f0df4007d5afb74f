//! `nigran form …` as a process: how it exits, and that publishing is done once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use harness::folders::TemporaryFolder;
use harness::process::Launch;

fn inspection() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../form-definitions/child-labour-inspection")
}

fn run(launch: &Launch, arguments: &[&str]) -> (Option<i32>, String) {
    let output: Output = launch.command(arguments).output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), said)
}

#[test]
fn each_command_exits_as_documented() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());
    let form = inspection().display().to_string();
    let case = inspection().join("cases/b3-disputed-age.json").display().to_string();
    let broken = folder.path().join("broken.json");
    fs::write(&broken, "{\"type\": \"object\"}").unwrap();
    let broken = broken.display().to_string();

    for (arguments, code, part) in [
        (vec!["form", "check", &form], 0, "sound: no problems"),
        (vec!["form", "check", &broken], 3, "refused: "),
        (vec!["form", "check", "no-such-form"], 1, "no-such-form"),
        (vec!["form", "check"], 2, "Usage"),
        (vec!["form", "check", "--help"], 0, "Examples:"),
        (vec!["form", "try", "--help"], 0, "Examples:"),
        (vec!["form", "publish", "--help"], 0, "Example:"),
        (vec!["form", "compare", "--help"], 0, "Examples:"),
        (vec!["form", "try", &form, &case], 0, "as the case expects"),
        (vec!["form", "try", &broken, &case], 3, "refused: "),
        (vec!["form", "compare", &form, &form], 0, "identical"),
        (vec!["form", "publish", &broken], 3, "refused: "),
    ] {
        let (exited, said) = run(&launch, &arguments);
        assert_eq!(exited, Some(code), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn another_order_of_questions_is_another_release_and_must_say_so() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());
    let form = folder.path().join("form");
    let write = |version: u32, questions: &str| {
        let definition = format!(
            r#"{{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Beds", "type": "object", "additionalProperties": false,
            "x-form": {{"form": "beds", "version": {version}, "kind": "audit", "languages": [{{"code": "en", "dir": "ltr"}}]}},
            "properties": {{"a1": {{"type": "object", "title": "A", "additionalProperties": false, "properties": {{{questions}}}}}}}}}"#
        );
        fs::create_dir_all(&form).unwrap();
        fs::write(form.join("form.json"), definition).unwrap();
    };
    let publish = || run(&launch, &["form", "publish", &form.display().to_string()]);
    let (beds, cots) = (
        r#""beds": {"type": "integer", "title": "Beds"}"#,
        r#""cots": {"type": "integer", "title": "Cots"}"#,
    );

    write(1, &format!("{beds}, {cots}"));
    let first = publish();
    write(1, &format!("{cots}, {beds}"));
    let turned = publish();
    write(2, &format!("{cots}, {beds}"));
    let next = publish();

    assert_eq!(first.0, Some(0), "{}", first.1);
    assert!(turned.0 == Some(1) && turned.1.contains("only in the order of its questions"), "{}", turned.1);
    assert!(turned.1.contains("x-form.version"), "it says what to do: {}", turned.1);
    assert!(next.0 == Some(0) && next.1.contains("published beds 2"), "{}", next.1);
}

#[test]
fn a_questionnaire_is_published_once_and_never_over_another() {
    let folder = TemporaryFolder::new();
    let launch = super::nigran(folder.path());
    let form = folder.path().join("form");
    let write = |version: u32, title: &str| {
        let definition = serde_json::json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, "type": "object", "additionalProperties": false,
            "x-form": {"form": "beds", "version": version, "kind": "audit", "languages": [{"code": "en", "dir": "ltr"}]},
            "properties": {"a1": {"type": "object", "title": "A", "additionalProperties": false, "properties": {"beds": {"type": "integer", "title": "Beds"}}}}
        });
        fs::create_dir_all(&form).unwrap();
        fs::write(form.join("form.json"), definition.to_string()).unwrap();
    };
    let publish = || run(&launch, &["form", "publish", &form.display().to_string()]);

    write(1, "Beds");
    let (first, again) = (publish(), publish());
    write(1, "Beds in use");
    let other = publish();
    write(2, "Beds in use");
    let next = publish();

    assert_eq!(first.0, Some(0), "{}", first.1);
    assert!(first.1.contains("published beds 1") && first.1.contains("hash"), "{}", first.1);
    assert!(again.0 == Some(0) && again.1.contains("published before; nothing changed"), "{}", again.1);
    assert!(other.0 == Some(1) && other.1.contains("the next release is 2"), "{}", other.1);
    assert!(next.0 == Some(0) && next.1.contains("published beds 2"), "{}", next.1);
}
