//! Filling in, answer by answer: a change is settled and judged without running again what does not depend on it.
//!
//! After any sequence of changes the outcome is the one [`Form::evaluate`] gives for [`Session::answers`], save for the cost, which is that of the
//! last change alone. Rows that come or go renumber the rows after them, so they are judged anew, all at once.

use crate::context::Context;
use crate::eval::{Memo, Run};
use crate::form::Form;
use crate::judge::{self, Changed, Lifted};
use crate::outcome::{Finding, Outcome, Violation};
use serde::Serialize;
use serde_json::{Map, Value};

/// One form being filled in.
pub struct Session<'a> {
    form: &'a Form,
    context: &'a Context<'a>,
    answers: Value,
    non_answers: Map<String, Value>,
    /// What is answered, before anything is hidden.
    given: Lifted<'a>,
    /// What is left of it, and what is calculated from it.
    run: Run<'a>,
    hidden: Vec<bool>,
    outcome: Outcome,
}

/// What one change brought about.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Change {
    /// What is shown now and was not: paths and section names.
    pub shown: Vec<String>,
    /// What is hidden now and was not.
    pub hidden: Vec<String>,
    /// Calculated values that changed: path -> value, `null` where there is none any more.
    pub calculated: Map<String, Value>,
    /// Scores that changed: name -> score, `null` where there is none any more.
    pub scores: Map<String, Value>,
    /// What is wrong now and was not.
    pub violations_added: Vec<Violation>,
    /// What was wrong and is not.
    pub violations_removed: Vec<Violation>,
    /// What is found now and was not, or not in the same words.
    pub findings_added: Vec<Finding>,
    /// What was found and is not, or not in the same words.
    pub findings_removed: Vec<Finding>,
    /// How many rules had to be evaluated.
    pub rules_evaluated: u64,
}

impl<'a> Session<'a> {
    pub(crate) fn start(
        form: &'a Form,
        answers: Value,
        non_answers: Map<String, Value>,
        context: &'a Context<'a>,
    ) -> Session<'a> {
        let (given, run, hidden, outcome) = judged(form, &answers, &non_answers, context);
        Session { form, context, answers, non_answers, given, run, hidden, outcome }
    }

    /// The outcome as things stand.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The answers as given, hidden ones included.
    pub fn answers(&self) -> &Value {
        &self.answers
    }

    /// The reasons given instead of answers.
    pub fn non_answers(&self) -> &Map<String, Value> {
        &self.non_answers
    }

    /// Answers a question (`children[0].age`), a whole row (`children[2]`, `null` to remove it) or a whole repeat (`children`); `null` takes an answer
    /// back. A path that leads nowhere changes nothing.
    pub fn change(&mut self, path: &str, value: Value) -> Change {
        match judge::write_answer(&self.form.definition, &mut self.answers, path, value) {
            judge::Written::Nowhere => Change::default(),
            judge::Written::Cell => self.changed_cell(path),
            judge::Written::Rows => self.begin_again(),
        }
    }

    /// Gives a reason instead of an answer, or with `None` takes it back.
    pub fn change_non_answer(&mut self, path: &str, reason: Option<&str>) -> Change {
        match reason {
            Some(reason) => drop(self.non_answers.insert(path.to_owned(), Value::from(reason))),
            None => drop(self.non_answers.shift_remove(path)),
        }
        let found = self.given.reconsider(self.form, path, &self.non_answers);
        self.settle_change(found)
    }

    fn changed_cell(&mut self, path: &str) -> Change {
        let answer = judge::read_answer(&self.form.definition, &self.answers, path);
        let found = self.given.replace(self.form, path, &answer, &self.non_answers);
        self.settle_change(found)
    }

    fn settle_change(&mut self, found: Option<(usize, u32, usize)>) -> Change {
        let Some((frame, row, slot)) = found else { return self.begin_again() };
        self.run.non_answers = self.given.non_answers.clone();
        if !self.run.store.cell(row, slot).hidden {
            *self.run.store.cell_mut(row, slot) = self.given.store.cell(row, slot).clone();
        }
        let mut changed = Changed::default();
        changed.cell(frame, row, slot);
        self.run.start_counting();
        judge::resettle(self.form, &mut self.run, &self.given.store, &mut self.hidden, &mut changed);
        self.forget(&changed);
        let outcome = judge::review_again(self.form, &self.run, &self.hidden, &self.given);
        self.turn_to(outcome)
    }

    fn forget(&self, changed: &Changed) {
        for rule in (0..self.form.rules.len()).filter(|rule| changed.touches(self.form, *rule)) {
            self.run.forget(rule, |row| changed.affects(self.form, &self.run.store, rule, row));
        }
    }

    fn begin_again(&mut self) -> Change {
        let (given, run, hidden, outcome) = judged(self.form, &self.answers, &self.non_answers, self.context);
        self.given = given;
        self.run = run;
        self.hidden = hidden;
        self.turn_to(outcome)
    }

    fn turn_to(&mut self, outcome: Outcome) -> Change {
        let before = std::mem::replace(&mut self.outcome, outcome);
        let after = &self.outcome;
        let gone = |a: &Outcome, b: &Outcome| -> Vec<String> {
            a.relevance.keys().filter(|path| !b.relevance.contains_key(*path)).cloned().collect()
        };
        Change {
            shown: gone(&before, after),
            hidden: gone(after, &before),
            calculated: differing(&before.calculated, &after.calculated),
            scores: differing(&before.scores, &after.scores),
            violations_added: more(&after.violations, &before.violations),
            violations_removed: more(&before.violations, &after.violations),
            findings_added: more(&after.findings, &before.findings),
            findings_removed: more(&before.findings, &after.findings),
            rules_evaluated: self.run.rules_evaluated(),
        }
    }
}

fn judged<'a>(
    form: &'a Form,
    answers: &Value,
    non_answers: &Map<String, Value>,
    context: &'a Context<'a>,
) -> (Lifted<'a>, Run<'a>, Vec<bool>, Outcome) {
    let non_answers = Value::Object(non_answers.clone());
    let given = judge::lift(form, answers, Some(&non_answers)).into_owned();
    let mut run = Run::new(&form.definition, context, given.store.clone());
    run.non_answers = given.non_answers.clone();
    run.remember(Memo::new(form.rules.len()));
    let hidden = judge::settle(form, &mut run);
    let outcome = judge::review_again(form, &run, &hidden, &given);
    (given, run, hidden, outcome)
}

fn differing(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let new = after.iter().filter(|(name, value)| before.get(*name) != Some(*value));
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    new.map(|(name, value)| (name.clone(), value.clone()))
        .chain(gone.map(|name| (name.clone(), Value::Null)))
        .collect()
}

/// What stands in the first more often than in the second.
pub(crate) fn more<T: Clone + PartialEq>(these: &[T], those: &[T]) -> Vec<T> {
    let mut left: Vec<&T> = those.iter().collect();
    let mut more = Vec::new();
    for one in these {
        match left.iter().position(|other| *other == one) {
            Some(place) => drop(left.swap_remove(place)),
            None => more.push(one.clone()),
        }
    }
    more
}
