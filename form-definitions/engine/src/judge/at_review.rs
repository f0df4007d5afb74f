//! Judging at review: the answers as filed with the reviewer's laid over them, by the same rules.

use super::checks::Checks;
use super::{explain, lift, paths, review_settled, settle};
use crate::context::Context;
use crate::definition::FrameId;
use crate::eval::Run;
use crate::explanation::Explanation;
use crate::form::Form;
use crate::outcome::{Level, Outcome, Violation};
use crate::reviewed::{Asked, Reviewed};
use crate::session::more;
use serde_json::{Map, Value};

/// Judges a submission with what its reviewer answered: path -> answer.
pub(crate) fn review_with<'a>(
    form: &'a Form,
    answers: &'a Value,
    non_answers: Option<&'a Value>,
    given: &'a Map<String, Value>,
    context: &'a Context<'a>,
) -> Reviewed {
    let filed = super::judge(form, answers, non_answers, context);
    let (outcome, run, _) = judged_with(form, answers, non_answers, given, context);
    let (asked, answers) = asked(form, &run);
    Reviewed { problems: problems(form, &outcome, &filed), outcome, filed, answers, asked }
}

/// Judges a submission with what its reviewer answered, and tells why it came out so.
pub(crate) fn explain_with<'a>(
    form: &'a Form,
    answers: &'a Value,
    non_answers: Option<&'a Value>,
    given: &'a Map<String, Value>,
    context: &'a Context<'a>,
) -> Explanation {
    let (outcome, run, hidden) = judged_with(form, answers, non_answers, given, context);
    Explanation { rules: explain::explain(form, &run, &hidden), outcome }
}

fn judged_with<'a>(
    form: &'a Form,
    answers: &'a Value,
    non_answers: Option<&'a Value>,
    given: &'a Map<String, Value>,
    context: &'a Context<'a>,
) -> (Outcome, Run<'a>, Vec<bool>) {
    let mut lifted = lift(form, answers, non_answers);
    lifted.take_reviewers(form, given);
    let mut run = Run::new(&form.definition, context, lifted.store);
    run.at_review = true;
    run.non_answers = lifted.non_answers;
    let hidden = settle(form, &mut run);
    let outcome = review_settled(form, &run, &hidden, lifted.notes, &lifted.claims);
    (outcome, run, hidden)
}

/// What only the reviewer's answers brought, and must be corrected.
fn problems(form: &Form, outcome: &Outcome, filed: &Outcome) -> Vec<Violation> {
    let new = more(&outcome.violations, &filed.violations);
    let is_missing = |violation: &Violation| {
        let question = violation.question.as_deref();
        violation.code == "required" && question.is_some_and(|name| form.is_asked_of_reviewer(name))
    };
    new.into_iter().filter(|it| it.level == Level::Error && !is_missing(it)).collect()
}

/// The reviewer's questions that are shown, and the answers to them.
fn asked(form: &Form, run: &Run<'_>) -> (Vec<Asked>, Map<String, Value>) {
    let (mut all, mut answers) = (Vec::new(), Map::new());
    for frame in 0..form.definition.frames.len() {
        for row in run.store.live_rows(&form.definition.frames, frame) {
            asked_in(form, run, frame, row, &mut all, &mut answers);
        }
    }
    (all, answers)
}

fn asked_in(
    form: &Form,
    run: &Run<'_>,
    frame: FrameId,
    row: u32,
    all: &mut Vec<Asked>,
    answers: &mut Map<String, Value>,
) {
    let checks = Checks { form, run };
    for (slot, question) in form.definition.frames[frame].questions.iter().enumerate() {
        let cell = run.store.cell(row, slot);
        if !question.of_reviewer || cell.hidden {
            continue;
        }
        let path = paths::of_cell(&form.definition, &run.store, row, slot);
        if let Some(raw) = cell.raw.as_deref().filter(|_| cell.value.is_known()) {
            answers.insert(path.clone(), super::review::normal(raw));
        }
        all.push(Asked {
            path,
            question: question.name.clone(),
            required: checks.is_required(question.required, row),
            answered: cell.value.is_known(),
        });
    }
}
