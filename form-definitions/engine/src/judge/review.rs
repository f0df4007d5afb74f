//! One pass over the settled form in the order of asking: writes the normalised answers and says what is wrong, in form order.

use super::checks::Checks;
use super::lift::{Notes, Place};
use super::paths;
use crate::codes::BuiltIn;
use crate::definition::{FORM, Frame, FrameId, Item, Kind, Question, Slot};
use crate::eval::{Raw, Run, Val, as_json};
use crate::form::Form;
use crate::messages::shown;
use crate::outcome::{MediaReference, Outcome, Violation};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Reviews everything but the findings.
pub(super) fn review<'a>(
    form: &'a Form,
    run: &Run<'a>,
    hidden: &[bool],
    notes: Notes,
    claims: &HashMap<(u32, Slot), Raw<'_>>,
) -> Outcome {
    let outcome = Outcome {
        answers: Value::Null,
        non_answers: Map::new(),
        relevance: BTreeMap::new(),
        violations: Vec::new(),
        calculated: Map::new(),
        findings: Vec::new(),
        scores: Map::new(),
        summary: summary(form, run),
        media: Vec::new(),
        cost: 0,
    };
    let mut review = Review { form, run, checks: Checks { form, run }, notes, claims, outcome };
    let mut answers = Map::new();
    review.sections(hidden, &mut answers);
    review.outcome.answers = Value::Object(answers);
    review.outcome
}

struct Review<'r, 'a> {
    form: &'a Form,
    run: &'r Run<'a>,
    checks: Checks<'r, 'a>,
    notes: Notes,
    claims: &'r HashMap<(u32, Slot), Raw<'r>>,
    outcome: Outcome,
}

impl<'a> Review<'_, 'a> {
    fn sections(&mut self, hidden: &[bool], answers: &mut Map<String, Value>) {
        for (id, section) in self.form.definition.sections.iter().enumerate() {
            if hidden[id] {
                self.outcome.relevance.extend(section.name.iter().map(|name| (name.clone(), false)));
                continue;
            }
            self.take_notes(0, Place::Section(id));
            match &section.name {
                Some(name) => {
                    let mut inner = Map::with_capacity(self.run.store.written(0, &section.items));
                    self.items(0, FORM, "", &section.items, &mut inner);
                    if !inner.is_empty() {
                        answers.insert(name.clone(), Value::Object(inner));
                    }
                }
                None => self.items(0, FORM, "", &section.items, answers),
            }
            let path = || section.name.clone().unwrap_or_default();
            self.checks.constraints(
                &section.constraints,
                0,
                &Val::Unknown,
                None,
                &path,
                &mut self.outcome.violations,
            );
        }
        self.take_notes(0, Place::Row);
        self.checks.constraints(
            &self.form.definition.constraints,
            0,
            &Val::Unknown,
            None,
            &String::new,
            &mut self.outcome.violations,
        );
    }

    fn items(
        &mut self,
        row: u32,
        frame: FrameId,
        prefix: &str,
        items: &'a [Item],
        answers: &mut Map<String, Value>,
    ) {
        for item in items {
            match *item {
                Item::Question(slot) => self.question(row, frame, prefix, slot, answers),
                Item::Repeat(repeat) => self.repeat(row, repeat, prefix, answers),
            }
        }
    }

    fn question(
        &mut self,
        row: u32,
        frame: FrameId,
        prefix: &str,
        slot: Slot,
        answers: &mut Map<String, Value>,
    ) {
        let question = &self.form.definition.frames[frame].questions[slot];
        let path = || paths::within(prefix, &question.name);
        let cell = self.run.store.cell(row, slot);
        if cell.hidden {
            self.outcome.relevance.insert(path(), false);
            return;
        }
        let noted = self.take_notes(row, Place::Cell(slot));
        if question.of_reviewer && !self.run.at_review {
            self.outcome.relevance.insert(path(), false);
            return;
        }
        if question.calculate.is_some() {
            self.calculated(row, slot, question, &path, answers);
        } else if let Some(raw) = cell.raw.as_deref() {
            answers.insert(question.name.clone(), normal(raw));
        }
        if !cell.value.is_known() {
            self.unanswered(row, slot, question, noted, &path);
            return;
        }
        let violations = &mut self.outcome.violations;
        self.checks.choices(question, row, &cell.value, &path, violations);
        self.checks.constraints(
            &question.constraints,
            row,
            &cell.value,
            Some(&question.name),
            &path,
            violations,
        );
        if let (Kind::Media, Some(media)) = (question.kind, cell.value.object()) {
            self.media(media, path());
        }
    }

    fn calculated(
        &mut self,
        row: u32,
        slot: Slot,
        question: &Question,
        path: &dyn Fn() -> String,
        answers: &mut Map<String, Value>,
    ) {
        let value = &self.run.store.cell(row, slot).value;
        let claim = self.claims.get(&(row, slot)).map(|claim| &**claim);
        if value.is_known() {
            let written = value.to_json();
            answers.insert(question.name.clone(), written.clone());
            if claim.is_some_and(|claim| !is_same(claim, &written)) {
                let violation = self.checks.built_in(
                    BuiltIn::CalculatedDiffers,
                    path(),
                    &question.name,
                    &claim.map(shown).unwrap_or_default(),
                );
                self.outcome.violations.push(violation);
            }
            self.outcome.calculated.insert(path(), written);
        } else if let Some(claim) = claim {
            let violation =
                self.checks.built_in(BuiltIn::CalculatedDiffers, path(), &question.name, &shown(claim));
            self.outcome.violations.push(violation);
        }
    }

    /// A mistake already told about the answer is not told again as its absence.
    fn unanswered(
        &mut self,
        row: u32,
        slot: Slot,
        question: &Question,
        noted: bool,
        path: &dyn Fn() -> String,
    ) {
        if let Some(reason) = self.run.non_answers.get(&(row, slot)) {
            self.outcome.non_answers.insert(path(), Value::from(&**reason));
        } else if !noted && question.calculate.is_none() && self.checks.is_required(question.required, row) {
            let violation = self.checks.required(question.required, path(), &question.name, &question.label);
            self.outcome.violations.push(violation);
        }
    }

    fn repeat(&mut self, row: u32, id: FrameId, prefix: &str, answers: &mut Map<String, Value>) {
        let frame = &self.form.definition.frames[id];
        let path = paths::within(prefix, &frame.name);
        if self.run.store.are_rows_hidden(row, frame.place) {
            self.outcome.relevance.insert(path, false);
            return;
        }
        let noted = self.take_notes(row, Place::Rows(frame.place));
        let rows = self.run.store.rows(row, frame.place).clone();
        if rows.is_empty() {
            if !noted && self.checks.is_required(frame.required, row) {
                let violation = self.checks.required(frame.required, path, &frame.name, &frame.label);
                self.outcome.violations.push(violation);
            }
            return;
        }
        if rows.len() < frame.min_items {
            let violation = self.checks.built_in(
                BuiltIn::TooFew,
                path.clone(),
                &frame.name,
                &frame.min_items.to_string(),
            );
            self.outcome.violations.push(violation);
        }
        let written = self.rows(&rows, id, frame, &path);
        answers.insert(frame.name.clone(), Value::Array(written));
        let this = Val::Rows(rows);
        self.checks.constraints(
            &frame.constraints,
            row,
            &this,
            Some(&frame.name),
            &|| path.clone(),
            &mut self.outcome.violations,
        );
    }

    fn rows(&mut self, rows: &[u32], id: FrameId, frame: &'a Frame, path: &str) -> Vec<Value> {
        let mut keys = HashSet::new();
        let mut written = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let prefix = format!("{path}[{index}]");
            let before = self.outcome.violations.len();
            self.take_notes(*row, Place::Row);
            let mut answers = Map::with_capacity(self.run.store.written(*row, &frame.items));
            self.items(*row, id, &prefix, &frame.items, &mut answers);
            self.unique_key(*row, frame, &prefix, before, &mut keys);
            self.checks.constraints(
                &frame.row_constraints,
                *row,
                &Val::Row(*row),
                None,
                &|| prefix.clone(),
                &mut self.outcome.violations,
            );
            written.push(Value::Object(answers));
        }
        written
    }

    /// Findings point to rows by key: two rows of one key cannot be told apart. Where a constraint of the form has already said so,
    /// it is not said twice.
    fn unique_key(
        &mut self,
        row: u32,
        frame: &Frame,
        prefix: &str,
        before: usize,
        keys: &mut HashSet<String>,
    ) {
        let Some(slot) = frame.key else { return };
        let value = &self.run.store.cell(row, slot).value;
        if !value.is_known() || keys.insert(value.to_json().to_string()) {
            return;
        }
        let name = &frame.questions[slot].name;
        let path = paths::within(prefix, name);
        let told = self.outcome.violations[before..].iter().any(|violation| violation.path == path);
        if !told {
            let violation = self.checks.built_in(BuiltIn::Duplicate, path, name, "");
            self.outcome.violations.push(violation);
        }
    }

    fn media(&mut self, media: &Value, path: String) {
        if let Some(name) = media.get("media").and_then(Value::as_str) {
            let faces_checked = media.get("faces_checked").and_then(Value::as_bool);
            self.outcome.media.push(MediaReference { path, name: name.to_owned(), faces_checked });
        }
    }

    /// Moves what was noted here to the violations.
    fn take_notes(&mut self, row: u32, place: Place) -> bool {
        if self.notes.is_empty() {
            return false;
        }
        let noted: Vec<Violation> = self.notes.remove(&(row, place)).unwrap_or_default();
        let any = !noted.is_empty();
        self.outcome.violations.extend(noted);
        any
    }
}

fn summary(form: &Form, run: &Run<'_>) -> Map<String, Value> {
    let questions = &form.definition.frames[FORM].questions;
    let known =
        form.definition.summary.iter().map(|slot| (&questions[*slot].name, &run.store.cell(0, *slot).value));
    known.filter(|(_, value)| value.is_known()).map(|(name, value)| (name.clone(), value.to_json())).collect()
}

/// An answer as it is kept: as sent, but a whole number is written as one.
pub(super) fn normal(raw: &Value) -> Value {
    match raw {
        Value::Number(number) if number.is_f64() => number.as_f64().map_or(Value::Null, as_json),
        other => other.clone(),
    }
}

/// Whether the device calculated the same; machines may differ in the last digits of a fraction.
fn is_same(claim: &Value, written: &Value) -> bool {
    match (claim.as_f64(), written.as_f64()) {
        (Some(claim), Some(written)) => (claim - written).abs() <= 1e-9 * written.abs().max(1.0),
        _ => match (claim, written) {
            (Value::Object(claim), Value::Object(written)) => {
                claim.len() == written.len()
                    && written
                        .iter()
                        .all(|(name, value)| claim.get(name).is_some_and(|claim| is_same(claim, value)))
            }
            _ => claim == written,
        },
    }
}
