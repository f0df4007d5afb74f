//! Sections, repeats and questions: what came, went, moved or takes another kind of answer. What is written on them is for
//! `keywords`.

use super::outline::{Item, Outline, Sort};
use super::sentences::Said;
use super::{At, ChangeKind, Comparing, Grade};
use serde_json::{Map, Value, json};

impl Comparing<'_> {
    pub(super) fn items(&mut self) {
        self.gone();
        for item in self.new.items.clone() {
            match self.old.item(item.name).cloned() {
                None => self.came(&item),
                Some(old)
                    if (old.sort == Sort::Question) != (item.sort == Sort::Question)
                        || is_section(&old, &item) =>
                {
                    self.retyped(&old, &item, Grade::Breaking)
                }
                Some(old) => {
                    self.moved(&old, &item);
                    self.keywords(&old, &item);
                }
            }
        }
        self.order();
    }

    /// What went; of a section or repeat that went as a whole, only the whole is told.
    fn gone(&mut self) {
        for item in self.old.items.clone() {
            if self.new.item(item.name).is_none() && !stands_in_other(&item, &self.new) {
                let kind = match item.sort {
                    Sort::Section => ChangeKind::SectionRemoved,
                    Sort::Repeat => ChangeKind::RepeatRemoved,
                    Sort::Question => ChangeKind::QuestionRemoved,
                };
                let before = described(&item, &self.old);
                let gone = item.sort == Sort::Question
                    || inside(&item, &self.old).any(|inner| self.new.item(inner.name).is_none());
                let grade = if gone { Grade::Breaking } else { Grade::NeedsMigration };
                let at = At { path: item.pointer, section: item.section, what: self.old.call(item.name) };
                self.tell(kind, grade, at, Some(&before), None);
            }
        }
    }

    /// What came; of a section or repeat that is new as a whole, only the whole is told.
    fn came(&mut self, item: &Item<'_>) {
        if stands_in_other(item, &self.old) {
            return;
        }
        let of_reviewer = item.fields.contains_key("x-asked-of");
        let kind = match item.sort {
            Sort::Section => ChangeKind::SectionAdded,
            Sort::Repeat => ChangeKind::RepeatAdded,
            Sort::Question if of_reviewer => ChangeKind::ReviewerQuestionAdded,
            Sort::Question => ChangeKind::QuestionAdded,
        };
        // What is shown on a condition may not be missing anywhere; what the reviewer answers is missed by nobody who files.
        let missing = item.fields.get("x-relevant").is_none() && always_required(item) && !of_reviewer;
        let grade = if missing { Grade::NeedsMigration } else { Grade::Compatible };
        let after = described(item, &self.new);
        let at = At { path: item.pointer.clone(), section: item.section, what: self.new.call(item.name) };
        self.tell(kind, grade, at, None, Some(&after));
    }

    /// Into or out of rows, one answer becomes many or many one; to another section, answers only have to be carried over.
    fn moved(&mut self, old: &Item<'_>, new: &Item<'_>) {
        let grade = if old.row_of == new.row_of { Grade::NeedsMigration } else { Grade::Breaking };
        if new.sort != Sort::Section && (old.row_of, old.section) != (new.row_of, new.section) {
            let place = |item: &Item<'_>| json!(item.row_of.or(item.section).unwrap_or("the form itself"));
            let at = At { path: new.pointer.clone(), section: new.section, what: self.new.call(new.name) };
            self.tell(ChangeKind::QuestionMoved, grade, at, Some(&place(old)), Some(&place(new)));
        }
    }

    pub(super) fn retyped(&mut self, old: &Item<'_>, new: &Item<'_>, grade: Grade) {
        let (before, after) = (json!(type_of(old)), json!(type_of(new)));
        let at = At { path: new.pointer.clone(), section: new.section, what: self.new.call(new.name) };
        self.tell(ChangeKind::QuestionRetyped, grade, at, Some(&before), Some(&after));
    }

    /// Whether what stands in both stands in another order.
    fn order(&mut self) {
        let mut places: Vec<(Option<&str>, Option<&str>)> = vec![(None, None)];
        for item in &self.new.items {
            let place = (item.section, item.row_of);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        for (section, row_of) in places {
            let stands = |item: &&Item<'_>| match (section, row_of) {
                (None, None) => item.sort == Sort::Section || item.section.is_none() && item.row_of.is_none(),
                place => item.sort != Sort::Section && (item.section, item.row_of) == place,
            };
            let names = |these: &Outline<'_>, those: &Outline<'_>| -> Vec<String> {
                let stays = |item: &&Item<'_>| those.item(item.name).is_some_and(|other| stands(&other));
                these.items.iter().filter(stands).filter(stays).map(|item| item.name.to_owned()).collect()
            };
            let before = json!(names(&self.old, &self.new));
            let after = json!(names(&self.new, &self.old));
            let kind = if (section, row_of) == (None, None) {
                ChangeKind::SectionsReordered
            } else {
                ChangeKind::QuestionsReordered
            };
            let holder = row_of.or(section).unwrap_or_default();
            let path = self.new.item(holder).map(|item| item.pointer.clone()).unwrap_or_default();
            let what = self.new.call(holder);
            let at = || (path, section.map(str::to_owned), what);
            self.differ(kind, Grade::Labels, at, Some(&before), Some(&after));
        }
    }
}

fn is_section(old: &Item<'_>, new: &Item<'_>) -> bool {
    (old.sort == Sort::Section) != (new.sort == Sort::Section)
}

/// Whether the section or repeat it stands in is not in the other release.
fn stands_in_other(item: &Item<'_>, other: &Outline<'_>) -> bool {
    let holder = item.row_of.or(item.section).filter(|holder| *holder != item.name);
    holder.is_some_and(|holder| other.item(holder).is_none())
}

/// An item in short, with the names of what stands in it.
fn described(item: &Item<'_>, outline: &Outline<'_>) -> Value {
    let title = item.fields.get("title").and_then(Value::as_str).unwrap_or_default();
    let mut described = json!({"name": item.name, "title": title, "type": type_of(item)});
    if item.sort != Sort::Question {
        described["questions"] = json!(inside(item, outline).map(|inner| inner.name).collect::<Vec<_>>());
    }
    described
}

fn inside<'o, 'p>(item: &Item<'_>, outline: &'o Outline<'p>) -> impl Iterator<Item = &'o Item<'p>> {
    let within = format!("{}/", item.pointer);
    outline.items.iter().filter(move |inner| inner.pointer.starts_with(&within))
}

pub(super) fn always_required(item: &Item<'_>) -> bool {
    match item.fields.get("x-required") {
        Some(Value::Bool(true)) => true,
        None | Some(Value::Bool(false)) => item.plainly_required,
        Some(_) => false,
    }
}

/// The kind of answer, in a word.
pub(super) fn type_of(item: &Item<'_>) -> &'static str {
    match item.sort {
        Sort::Section => "section",
        Sort::Repeat => "rows",
        Sort::Question => type_of_question(item.fields),
    }
}

fn type_of_question(fields: &Map<String, Value>) -> &'static str {
    let text = |keyword: &str| fields.get(keyword).and_then(Value::as_str);
    let chosen = fields.contains_key("x-choices") || fields.contains_key("oneOf");
    match (text("$ref").unwrap_or_default(), text("type").unwrap_or_default(), text("format")) {
        ("#/$defs/time", ..) => "time",
        ("#/$defs/geopoint", ..) => "point",
        ("#/$defs/media", ..) => "file",
        (_, "string", _) if chosen => "one choice",
        (_, "array", _) => "several choices",
        (_, "string", Some("date")) => "date",
        (_, "string", Some("date-time")) => "moment",
        (_, "string", _) => "text",
        (_, "integer", _) => "whole number",
        (_, "number", _) => "number",
        (_, "boolean", _) => "yes or no",
        (_, "object", _) => "record",
        _ => "something else",
    }
}

/// What it asks of answers when their kind changes.
pub(super) fn retyping(before: &str, after: &str) -> Grade {
    match (before, after) {
        ("whole number", "number") | ("one choice", "text") => Grade::Compatible,
        ("number", "whole number") | ("text", "one choice") | ("one choice", "several choices") => {
            Grade::NeedsMigration
        }
        ("date", "moment") | ("moment", "date" | "time") => Grade::NeedsMigration,
        ("whole number" | "number" | "date" | "time" | "moment" | "yes or no", "text") => {
            Grade::NeedsMigration
        }
        _ => Grade::Breaking,
    }
}

impl Comparing<'_> {
    /// How an item is called in the newer release.
    pub(super) fn of_item(&self, item: &Item<'_>, suffix: &str) -> (String, Option<String>, Said) {
        (format!("{}{suffix}", item.pointer), item.section.map(str::to_owned), self.new.call(item.name))
    }
}
