//! The description of the interface that phones are written against is the one the code makes.

use std::collections::{BTreeMap, BTreeSet};

use harness::folders::workspace;
use regex::Regex;
use serde_json::Value;

use super::sources::Source;

#[test]
fn the_committed_description_is_that_of_the_code() {
    let path = workspace().join("android-client-spec/openapi.json");
    let made = server::http::api::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }

    let committed = std::fs::read_to_string(&path).unwrap_or_default();

    assert!(
        committed.trim() == made.trim(),
        "android-client-spec/openapi.json is out of date; `make refresh` writes it anew"
    );
}

#[test]
fn every_operation_has_an_example_a_summary_and_its_errors() {
    let api = serde_json::to_value(server::http::api::openapi()).unwrap();
    assert_eq!(api["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
    let mut poor = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let lacks = |what: &str| format!("{method} {path} has no {what}");
            if operation["summary"].as_str().is_none_or(str::is_empty) {
                poor.push(lacks("summary"));
            }
            if operation["tags"].as_array().is_none_or(Vec::is_empty) {
                poor.push(lacks("tag"));
            }
            let answers = operation["responses"].as_object().unwrap();
            let own = operation.get("requestBody").into_iter().chain(
                answers.iter().filter(|(status, _)| status.starts_with('2')).map(|(_, answer)| answer),
            );
            let shown: Vec<&Value> = own.collect();
            if method != "get"
                && !operation["requestBody"].is_null()
                && !shown.iter().any(|part| has_example(part, &api))
            {
                poor.push(lacks("example"));
            }
        }
    }

    assert!(poor.is_empty(), "{}", poor.join("\n"));
}

fn has_example(part: &Value, api: &Value) -> bool {
    let contents = part["content"].as_object().into_iter().flatten();
    contents.into_iter().any(|(kind, content)| {
        let schema = &content["schema"];
        let named = schema["$ref"].as_str().and_then(|name| api.pointer(name.trim_start_matches('#')));
        !kind.contains("json")
            || [Some(content), Some(schema), named]
                .into_iter()
                .flatten()
                .any(|it| it.get("example").is_some() || it.get("examples").is_some())
    })
}

/// A schema is known by its name alone: of two with one name the description keeps one, and lies about the other.
#[test]
fn no_two_schemas_share_a_name() {
    let folder = workspace().join("server/src");
    let declared = Regex::new(
        r"(?s)#\[derive\(([^)]*ToSchema[^)]*)\)\]((?:[^;{}]|\{[^{}]*\})*?)(?:pub(?:\([a-z: ]+\))? )?(?:struct|enum) (\w+)",
    )
    .unwrap();
    let renamed = Regex::new(r"schema\([^)]*?\bas = (\w+)").unwrap();
    let words = Regex::new(r"text_(?:enum|id)! \{(?:\s*///[^\n]*\n)*\s*(?:#\[schema\(as = )?(\w+)").unwrap();
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in Source::all_in(&folder) {
        let text = std::fs::read_to_string(folder.join(&source.file)).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let structs = declared.captures_iter(text).map(|found| match renamed.captures(&found[2]) {
            Some(renamed) => renamed[1].to_owned(),
            None => found[3].to_owned(),
        });
        for name in structs.chain(words.captures_iter(text).map(|found| found[1].to_owned())) {
            known.entry(name).or_default().insert(source.file.clone());
        }
    }

    assert!(known.len() > 40, "the sources have schemas");
    let shared: Vec<_> = known.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(shared.is_empty(), "give one of each a name of its own with #[schema(as = …)]: {shared:?}");
}
