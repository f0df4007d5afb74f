//! What stands at the root of a form, and its languages: titles, the head, translations.

use super::keywords::{by_code, row, union};
use super::outline::Outline;
use super::sentences::Said;
use super::{At, ChangeKind, Comparing, Grade};
use crate::translations::MADE_FROM;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Keywords of the root told elsewhere, or that follow from what is told elsewhere.
const TOLD_ELSEWHERE: &[&str] =
    &["properties", "required", "x-form", "x-findings", "x-scores", "x-constraints"];

impl Comparing<'_> {
    pub(super) fn head(&mut self) {
        let (old, new) = (&self.old.package.form, &self.new.package.form);
        let (old_code, new_code) = (json!(old), json!(new));
        let at = || ("/x-form/form".to_owned(), None, Said::both(new));
        self.differ(ChangeKind::FormReplaced, Grade::Breaking, at, Some(&old_code), Some(&new_code));
        let (before, after) = (head(&self.old), head(&self.new));
        for keyword in union(&before, &after) {
            if !["form", "version", "languages"].contains(&keyword.as_str()) {
                let at = || (format!("/x-form/{keyword}"), None, Said::both(&keyword));
                self.differ(
                    ChangeKind::HeadChanged,
                    Grade::Compatible,
                    at,
                    before.get(&keyword),
                    after.get(&keyword),
                );
            }
        }
    }

    pub(super) fn root(&mut self) {
        let (old, new) = (self.old.root, self.new.root);
        self.constraints(old, new, "", None, "form");
        for keyword in union(old, new) {
            let (kind, grade) = match keyword.as_str() {
                "title" | "description" => (ChangeKind::TextChanged, Grade::Labels),
                "x-disclosure" => (ChangeKind::DisclosureChanged, Grade::Compatible),
                "x-summary" => (ChangeKind::SummaryChanged, Grade::Compatible),
                "x-facility" => (ChangeKind::FacilityChanged, Grade::Compatible),
                "x-locked" => (ChangeKind::LockChanged, Grade::Labels),
                "$comment" | "$id" | "$schema" | "$vocabulary" => (ChangeKind::OtherChanged, Grade::Labels),
                told if TOLD_ELSEWHERE.contains(&told) => continue,
                _ => (ChangeKind::OtherChanged, Grade::Compatible),
            };
            let what = match kind {
                ChangeKind::OtherChanged => Said::both(&keyword),
                _ => Said::named(
                    self.new.root.get("title").and_then(Value::as_str),
                    self.new.label("ur", "form"),
                    &self.new.package.form,
                ),
            };
            let at = || (format!("/{keyword}"), None, what);
            self.differ(kind, grade, at, old.get(&keyword), new.get(&keyword));
        }
    }

    pub(super) fn languages(&mut self) {
        let (old, new) = (declared(&self.old), declared(&self.new));
        for code in union(&old, &new) {
            let (before, after) = (old.get(&code), new.get(&code));
            let at = At { path: format!("/i18n/{code}"), section: None, what: Said::both(&code) };
            match (before, after) {
                (Some(before), Some(after)) => {
                    let At { path, what, .. } = at;
                    self.differ(
                        ChangeKind::LanguageChanged,
                        Grade::Labels,
                        || (path, None, what),
                        Some(before),
                        Some(after),
                    );
                    self.translations(&code);
                }
                (before, after) => {
                    let kind =
                        if after.is_some() { ChangeKind::LanguageAdded } else { ChangeKind::LanguageRemoved };
                    self.tell(kind, Grade::Labels, at, before, after);
                }
            }
        }
    }

    /// Labels of what came or went are told with it.
    fn translations(&mut self, language: &str) {
        let (old, new) = (labels(&self.old, language), labels(&self.new, language));
        let (old_checks, new_checks) = (checks(&self.old), checks(&self.new));
        for key in union(old, new) {
            if owns(&self.old, &old_checks, &key) != owns(&self.new, &new_checks, &key) {
                continue;
            }
            let name = key.split(['#', '=']).next().unwrap_or_default();
            let (what, section) = match self.new.item(name) {
                Some(item) => (self.new.call(name), item.section.map(str::to_owned)),
                None => (Said::both(&key), None),
            };
            let what = Said::of(&Said::both(language), &what);
            let at = || (format!("/i18n/{language}/{key}"), section, what);
            self.differ(ChangeKind::TranslationChanged, Grade::Labels, at, old.get(&key), new.get(&key));
        }
        self.outdated(language);
    }

    /// Translations made from other English than stands there now.
    fn outdated(&mut self, language: &str) {
        static NOTHING: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        fn made_from<'p>(outline: &Outline<'p>, language: &str) -> &'p Map<String, Value> {
            let file = outline.package.i18n.get(language);
            file.and_then(|file| file.get(MADE_FROM)?.as_object()).unwrap_or(&NOTHING)
        }
        let (old, new) = (made_from(&self.old, language), made_from(&self.new, language));
        for key in union(old, new) {
            let name = key.split(['#', '=']).next().unwrap_or_default();
            let (what, section) = match self.new.item(name) {
                Some(item) => (self.new.call(name), item.section.map(str::to_owned)),
                None => (Said::both(&key), None),
            };
            let what = Said::of(&Said::both(language), &what);
            let at = || (format!("/i18n/{language}/{key}/{MADE_FROM}"), section, what);
            let kind = ChangeKind::TranslationOutdated;
            self.differ(kind, Grade::Labels, at, old.get(&key), new.get(&key));
        }
    }
}

fn head(outline: &Outline<'_>) -> Map<String, Value> {
    outline.root.get("x-form").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The languages a form declares or carries, each with what is said of it.
fn declared(outline: &Outline<'_>) -> BTreeMap<String, Value> {
    let head = head(outline);
    let listed = head.get("languages").and_then(Value::as_array).into_iter().flatten();
    let mut languages: BTreeMap<String, Value> = listed
        .filter_map(|language| Some((language.get("code")?.as_str()?.to_owned(), language.clone())))
        .collect();
    for (code, file) in &outline.package.i18n {
        let told = ["labels", MADE_FROM];
        let file = file.as_object().into_iter().flatten();
        let file = file.filter(|(keyword, _)| !told.contains(&keyword.as_str()));
        let said = Value::Object(file.map(|(keyword, value)| (keyword.clone(), value.clone())).collect());
        let language = languages.entry(code.clone()).or_insert_with(|| json!({"code": code}));
        if let Some(language) = language.as_object_mut() {
            language.insert("file".to_owned(), said);
        }
    }
    languages
}

fn labels<'p>(outline: &Outline<'p>, language: &str) -> &'p Map<String, Value> {
    static NOTHING: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    let labels = outline.package.i18n.get(language).and_then(|file| file.get("labels")?.as_object());
    labels.unwrap_or(&NOTHING)
}

/// Whether the thing a label belongs to is in the form.
fn owns(outline: &Outline<'_>, checks: &BTreeSet<String>, key: &str) -> bool {
    let root = |keyword: &str, code: &str| {
        let list = outline.root.get(keyword).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|it| it.get("code")?.as_str()).any(|known| known == code)
    };
    if let Some(code) = key.strip_prefix('@') {
        return root("x-findings", code.strip_suffix(".action").unwrap_or(code));
    }
    if let Some((name, code)) = key.split_once('=') {
        let choices = outline.item(name).and_then(|item| item.fields.get("oneOf")?.as_array());
        return choices
            .into_iter()
            .flatten()
            .any(|choice| choice.get("const").and_then(Value::as_str) == Some(code));
    }
    if let Some(code) = key.strip_prefix('!') {
        return checks.contains(code);
    }
    let name = key.split('#').next().unwrap_or_default();
    name == "form" || outline.item(name).is_some()
}

/// The codes of all constraints.
fn checks(outline: &Outline<'_>) -> BTreeSet<String> {
    let mut codes: BTreeSet<String> = by_code(outline.root, "form").into_keys().collect();
    for item in &outline.items {
        codes.extend(by_code(item.fields, item.name).into_keys());
        codes.extend(row(item).into_iter().flat_map(|row| by_code(row, item.name).into_keys()));
    }
    codes
}
