//! Who reads what: every rule of a package, and everything else that names a question, with the names it reads.
//!
//! Names are unique in a questionnaire, so words tell enough: a rule is read as words outside its quoted texts, not as a tree.

use crate::package::Package;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Something that reads questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reader {
    /// `constraint:CODE`, `relevance:name`, `score:name`, `summary` …
    pub(super) rule: String,
    /// The question, repeat or section it belongs to.
    pub(super) item: Option<String>,
    /// Every word it could mean.
    pub(super) names: BTreeSet<String>,
}

/// Deeper than any form that compiles.
const DEEPEST: usize = 8;

/// Everything in a package that reads a question.
pub(super) fn readers(package: &Package) -> Vec<Reader> {
    let mut readers = Vec::new();
    let Some(root) = package.definition.as_object() else { return readers };
    checks(root, "form", None, &mut readers);
    inside(root, 0, &mut readers);
    for finding in list(root, "x-findings") {
        let code = finding.get("code").and_then(Value::as_str).unwrap_or_default();
        let mut names = words(finding.get("when"));
        names.extend(words(finding.get("scope")));
        readers.push(Reader { rule: format!("finding:{code}"), item: None, names });
    }
    for (name, score) in root.get("x-scores").and_then(Value::as_object).into_iter().flatten() {
        let domains = score.get("domains").and_then(Value::as_array).into_iter().flatten();
        let items = domains.filter_map(|domain| domain.get("items")?.as_array()).flatten();
        let names = items.filter_map(|item| Some(item.get("question")?.as_str()?.to_owned())).collect();
        readers.push(Reader { rule: format!("score:{name}"), item: None, names });
    }
    let summary = list(root, "x-summary").filter_map(Value::as_str).map(str::to_owned).collect();
    readers.push(Reader { rule: "summary".to_owned(), item: None, names: summary });
    let facility = root.get("x-facility").and_then(Value::as_object);
    let fields = facility
        .into_iter()
        .flatten()
        .filter(|(keyword, _)| !["kind", "new_code", "prev"].contains(&keyword.as_str()));
    let names = fields.filter_map(|(_, name)| Some(name.as_str()?.to_owned())).collect();
    readers.push(Reader { rule: "facility".to_owned(), item: None, names });
    let over = root.get("x-disclosure").map(|disclosure| words(disclosure.get("over"))).unwrap_or_default();
    readers.push(Reader { rule: "disclosure".to_owned(), item: None, names: over });
    readers
}

fn inside(fields: &Map<String, Value>, depth: usize, readers: &mut Vec<Reader>) {
    let items = fields.get("properties").and_then(Value::as_object).filter(|_| depth < DEEPEST);
    for (name, schema) in items.into_iter().flatten() {
        let Some(fields) = schema.as_object() else { continue };
        of_item(name, fields, readers);
        match fields.get("items").and_then(Value::as_object) {
            Some(row) => {
                checks(row, name, Some(name), readers);
                inside(row, depth + 1, readers);
            }
            None => inside(fields, depth + 1, readers),
        }
    }
}

fn of_item(name: &str, fields: &Map<String, Value>, readers: &mut Vec<Reader>) {
    for (keyword, kind) in [
        ("x-relevant", "relevance"),
        ("x-required", "required"),
        ("x-calculate", "calculation"),
        ("x-default", "default"),
    ] {
        if let Some(Value::String(_)) = fields.get(keyword) {
            let names = words(fields.get(keyword));
            readers.push(Reader { rule: format!("{kind}:{name}"), item: Some(name.to_owned()), names });
        }
    }
    if let Some(choices) = fields.get("x-choices") {
        let mut names = words(choices.get("filter"));
        names.extend(words(choices.get("rows")));
        names.extend(words(choices.get("value")));
        if !names.is_empty() {
            readers.push(Reader { rule: format!("filter:{name}"), item: Some(name.to_owned()), names });
        }
    }
    if let Some(unless) = fields.get("x-media").and_then(|media| media.get("required_unless")) {
        let names = words(Some(unless));
        readers.push(Reader { rule: format!("media:{name}"), item: Some(name.to_owned()), names });
    }
    checks(fields, name, Some(name), readers);
}

fn checks(fields: &Map<String, Value>, owner: &str, item: Option<&str>, readers: &mut Vec<Reader>) {
    for (place, check) in list(fields, "x-constraints").enumerate() {
        let numbered = if place == 0 { owner.to_owned() } else { format!("{owner}.{}", place + 1) };
        let code = check.get("code").and_then(Value::as_str).unwrap_or(&numbered);
        let names = words(check.get("rule"));
        readers.push(Reader { rule: format!("constraint:{code}"), item: item.map(str::to_owned), names });
    }
}

fn list<'v>(fields: &'v Map<String, Value>, keyword: &str) -> impl Iterator<Item = &'v Value> {
    fields.get(keyword).and_then(Value::as_array).into_iter().flatten()
}

/// The words of a rule outside quoted texts. What follows `prev.` is the last visit's, and stays known.
fn words(rule: Option<&Value>) -> BTreeSet<String> {
    let rule = rule.and_then(Value::as_str).unwrap_or_default();
    let mut found = BTreeSet::new();
    let mut rest = rule;
    let mut before = "";
    while let Some(first) = rest.chars().next() {
        if first == '\'' || first == '"' {
            rest = after_quote(&rest[1..], first);
            before = "";
            continue;
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if end == 0 {
            before = if first == '.' && before == "prev" { "prev." } else { "" };
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let word = &rest[..end];
        if before != "prev." && word.starts_with(|c: char| c.is_ascii_lowercase()) {
            found.insert(word.to_owned());
        }
        before = word;
        rest = &rest[end..];
    }
    found
}

fn after_quote(text: &str, quote: char) -> &str {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\\' => escaped = !escaped,
            c if c == quote && !escaped => return &text[at + c.len_utf8()..],
            _ => escaped = false,
        }
    }
    ""
}
