//! `android-client-spec/errors.md` names every code the server can answer with. The codes are read out of the sources,
//! where each stands as a literal beside its sort of failure; what a phone does about it is written by people in the
//! first table, and the second is filled in with what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use harness::folders::workspace;
use regex::Regex;

use super::sources::Source;

/// What never answers a request: the command line, start-up, reading files of one's own, jobs' own failures, the phone
/// that is part of the server.
const NO_ANSWERS: &[&str] = &[
    "accounts/bootstrap.rs",
    "accounts/installation.rs",
    "accounts/keys.rs",
    "accounts/command_line.rs",
    "app.rs",
    "audit/verify.rs",
    "backup/",
    "cli/",
    "collector/",
    "config.rs",
    "data_folder.rs",
    "db/admission.rs",
    "db/connection.rs",
    "db/hold.rs",
    "db/migrations.rs",
    "db/copying/",
    "db/shape.rs",
    "db/snapshot.rs",
    "findings/calendar.rs",
    "findings/matrix.rs",
    "forms/publishing.rs",
    "notifications/event.rs",
    "notifications/mail/mod.rs",
    "media/credentials.rs",
    "media/signer.rs",
    "places/command.rs",
    "places/fetch.rs",
    "places/import.rs",
    "places/read.rs",
    "queue/run.rs",
    "simulate",
    "telemetry.rs",
    "transfer/",
    "year/",
];

/// The status of each sort of failure, as `http/problem.rs` has it.
const STATUSES: &[(&str, &str)] = &[
    ("invalid", "400"),
    ("unauthenticated", "401"),
    ("forbidden", "403"),
    ("not_found", "404"),
    ("conflict", "409"),
    ("gone", "410"),
    ("stale", "412"),
    ("too_large", "413"),
    ("unsupported", "415"),
    ("too_many", "429"),
    ("damaged", "460"),
    ("unavailable", "503"),
];

const BEGIN: &str = "<!-- written by make refresh: begin -->\n";
const END: &str = "<!-- written by make refresh: end -->\n";

/// A code as the sources have it.
#[derive(Default)]
struct Code {
    statuses: BTreeSet<String>,
    /// What is said with it, the first time it stands there.
    said: String,
}

/// Every code in the sources that a request can be answered with.
fn codes() -> BTreeMap<String, Code> {
    let mut codes: BTreeMap<String, Code> = BTreeMap::new();
    codes.insert(
        "internal".into(),
        code("500", "the server failed; the log has the cause under `request_id`"),
    );
    codes.insert(
        "method_not_allowed".into(),
        code("405", "this path takes other methods; `Allow` names them"),
    );
    for (file, text) in answering_files() {
        for (word, status) in STATUSES {
            let call =
                format!(r#"Error::{word}\(\s*"([a-z0-9_]+)",\s*(?:format!\(\s*)?("(?:[^"\\]|\\.)*")?"#);
            for found in pattern(&call).captures_iter(&text) {
                note(&mut codes, &found[1], status, found.get(2).map_or("", |said| said.as_str()));
            }
            let chosen = pattern(&format!(r"Error::{word}\(\s*(code|word)\b"));
            if chosen.is_match(&text) {
                let literal = pattern(r#""([a-z0-9]+(?:_[a-z0-9]+)+)",(?:\s*("(?:[^"\\]|\\.)*"))?"#);
                for found in literal.captures_iter(&text) {
                    note(&mut codes, &found[1], status, found.get(2).map_or("", |said| said.as_str()));
                }
            }
            let other = pattern(&format!(r#"Error::{word}(\(\s*[^"\s]|\b[^(])"#));
            let is_chosen = chosen.is_match(&text);
            assert!(
                !other.is_match(&text) || is_chosen,
                "{file}: write the code of an error as a literal, or call what holds it `code`, so that it can be found"
            );
        }
    }
    codes
}

fn code(status: &str, said: &str) -> Code {
    Code { statuses: BTreeSet::from([status.to_owned()]), said: said.to_owned() }
}

fn note(codes: &mut BTreeMap<String, Code>, name: &str, status: &str, said: &str) {
    if name == "method_not_allowed" {
        return;
    }
    let code = codes.entry(name.to_owned()).or_default();
    code.statuses.insert(status.to_owned());
    if code.said.is_empty() {
        code.said = sentence(said);
    }
}

/// A string literal as a sentence: joined over its lines, what is filled in shown as `…`.
fn sentence(literal: &str) -> String {
    let joined = pattern(r"\\\n\s*").replace_all(literal.trim_matches('"'), "").replace("\\\"", "\"");
    pattern(r"\{[^{}]*\}").replace_all(&joined, "…").replace('|', "\\|")
}

fn answering_files() -> Vec<(String, String)> {
    let folder = workspace().join("server/src");
    Source::all_in(&folder)
        .into_iter()
        .filter(|source| !NO_ANSWERS.iter().any(|part| source.file.starts_with(part)))
        .map(|source| {
            let text = fs::read_to_string(folder.join(&source.file)).expect("a listed file can be read");
            (source.file, text.split("#[cfg(test)]").next().unwrap_or_default().to_owned())
        })
        .collect()
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of ours is one")
}

/// The rows of the first table: code and status.
fn rows(text: &str) -> BTreeMap<String, String> {
    let row = pattern(r"(?m)^\| `([a-z0-9_]+)` \| ([0-9, ]+) \|");
    row.captures_iter(text).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
}

fn statuses(code: &Code) -> String {
    code.statuses.iter().cloned().collect::<Vec<_>>().join(", ")
}

#[test]
fn errors_md_names_every_code_with_its_status() {
    let file = workspace().join("android-client-spec/errors.md");
    let text = fs::read_to_string(&file).expect("the contract has errors.md");
    let (before, rest) = text.split_once(BEGIN).expect("errors.md says where the second table begins");
    let (written, after) = rest.split_once(END).expect("errors.md says where the second table ends");
    let (codes, by_hand) = (codes(), rows(before));

    for (name, status) in &by_hand {
        let known = codes
            .get(name)
            .unwrap_or_else(|| panic!("errors.md explains `{name}`, which no source answers with"));
        assert_eq!(*status, statuses(known), "the status of `{name}` in errors.md");
    }
    let left = codes.iter().filter(|(name, _)| !by_hand.contains_key(*name));
    let table: String =
        left.map(|(name, code)| format!("| `{name}` | {} | {} |\n", statuses(code), code.said)).collect();
    let table = format!("| code | status | what it says |\n|---|---|---|\n{table}");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&file, format!("{before}{BEGIN}{table}{END}{after}")).expect("errors.md can be written");
        return;
    }

    assert!(
        written == table,
        "the second table of android-client-spec/errors.md has drifted from the sources. Write it anew with make refresh; \
         a code a phone must do something of its own about belongs in the first table",
    );
}
