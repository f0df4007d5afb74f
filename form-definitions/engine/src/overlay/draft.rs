//! The package while operations are applied to it, with an index of what stands where, so that each operation costs what it touches.

use super::refusal::{Refusal, RefusalCode as Code, locked, refused};
use crate::package::Package;
use crate::rules::nearest;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// A section, repeat or question, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// JSON pointer into the definition.
    pub(super) pointer: String,
    pub(super) sort: Sort,
    /// The section or repeat it stands in; none at the root.
    pub(super) parent: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Section,
    Repeat,
    Question,
}

/// Deeper than any form that compiles.
const DEEPEST: usize = 8;

/// A package under change.
pub(super) struct Draft {
    pub(super) package: Package,
    sites: HashMap<String, Site>,
    /// Where constraints stand, by code: their pointers.
    checks: HashMap<String, Vec<String>>,
    /// Findings by code: their place.
    findings: HashMap<String, usize>,
    /// How many languages the base declares: those that come stand after them, in the order of their codes.
    languages: usize,
}

impl Draft {
    pub(super) fn of(package: Package) -> Draft {
        let languages =
            package.definition.pointer("/x-form/languages").and_then(Value::as_array).map_or(0, Vec::len);
        let mut draft = Draft {
            package,
            sites: HashMap::new(),
            checks: HashMap::new(),
            findings: HashMap::new(),
            languages,
        };
        let (mut sites, mut checks) = (Vec::new(), Vec::new());
        if let Some(root) = draft.package.definition.as_object() {
            note_checks(root, "", "form", &mut checks);
            walk(root, "", None, 0, &mut sites, &mut checks);
        }
        draft.enter(sites, checks);
        let findings = draft.package.definition.get("x-findings").and_then(Value::as_array);
        let codes = findings.into_iter().flatten().enumerate();
        draft.findings =
            codes.filter_map(|(place, it)| Some((it.get("code")?.as_str()?.to_owned(), place))).collect();
        draft
    }

    fn enter(&mut self, sites: Vec<(String, Site)>, checks: Vec<(String, String)>) {
        for (name, site) in sites {
            self.sites.entry(name).or_insert(site);
        }
        for (code, pointer) in checks {
            self.checks.entry(code).or_default().push(pointer);
        }
    }

    /// Enters what stands at a place that was just written.
    pub(super) fn enter_item(&mut self, name: &str, pointer: &str, parent: Option<&str>) {
        let (mut sites, mut checks) = (Vec::new(), Vec::new());
        if let Some(fields) = self.package.definition.pointer(pointer).and_then(Value::as_object) {
            let depth = usize::from(parent.is_some());
            item(name, fields, pointer, parent, depth, &mut sites, &mut checks);
        }
        self.enter(sites, checks);
    }

    pub(super) fn enter_check(&mut self, code: &str, pointer: String) {
        self.checks.entry(code.to_owned()).or_default().push(pointer);
    }

    pub(super) fn enter_finding(&mut self, code: &str, place: usize) {
        self.findings.insert(code.to_owned(), place);
    }

    pub(super) fn site(&self, name: &str) -> Option<&Site> {
        self.sites.get(name)
    }

    /// The named item, or a refusal that says what was probably meant.
    pub(super) fn find(&self, name: &str) -> Result<Site, Box<Refusal>> {
        self.sites.get(name).cloned().ok_or_else(|| {
            let near = nearest(name, self.sites.keys().map(String::as_str));
            unknown("question, repeat or section", name, near.as_deref())
        })
    }

    pub(super) fn find_finding(&self, code: &str) -> Result<String, Box<Refusal>> {
        match self.findings.get(code) {
            Some(place) => Ok(format!("/x-findings/{place}")),
            None => {
                let near = nearest(code, self.findings.keys().map(String::as_str));
                Err(unknown("finding", code, near.as_deref()))
            }
        }
    }

    /// The only constraint of a code.
    pub(super) fn find_check(&self, code: &str) -> Result<String, Box<Refusal>> {
        match self.checks.get(code).map(Vec::as_slice) {
            Some([only]) => Ok(only.clone()),
            Some(_) => {
                let message = format!("several checks have the code {code}");
                Err(refused(Code::DoesNotFit, code, message, "give each check in the base a code of its own"))
            }
            None => {
                let near = nearest(code, self.checks.keys().map(String::as_str));
                Err(unknown("check", code, near.as_deref()))
            }
        }
    }

    pub(super) fn has_check(&self, code: &str) -> bool {
        self.checks.contains_key(code)
    }

    pub(super) fn has_finding(&self, code: &str) -> bool {
        self.findings.contains_key(code)
    }

    pub(super) fn fields(&self, pointer: &str) -> &Map<String, Value> {
        static NOTHING: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.package.definition.pointer(pointer).and_then(Value::as_object).unwrap_or(&NOTHING)
    }

    /// The object at a pointer, for writing. The pointers come from the index, so it is there.
    pub(super) fn write(&mut self, pointer: &str) -> Option<&mut Map<String, Value>> {
        self.package.definition.pointer_mut(pointer).and_then(Value::as_object_mut)
    }

    /// Refuses what the base locks.
    pub(super) fn unlocked(&self, pointer: &str, about: &str) -> Result<(), Box<Refusal>> {
        lock_of(self.fields(pointer)).map_or(Ok(()), |reason| Err(locked(about, reason)))
    }

    /// How many languages the base declares.
    pub(super) fn languages_of_base(&self) -> usize {
        self.languages
    }

    /// The named list.
    pub(super) fn find_list(&self, list: &str) -> Result<(), Box<Refusal>> {
        if self.package.lists.contains_key(list) {
            return Ok(());
        }
        let near = nearest(list, self.package.lists.keys().map(String::as_str));
        Err(unknown("choice list", list, near.as_deref()))
    }

    /// The names that stand in a place, in their order.
    pub(super) fn children(&self, place: Option<&str>) -> Vec<String> {
        let pointer = match place {
            None => String::new(),
            Some(name) => match self.sites.get(name) {
                Some(site) => inside(site),
                None => return Vec::new(),
            },
        };
        let properties = self.fields(&pointer).get("properties").and_then(Value::as_object);
        properties.into_iter().flat_map(|items| items.keys().cloned()).collect()
    }
}

/// The pointer of what holds the `properties` of a section or repeat.
pub(super) fn inside(site: &Site) -> String {
    match site.sort {
        Sort::Repeat => format!("{}/items", site.pointer),
        _ => site.pointer.clone(),
    }
}

pub(super) fn lock_of(fields: &Map<String, Value>) -> Option<&str> {
    fields.get("x-locked").and_then(Value::as_str)
}

pub(super) fn unknown(what: &str, name: &str, near: Option<&str>) -> Box<Refusal> {
    let remedy = match near {
        Some(near) => format!("did you mean {near}?"),
        None => format!("name a {what} of the base, or one added by an earlier operation"),
    };
    refused(Code::UnknownTarget, name, format!("there is no {what} called {}", shown(name)), &remedy)
}

/// A name as it may be shown: short, and with letters of other scripts told apart from the Latin ones they look like.
pub(super) fn shown(name: &str) -> String {
    let short: String = name.chars().take(80).collect();
    match short.chars().find(|c| !c.is_ascii()) {
        Some(strange) => format!("{short:?} (with {strange:?}, U+{:04X})", u32::from(strange)),
        None => short,
    }
}

fn walk(
    fields: &Map<String, Value>,
    pointer: &str,
    parent: Option<&str>,
    depth: usize,
    sites: &mut Vec<(String, Site)>,
    checks: &mut Vec<(String, String)>,
) {
    let properties = fields.get("properties").and_then(Value::as_object).filter(|_| depth < DEEPEST);
    for (name, schema) in properties.into_iter().flatten() {
        if let Some(fields) = schema.as_object() {
            item(name, fields, &format!("{pointer}/properties/{name}"), parent, depth, sites, checks);
        }
    }
}

fn item(
    name: &str,
    fields: &Map<String, Value>,
    pointer: &str,
    parent: Option<&str>,
    depth: usize,
    sites: &mut Vec<(String, Site)>,
    checks: &mut Vec<(String, String)>,
) {
    let sort = sort_of(fields, depth);
    let site = Site { pointer: pointer.to_owned(), sort, parent: parent.map(str::to_owned) };
    sites.push((name.to_owned(), site));
    note_checks(fields, pointer, name, checks);
    match sort {
        Sort::Section => walk(fields, pointer, Some(name), depth + 1, sites, checks),
        Sort::Repeat => {
            let row = fields.get("items").and_then(Value::as_object);
            if let Some(row) = row {
                let pointer = format!("{pointer}/items");
                note_checks(row, &pointer, name, checks);
                walk(row, &pointer, Some(name), depth + 1, sites, checks);
            }
        }
        Sort::Question => {}
    }
}

pub(super) fn sort_of(fields: &Map<String, Value>, depth: usize) -> Sort {
    let of = fields.get("items").and_then(|items| items.get("type")?.as_str());
    match fields.get("type").and_then(Value::as_str) {
        Some("object") if depth == 0 && !fields.contains_key("x-calculate") => Sort::Section,
        Some("array") if of == Some("object") => Sort::Repeat,
        _ => Sort::Question,
    }
}

/// Constraints by code; without one, by the name of what they stand on and their place, as the form check counts them.
fn note_checks(fields: &Map<String, Value>, pointer: &str, owner: &str, checks: &mut Vec<(String, String)>) {
    let list = fields.get("x-constraints").and_then(Value::as_array);
    for (place, check) in list.into_iter().flatten().enumerate() {
        let numbered = if place == 0 { owner.to_owned() } else { format!("{owner}.{}", place + 1) };
        let code = check.get("code").and_then(Value::as_str).map_or(numbered, str::to_owned);
        checks.push((code, format!("{pointer}/x-constraints/{place}")));
    }
}
