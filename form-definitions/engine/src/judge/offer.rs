//! What a person is offered while filling in: what a new form or row begins with, and what can be chosen now.

use super::checks::Checks;
use super::lift::{self, Lifted};
use super::paths;
use super::settle::{conform, settle};
use crate::context::Context;
use crate::definition::{FORM, FrameId, Item, Kind, Question, Slot};
use crate::eval::{Run, Scope};
use crate::form::Form;
use crate::outcome::Choice;
use serde_json::{Map, Value};

/// The defaults of a new form, by question.
pub(crate) fn of_form<'a>(form: &'a Form, context: &'a Context<'a>) -> Map<String, Value> {
    let mut run = settled(form, lift::lift(form, &Value::Null, None), context);
    let items = form.definition.sections.iter().flat_map(|section| &section.items);
    defaults(form, &mut run, 0, FORM, items)
}

/// The defaults of a row: of one that stands in the answers, or of the next row of a repeat.
pub(crate) fn of_row<'a>(
    form: &'a Form,
    path: &str,
    answers: &'a Value,
    context: &'a Context<'a>,
) -> Map<String, Value> {
    let mut lifted = lift::lift(form, answers, None);
    let Some((parent, repeat, index)) = paths::find_rows(&form.definition, &lifted.store, path) else {
        return Map::new();
    };
    let frame = &form.definition.frames[repeat];
    let mut rows = lifted.store.rows(parent, frame.place).to_vec();
    let row = match index {
        Some(index) if index < rows.len() => rows[index],
        _ if rows.len() < frame.max_items => {
            let row = lifted.store.add(repeat, frame, parent, rows.len() as u32);
            rows.push(row);
            lifted.store.set_rows(parent, frame.place, rows);
            row
        }
        _ => return Map::new(),
    };
    let mut run = settled(form, lifted, context);
    defaults(form, &mut run, row, repeat, frame.items.iter())
}

/// What can be chosen for the question at a path, in the order of its list or of the rows.
pub(crate) fn choices<'a>(
    form: &'a Form,
    path: &str,
    answers: &'a Value,
    context: &'a Context<'a>,
) -> Vec<Choice> {
    let run = settled(form, lift::lift(form, answers, None), context);
    let Some((row, slot)) = paths::find(&form.definition, &run.store, path) else { return Vec::new() };
    let question = &form.definition.frames[run.store.row(row).frame].questions[slot];
    let checks = Checks { form, run: &run };
    match (question.kind, &question.from_rows) {
        (Kind::Choice(list) | Kind::Choices(list), _) => {
            let items = form.definition.lists[list].items.iter();
            let offered = items.filter(|item| checks.is_offered(question, item, row));
            offered
                .map(|item| Choice { value: Value::from(item.code.as_str()), title: item.title.clone() })
                .collect()
        }
        (_, Some(rows)) => {
            let mut offered: Vec<Choice> = Vec::new();
            for value in checks.in_rows(question, rows, row) {
                let value = value.to_json();
                if offered.iter().all(|known| known.value != value) {
                    offered.push(Choice { value, title: Default::default() });
                }
            }
            offered
        }
        _ => Vec::new(),
    }
}

fn settled<'a>(form: &'a Form, lifted: Lifted<'a>, context: &'a Context<'a>) -> Run<'a> {
    let mut run = Run::new(&form.definition, context, lifted.store);
    run.non_answers = lifted.non_answers;
    settle(form, &mut run);
    run
}

/// Each sees the answers, and the defaults of the questions asked before it. What is answered keeps its answer.
fn defaults<'a>(
    form: &'a Form,
    run: &mut Run<'a>,
    row: u32,
    frame: FrameId,
    items: impl Iterator<Item = &'a Item>,
) -> Map<String, Value> {
    let mut defaults = Map::new();
    for item in items {
        let Item::Question(slot) = *item else { continue };
        let question = &form.definition.frames[frame].questions[slot];
        let Some(value) = default(form, run, row, question, slot) else { continue };
        defaults.insert(question.name.clone(), value);
    }
    defaults
}

fn default<'a>(
    form: &'a Form,
    run: &mut Run<'a>,
    row: u32,
    question: &'a Question,
    slot: Slot,
) -> Option<Value> {
    let rule = question.default.filter(|_| run.store.cell(row, slot).raw.is_none())?;
    let value = conform(question.kind, run.eval(&form.rules[rule].node, &mut Scope::row(row)));
    if !value.is_known() {
        return None;
    }
    let written = value.to_json();
    run.store.cell_mut(row, slot).value = value;
    Some(written)
}
