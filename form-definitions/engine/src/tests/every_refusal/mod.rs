//! Every message a questionnaire can be refused or warned with: one form spoilt in one place for each, and what is said of it.
//!
//! A code cannot be written into the engine without standing in [`Code`]; one that no row below provokes fails the last test.

mod questions;
mod rules;
mod shape;
mod statements;

use crate::codes::Code;
use crate::{Package, Problem, compile};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The section.
const A: &str = "/definition/properties/a1";
/// Its questions.
const Q: &str = "/definition/properties/a1/properties";
/// The questions of a row.
const ROW: &str = "/definition/properties/a1/properties/children/items/properties";

/// A form with something of everything, and nothing wrong with it.
fn sound() -> Value {
    let parts: Value = serde_json::from_str(include_str!("sound.json")).unwrap();
    let package = super::package(parts["questions"].clone(), parts["root"].clone());
    let mut package = serde_json::to_value(package).unwrap();
    let languages = package.pointer_mut("/definition/x-form/languages").unwrap();
    *languages = json!([{"code": "en", "dir": "ltr"}]);
    package["i18n"] = json!({});
    package
}

/// The sound form with one part set, or with `null` removed.
pub(super) fn spoilt(pointer: &str, value: Value) -> Package {
    let mut package = sound();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match package.pointer_mut(parent).unwrap_or_else(|| panic!("{parent}")) {
        Value::Object(fields) if value.is_null() => drop(fields.shift_remove(key)),
        Value::Object(fields) => drop(fields.insert(key.to_owned(), value)),
        Value::Array(items) => match key.parse::<usize>() {
            Ok(place) => items[place] = value,
            Err(_) => items.push(value),
        },
        _ => panic!("{pointer}"),
    }
    serde_json::from_value(package).unwrap()
}

/// Everything said of a form.
fn told(package: &Package) -> Vec<Problem> {
    match compile(package) {
        // Marks are scores, which ODK Collect has not.
        Ok(form) => {
            form.warnings().iter().filter(|warning| !warning.path.contains("/marks/")).cloned().collect()
        }
        Err(problems) => problems,
    }
}

/// One spoilt form and what must be said of it.
struct Row {
    spoilt: Package,
    code: Code,
    path: String,
    position: Option<usize>,
    message: String,
    /// Whether other things go wrong with it.
    alone: bool,
}

/// What is written into a rule, with `»` before the place that is wrong, and what is said.
type OfRule = (&'static str, Code, &'static str);

/// A rule at a pointer.
fn rule_at(pointer: &str, (rule, code, message): &OfRule) -> Row {
    let position = rule.chars().position(|c| c == '»');
    let spoilt = spoilt(pointer, json!(rule.replace('»', "")));
    let path = pointer.trim_start_matches("/definition").to_owned();
    Row { spoilt, code: *code, path, position, message: (*message).to_owned(), alone: true }
}

/// A part set to a value, and what is said at which path.
fn set(pointer: &str, value: Value, code: Code, path: &str, message: &str) -> Row {
    let path = path.trim_start_matches("/definition").to_owned();
    Row {
        spoilt: spoilt(pointer, value),
        code,
        path,
        position: None,
        message: message.to_owned(),
        alone: true,
    }
}

/// Where one mistake brings others.
fn among(row: Row) -> Row {
    Row { alone: false, ..row }
}

fn at(pointer: &str, value: Value, code: Code, message: &str) -> Row {
    set(pointer, value, code, pointer, message)
}

fn q(name: &str) -> String {
    format!("{Q}/{name}")
}

impl Row {
    fn named(self, path: &str) -> Row {
        Row { path: path.to_owned(), ..self }
    }

    fn at(self, position: usize) -> Row {
        Row { position: Some(position), ..self }
    }
}

fn every_row() -> Vec<Row> {
    let note = format!("{Q}/note/x-relevant");
    let mut rows: Vec<Row> = rules::CONDITIONS.iter().map(|condition| rule_at(&note, condition)).collect();
    rows.extend(rules::rules_elsewhere());
    rows.extend(shape::of_shape());
    rows.extend(questions::of_questions());
    rows.extend(statements::of_statements());
    rows.extend(statements::of_several_parts());
    rows
}

#[test]
fn nothing_is_said_of_the_sound_form() {
    let package: Package = serde_json::from_value(sound()).unwrap();

    assert_eq!(told(&package), []);
}

#[test]
fn each_mistake_is_named_where_it_stands_with_a_remedy() {
    let mut wrong = Vec::new();
    for row in every_row() {
        let told = told(&row.spoilt);
        let found = told.iter().find(|problem| {
            problem.code == row.code.as_str()
                && problem.path == row.path
                && problem.position == row.position
                && problem.message.contains(&row.message)
        });
        let is_good =
            found.is_some_and(|problem| !problem.remedy.is_empty() && !problem.message.trim().is_empty());
        if !is_good || row.alone && told.len() != 1 {
            wrong.push(format!(
                "wanted {} at {} ({:?}): {}\n  told {}",
                row.code.as_str(),
                row.path,
                row.position,
                row.message,
                super::spell(&told).chars().take(1500).collect::<String>()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Fails when a code is added to the engine without a form that provokes it.
#[test]
fn every_code_there_is_stands_in_the_table() {
    // That the program itself fails cannot be provoked by a form; what would be said is looked at all the same.
    let failed = crate::form::broken();
    assert!(failed.code == Code::CompilerFailed.as_str() && failed.remedy.contains("report it"));
    let mut provoked: BTreeSet<Code> = every_row().into_iter().map(|row| row.code).collect();
    provoked.insert(Code::CompilerFailed);

    let missing: Vec<&str> =
        Code::ALL.iter().filter(|code| !provoked.contains(code)).map(|code| code.as_str()).collect();

    assert_eq!(missing, Vec::<&str>::new());
    let written: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(written.len(), Code::ALL.len(), "two codes are written alike");
}

#[test]
fn a_problem_is_shown_with_its_rule_a_mark_and_the_remedy() {
    let found = told(&spoilt(&format!("{Q}/note/x-relevant"), json!("girls > 0 && gurls > 3")));

    assert_eq!(
        found[0].to_string(),
        "/properties/a1/properties/note/x-relevant: nothing is called gurls (unknown_name)\n    girls > 0 && gurls > 3\n                 ^\n    remedy: did you mean girls?"
    );
}

#[test]
fn a_misspelt_parameter_or_baseline_is_recognised() {
    for (rule, remedy) in [
        ("girls > param.age.childmax", "did you mean param.age.child_max?"),
        ("girls > baseline.BRRATE", "did you mean baseline.BR_RATE?"),
    ] {
        assert_eq!(told(&spoilt(&format!("{Q}/note/x-relevant"), json!(rule)))[0].remedy, remedy);
    }
}
