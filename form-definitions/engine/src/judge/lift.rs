//! Lifts any JSON into cells. What is of the wrong type is unanswered for the rules, and noted with its path.
//!
//! Work is bounded by the form, not by the answers: rows beyond `maxItems` and choices beyond their list are not looked at.

use super::paths;
use crate::codes::BuiltIn;
use crate::definition::{FORM, FrameId, Kind, Named, SectionId, Slot};
use crate::eval::{Cell, Raw, Store, Val};
use crate::form::Form;
use crate::messages::{built_in, shown};
use crate::outcome::Violation;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Most unknown names told about in one object, and most non-answers read.
const MOST_UNKNOWN: usize = 100;
const MOST_NON_ANSWERS: usize = 10_000;
const NOT_ALLOWED: BuiltIn = BuiltIn::NonAnswerNotAllowed;

/// The answers, ready for the rules.
#[derive(Clone)]
pub(crate) struct Lifted<'a> {
    pub(crate) store: Store<'a>,
    pub(super) notes: Notes,
    /// What the device says it calculated.
    pub(super) claims: HashMap<(u32, Slot), Raw<'a>>,
    pub(crate) non_answers: HashMap<(u32, Slot), Rc<str>>,
}

/// What was noted on the way, by where it stands, until the review comes past.
pub(super) type Notes = BTreeMap<(u32, Place), Vec<Violation>>;

/// What a note is about, within a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Section(SectionId),
    Cell(Slot),
    Rows(usize),
    Row,
}

/// Lifts answers and non-answers.
pub(crate) fn lift<'a>(form: &'a Form, answers: &'a Value, non_answers: Option<&'a Value>) -> Lifted<'a> {
    let store = super::empty_store(form);
    let mut lifter = Lifter {
        form,
        lifted: Lifted { store, notes: Notes::new(), claims: HashMap::new(), non_answers: HashMap::new() },
    };
    match answers {
        Value::Object(root) => lifter.root(root),
        Value::Null => {}
        other => lifter.note(0, Place::Row, String::new(), None, BuiltIn::Type, &shown(other)),
    }
    lifter.non_answers(non_answers);
    lifter.lifted
}

impl Lifted<'_> {
    /// The same, borrowing nothing.
    pub(crate) fn into_owned<'b>(self) -> Lifted<'b> {
        let claims = self.claims.into_iter().map(|(at, claim)| (at, claim.into_owned()));
        Lifted {
            store: self.store.into_owned(),
            notes: self.notes,
            claims: claims.collect(),
            non_answers: self.non_answers,
        }
    }
}

impl<'a> Lifted<'a> {
    /// Takes in what the reviewer answered, beside what was filed.
    pub(super) fn take_reviewers(&mut self, form: &'a Form, given: &'a Map<String, Value>) {
        self.with_lifter(form, |lifter| lifter.reviewers(given));
    }

    /// Takes another answer in for the question at a path; tells which question that is.
    pub(crate) fn replace(
        &mut self,
        form: &'a Form,
        path: &str,
        answer: &Value,
        non_answers: &Map<String, Value>,
    ) -> Option<(FrameId, u32, Slot)> {
        let (row, slot) = paths::find(&form.definition, &self.store, path)?;
        let frame = self.store.row(row).frame;
        *self.store.cell_mut(row, slot) = Cell::unanswered();
        self.notes.remove(&(row, Place::Cell(slot)));
        self.claims.remove(&(row, slot));
        self.with_lifter(form, |lifter| {
            lifter.answer(row, frame, slot, answer, Val::into_owned, |raw| Raw::Held(Rc::new(raw.clone())));
        });
        self.reconsider(form, path, non_answers)
    }

    /// Looks again at the reasons given instead of an answer to the question at a path.
    pub(crate) fn reconsider(
        &mut self,
        form: &'a Form,
        path: &str,
        non_answers: &Map<String, Value>,
    ) -> Option<(FrameId, u32, Slot)> {
        let (row, slot) = paths::find(&form.definition, &self.store, path)?;
        self.non_answers.remove(&(row, slot));
        if let Some(notes) = self.notes.get_mut(&(row, Place::Cell(slot))) {
            notes.retain(|note| note.code != NOT_ALLOWED.as_str());
            if notes.is_empty() {
                self.notes.remove(&(row, Place::Cell(slot)));
            }
        }
        self.with_lifter(form, |lifter| {
            for (path, reason) in non_answers {
                let found = paths::find(&form.definition, &lifter.lifted.store, path);
                if found == Some((row, slot)) && !lifter.non_answer(found, reason) {
                    lifter.refuse_non_answer(found, path, reason);
                }
            }
        });
        Some((self.store.row(row).frame, row, slot))
    }

    fn with_lifter(&mut self, form: &'a Form, lift: impl FnOnce(&mut Lifter<'a>)) {
        let empty = Lifted {
            store: Store::new(&[]),
            notes: Notes::new(),
            claims: HashMap::new(),
            non_answers: HashMap::new(),
        };
        let mut lifter = Lifter { form, lifted: std::mem::replace(self, empty) };
        lift(&mut lifter);
        *self = lifter.lifted;
    }
}

struct Lifter<'a> {
    form: &'a Form,
    lifted: Lifted<'a>,
}

impl<'a> Lifter<'a> {
    /// Sections first, then what stands flat at the root and is not answered in its section.
    fn root(&mut self, root: &'a Map<String, Value>) {
        let definition = &self.form.definition;
        for (id, section) in definition.sections.iter().enumerate() {
            let Some(answers) = section.name.as_ref().and_then(|name| root.get(name)) else { continue };
            match answers {
                Value::Object(answers) => self.object(0, FORM, Some(id), answers),
                other if is_unanswered(other) => {}
                other => self.note(
                    0,
                    Place::Section(id),
                    section.name.clone().unwrap_or_default(),
                    None,
                    BuiltIn::Type,
                    &shown(other),
                ),
            }
        }
        self.object(0, FORM, None, root);
    }

    /// The questions and repeats of a section (`section`), of the root, or of a row.
    fn object(
        &mut self,
        row: u32,
        frame: FrameId,
        section: Option<SectionId>,
        answers: &'a Map<String, Value>,
    ) {
        let definition = &self.form.definition;
        let mut unknown = 0;
        for (name, answer) in answers {
            let stands_here = |of: SectionId| section.is_none_or(|section| section == of);
            match definition.names.get(name) {
                Some(Named::Question(at, slot))
                    if *at == frame && stands_here(definition.frames[frame].questions[*slot].section) =>
                {
                    self.question(row, frame, *slot, answer);
                }
                Some(Named::Repeat(repeat))
                    if definition.frames[*repeat].parent == frame
                        && stands_here(definition.frames[*repeat].section) =>
                {
                    self.repeat(row, *repeat, answer);
                }
                Some(Named::Section(_)) if frame == FORM && section.is_none() => {}
                _ => {
                    unknown += 1;
                    if unknown <= MOST_UNKNOWN {
                        self.unknown_question(row, section, name);
                    }
                }
            }
        }
    }

    fn unknown_question(&mut self, row: u32, section: Option<SectionId>, name: &str) {
        let name = shown(&Value::from(name));
        let path = paths::within(&self.row_path(row), &name);
        let place = section.map_or(Place::Row, Place::Section);
        self.note(row, place, path, None, BuiltIn::UnknownQuestion, &name);
    }

    fn question(&mut self, row: u32, frame: FrameId, slot: Slot, answer: &'a Value) {
        self.answer(row, frame, slot, answer, |value| value, Raw::Sent);
    }

    /// Takes an answer in: as it is, or as a copy the session keeps.
    fn answer<'v>(
        &mut self,
        row: u32,
        frame: FrameId,
        slot: Slot,
        answer: &'v Value,
        keep: fn(Val<'v>) -> Val<'a>,
        keep_raw: fn(&'v Value) -> Raw<'a>,
    ) {
        let question = &self.form.definition.frames[frame].questions[slot];
        if question.of_reviewer && !is_unanswered(answer) {
            // Not taken in, and not lost: the server keeps what was sent byte for byte.
            return self.misfit(row, frame, slot, "", BuiltIn::AskedOfReviewer, &question.name);
        }
        self.take(row, frame, slot, answer, keep, keep_raw);
    }

    /// The reviewer's answers, by path.
    fn reviewers(&mut self, given: &'a Map<String, Value>) {
        for (path, answer) in given {
            let shown: String = path.chars().take(200).collect();
            let Some((row, slot)) = paths::find(&self.form.definition, &self.lifted.store, path) else {
                self.note(0, Place::Row, shown.clone(), None, BuiltIn::UnknownQuestion, &shown);
                continue;
            };
            let frame = self.lifted.store.row(row).frame;
            let question = &self.form.definition.frames[frame].questions[slot];
            if question.of_reviewer {
                // What the phone said there was told when the form was filed.
                self.lifted.notes.remove(&(row, Place::Cell(slot)));
                self.take(row, frame, slot, answer, |value| value, Raw::Sent);
            } else {
                self.note(
                    0,
                    Place::Row,
                    shown,
                    Some(&question.name),
                    BuiltIn::AskedOfCollector,
                    &question.name,
                );
            }
        }
    }

    fn take<'v>(
        &mut self,
        row: u32,
        frame: FrameId,
        slot: Slot,
        answer: &'v Value,
        keep: fn(Val<'v>) -> Val<'a>,
        keep_raw: fn(&'v Value) -> Raw<'a>,
    ) {
        let question = &self.form.definition.frames[frame].questions[slot];
        if is_unanswered(answer) || self.lifted.store.cell(row, slot).raw.is_some() {
            return;
        }
        if question.calculate.is_some() {
            self.lifted.claims.entry((row, slot)).or_insert_with(|| keep_raw(answer));
            return;
        }
        if let (Kind::Choices(_) | Kind::Texts, Value::Array(codes)) = (question.kind, answer) {
            let most = self.form.definition.most_chosen(question.kind);
            if codes.len() > most {
                return self.misfit(row, frame, slot, "", BuiltIn::TooMany, &most.to_string());
            }
        }
        let misfits = self.form.shapes.misfits(self.form.shape_of[frame][slot], answer);
        let shapely = misfits.is_empty();
        for misfit in misfits {
            self.misfit(row, frame, slot, &misfit.path, misfit.code, &misfit.limit);
        }
        match Val::of_answer(question.kind, answer) {
            Some(value) => {
                let cell = self.lifted.store.cell_mut(row, slot);
                cell.value = keep(value);
                cell.raw = Some(keep_raw(answer));
            }
            None if shapely => self.misfit(row, frame, slot, "", BuiltIn::Type, ""),
            None => {}
        }
    }

    fn misfit(&mut self, row: u32, frame: FrameId, slot: Slot, within: &str, code: BuiltIn, limit: &str) {
        let name = &self.form.definition.frames[frame].questions[slot].name;
        let path = paths::within(&self.row_path(row), name) + within;
        self.note(row, Place::Cell(slot), path, Some(name), code, limit);
    }

    fn repeat(&mut self, row: u32, repeat: FrameId, answer: &'a Value) {
        let frame = &self.form.definition.frames[repeat];
        let already = !self.lifted.store.rows(row, frame.place).is_empty();
        if is_unanswered(answer) || already {
            return;
        }
        let path = paths::within(&self.row_path(row), &frame.name);
        let Value::Array(answers) = answer else {
            return self.note(
                row,
                Place::Rows(frame.place),
                path,
                Some(&frame.name),
                BuiltIn::Type,
                &shown(answer),
            );
        };
        if answers.len() > frame.max_items {
            self.note(
                row,
                Place::Rows(frame.place),
                path,
                Some(&frame.name),
                BuiltIn::TooMany,
                &frame.max_items.to_string(),
            );
        }
        let mut rows = Vec::with_capacity(answers.len().min(frame.max_items));
        for (index, answers) in answers.iter().take(frame.max_items).enumerate() {
            let child = self.lifted.store.add(repeat, frame, row, index as u32);
            rows.push(child);
            match answers {
                Value::Object(answers) => self.object(child, repeat, None, answers),
                other => {
                    let path = self.row_path(child);
                    self.note(child, Place::Row, path, Some(&frame.name), BuiltIn::Type, &shown(other));
                }
            }
        }
        self.lifted.store.set_rows(row, frame.place, rows);
    }

    fn non_answers(&mut self, non_answers: Option<&'a Value>) {
        let reasons = match non_answers {
            Some(Value::Object(reasons)) => reasons,
            None | Some(Value::Null) => return,
            Some(other) => {
                return self.note(
                    0,
                    Place::Row,
                    "non_answers".to_owned(),
                    None,
                    BuiltIn::Type,
                    &shown(other),
                );
            }
        };
        let mut refused = 0;
        for (path, reason) in reasons.iter().take(MOST_NON_ANSWERS) {
            let found = paths::find(&self.form.definition, &self.lifted.store, path);
            if !self.non_answer(found, reason) && refused < MOST_UNKNOWN {
                refused += 1;
                self.refuse_non_answer(found, path, reason);
            }
        }
    }

    /// Takes a reason instead of an answer in; tells whether it is allowed there.
    fn non_answer(&mut self, found: Option<(u32, Slot)>, reason: &Value) -> bool {
        let Some(((row, slot), reason)) = found.zip(reason.as_str()) else { return false };
        let frame = self.lifted.store.row(row).frame;
        let known = &self.form.definition.frames[frame].questions[slot].non_answers;
        let allowed = known.iter().any(|known| known == reason);
        // An answer counts more than a reason for not giving it.
        if allowed && self.lifted.store.cell(row, slot).raw.is_none() {
            self.lifted.non_answers.insert((row, slot), reason.into());
        }
        allowed
    }

    fn refuse_non_answer(&mut self, found: Option<(u32, Slot)>, path: &str, reason: &Value) {
        let path = path.chars().take(200).collect();
        let name = found.map(|(row, slot)| {
            let frame = self.lifted.store.row(row).frame;
            self.form.definition.frames[frame].questions[slot].name.as_str()
        });
        let (row, place) = found.map_or((0, Place::Row), |(row, slot)| (row, Place::Cell(slot)));
        self.note(row, place, path, name, NOT_ALLOWED, &shown(reason));
    }

    fn row_path(&self, row: u32) -> String {
        paths::of_row(&self.form.definition, &self.lifted.store, row)
    }

    fn note(
        &mut self,
        row: u32,
        place: Place,
        path: String,
        question: Option<&str>,
        code: BuiltIn,
        detail: &str,
    ) {
        let (level, message) = built_in(code, |_| detail.to_owned());
        let violation = Violation {
            path,
            question: question.map(str::to_owned),
            level,
            code: code.as_str().to_owned(),
            message,
            rule: None,
        };
        self.lifted.notes.entry((row, place)).or_default().push(violation);
    }
}

/// Null, an empty text and an empty list say nothing.
fn is_unanswered(answer: &Value) -> bool {
    match answer {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
