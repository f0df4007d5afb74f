//! From answers to an outcome, in the order the rules promise: lift, settle what is shown and calculated, then check, then find.

mod at_review;
mod checks;
mod explain;
pub(crate) mod findings;
mod lift;
pub(crate) mod offer;
mod paths;
mod resettle;
mod review;
mod settle;
mod writing;

pub(crate) use at_review::{explain_with, review_with};
pub(crate) use lift::{Lifted, lift};
pub(crate) use resettle::{Changed, resettle};
pub(crate) use settle::settle;
pub(crate) use writing::{Written, read_answer, write_answer};

use crate::context::Context;
use crate::definition::Slot;
use crate::eval::{Raw, Run, Store};
use crate::explanation::Explanation;
use crate::form::Form;
use crate::outcome::Outcome;
use lift::Notes;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Judges one submission.
pub(crate) fn judge<'a>(
    form: &'a Form,
    answers: &'a Value,
    non_answers: Option<&'a Value>,
    context: &'a Context<'a>,
) -> Outcome {
    judged(form, answers, non_answers, context).0
}

/// Judges one submission and tells why it came out so.
pub(crate) fn explain<'a>(
    form: &'a Form,
    answers: &'a Value,
    non_answers: Option<&'a Value>,
    context: &'a Context<'a>,
) -> Explanation {
    let (outcome, run, hidden) = judged(form, answers, non_answers, context);
    Explanation { rules: explain::explain(form, &run, &hidden), outcome }
}

fn judged<'a>(
    form: &'a Form,
    answers: &'a Value,
    non_answers: Option<&'a Value>,
    context: &'a Context<'a>,
) -> (Outcome, Run<'a>, Vec<bool>) {
    let Lifted { store, notes, claims, non_answers } = lift(form, answers, non_answers);
    let mut run = Run::new(&form.definition, context, store);
    run.non_answers = non_answers;
    let hidden_sections = settle(form, &mut run);
    let outcome = review_settled(form, &run, &hidden_sections, notes, &claims);
    (outcome, run, hidden_sections)
}

/// Judges what is settled already, from what was lifted.
pub(crate) fn review_again<'a>(
    form: &'a Form,
    run: &Run<'a>,
    hidden: &[bool],
    given: &Lifted<'a>,
) -> Outcome {
    review_settled(form, run, hidden, given.notes.clone(), &given.claims)
}

fn review_settled<'a>(
    form: &'a Form,
    run: &Run<'a>,
    hidden: &[bool],
    notes: Notes,
    claims: &HashMap<(u32, Slot), Raw<'_>>,
) -> Outcome {
    let mut outcome = review::review(form, run, hidden, notes, claims);
    outcome.scores = scores(form, run);
    outcome.findings = findings::find(form, run);
    outcome.cost = run.steps();
    outcome
}

fn scores(form: &Form, run: &Run<'_>) -> Map<String, Value> {
    let scored = form.definition.scores.iter().zip(&run.scores);
    scored.filter_map(|(score, scored)| Some((score.name.clone(), scored.as_ref()?.to_json(score)))).collect()
}

/// A store with nothing answered.
fn empty_store<'a>(form: &Form) -> Store<'a> {
    Store::new(&form.definition.frames)
}
