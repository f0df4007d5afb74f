//! Checks what the operations make together: nothing hidden that others read, no parameter nobody reads, and the form check itself, whose
//! problems are brought back to the operation they come from.

use super::apply::Applied;
use super::inventory::{Reader, readers};
use super::operation::Operation;
use super::refusal::{Refusal, RefusalCode as Code, refused};
use crate::form::compile;
use crate::package::Package;
use crate::problem::Problem;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What operations hide and others still read.
pub(super) fn hidden(applied: &Applied, operations: &[Operation]) -> Vec<Refusal> {
    let mut hidden: BTreeMap<String, usize> = BTreeMap::new();
    for (place, operation) in operations.iter().enumerate() {
        let Operation::Hide { question, .. } = operation else { continue };
        let mut open = vec![question.clone()];
        while let Some(name) = open.pop() {
            open.extend(applied.draft.children(Some(&name)));
            hidden.entry(name).or_insert(place);
        }
    }
    if hidden.is_empty() {
        return Vec::new();
    }
    let mut needed: BTreeMap<usize, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for Reader { rule, item, names } in readers(&applied.draft.package) {
        if item.as_ref().is_some_and(|item| hidden.contains_key(item)) {
            continue;
        }
        for name in names.iter().filter(|name| hidden.contains_key(*name)) {
            let Some(place) = hidden.get(name) else { continue };
            let Some(Operation::Hide { accepting, .. }) = operations.get(*place) else { continue };
            if !accepting.contains(&rule) {
                needed.entry(*place).or_default().entry(rule.clone()).or_default().insert(name.clone());
            }
        }
    }
    needed.into_iter().map(|(place, rules)| needed_elsewhere(place, operations, rules)).collect()
}

fn needed_elsewhere(
    place: usize,
    operations: &[Operation],
    rules: BTreeMap<String, BTreeSet<String>>,
) -> Refusal {
    const NAMED: usize = 12;
    let question = operations[place].about();
    let said = rules.iter().take(NAMED).map(|(rule, names)| {
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name != question).collect();
        if names.is_empty() { rule.clone() } else { format!("{rule} ({})", names.join(", ")) }
    });
    let said: Vec<String> = said.collect();
    let more = rules.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!("{question} is read by {}{more}", said.join(", "));
    let remedy = "replace or hide what reads it first, or list in `accepting` what may go without it";
    let mut refusal = refused(Code::NeededElsewhere, question, message, remedy);
    refusal.operation = place;
    *refusal
}

/// Parameters set that no rule reads: probably misspelt.
pub(super) fn unread_parameters(base: &Package, result: &Package, operations: &[Operation]) -> Vec<Refusal> {
    let known: BTreeSet<&str> = base.parameters.iter().filter_map(|row| row.get("key")?.as_str()).collect();
    let mut refusals = Vec::new();
    let mut read: Option<BTreeSet<String>> = None;
    for (place, operation) in operations.iter().enumerate() {
        let Operation::SetParameter(value) = operation else { continue };
        if known.contains(value.key.as_str()) {
            continue;
        }
        let read = read.get_or_insert_with(|| mentioned(&result.definition));
        if !read.contains(&value.key) {
            let message = format!("no rule reads param.{}", value.key);
            let mut refusal = refused(
                Code::UnreadParameter,
                &value.key,
                message,
                "add the rule that reads it in the same version, or correct the key",
            );
            refusal.operation = place;
            refusals.push(*refusal);
        }
    }
    refusals
}

fn mentioned(definition: &Value) -> BTreeSet<String> {
    fn look(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => fields.values().for_each(|value| look(value, found)),
            Value::Array(items) => items.iter().for_each(|item| look(item, found)),
            Value::String(text) => found.extend(crate::package::mentions(text, "param.")),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    look(definition, &mut found);
    found
}

/// The form check of the result, its problems brought back to the operations.
pub(super) fn form_check(base: &Package, applied: &Applied, operations: &[Operation]) -> Vec<Refusal> {
    let Err(problems) = compile(&applied.draft.package) else { return Vec::new() };
    if let Err(already) = compile(base) {
        return already.into_iter().take(MOST_TOLD).map(base_unsound).collect();
    }
    let blame = Blame { applied, operations, base };
    problems.into_iter().take(MOST_TOLD).map(|problem| blame.refusal(problem)).collect()
}

/// Problems told at most.
const MOST_TOLD: usize = 50;

fn base_unsound(problem: Problem) -> Refusal {
    let message = format!("the base itself is refused: {}", problem.message);
    let mut refusal = refused(Code::BaseUnsound, &problem.path, message, "correct the base first");
    refusal.problem = Some(problem);
    *refusal
}

struct Blame<'a> {
    applied: &'a Applied,
    operations: &'a [Operation],
    base: &'a Package,
}

impl Blame<'_> {
    fn refusal(&self, problem: Problem) -> Refusal {
        let operation = self
            .by_place(&problem)
            .or_else(|| self.by_name(&problem))
            .unwrap_or_else(|| self.by_trial(&problem));
        Refusal {
            operation,
            code: problem.code.clone(),
            message: problem.message.clone(),
            remedy: problem.remedy.clone(),
            about: self.operations.get(operation).map(|operation| operation.about().to_owned()),
            locked: None,
            problem: Some(problem),
        }
    }

    /// The last operation that wrote where the problem stands, the nearest place first.
    fn by_place(&self, problem: &Problem) -> Option<usize> {
        let stands_in = |place: &str| {
            problem.path == place
                || problem.path.starts_with(place) && problem.path[place.len()..].starts_with('/')
        };
        let candidates =
            self.applied.touched.iter().filter(|(place, _)| !place.is_empty() && stands_in(place));
        candidates.max_by_key(|(place, operation)| (place.len(), *operation)).map(|(_, operation)| *operation)
    }

    /// The last operation whose subject is named in what is said.
    fn by_name(&self, problem: &Problem) -> Option<usize> {
        let words: BTreeSet<&str> = problem
            .message
            .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-')))
            .chain(
                problem
                    .rule
                    .iter()
                    .flat_map(|rule| rule.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')))),
            )
            .collect();
        self.operations.iter().rposition(|operation| words.contains(operation.about()))
    }

    /// The first operation after which the problem stands there: halving, so that a long list costs few checks.
    fn by_trial(&self, problem: &Problem) -> usize {
        let (mut sound, mut spoilt) = (0, self.operations.len());
        while sound + 1 < spoilt {
            let middle = (sound + spoilt) / 2;
            let part = super::apply::all(self.base, &self.operations[..middle]);
            let there = compile(&part.draft.package).err().is_some_and(|found| {
                found.iter().any(|other| other.code == problem.code && other.path == problem.path)
            });
            if there { spoilt = middle } else { sound = middle }
        }
        spoilt.saturating_sub(1)
    }
}
