//! The sheet `rules`: the checks, on whatever they stand, and the findings.

use std::collections::{BTreeMap, HashMap};

use form_engine::Package;
use serde_json::{Map, Value, json};

use super::cells::{Row, Sheet, shown};
use super::layout::RULES;
use super::reading::Places;
use super::survey::{items, row_of};

/// What checks stand on: its name, whether on each row, and where it stands.
struct Holder {
    on: String,
    each_row: bool,
    pointer: String,
}

fn holders(package: &Package) -> Vec<Holder> {
    let mut holders = vec![Holder { on: "form".to_owned(), each_row: false, pointer: String::new() }];
    for item in items(package) {
        holders.push(Holder { on: item.name.to_owned(), each_row: false, pointer: item.pointer.clone() });
        if row_of(item.fields).is_some() {
            let pointer = format!("{}/items", item.pointer);
            holders.push(Holder { on: item.name.to_owned(), each_row: true, pointer });
        }
    }
    holders
}

/// The checks of a place, by code as the form check counts them.
fn checks(package: &Package, holder: &Holder) -> Vec<(String, Map<String, Value>)> {
    let list = package
        .definition
        .pointer(&holder.pointer)
        .and_then(|fields| fields.get("x-constraints")?.as_array());
    let named = list.into_iter().flatten().enumerate().filter_map(|(place, check)| {
        let check = check.as_object()?;
        let numbered = if place == 0 { holder.on.clone() } else { format!("{}.{}", holder.on, place + 1) };
        Some((check.get("code").and_then(Value::as_str).map_or(numbered, str::to_owned), check.clone()))
    });
    named.collect()
}

fn text(fields: &Map<String, Value>, keyword: &str) -> String {
    fields.get(keyword).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn findings(package: &Package) -> Vec<&Map<String, Value>> {
    let findings = package.definition.get("x-findings").and_then(Value::as_array);
    findings.into_iter().flatten().filter_map(Value::as_object).collect()
}

/// The rows of the sheet.
pub(super) fn rows(base: &Package, result: &Package) -> Vec<BTreeMap<String, String>> {
    let mut rows = Vec::new();
    let in_base: HashMap<(String, bool), Vec<String>> = holders(base)
        .into_iter()
        .map(|holder| {
            let codes = checks(base, &holder).into_iter().map(|(code, _)| code).collect();
            ((holder.on, holder.each_row), codes)
        })
        .collect();
    for holder in holders(result) {
        let known = in_base.get(&(holder.on.clone(), holder.each_row));
        for (code, check) in checks(result, &holder) {
            let mut row = BTreeMap::from([
                ("kind".to_owned(), "check".to_owned()),
                ("on".to_owned(), holder.on.clone()),
                ("each row".to_owned(), if holder.each_row { "yes".to_owned() } else { String::new() }),
                ("rule".to_owned(), text(&check, "rule")),
                ("level".to_owned(), level(&check)),
                ("message".to_owned(), text(&check, "message")),
            ]);
            if !known.is_some_and(|codes| codes.contains(&code)) {
                row.insert("details".to_owned(), Value::Object(check).to_string());
            }
            row.insert("code".to_owned(), code);
            rows.push(row);
        }
    }
    let known: Vec<String> = findings(base).into_iter().map(|finding| text(finding, "code")).collect();
    for finding in findings(result) {
        let mut row: BTreeMap<String, String> = FINDING
            .iter()
            .chain(DECIDED)
            .map(|column| ((*column).to_owned(), render(finding, column)))
            .collect();
        row.insert("kind".to_owned(), "finding".to_owned());
        row.insert("code".to_owned(), text(finding, "code"));
        if !known.contains(&text(finding, "code")) {
            row.insert("details".to_owned(), Value::Object(finding.clone()).to_string());
        }
        rows.push(row);
    }
    rows
}

fn level(check: &Map<String, Value>) -> String {
    let level = text(check, "level");
    if level.is_empty() { "error".to_owned() } else { level }
}

/// Columns of a finding that operations can change.
const FINDING: &[&str] = &["rule", "message", "action", "level", "due", "refer to"];
/// Columns decided when a finding is added.
const DECIDED: &[&str] = &["on", "law", "section", "certainty", "disclose"];

fn render(finding: &Map<String, Value>, column: &str) -> String {
    let basis = |keyword: &str| {
        let first = finding.get("basis").and_then(|basis| basis.get(0)?.get(keyword)?.as_str());
        first.unwrap_or_default().to_owned()
    };
    match column {
        "rule" => text(finding, "when"),
        "message" => text(finding, "title"),
        "action" => text(finding, "action"),
        "on" => match text(finding, "scope") {
            scope if scope.is_empty() => "form".to_owned(),
            scope => scope,
        },
        "level" => text(finding, "severity"),
        "law" | "section" | "certainty" => basis(column),
        "due" => {
            let due = finding.get("due").and_then(Value::as_object);
            let said = due.into_iter().flatten().map(|(unit, number)| format!("{number} {unit}"));
            said.collect::<Vec<_>>().join(" ")
        }
        "refer to" => text(finding, "refer_to"),
        "disclose" => match finding.get("disclose").and_then(Value::as_bool) {
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
            None => String::new(),
        },
        _ => String::new(),
    }
}

/// Writes what the sheet says into the edited package.
pub(super) fn read(sheet: &Sheet, edited: &mut Package, places: &mut Places) {
    let mut reading = Reading { edited, places, missing: BTreeMap::new(), pointers: HashMap::new() };
    for holder in holders(reading.edited) {
        for (place, (code, _)) in checks(reading.edited, &holder).into_iter().enumerate() {
            let key = (holder.on.clone(), holder.each_row, code);
            reading.missing.insert(key, format!("{}/x-constraints/{place}", holder.pointer));
        }
        reading.pointers.insert((holder.on, holder.each_row), holder.pointer);
    }
    let mut findings: BTreeMap<String, usize> = findings(reading.edited)
        .into_iter()
        .enumerate()
        .map(|(place, finding)| (text(finding, "code"), place))
        .collect();
    for row in sheet.rows() {
        match row.trimmed("kind") {
            "check" => reading.check(&row),
            "finding" => reading.finding(&row, &mut findings),
            other => {
                let message = format!("{} is no kind of rule", shown(other));
                reading.places.problems.push(row.problem(
                    "kind",
                    "wrong_value",
                    message,
                    "write check or finding",
                ));
            }
        }
    }
    let missing = reading.missing.keys().map(|(_, _, code)| code.clone()).chain(findings.into_keys());
    for code in missing.collect::<Vec<_>>() {
        let message = format!("the row of {code} is missing");
        let remedy = "put it back: a rule of the base cannot be taken away, only replaced";
        reading.places.problems.push(super::at(RULES, "A1".to_owned(), "missing_row", message, remedy));
    }
}

struct Reading<'e> {
    edited: &'e mut Package,
    places: &'e mut Places,
    /// Checks of the base whose row was not met yet, with where they stand.
    missing: BTreeMap<(String, bool, String), String>,
    pointers: HashMap<(String, bool), String>,
}

impl Reading<'_> {
    fn check(&mut self, row: &Row<'_>) {
        let (on, code) = (row.trimmed("on").to_owned(), row.trimmed("code").to_owned());
        let each_row = matches!(row.trimmed("each row"), "yes" | "true");
        self.places.note(&code, row, "rule");
        self.places.note(&format!("!{code}"), row, "message");
        match self.missing.remove(&(on.clone(), each_row, code.clone())) {
            Some(pointer) => {
                let Some(check) = self.edited.definition.pointer_mut(&pointer).and_then(Value::as_object_mut)
                else {
                    return;
                };
                for (column, keyword) in [("rule", "rule"), ("message", "message")] {
                    if row.text(column).trim() != text(check, keyword).trim() {
                        check.insert(keyword.to_owned(), row.text(column).into());
                    }
                }
                if row.trimmed("level") != level(check) {
                    check.insert("level".to_owned(), row.trimmed("level").into());
                }
            }
            None => self.new_check(row, &on, each_row, &code),
        }
    }

    fn new_check(&mut self, row: &Row<'_>, on: &str, each_row: bool, code: &str) {
        let Some(pointer) = self.pointers.get(&(on.to_owned(), each_row)).cloned() else {
            let message = format!("the check {code} would stand on {}, which is not there", shown(on));
            let remedy = "name a question, repeat or section, or form; only a repeat has rows";
            self.places.problems.push(row.problem("on", "unknown_target", message, remedy));
            return;
        };
        let mut check: Map<String, Value> = serde_json::from_str(&row.details()).unwrap_or_default();
        check.insert("code".to_owned(), code.into());
        check.insert("rule".to_owned(), row.text("rule").into());
        check.insert("message".to_owned(), row.text("message").into());
        check.insert("level".to_owned(), row.trimmed("level").into());
        let Some(fields) = self.edited.definition.pointer_mut(&pointer).and_then(Value::as_object_mut) else {
            return;
        };
        let list = fields.entry("x-constraints").or_insert_with(|| json!([]));
        let Some(list) = list.as_array_mut() else { return };
        if list.iter().any(|known| known.get("code").and_then(Value::as_str) == Some(code)) {
            let message = format!("the check {code} stands there twice");
            self.places.problems.push(row.problem("code", "duplicate_key", message, "give it another code"));
            return;
        }
        list.push(Value::Object(check));
    }

    fn finding(&mut self, row: &Row<'_>, known: &mut BTreeMap<String, usize>) {
        let code = row.trimmed("code").to_owned();
        self.places.note(&code, row, "rule");
        self.places.note(&format!("@{code}"), row, "message");
        self.places.note(&format!("@{code}.action"), row, "action");
        let Some(place) = known.remove(&code) else { return self.new_finding(row, &code) };
        let finding = self
            .edited
            .definition
            .pointer_mut(&format!("/x-findings/{place}"))
            .and_then(Value::as_object_mut);
        let Some(finding) = finding else { return };
        for column in DECIDED {
            if row.trimmed(column) != render(finding, column).trim() {
                let message = format!("the {column} of {code} is decided in the base");
                self.places.problems.push(row.problem(
                    column,
                    "not_an_operation",
                    message,
                    "undo it, or add a finding of your own",
                ));
            }
        }
        for (column, keyword) in [("rule", "when"), ("message", "title"), ("action", "action")] {
            if row.trimmed(column) != text(finding, keyword).trim() {
                finding.insert(keyword.to_owned(), row.text(column).into());
            }
        }
        for (column, keyword) in [("level", "severity"), ("refer to", "refer_to")] {
            if row.trimmed(column) != text(finding, keyword).trim() {
                finding.insert(keyword.to_owned(), row.trimmed(column).into());
            }
        }
        if row.trimmed("due") != render(finding, "due").trim() {
            match due(row.trimmed("due")) {
                Some(due) => drop(finding.insert("due".to_owned(), due)),
                None => {
                    let message = format!("{} is no deadline of {code}", shown(row.trimmed("due")));
                    let remedy = "write a number of days or hours, such as 3 days";
                    self.places.problems.push(row.problem("due", "wrong_value", message, remedy));
                }
            }
        }
    }

    fn new_finding(&mut self, row: &Row<'_>, code: &str) {
        let own = findings(self.edited).into_iter().any(|finding| text(finding, "code") == code);
        if own {
            let message = format!("the finding {code} stands there twice");
            self.places.problems.push(row.problem("code", "duplicate_key", message, "give it another code"));
            return;
        }
        let details = row.details();
        let mut finding: Map<String, Value> = match details.trim().is_empty() {
            false => serde_json::from_str(&details).unwrap_or_default(),
            true => described(row),
        };
        for (column, keyword) in [("rule", "when"), ("message", "title"), ("action", "action")] {
            finding.insert(keyword.to_owned(), row.text(column).into());
        }
        finding.insert("code".to_owned(), code.into());
        let Some(root) = self.edited.definition.as_object_mut() else { return };
        let findings = root.entry("x-findings").or_insert_with(|| json!([]));
        if let Some(findings) = findings.as_array_mut() {
            findings.push(Value::Object(finding));
        }
    }
}

/// A deadline as it is written in a cell: `3 days`, `12 hours`.
fn due(said: &str) -> Option<Value> {
    let (number, unit) = said.split_once(' ').unwrap_or((said, "days"));
    let unit = if unit.trim().starts_with("hour") { "hours" } else { "days" };
    number.trim().parse::<u32>().ok().map(|number| json!({unit: number}))
}

/// A member's own finding, from its columns.
fn described(row: &Row<'_>) -> Map<String, Value> {
    let word = |column: &str| row.trimmed(column).to_owned();
    let optional = |column: &str| Some(word(column)).filter(|word| !word.is_empty());
    let mut basis = Map::from_iter([
        ("law".to_owned(), word("law").into()),
        ("certainty".to_owned(), optional("certainty").unwrap_or_else(|| "L".to_owned()).into()),
    ]);
    if let Some(section) = optional("section") {
        basis.insert("section".to_owned(), section.into());
    }
    let due = due(&word("due"));
    let finding = json!({
        "code": word("code"),
        "scope": optional("on").unwrap_or_else(|| "form".to_owned()),
        "when": "",
        "severity": word("level"),
        "title": "",
        "basis": if word("law").is_empty() { json!([]) } else { json!([basis]) },
        "action": "",
        "due": due,
        "refer_to": optional("refer to"),
        "escalate_to": null,
        "disclose": matches!(word("disclose").as_str(), "yes" | "true"),
    });
    let mut finding = finding.as_object().cloned().unwrap_or_default();
    if finding.get("due").is_some_and(Value::is_null) {
        finding.shift_remove("due");
    }
    finding
}
