//! From answers to an outcome, in the order the rules promise: lift, settle what is shown and calculated, then check, then find.

mod checks;
mod explain;
pub(crate) mod findings;
mod lift;
pub(crate) mod offer;
mod paths;
mod review;
mod settle;

use crate::context::Context;
use crate::eval::{Run, Store};
use crate::explanation::Explanation;
use crate::form::Form;
use crate::outcome::Outcome;
use lift::Lifted;
use serde_json::{Map, Value};

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
    let lifted = lift::lift(form, answers, non_answers);
    let Lifted { store, notes, claims, non_answers } = lifted;
    let mut run = Run::new(&form.definition, context, store);
    run.non_answers = non_answers;
    let hidden_sections = settle::settle(form, &mut run);
    let mut outcome = review::review(form, &run, &hidden_sections, notes, &claims);
    outcome.scores = scores(form, &run);
    outcome.findings = findings::find(form, &run);
    outcome.cost = run.steps();
    (outcome, run, hidden_sections)
}

fn scores(form: &Form, run: &Run<'_>) -> Map<String, Value> {
    let scored = form.definition.scores.iter().zip(&run.scores);
    scored.filter_map(|(score, scored)| Some((score.name.clone(), scored.as_ref()?.to_json(score)))).collect()
}

/// A store with nothing answered.
fn empty_store<'a>(form: &Form) -> Store<'a> {
    Store::new(&form.definition.frames)
}
