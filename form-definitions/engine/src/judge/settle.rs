//! Settles, step by step in dependency order, what is shown and what is calculated. What is hidden is gone before anything reads it.

use crate::definition::{Definition, FORM, FrameId, Item, Kind, SectionId, Slot};
use crate::eval::dates;
use crate::eval::{Run, Scope, Val, weigh};
use crate::form::Form;
use crate::rules::Step;

/// Settles everything; tells which sections are hidden.
pub(crate) fn settle<'a>(form: &'a Form, run: &mut Run<'a>) -> Vec<bool> {
    let mut settling = Settling { form, hidden: vec![false; form.definition.sections.len()] };
    for step in &form.plan {
        match *step {
            Step::Section(section) => settling.section(run, section),
            Step::Repeat(repeat) => settling.repeat(run, repeat),
            Step::Question(frame, slot) => settling.question(run, frame, slot),
            Step::Score(score) => score_up(form, run, score),
        }
    }
    settling.hidden
}

struct Settling<'a> {
    form: &'a Form,
    hidden: Vec<bool>,
}

impl<'a> Settling<'a> {
    fn section(&mut self, run: &mut Run<'a>, id: SectionId) {
        let section = &self.form.definition.sections[id];
        if self.is_shown(run, section.relevant, 0) {
            return;
        }
        self.hidden[id] = true;
        for item in &section.items {
            match *item {
                Item::Question(slot) => run.store.hide_cell(0, slot),
                Item::Repeat(repeat) => run.store.hide_rows(0, self.definition().frames[repeat].place),
            }
        }
    }

    fn repeat(&mut self, run: &mut Run<'a>, id: FrameId) {
        let frame = &self.form.definition.frames[id];
        if self.hidden[frame.section] {
            return;
        }
        for row in run.store.live_rows(&self.form.definition.frames, frame.parent) {
            if !self.is_shown(run, frame.relevant, row) {
                run.store.hide_rows(row, frame.place);
            }
        }
    }

    fn question(&mut self, run: &mut Run<'a>, frame: FrameId, slot: Slot) {
        let question = &self.form.definition.frames[frame].questions[slot];
        if frame == FORM && self.hidden[question.section] {
            return;
        }
        for row in run.store.live_rows(&self.form.definition.frames, frame) {
            if !self.is_shown(run, question.relevant, row) {
                run.store.hide_cell(row, slot);
            } else if let Some(rule) = question.calculate {
                run.count_rule();
                let value = run.eval(&self.form.rules[rule].node, &mut Scope::row(row));
                run.store.cell_mut(row, slot).value = conform(question.kind, value);
            }
        }
    }

    /// Unknown hides.
    fn is_shown(&self, run: &Run<'a>, relevant: Option<usize>, row: u32) -> bool {
        relevant.is_none_or(|rule| {
            run.count_rule();
            run.holds(&self.form.rules[rule].node, &mut Scope::row(row)) == Some(true)
        })
    }

    fn definition(&self) -> &'a Definition {
        &self.form.definition
    }
}

/// Weighs a score's items.
pub(super) fn score_up<'a>(form: &'a Form, run: &mut Run<'a>, place: usize) {
    let score = &form.definition.scores[place];
    run.count_steps(score.items().count() as u64);
    let scored = weigh(score, |slot| run.store.cell(0, slot).value.number());
    run.scores[place] = scored;
}

/// Holds a calculated value to the question's kind: values from outside the form have no type until they arrive.
pub(super) fn conform(kind: Kind, value: Val<'_>) -> Val<'_> {
    let fits = match (kind, &value) {
        (Kind::Date, Val::Instant(instant)) => return Val::Date(instant.date_naive()),
        (Kind::Date, Val::Text(text)) => return dates::parse_date(text).map_or(Val::Unknown, Val::Date),
        (Kind::Time, Val::Text(text)) => return dates::parse_time(text).map_or(Val::Unknown, Val::Time),
        (Kind::Instant, Val::Text(text)) => {
            return dates::parse_instant(text).map_or(Val::Unknown, Val::Instant);
        }
        (Kind::Choices(_) | Kind::Texts, Val::List(items)) => {
            return Val::List(items.iter().filter(|item| item.text().is_some()).cloned().collect());
        }
        (Kind::Text | Kind::Choice(_), Val::Text(text)) => !text.is_empty(),
        (Kind::Text | Kind::Choice(_), Val::Made(text)) => !text.is_empty(),
        (Kind::Integer | Kind::Number, Val::Number(_)) | (Kind::Boolean, Val::Bool(_)) => true,
        (Kind::Date, Val::Date(_)) | (Kind::Time, Val::Time(_)) | (Kind::Instant, Val::Instant(_)) => true,
        (Kind::Map, Val::Map(_))
        | (Kind::Point, Val::Point(_))
        | (Kind::Media, Val::Json(_) | Val::Held(_)) => true,
        _ => false,
    };
    if fits { value } else { Val::Unknown }
}
