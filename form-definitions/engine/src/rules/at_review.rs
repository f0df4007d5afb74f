//! Keeps what is answered at review apart from what the phone does: a rule that shows, hides, requires, refuses or calculates something on
//! the phone may not read it. Findings may, and so may checks of the form, a section or a row, which then wait for the review.

use super::of_rule;
use super::tree::{Read, Rule};
use crate::codes::Code;
use crate::definition::{Constraint, Definition, FrameId, Question, Required, RuleId, Slot};
use crate::problem::Problem;
use std::collections::HashSet;

/// Marks the checks that wait for the review, and refuses what would let a reviewer's answer act on the phone.
pub(super) fn keep_apart(definition: &Definition, rules: &mut [Rule], problems: &mut Vec<Problem>) {
    let of_reviewer = reviewers(definition);
    if of_reviewer.is_empty() {
        return;
    }
    let read = |rule: &Rule| {
        rule.reads.iter().chain(&rule.across).find_map(|read| match *read {
            Read::Question(frame, slot) if of_reviewer.contains(&(frame, slot)) => Some((frame, slot)),
            _ => None,
        })
    };
    let (theirs, checks, findings) =
        (rules_of_reviewer(definition), checks(definition), findings(definition));
    for (id, source) in definition.sources.iter().enumerate() {
        let Some((frame, slot)) = read(&rules[id]) else { continue };
        if checks.contains(&id) {
            rules[id].waits_for_review = true;
        } else if !theirs.contains(&id) && !findings.contains(&id) {
            let name = &definition.frames[frame].questions[slot].name;
            let message = format!(
                "this acts on the phone, and {name} is answered at review, when the phone is long done: nobody there could know it"
            );
            let remedy =
                "ask it of a finding, a check of the form or section, or another question of the reviewer";
            problems.push(of_rule(source, None, Code::ReviewerOnly, message, remedy));
        }
    }
    rows_of_reviewer(definition, problems);
}

fn reviewers(definition: &Definition) -> HashSet<(FrameId, Slot)> {
    let frames = definition.frames.iter().enumerate();
    let all = frames.flat_map(|(id, frame)| {
        frame.questions.iter().enumerate().map(move |(slot, question)| ((id, slot), question))
    });
    all.filter(|(_, question)| question.of_reviewer).map(|(at, _)| at).collect()
}

/// The rules of the reviewer's own questions.
fn rules_of_reviewer(definition: &Definition) -> HashSet<RuleId> {
    let questions = definition.frames.iter().flat_map(|frame| &frame.questions);
    questions.filter(|question| question.of_reviewer).flat_map(rules_of).collect()
}

fn rules_of(question: &Question) -> impl Iterator<Item = RuleId> {
    let required = match question.required {
        Required::When(rule) => Some(rule),
        Required::Always | Required::Never => None,
    };
    let others = question.constraints.iter().map(|constraint| constraint.rule);
    question.relevant.into_iter().chain(question.filter).chain(required).chain(others)
}

/// Checks that stand on no single question.
fn checks(definition: &Definition) -> HashSet<RuleId> {
    let of = |constraints: &[Constraint]| constraints.iter().map(|it| it.rule).collect::<Vec<_>>();
    let sections = definition.sections.iter().flat_map(|section| of(&section.constraints));
    let rows = definition
        .frames
        .iter()
        .flat_map(|frame| of(&frame.constraints).into_iter().chain(of(&frame.row_constraints)));
    of(&definition.constraints).into_iter().chain(sections).chain(rows).collect()
}

fn findings(definition: &Definition) -> HashSet<RuleId> {
    definition.findings.iter().map(|finding| finding.when).collect()
}

/// A question of the phone cannot choose from what only the reviewer answers.
fn rows_of_reviewer(definition: &Definition, problems: &mut Vec<Problem>) {
    for question in definition.frames.iter().flat_map(|frame| &frame.questions) {
        let Some((repeat, slot)) = question.from_rows.as_ref().and_then(|rows| rows.found) else { continue };
        let chosen = &definition.frames[repeat].questions[slot];
        if chosen.of_reviewer && !question.of_reviewer {
            problems.push(Problem {
                path: format!("{}/x-choices", question.pointer),
                rule: None,
                position: None,
                code: Code::ReviewerOnly.as_str().to_owned(),
                message: format!(
                    "{} chooses from {}, which is answered at review",
                    question.name, chosen.name
                ),
                remedy: "let it choose from what is answered on the phone".to_owned(),
            });
        }
    }
}
