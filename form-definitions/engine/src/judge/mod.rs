//! From answers to an outcome, in the order the rules promise: lift, settle what is shown and calculated, then check, then find.

mod checks;
mod findings;
mod lift;
mod paths;
mod review;
mod settle;

use crate::context::Context;
use crate::eval::{Run, Store};
use crate::form::Form;
use crate::outcome::Outcome;
use lift::Lifted;
use serde_json::Value;

/// Judges one submission.
pub(crate) fn judge<'a>(
    form: &'a Form,
    answers: &'a Value,
    non_answers: Option<&'a Value>,
    context: &'a Context<'a>,
) -> Outcome {
    let lifted = lift::lift(form, answers, non_answers);
    let Lifted { store, notes, claims, non_answers } = lifted;
    let mut run = Run::new(&form.definition, context, store);
    run.non_answers = non_answers;
    let hidden_sections = settle::settle(form, &mut run);
    let mut outcome = review::review(form, &run, &hidden_sections, notes, &claims);
    outcome.findings = findings::find(form, &run);
    outcome.cost = run.steps();
    outcome
}

/// A store with nothing answered.
fn empty_store<'a>(form: &Form) -> Store<'a> {
    Store::new(&form.definition.frames)
}
