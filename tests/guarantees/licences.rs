//! Every crate in the tree has a licence that deny.toml allows. cargo-deny checks the same and more, where it is
//! installed; this needs cargo alone.

use std::process::Command;

use harness::folders::workspace;
use serde_json::Value;

#[test]
fn every_dependency_has_a_licence_we_may_pass_on() {
    let allowed = allowed_licences();
    let excused = ["attohttpc", "webpki-roots"];

    let refused: Vec<String> = packages()
        .iter()
        .filter(|package| {
            !package["source"].is_null() && !excused.contains(&package["name"].as_str().unwrap_or_default())
        })
        .filter(|package| !holds(package["license"].as_str().unwrap_or_default(), &allowed))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();

    assert!(refused.is_empty(), "no licence of these is in deny.toml's list:\n{}", refused.join("\n"));
}

fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(workspace());
    let output = command.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        _ => panic!("cargo metadata lists no packages"),
    }
}

fn allowed_licences() -> Vec<String> {
    let text =
        std::fs::read_to_string(workspace().join("deny.toml")).expect("deny.toml is in the repository");
    let list = text
        .split("allow = [")
        .nth(1)
        .and_then(|rest| rest.split("\n]").next())
        .expect("deny.toml allows licences");
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression can be met: one alternative of each `OR`, every part of each `AND`. The slash is how
/// older crates write `OR`.
fn holds(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace(" / ", " OR ").replace('/', " OR ");
    let (value, rest) = alternatives(&expression, allowed);
    value && rest.trim().is_empty()
}

fn alternatives<'e>(text: &'e str, allowed: &[String]) -> (bool, &'e str) {
    let (mut value, mut rest) = conjunction(text, allowed);
    while let Some(more) = rest.trim_start().strip_prefix("OR ") {
        let (next, after) = conjunction(more, allowed);
        (value, rest) = (value | next, after);
    }
    (value, rest)
}

fn conjunction<'e>(text: &'e str, allowed: &[String]) -> (bool, &'e str) {
    let (mut value, mut rest) = licence(text, allowed);
    while let Some(more) = rest.trim_start().strip_prefix("AND ") {
        let (next, after) = licence(more, allowed);
        (value, rest) = (value & next, after);
    }
    (value, rest)
}

fn licence<'e>(text: &'e str, allowed: &[String]) -> (bool, &'e str) {
    let text = text.trim_start();
    if let Some(inner) = text.strip_prefix('(') {
        let (value, rest) = alternatives(inner, allowed);
        return (value, rest.trim_start().strip_prefix(')').unwrap_or(rest));
    }
    let end = [" OR ", " AND ", ")"].iter().filter_map(|stop| text.find(stop)).min().unwrap_or(text.len());
    (allowed.iter().any(|licence| licence == text[..end].trim()), &text[end..])
}

#[test]
fn alternatives_and_conjunctions_are_told_apart() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()];

    assert!(holds("GPL-3.0 OR MIT", &allowed));
    assert!(holds("GPL-3.0/MIT", &allowed));
    assert!(holds("(MIT OR GPL-3.0) AND ISC", &allowed));
    assert!(!holds("MIT AND GPL-3.0", &allowed));
    assert!(!holds("", &allowed));
}
