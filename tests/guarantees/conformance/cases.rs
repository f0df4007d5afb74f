//! Which cases each questionnaire has: answers, and exactly what must come of them. The cases themselves lie beside the
//! questionnaires; the list says which, and by their hashes whether a copy is current.

use std::fs;

use harness::folders::workspace;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[test]
fn the_list_of_cases_is_complete() {
    let mut forms = Vec::new();
    for package in server::forms::builtin_packages().expect("the built-in questionnaires can be read") {
        let folder = format!("form-definitions/{}/cases", package.form);
        let mut files: Vec<String> = fs::read_dir(workspace().join(&folder))
            .expect("a questionnaire has cases")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".json"))
            .collect();
        files.sort();
        let cases: Vec<Value> = files
            .iter()
            .map(|name| {
                let text = fs::read(workspace().join(&folder).join(name)).expect("a listed file can be read");
                json!({ "file": name, "sha256": hex::encode(Sha256::digest(text)) })
            })
            .collect();
        forms.push(json!({
            "form": package.form, "version": package.version, "release_hash": package.hash(), "folder": folder,
            "count": cases.len(), "cases": cases,
        }));
    }

    let about = "What an engine on the phone must pass: see rules.md. Written by make refresh.";
    super::fresh("cases.json", &json!({ "about": about, "forms": forms }));
}
