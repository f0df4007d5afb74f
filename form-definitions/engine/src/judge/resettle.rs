//! Settles again only what rests on something that changed. Same steps, same order as [`super::settle`]; a step is skipped where nothing
//! it reads has changed.

use super::settle::{conform, score_up};
use crate::definition::{Definition, FORM, FrameId, Item, RuleId, SectionId, Slot};
use crate::eval::{Run, Scope, Store, Val, equal};
use crate::form::Form;
use crate::rules::{Read, Step};
use std::collections::{BTreeSet, HashSet};

/// What changed since the last outcome.
#[derive(Default)]
pub(crate) struct Changed {
    cells: HashSet<(u32, Slot)>,
    questions: HashSet<(FrameId, Slot)>,
    lists: HashSet<(u32, usize)>,
    repeats: HashSet<FrameId>,
    scores: BTreeSet<usize>,
}

impl Changed {
    pub(crate) fn cell(&mut self, frame: FrameId, row: u32, slot: Slot) {
        self.cells.insert((row, slot));
        self.questions.insert((frame, slot));
    }

    fn list(&mut self, repeat: FrameId, row: u32, place: usize) {
        self.lists.insert((row, place));
        self.repeats.insert(repeat);
    }

    /// Whether anything a rule reads changed, in any row.
    pub(crate) fn touches(&self, form: &Form, rule: RuleId) -> bool {
        form.rules[rule].reads.iter().any(|read| self.has(*read))
    }

    fn has(&self, read: Read) -> bool {
        match read {
            Read::Question(frame, slot) => self.questions.contains(&(frame, slot)),
            Read::Rows(repeat) => self.repeats.contains(&repeat),
            Read::Score(score) => self.scores.contains(&score),
        }
    }

    /// Whether anything a rule reads changed for one row: in the row or those around it, or anywhere it looks through rows.
    pub(crate) fn affects(&self, form: &Form, store: &Store<'_>, rule: RuleId, row: u32) -> bool {
        let rule = &form.rules[rule];
        let around = |frame: FrameId| {
            std::iter::successors(Some(row), |row| {
                let at = store.row(*row);
                (at.frame != FORM).then_some(at.parent)
            })
            .find(|row| store.row(*row).frame == frame)
        };
        rule.reads.iter().filter(|read| self.has(**read)).any(|read| {
            rule.across.contains(read)
                || match *read {
                    Read::Question(frame, slot) => {
                        around(frame).is_none_or(|row| self.cells.contains(&(row, slot)))
                    }
                    Read::Rows(repeat) => {
                        let frame = &form.definition.frames[repeat];
                        around(frame.parent).is_none_or(|row| self.lists.contains(&(row, frame.place)))
                    }
                    Read::Score(_) => true,
                }
        })
    }
}

/// Settles what rests on the changes, and adds what changes thereby. `given` is what was answered, before anything was hidden.
pub(crate) fn resettle<'a>(
    form: &'a Form,
    run: &mut Run<'a>,
    given: &Store<'a>,
    hidden: &mut [bool],
    changed: &mut Changed,
) {
    let mut again = Resettling { form, run, given, hidden, changed };
    for step in &form.plan {
        match *step {
            Step::Section(section) => again.section(section),
            Step::Repeat(repeat) => again.repeat(repeat),
            Step::Question(frame, slot) => again.question(frame, slot),
            Step::Score(score) => again.score(score),
        }
    }
}

struct Resettling<'s, 'a> {
    form: &'a Form,
    run: &'s mut Run<'a>,
    given: &'s Store<'a>,
    hidden: &'s mut [bool],
    changed: &'s mut Changed,
}

impl<'a> Resettling<'_, 'a> {
    fn section(&mut self, id: SectionId) {
        let section = &self.form.definition.sections[id];
        let touched = section.relevant.is_some_and(|rule| self.changed.touches(self.form, rule));
        if !touched {
            return;
        }
        let shown = self.is_shown(section.relevant, 0);
        if shown != self.hidden[id] {
            return;
        }
        self.hidden[id] = !shown;
        for item in &section.items {
            match (*item, shown) {
                (Item::Question(slot), true) => self.restore_cell(FORM, 0, slot),
                (Item::Question(slot), false) => self.hide_cell(FORM, 0, slot),
                (Item::Repeat(repeat), true) => self.restore_rows(repeat, 0),
                (Item::Repeat(repeat), false) => self.hide_rows(repeat, 0),
            }
        }
    }

    fn repeat(&mut self, id: FrameId) {
        let frame = &self.form.definition.frames[id];
        if self.hidden[frame.section] {
            return;
        }
        let touched = frame.relevant.is_some_and(|rule| self.changed.touches(self.form, rule));
        if !touched && !self.changed.repeats.contains(&id) {
            return;
        }
        for row in self.rows(frame.parent) {
            let restored = self.changed.lists.contains(&(row, frame.place));
            if !restored && !self.affects(frame.relevant, row) {
                continue;
            }
            match (self.is_shown(frame.relevant, row), self.run.store.are_rows_hidden(row, frame.place)) {
                (true, true) => self.restore_rows(id, row),
                (false, false) => self.hide_rows(id, row),
                _ => {}
            }
        }
    }

    fn question(&mut self, frame: FrameId, slot: Slot) {
        let question = &self.form.definition.frames[frame].questions[slot];
        if frame == FORM && self.hidden[question.section] {
            return;
        }
        let rules = || question.relevant.into_iter().chain(question.calculate);
        let own = self.changed.questions.contains(&(frame, slot));
        if !own && !rules().any(|rule| self.changed.touches(self.form, rule)) {
            return;
        }
        for row in self.rows(frame) {
            let mut anew = self.changed.cells.contains(&(row, slot));
            let was_hidden = self.run.store.cell(row, slot).hidden;
            let shown = if anew || self.affects(question.relevant, row) {
                self.is_shown(question.relevant, row)
            } else {
                !was_hidden
            };
            match (shown, was_hidden) {
                (false, false) => self.hide_cell(frame, row, slot),
                (true, true) => {
                    self.restore_cell(frame, row, slot);
                    anew = true;
                }
                _ => {}
            }
            if shown && (anew || self.affects(question.calculate, row)) {
                self.calculate(frame, row, slot);
            }
        }
    }

    fn calculate(&mut self, frame: FrameId, row: u32, slot: Slot) {
        let question = &self.form.definition.frames[frame].questions[slot];
        let Some(rule) = question.calculate else { return };
        self.run.count_rule();
        let value = self.run.eval(&self.form.rules[rule].node, &mut Scope::row(row));
        let value = conform(question.kind, value);
        let before = &mut self.run.store.cell_mut(row, slot).value;
        if !is_same(before, &value) {
            *before = value;
            self.changed.cell(frame, row, slot);
        }
    }

    fn score(&mut self, place: usize) {
        let mut items = self.form.definition.scores[place].items();
        if !items.any(|item| self.changed.cells.contains(&(0, item.slot))) {
            return;
        }
        let before = self.run.scores[place].take();
        score_up(self.form, self.run, place);
        if self.run.scores[place] != before {
            self.changed.scores.insert(place);
        }
    }

    fn rows(&self, frame: FrameId) -> Vec<u32> {
        self.run.store.live_rows(&self.form.definition.frames, frame)
    }

    fn affects(&self, rule: Option<RuleId>, row: u32) -> bool {
        rule.is_some_and(|rule| self.changed.affects(self.form, &self.run.store, rule, row))
    }

    /// Unknown hides.
    fn is_shown(&self, relevant: Option<RuleId>, row: u32) -> bool {
        relevant.is_none_or(|rule| {
            self.run.count_rule();
            self.run.holds(&self.form.rules[rule].node, &mut Scope::row(row)) == Some(true)
        })
    }

    fn hide_cell(&mut self, frame: FrameId, row: u32, slot: Slot) {
        self.run.store.hide_cell(row, slot);
        self.changed.cell(frame, row, slot);
    }

    fn restore_cell(&mut self, frame: FrameId, row: u32, slot: Slot) {
        *self.run.store.cell_mut(row, slot) = self.given.cell(row, slot).clone();
        self.changed.cell(frame, row, slot);
    }

    fn hide_rows(&mut self, repeat: FrameId, row: u32) {
        let place = self.definition().frames[repeat].place;
        self.run.store.hide_rows(row, place);
        self.changed.list(repeat, row, place);
    }

    /// Brings rows back as they were given, with everything in them still to be settled.
    fn restore_rows(&mut self, repeat: FrameId, row: u32) {
        let frame = &self.form.definition.frames[repeat];
        let rows = self.given.rows(row, frame.place).clone();
        self.run.store.set_rows(row, frame.place, rows.to_vec());
        self.changed.list(repeat, row, frame.place);
        for row in rows.iter() {
            for slot in 0..frame.questions.len() {
                self.restore_cell(repeat, *row, slot);
            }
            for inner in &frame.repeats {
                self.restore_rows(*inner, *row);
            }
        }
    }

    fn definition(&self) -> &'a Definition {
        &self.form.definition
    }
}

fn is_same(a: &Val<'_>, b: &Val<'_>) -> bool {
    match (a.is_known(), b.is_known()) {
        (true, true) => equal(a, b) == Some(true),
        (known, other) => known == other,
    }
}
